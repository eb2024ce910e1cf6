"""opsmon: a lightweight operations monitor for small warehouse and e-commerce teams.

One way in: a vendor's webhook becomes an Event on a Redis Stream; a worker folds events into panes;
the change wakes the hub, which renders each partial once and pushes the same bytes to every screen.

    sources/ (bytes -> Event)  store/ (Redis)  workers/ (events -> panes)  web/ (panes -> HTML, SSE)
    core/ decides, and knows neither Redis nor HTTP nor the time.

Start reading at tests/guide, then core/kpis.py and store/lua.
"""

__version__ = "0.1.0"

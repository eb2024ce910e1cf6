"""Every page there is, by the route table, with something on it: what axe and the policy are held against.

A route that is neither here nor among those that are no pages fails test_all_pages.py: no page is forgotten.
"""

import re
from collections.abc import Callable, Iterable
from html import unescape
from typing import Any

from starlette.routing import Route

from opsmon.core.access import LOCAL
from opsmon.core.catalogue import Kpi
from opsmon.store.accounts.people import People
from opsmon.store.alerts.links import LIFE_MS, Link, link_secret, link_token
from opsmon.store.alerts.outbox import Outbox
from opsmon.store.alerts.telling_queries import Attempt, Standing
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from opsmon.web.alerts.rule_forms import KINDS
from opsmon.web.feed import slots_of
from tests.conftest import NOW_MS
from tests.http import request
from tests.store.dead import keep, letter
from tests.web.browser import Site
from tests.web.large import large_parts, large_views
from tests.workers.alerting.outbox import ANA, BEN, LATE, fires
from tests.workers.alerting.outbox import keep as keep_telling

# What programs ask for, what is saved, and the stream.
NOT_PAGES = {"/live", "/status.json", "/kpi/{id}.csv", "/api/kpis", "/api/kpis/{id}", "/api/kpis/{id}/explain",
             "/metrics", "/manifest.webmanifest", "/sw.js", "/b/{board}.json", "/audit.csv", "/alerts.csv",
             "/alerts.ndjson", "/api/alerts", "/api/rules", "/api/rules/{rule}", "/api/openapi.json", "/logout"}
GROUPS = ("boards", "walls", "kpis", "others")


def routes_of(site: Site) -> set[str]:
    """The paths of the table in web/routes.py, as they stand there."""
    app: Any = site.web.app if site.web else None
    while not hasattr(app, "routes"):
        app = app._boards if hasattr(app, "_boards") else app._app
    return {route.path for route in app.routes if isinstance(route, Route)}


async def addresses(site: Site) -> dict[str, list[str]]:
    """Of every page's route the addresses to look at; a dead letter is made for its page."""
    feed = site.web.feed if site.web else None
    assert feed is not None
    (one,) = await keep(site.store, letter(1, b'{"id": 1'))
    reason = await _reason(site)
    return {
        "/": ["/"], "/boards": ["/boards"], "/b/{board}/edit": ["/b/sales/edit"], "/b/{board}/add": ["/b/sales/add"],
        "/search": ["/search", "/search?q=order"], "/keys": ["/keys"],
        "/b/{board}": [f"/b/{board}" for board in feed.boards],
        "/wall": ["/wall"], "/wall/{board}": [f"/wall/{board}" for board in feed.boards],
        "/kpi/{id}": [f"/kpi/{kpi.id}" for kpi in one_of_each(feed._kpis.catalogue.kpis, feed._kpis.catalogue.rollup)],
        # Only posted to: asked for all the same, they are pages that say so.
        "/sources/{name}/test": ["/sources/shopify/test"], "/boards/import": ["/boards/import"],
        "/sources": ["/sources"], "/status": ["/status"],
        "/dead-letters": ["/dead-letters", reason], "/dead-letters/{id}": [f"/dead-letters/{one}", "/dead-letters/9-9"],
        "/enter": [f"/enter?what={what}" for what in ("order", "count", "gauge", "move", "scan")],
        "/people": ["/people"], "/people/{id}": ["/people/nobody"], "/profile": ["/profile"], "/tokens": ["/tokens"],
        "/audit": ["/audit"], "/login": ["/login", "/login?next=/b/sales"],
        "/invite/{secret}": ["/invite/nothing", await _invitation(site)],
        "/welcome/{secret}": ["/welcome/nothing", f"/welcome/{DataDir(site.settings.data).first_secret()}"],
        "/components": ["/components"], "/offline": ["/offline"],
        "/alerts": ["/alerts"], "/alerts/quality": ["/alerts/quality"],
        "/alerts/{fingerprint}": ["/alerts/0123456789abcdef"],
        "/rules": ["/rules"], "/silences": ["/silences"], "/calendar": ["/calendar"],
        "/rules/{rule}": [*(f"/rules/new?kind={kind}" for kind in KINDS), "/rules/past-sla"],
        "/a/{token}": ["/a/nothing", await _alert_link(site)], "/receivers": ["/receivers"],
        "/pair": ["/pair"], "/screens": ["/screens"], "/screens/pair": ["/screens/pair?code=K7QM-4RTX"],
        "anything else": ["/nothing-here"],
    }


def grouped(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """The addresses in four parts of about the same work."""
    parts: dict[str, list[str]] = {group: [] for group in GROUPS}
    for route, paths in found.items():
        group = next((group for group, begins in (("walls", "/wall"), ("kpis", "/kpi"), ("boards", "/b/"))
                      if route.startswith(begins)), "boards" if route == "/" else "others")
        parts[group] += paths
    return parts


def one_of_each(kpis: Iterable[Kpi], rollup: Callable[[str], Any]) -> list[Kpi]:
    """The first KPI of each way of measuring, unit and window: their pages differ."""
    found: dict[tuple[object, ...], Kpi] = {}
    for kpi in kpis:
        found.setdefault((rollup(kpi.rollup).measure, bool(rollup(kpi.rollup).by), kpi.window.kind), kpi)
    return list(found.values())


async def fill_boards(site: Site) -> None:
    """Every tile of every board shows nine digits and every kind of row. Kept until the store tells otherwise."""
    feed = site.web.feed if site.web else None
    assert feed is not None
    shown = set[str]()
    for board in feed.boards.values():
        for layout in ("board", "wall"):
            await feed.open(slots_of(board, layout))
            shown |= slots_of(board, layout)
    views = [*large_views(feed._kpis.catalogue, feed.board.wording, feed.board.zone, site.settings.currency or "EUR"),
             *large_parts(feed.board.wording, feed._kpis.calendar)]
    feed.hub.update([(f"kpi-{view.id}", view) for view in views if f"kpi-{view.id}" in shown], 0)


async def _invitation(site: Site) -> str:
    """The address that lets somebody choose a password."""
    people = People(site.store, Reader(site.store), Keys(site.settings.site))
    known = await people.by_email("ben@shop.example")
    if known is None:
        await people.add(LOCAL, "", "ben@shop.example", "Ben", "operator", NOW_MS)
        known = await people.by_email("ben@shop.example")
    assert known is not None
    return f"/invite/{await people.link(known, 'invite')}"


async def _alert_link(site: Site) -> str:
    """The address that answers an alert that fires, told to somebody whose mail fails."""
    await keep_telling(site.store, ANA, BEN, LATE)
    alert = await fires(site.store, NOW_MS)
    keys = Keys(site.settings.site)
    await Outbox(site.store, keys).settle((), (), [Attempt(NOW_MS, "ana", "fired", "late", "failed", "no answer")],
                                          {"ana": Standing(0, 0, NOW_MS, "no answer"),
                                           "ben": Standing(NOW_MS, NOW_MS)},
                                          [{"key": "k", "word": "fired", "receiver": "ana", "at": "1", "alert": "f",
                                            "run": "r", "rule": "late", "why": "no such address"}])
    return f"/a/{link_token(await link_secret(site.store, keys), Link(alert.id, 'ana', NOW_MS + LIFE_MS))}"


async def _reason(site: Site) -> str:
    """The address of the letters of one reason, as the page of all of them links it."""
    answer = await request(site.port, "GET", "/dead-letters", b"", {})
    found = re.search(r'href="(/dead-letters\?[^"]+)"', answer.text)
    assert found is not None
    return unescape(found[1])

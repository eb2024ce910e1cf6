"""A tab as the page's scripts make it, and a web process as a feed makes it: for proofs without a browser.

The scripts' rules are static/js/guard.js and pause.js in Python; test_every_board_browser.py holds the same schedules
against the scripts themselves.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from opsmon.core.boards import BOARDS
from opsmon.core.calendar import SiteCalendar
from opsmon.core.kpis import BUILT_IN
from opsmon.web import rendering
from opsmon.web.alerts.samples import BANDS
from opsmon.web.alerts.shapes import CountView
from opsmon.web.feed import slots_of
from opsmon.web.hub import Hub
from opsmon.web.samples import BOARDS as SAMPLES
from opsmon.web.wording import Wording
from tests.web.large import large_parts, large_views
from tests.web.wire import Dispatched, dispatched, partials

PAGES = tuple(slots_of(board, layout) for board in BOARDS for layout in ("board", "wall"))
SLOTS = tuple(sorted(frozenset[str]().union(*PAGES)))
_REVISION = re.compile(r'data-rev="(\d+)"')
Drawn = dict[str, str]


@cache
def _tiles() -> dict[str, Any]:
    calendar = SiteCalendar(ZoneInfo("Europe/Berlin"))
    wording = Wording("en", calendar)
    _, health, setup = SAMPLES["busy"]
    views = [*large_views(BUILT_IN, wording, "Europe/Berlin"), *large_parts(wording, calendar)]
    tiles = {f"kpi-{view.id}": view for view in views}
    return {**tiles, "health": health, "setup": setup, "band": BANDS["many"],
            "alerts": CountView("Alerts: 5 open", is_any=True)}


def view_of(slot_id: str, number: int) -> object:
    """What a slot shows while the store holds this number."""
    view = _tiles()[slot_id]
    words = {"health": "text", "setup": "progress", "band": "more", "alerts": "text"}.get(slot_id, "label")
    return replace(view, **{words: f"{getattr(view, words)} {number}"})


@dataclass
class Process:
    """A web process: its hub, and which pages it keeps up to date. `stored` is what the store holds, for all."""

    hub: Hub
    stored: dict[str, int]
    leases: set[frozenset[str]] = field(default_factory=set)

    def open(self, slots: frozenset[str], now: int) -> None:
        """Feed.open: have these at hand; what is there is kept up to date, what is not is read now."""
        self.leases.add(slots)
        self._show(sorted(slots - self.hub.slots.keys()), now)

    def read(self, now: int) -> None:
        """Feed.step: forget what nobody looks at, show what the store holds of the rest."""
        watched = frozenset[str]().union(*self.leases, *(tab.slots for tab in self.hub.screens if tab.slots))
        self.hub.forget([slot_id for slot_id in self.hub.slots if slot_id not in watched])
        self._show(sorted(watched), now)

    def fresh(self, slots: frozenset[str]) -> Drawn:
        """A page made now."""
        return {slot_id: str(rendering.slot(self.hub.slots[slot_id].view, self.hub.slots[slot_id].revision)).strip()
                for slot_id in slots}

    def _show(self, slot_ids: list[str], now: int) -> None:
        self.hub.update([(slot_id, view_of(slot_id, self.stored[slot_id])) for slot_id in slot_ids], now)
        self.hub.publish()


@dataclass(eq=False)
class Tab:
    """An open page. `dom` is what its slots show, `held` what a paused page keeps back."""

    slots: frozenset[str]
    dom: Drawn
    boot: str
    last_id: str
    revision: int = 0
    ready: bool = True
    paused: bool = False
    held: Drawn = field(default_factory=dict)
    heard: list[Dispatched] = field(default_factory=list)

    def push(self, data: bytes) -> None:
        """hub.Screen: what arrives is taken at once."""
        for message in dispatched(data):
            self.heard.append(message)
            self.receive(message)

    def beat(self, data: bytes) -> None:
        """hub.Screen: nothing of a board is in a heartbeat."""

    def receive(self, message: Dispatched) -> None:
        """guard.js: what is not newer is left out, unless it comes from another hub. pause.js: held, not shown."""
        sender = message.last_id.partition(".")[0]
        foreign, self.boot, self.last_id = sender != self.boot, sender, message.last_id
        for slot_id, html in partials(message.data).items():
            if slot_id in self.dom and (foreign or revision(html) > self.known(slot_id)):
                (self.held if self.paused else self.dom)[slot_id] = html

    def known(self, slot_id: str) -> int:
        """The revision of a slot's newest HTML here, held or shown."""
        return revision(self.held.get(slot_id, self.dom[slot_id]))

    def pause(self) -> None:
        """Press the button: hold, or show what was held."""
        self.paused = not self.paused
        if not self.paused:
            self.dom |= self.held
            self.held = {}


def revision(html: str) -> int:
    found = _REVISION.search(html)
    assert found is not None
    return int(found[1])

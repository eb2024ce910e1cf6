"""Every board, through any schedule of changes, losses, replays, reloads, pauses, slow links and restarts: in the end
each tab shows, letter for letter, what a page made now shows (DESIGN 5, LIVE 5.8)."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmon.web import rendering
from opsmon.web.hub import Hub
from tests.web.tabs import PAGES, SLOTS, Drawn, Process, Tab, revision
from tests.web.test_hub import KeepsOldFrames

# What changes while a test looks: one slot of every board, one of some.
MOVING = ("health", "kpi-orders-today")
OFTEN = ("change", "change", "change", "connect", "connect", "replay", "pause", "slow", "lose")
SELDOM = ("read", "visit", "restart", "leave_alone")
Step = tuple[str, int, int, int]
# The same tab and the same process: faults need several steps in one place.
MOSTLY = (0, 0, 0, 1)
STEPS: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(OFTEN * 2 + SELDOM), st.sampled_from(MOSTLY), st.sampled_from(MOSTLY), st.integers(0, 11))
SCHEDULES = st.lists(STEPS, min_size=8, max_size=40)


class Hall:
    """Two web processes on one store, and two tabs that are now at this one, now at that, now nowhere."""

    def __init__(self, kind: type[Hub], tab_kind: type[Tab], pages: tuple[frozenset[str], frozenset[str]]) -> None:
        self.kind, self.tab_kind, self.now = kind, tab_kind, 1_000
        self.stored = dict.fromkeys(SLOTS, 0)
        self.processes = [self.started("a"), self.started("b")]
        self.tabs = [self.loaded(0, slots) for slots in pages]
        for who in (0, 1):
            self.connect(who, 0)

    def started(self, boot: str) -> Process:
        return Process(self.kind(rendering.partial, boot), self.stored)

    def loaded(self, where: int, slots: frozenset[str]) -> Tab:
        process = self.processes[where]
        process.open(slots, self.now)
        return self.tab_kind(slots, process.fresh(slots), process.hub.boot, process.hub.id)

    def step(self, name: str, who: int, where: int, number: int) -> None:
        """Do one thing of what can happen."""
        if name == "change":
            self.stored[MOVING[number % 2]] = number % 3
            self.now += 1
            if number < 9:
                self.processes[where].read(self.now)
        elif name == "read":
            self.processes[where].read(self.now)
        elif name == "visit":
            self.lose(who)
            self.tabs[who] = self.loaded(where, PAGES[number % len(PAGES)])
        elif name == "connect":
            self.connect(who, where)
        elif name == "lose":
            self.lose(who)
        elif name == "slow":
            self.tabs[who].ready = not self.tabs[who].ready
        elif name == "replay":
            self.replay(self.tabs[who], number % 3)
        elif name == "pause":
            self.tabs[who].pause()
        elif name == "restart":
            self.processes[where] = self.started(f"{self.processes[where].hub.boot}x")
        elif name == "leave_alone":
            self.processes[where].leases.clear()

    def lose(self, who: int) -> None:
        """The connection is gone: Wi-Fi, a hidden tab, a silent line."""
        for process in self.processes:
            process.hub.screens.discard(self.tabs[who])

    def connect(self, who: int, where: int) -> None:
        """The stream opens, as web/live.py opens it."""
        self.lose(who)
        tab, process = self.tabs[who], self.processes[where]
        process.open(tab.slots, self.now)
        tab.revision, tab.ready = process.hub.since(tab.last_id), True
        frame = process.hub.lacking(tab)
        tab.revision = process.hub.revision
        process.hub.screens.add(tab)
        if frame:
            tab.push(frame)

    def replay(self, tab: Tab, back: int) -> None:
        """One of the last frames of the hub the tab is at comes once more, late."""
        old = [message for message in tab.heard if message.last_id.startswith(f"{tab.boot}.")]
        if old:
            tab.receive(old[-min(back + 1, len(old))])

    def settle(self) -> list[tuple[Drawn, Drawn]]:
        """All is read, all tabs are connected and take what comes: what each shows, and what a page would show."""
        return [self.settled(who) for who in (0, 1)]

    def settled(self, who: int) -> tuple[Drawn, Drawn]:
        tab = self.tabs[who]
        process = next((one for one in self.processes if tab in one.hub.screens), None)
        if process is None:
            process = self.processes[who]
            self.connect(who, who)
        process.read(self.now)
        tab.ready = True
        process.hub.serve(tab)
        if tab.paused:
            tab.pause()
        return tab.dom, process.fresh(tab.slots)


def ends_well(schedule: list[Step], kind: type[Hub] = Hub, tab_kind: type[Tab] = Tab,
              pages: tuple[frozenset[str], frozenset[str]] = (PAGES[0], PAGES[1])) -> bool:
    """Let these things happen; whether each tab shows in the end what a page would show."""
    hall = Hall(kind, tab_kind, pages)
    for step in schedule:
        hall.step(*step)
    return all(shown == fresh for shown, fresh in hall.settle())


@settings(deadline=None)
@given(SCHEDULES, st.sampled_from(PAGES), st.sampled_from(PAGES))
def test_every_board_ends_with_what_a_fresh_page_shows(
        schedule: list[Step], one: frozenset[str], other: frozenset[str]) -> None:
    """Two tabs on any two boards, two servers, and whatever happens between."""
    assert ends_well(schedule, pages=(one, other))


class TrustsAnyBoot(Hub):
    """Takes another hub's revision for its own."""

    def since(self, event_id: str) -> int:
        return super().since(f"{self.boot}.{event_id.partition('.')[2]}")


class OneTooFar(Hub):
    """Off by one: takes the newest slot for known."""

    def part(self, since: int, slots: frozenset[str] | None) -> bytes:
        return super().part(since + 1, slots)


class OneBoardForAll(Hub):
    """Gives every board the frame that was made for the first one at its place."""

    def part(self, since: int, slots: frozenset[str] | None) -> bytes:
        made = {place: frame for (place, _), frame in self._frames.items() if frame}
        return made.get(since) or super().part(since, slots)


class PaintsBackwards(Tab):
    """A page without guard.js: whatever comes is shown."""

    def known(self, slot_id: str) -> int:
        return -1


class HoldsTheLast(Tab):
    """A paused page that keeps what came last, not what is newest."""

    def known(self, slot_id: str) -> int:
        return revision(self.dom[slot_id])


@pytest.mark.parametrize(("kind", "tab_kind"), [
    (TrustsAnyBoot, Tab), (OneTooFar, Tab), (OneBoardForAll, Tab), (KeepsOldFrames, Tab), (Hub, PaintsBackwards),
    (Hub, HoldsTheLast)], ids=lambda kind: kind.__name__)
def test_a_fault_is_caught_by_such_schedules(kind: type[Hub], tab_kind: type[Tab]) -> None:
    """The proof can fail: each of these leaves a wrong number on a board for good."""
    assert not all(ends_well(schedule_of(seed), kind, tab_kind) for seed in range(3_000))


def schedule_of(seed: int) -> list[Step]:
    """A schedule as above, without the search for a small one."""
    chance = Random(seed)
    return [(chance.choice(OFTEN * 2 + SELDOM), chance.choice(MOSTLY), chance.choice(MOSTLY), chance.randrange(12))
            for _ in range(chance.randrange(8, 40))]

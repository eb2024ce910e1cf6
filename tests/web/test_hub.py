"""The hub: whatever happens on the way, a screen ends with what a fresh page shows, and all share the bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from opsmon.web.hub import Hub, Slot, event
from tests.web.wire import as_html_reads, dispatched

SLOTS = ("orders", "revenue", "health")
Drawn = dict[str, tuple[int, str]]
Step = tuple[str, int, int]


def draw(slot_id: str, view: object, revision: int) -> str:
    """A partial that tells what the model needs: slot, revision, view."""
    return f"{slot_id} {revision} {view}"


def fresh(hub: Hub) -> Drawn:
    """A page made now: slot -> (revision, view)."""
    return {slot_id: (slot.revision, str(slot.view)) for slot_id, slot in hub.slots.items()}


def views(drawn: Drawn) -> dict[str, str]:
    """What can be seen of it."""
    return {slot_id: view for slot_id, (_, view) in drawn.items()}


@dataclass(eq=False)
class Tab:
    """A screen as the page's scripts make it: hx-sse's last event id, guard.js's boot and revisions."""

    revision: int = 0
    ready: bool = True
    drawn: Drawn = field(default_factory=dict)
    boot: str = ""
    last_id: str = ""
    pushed: list[bytes] = field(default_factory=list)
    slots: frozenset[str] | None = None

    def push(self, data: bytes) -> None:
        self.pushed.append(data)
        for message in dispatched(data):
            self.receive(message.last_id, message.data)

    def beat(self, data: bytes) -> None:
        self.pushed.append(data)

    def receive(self, event_id: str, data: str) -> None:
        """guard.js: not newer is left out, unless it comes from another hub."""
        self.last_id = event_id
        sender = event_id.partition(".")[0]
        foreign, self.boot = sender != self.boot, sender
        for line in data.split("\n"):
            slot_id, revision, view = line.split(" ")
            if foreign or int(revision) > self.drawn.get(slot_id, (-1, ""))[0]:
                self.drawn[slot_id] = (int(revision), view)

    def load(self, hub: Hub) -> None:
        """Load the page anew."""
        self.drawn, self.boot, self.last_id = fresh(hub), hub.boot, hub.id

    def connect(self, hub: Hub) -> None:
        """Open the stream, as web/live.py does."""
        self.revision, self.ready = hub.since(self.last_id), True
        frame = hub.frame(self.revision)
        self.revision = hub.revision
        hub.screens.add(self)
        if frame:
            self.push(frame)


class Plant:
    """Two hubs on one change stream, and a tab that is now at this one, now at that, now nowhere."""

    def __init__(self, kind: Callable[..., Hub]) -> None:
        self.hubs = [kind(draw, "a"), kind(draw, "b")]
        self.stored = dict.fromkeys(SLOTS, 0)
        self.now = 1000
        self.tab = Tab()
        for hub in self.hubs:
            self.read(hub)
        self.tab.load(self.hubs[0])

    def read(self, hub: Hub) -> None:
        """A hub reads what the store holds now, and publishes."""
        hub.update(list(self.stored.items()), self.now)
        hub.publish()

    def step(self, name: str, which: int, number: int) -> None:
        """Do one thing of what can happen."""
        hub = self.hubs[which]
        if name == "change":
            self.stored[SLOTS[number % 3]] = number // 3
            self.now += 1
        elif name == "read":
            self.read(hub)
        elif name == "lose":
            self.leave()
        elif name == "connect":
            self.leave()
            self.tab.connect(hub)
        elif name == "reload":
            self.leave()
            self.tab.load(hub)
        elif name == "slow":
            self.tab.ready = not self.tab.ready
        elif name == "replay":
            self.replay(number)
        elif name == "restart":
            self.restart(which, number)

    def leave(self) -> None:
        for hub in self.hubs:
            hub.screens.discard(self.tab)

    def replay(self, number: int) -> None:
        """Bytes of before come once more, of the hub the tab is at."""
        old = [data for data in self.tab.pushed if dispatched(data)[0].last_id.startswith(f"{self.tab.boot}.")]
        if old:
            message = dispatched(old[number % len(old)])[0]
            kept = self.tab.last_id
            self.tab.receive(message.last_id, message.data)
            self.tab.last_id = kept

    def restart(self, which: int, number: int) -> None:
        """A process is replaced by one with a boot of its own."""
        old = self.hubs[which]
        old.screens.clear()
        self.hubs[which] = type(old)(draw, f"{old.boot}{number}")
        self.read(self.hubs[which])

    def settle(self, which: int) -> tuple[dict[str, str], dict[str, str]]:
        """Everything is read, the tab is connected and takes what it gets: what it shows, what a page shows."""
        for hub in self.hubs:
            self.read(hub)
        hub = self.hubs[which]
        if self.tab in hub.screens:
            self.tab.ready = True
            hub.serve(self.tab)
        else:
            self.leave()
            self.tab.connect(hub)
        return views(self.tab.drawn), views(fresh(hub))


WORDS = ("change", "change", "read", "read", "lose", "connect", "connect", "reload", "slow", "replay", "restart")
STEPS = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 1), st.integers(0, 8)), max_size=40)


def run(kind: Callable[..., Hub], steps: list[Step], last: int) -> tuple[dict[str, str], dict[str, str]]:
    """Let these things happen; what the tab shows in the end, and what a fresh page shows."""
    plant = Plant(kind)
    for step in steps:
        plant.step(*step)
    return plant.settle(last)


@settings(deadline=None)
@given(STEPS, st.integers(0, 1))
def test_a_screen_ends_with_what_a_fresh_page_shows(steps: list[Step], last: int) -> None:
    """Through pushes, losses, replays, reloads, slow links and restarts, at one server or the other."""
    shown, wanted = run(Hub, steps, last)
    assert shown == wanted


class TrustsAnyBoot(Hub):
    """Takes another hub's revision for its own."""

    def since(self, event_id: str) -> int:
        return super().since(f"{self.boot}.{event_id.partition('.')[2]}")


class LeavesOneOut(Hub):
    """Forgets a slot in frames that resume."""

    def frame(self, since: int) -> bytes:
        kept = self.slots
        self.slots = {slot_id: slot for slot_id, slot in kept.items() if not since or slot_id != "health"}
        try:
            return super().frame(since)
        finally:
            self.slots = kept


class OneTooFar(Hub):
    """Off by one: takes the newest slot for known."""

    def frame(self, since: int) -> bytes:
        return super().frame(since + 1)


class KeepsOldFrames(Hub):
    """Hands out the frame it once made for a revision."""

    def update(self, views: list[tuple[str, object]], revision: int) -> list[str]:  # type: ignore[override]
        frames = dict(self._frames)
        changed = super().update(views, revision)
        self._frames.update(frames)
        return changed


@pytest.mark.parametrize("kind", [TrustsAnyBoot, LeavesOneOut, OneTooFar, KeepsOldFrames])
def test_a_spoilt_hub_is_caught_by_the_same_property(kind: type[Hub]) -> None:
    """The property above is worth something: each of these faults leaves a number wrong for good."""
    def is_wrong(case: tuple[list[Step], int]) -> bool:
        shown, wanted = run(kind, *case)
        return shown != wanted

    steps, last = find(st.tuples(STEPS, st.integers(0, 1)), is_wrong,
                       settings=settings(max_examples=3_000, deadline=None, database=None), random=Random(1))
    assert is_wrong((steps, last))


def test_an_honest_hub_is_never_caught() -> None:
    """The same search finds nothing in the hub as it is."""
    def is_wrong(case: tuple[list[Step], int]) -> bool:
        shown, wanted = run(Hub, *case)
        return shown != wanted

    with pytest.raises(NoSuchExample):
        find(st.tuples(STEPS, st.integers(0, 1)), is_wrong,
             settings=settings(max_examples=300, deadline=None, database=None))


def made(**more: object) -> Hub:
    """A hub that shows three slots at revision 1000."""
    hub = Hub(draw, "boot")
    hub.update([("orders", 1), ("revenue", 2), ("health", "ok"), *more.items()], 1000)
    return hub


def test_an_order_between_page_and_stream_is_in_the_first_frame() -> None:
    """What happens after the page was made and before its stream opens is not lost."""
    hub, tab = made(), Tab()
    tab.load(hub)
    hub.update([("orders", 5)], 1001)
    hub.publish()
    tab.connect(hub)
    assert tab.drawn["orders"] == (1001, "5")


def test_a_stream_that_lacks_nothing_begins_with_no_frame() -> None:
    """A screen that is up to date is sent nothing it has."""
    hub = made()
    assert hub.frame(hub.since(hub.id)) == b""


def test_a_resuming_screen_gets_what_changed_and_nothing_else() -> None:
    """Of three slots one moved: one is sent."""
    hub = made()
    seen = hub.id
    hub.update([("orders", 7), ("revenue", 2)], 1001)
    assert dispatched(hub.frame(hub.since(seen)))[0].data == "orders 1001 7"


def test_what_shows_the_same_is_not_sent_again() -> None:
    """Reading a number that did not move is no news."""
    hub, tab = made(), Tab()
    tab.load(hub)
    tab.connect(hub)
    assert (hub.update([("orders", 1)], 2000), hub.revision, tab.pushed) == ([], 1000, [])


def test_fifty_screens_at_one_place_share_one_render_and_one_string() -> None:
    """A slot is drawn once for the whole hall, and the very same bytes go to every screen."""
    drawn: list[str] = []

    def counting(slot_id: str, view: object, revision: int) -> str:
        drawn.append(slot_id)
        return draw(slot_id, view, revision)

    hub = Hub(counting, "boot")
    hub.update([("orders", 1), ("revenue", 2)], 1000)
    tabs = [Tab() for _ in range(50)]
    for tab in tabs:
        tab.load(hub)
        tab.connect(hub)
    drawn.clear()
    hub.update([("orders", 3), ("revenue", 4)], 1001)
    hub.publish()
    assert drawn == ["orders", "revenue"]
    assert {id(tab.pushed[-1]) for tab in tabs} == {id(hub.frame(1000))}


def test_a_slow_screen_gets_the_newest_of_each_slot_at_once() -> None:
    """There is no queue: three changes that were missed arrive as one frame with the last of each."""
    hub, tab = made(), Tab()
    tab.load(hub)
    tab.connect(hub)
    tab.ready = False
    for revision, orders in enumerate((5, 6, 7), 1001):
        hub.update([("orders", orders), ("health", f"h{orders}")], revision)
        hub.publish()
    tab.ready = True
    hub.serve(tab)
    assert [message.data for data in tab.pushed for message in dispatched(data)] == [
        "orders 1003 7\nhealth 1003 h7"]


def test_the_revision_never_runs_backwards() -> None:
    """A change that comes with an older number is the next one all the same."""
    hub = made()
    hub.update([("orders", 2)], 500)
    assert (hub.revision, hub.slots["orders"].revision) == (1001, 1001)


def test_a_screen_from_the_future_is_at_the_present() -> None:
    """An id that is ahead of this hub counts as up to date, and hears of the next change."""
    hub = made()
    assert hub.since("boot.999999999") == 1000


ODD_IDS = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"(boot|tube|)?[.,]?[-+ _0-9٣²a-f.]{0,25}", fullmatch=True),
    st.sampled_from(["boot", "boot.", ".1000", "boot.-1", "boot.+5", "boot. 5", "boot.1_0", "boot.1e3", "boot.٣",
                     "boot.²", "boot.99999999999999999", "BOOT.1000", "boot.1000.1000", "\0", "1000"]),
)


@settings(deadline=None, max_examples=1_000)
@given(ODD_IDS)
def test_an_odd_id_gets_the_whole_board(event_id: str) -> None:
    """Whatever a browser says it has seen last, it is answered: with everything, unless the id is ours."""
    hub = made()
    known, _, number = event_id.partition(".")
    is_ours = known == "boot" and number.isascii() and number.isdigit() and len(number) <= 16
    assert hub.since(event_id) == (min(int(number), 1000) if is_ours else 0)


def test_screens_at_many_places_leave_no_pile_of_frames() -> None:
    """Frames are made for each place a screen may be at; asking for ten thousand keeps only a few."""
    hub = made()
    for revision in range(1_000):
        hub.frame(revision)
    assert len(hub._frames) <= 64


NEWLINES = st.sampled_from(["\n", "\r", "\r\n", "\n\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028",
                            "\u2029", "\0", "\ufeff", " ", ":", "data: x", "id: 9", "event: hb"])
TEXTS = st.lists(st.one_of(NEWLINES, st.text(max_size=5)), min_size=1, max_size=12).map("".join).filter(bool)


@settings(deadline=None)
@given(TEXTS)
def test_any_text_arrives_as_html_would_read_it(text: str) -> None:
    """Newlines of every kind, NULs and separators: the page gets the same text, and no field is forged."""
    hub = Hub(lambda slot_id, view, revision: str(view), "boot")
    hub.update([("note", text)], 7)
    assert [(m.event, m.last_id, m.data) for m in dispatched(hub.frame(0))] == [
        ("", "boot.7", as_html_reads(text))]


@settings(deadline=None)
@given(TEXTS)
def test_the_wire_knows_line_feeds_only(text: str) -> None:
    """A carriage return between two chunks can be mis-read, so there is none."""
    hub = Hub(lambda slot_id, view, revision: str(view), "boot")
    hub.update([("note", text)], 7)
    assert b"\r" not in hub.frame(0)


def test_a_signal_is_an_event_with_its_data() -> None:
    """A heartbeat is a named event: a comment would not reach the page's scripts."""
    assert event("hb", "1763674000123") == b"event: hb\ndata: 1763674000123\n\n"


def test_a_farewell_says_when_to_come_back() -> None:
    """`retry` counts only in a message that has data (hx-sse)."""
    assert event("bye", "restart", 1500) == b"event: bye\nretry: 1500\ndata: restart\n\n"


def test_a_slot_remembers_since_when_it_shows_what_it_shows() -> None:
    """The revision of a slot is that of its last change, not of the last look."""
    hub = made()
    hub.update([("orders", 9)], 1001)
    hub.update([("revenue", 9)], 1002)
    assert hub.slots["orders"] == Slot(9, 1001, b"data: orders 1001 9\n")

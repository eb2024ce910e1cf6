"""The hub: the newest state of every slot, and one integer per screen. No queue, no history, no gaps.

A screen is at a revision; what it lacks is every slot with a higher one. Coming late, resuming, being
slow and missing a push are therefore the same case. Screens at the same revision get the same bytes, and a
slot has the same bytes on every board that shows it: it is drawn once.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from secrets import token_hex
from typing import Protocol

MAX_SCREENS = 1_000
_MAX_FRAMES = 64  # screens are at few places; who asks for many must not fill the memory
_NEWLINE = re.compile("\r\n|\r|\n")  # of HTML and of the stream; str.splitlines knows more


class Screen(Protocol):
    """An open browser. `revision` is what it has, `slots` what its page shows (None: all there is); `push` takes a
    frame while it is `ready`, `beat` a heartbeat at any time."""

    revision: int

    @property
    def slots(self) -> frozenset[str] | None: ...

    @property
    def ready(self) -> bool: ...

    def push(self, data: bytes) -> None: ...

    def beat(self, data: bytes) -> None: ...


@dataclass(slots=True)
class Slot:
    """A place on the page: what it shows now, since which revision, and its bytes on the wire."""

    view: object
    revision: int
    partial: bytes


class Hub:
    """All slots that any screen shows. `render(slot_id, view, revision)` gives the partial as one line of text."""

    def __init__(self, render: Callable[[str, object, int], str], boot: str | None = None) -> None:
        # Revisions of two hubs do not compare: each skips what did not change for itself.
        self.boot = boot or token_hex(4)
        self.revision = 0
        self.slots: dict[str, Slot] = {}
        self.screens: set[Screen] = set()
        self.draining = False
        self._render = render
        self._frames: dict[tuple[int, frozenset[str] | None], bytes] = {}

    def update(self, views: Iterable[tuple[str, object]], revision: int) -> list[str]:
        """Show these views from `revision` on; slots that show the same already keep theirs.

        A revision that is not new is taken as the next one. Returns the ids of the slots that changed.
        """
        changed = [(slot_id, view) for slot_id, view in views if self._differs(slot_id, view)]
        revision = max(revision, self.revision + 1)
        for slot_id, view in changed:
            partial = self._render(slot_id, view, revision)
            self.slots[slot_id] = Slot(view, revision, _data_lines(partial))
        if changed:
            self.revision = revision
            self._frames.clear()
        return [slot_id for slot_id, _ in changed]

    def forget(self, slot_ids: Iterable[str]) -> None:
        """Let slots go that no screen shows: kept, they would look like the present. Shown again, they are new."""
        gone = [self.slots.pop(slot_id) for slot_id in slot_ids if slot_id in self.slots]
        if gone:
            self._frames.clear()

    def since(self, event_id: str) -> int:
        """The revision a screen is at, from its last event id `boot.revision`; 0 for anything else."""
        boot, _, revision = event_id.partition(".")
        if boot != self.boot or not (revision.isascii() and revision.isdigit()) or len(revision) > 16:
            return 0
        return min(int(revision), self.revision)

    @property
    def id(self) -> str:
        """Where the board is now: the frame's id, and the ETag of the page."""
        return f"{self.boot}.{self.revision}"

    def frame(self, since: int) -> bytes:
        """Every slot newer than `since` as one message; b'' when there is none."""
        return self.part(since, None)

    def part(self, since: int, slots: frozenset[str] | None) -> bytes:
        """The same, of these slots only; None for all."""
        place = (since, slots)
        if place not in self._frames:
            if len(self._frames) >= _MAX_FRAMES:
                self._frames.clear()
            data = b"".join(slot.partial for slot_id, slot in self.slots.items()
                            if slot.revision > since and (slots is None or slot_id in slots))
            self._frames[place] = b"id: %s\n%s\n" % (self.id.encode(), data) if data else b""
        return self._frames[place]

    def lacking(self, screen: Screen) -> bytes:
        """What a screen's page shows and it does not have yet, as one message; b'' when it has all."""
        return self.frame(screen.revision) if screen.slots is None else self.part(screen.revision, screen.slots)

    def publish(self) -> None:
        """Give every screen that can take it what it lacks."""
        for screen in list(self.screens):
            self.serve(screen)

    def serve(self, screen: Screen) -> None:
        """Give one screen what it lacks, if it can take it now."""
        if not screen.ready or screen.revision >= self.revision:
            return
        frame = self.lacking(screen)
        screen.revision = self.revision
        if frame:
            screen.push(frame)

    def broadcast(self, data: bytes) -> None:
        """The same heartbeat to every screen, also to one that waits before its next frame."""
        for screen in list(self.screens):
            screen.beat(data)

    def _differs(self, slot_id: str, view: object) -> bool:
        shown = self.slots.get(slot_id)
        return shown is None or shown.view != view


def _data_lines(text: str) -> bytes:
    """Text as `data:` lines: whatever it says, no line of it is another field (threat: CWE-93; HTML, 9.2.6). LF only:
    hx-sse can mis-read a CR LF that falls between two chunks."""
    return b"".join(b"data: %s\n" % line.encode() for line in _NEWLINE.split(text))


def event(name: str, data: str, retry_ms: int | None = None) -> bytes:
    """A named message: a signal for the page's scripts. `retry` counts only beside data (hx-sse).

    `data` may be any text: threat: a message of somebody's own in the stream (CWE-93; HTML, 9.2.6)."""
    retry = "" if retry_ms is None else f"retry: {retry_ms}\n"
    return f"event: {name}\n{retry}".encode() + _data_lines(data) + b"\n"

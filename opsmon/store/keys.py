"""Every key, its type, its time to live and who writes it, on one screen.

All keys of a site carry the same hash tag, `{site}`, so that they lie in one slot of a Cluster and one
script can do a whole commit.
"""

from dataclasses import dataclass
from typing import Literal

from opsmon.core.folding import Hash


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key: its shape, what it is, how long it lives, who writes it."""

    shape: str
    type: Literal["stream", "hash", "string"]
    lives: str
    owner: str
    holds: str


KINDS = (
    KeyKind("{site}:events", "stream", "permanent; trimmed below every group's need", "append_events",
            "accepted events, in order of arrival"),
    KeyKind("{site}:changes", "stream", "permanent; the newest 4,096", "commit, tick",
            "which KPIs moved; entry ids are the site's revisions"),
    KeyKind("{site}:dead", "stream", "permanent; 30 days or 32 MB", "append_events, commit",
            "deliveries and entries that could not be used, with the reason"),
    KeyKind("{site}:meta", "hash", "permanent", "commit, worker",
            "generation, calendar, currency, earliest instant counted, last tick"),
    KeyKind("{site}:counts", "hash", "permanent", "append_events, commit, web",
            "running totals by source: accepted, duplicate, not_used, refused, late …"),
    KeyKind("{site}:seen:<source>:<shop>:<id>", "string", "7 days", "append_events",
            "a delivery that was taken: its identity"),
    KeyKind("{site}:state:<entity>", "string", "400 days", "commit",
            "version and bookings of an entity"),
    KeyKind("{site}:pane:<generation>:<rollup>:<dimension>:m:<hour>", "hash", "8 days and a margin",
            "commit", "minute panes of an hour"),
    KeyKind("{site}:pane:<generation>:<rollup>:<dimension>:h:<day>", "hash", "400 days and a margin",
            "commit", "hour panes of a day"),
    KeyKind("{site}:pane:<generation>:<rollup>:<dimension>:d:<month>", "hash", "permanent", "commit",
            "day panes of a month"),
    KeyKind("{site}:note:<name>", "hash", "1 minute to 1 day", "worker, demo",
            "what a process tells the others: that it lives, how far a fill-in has come"),
)

SEEN_KEPT_MS = 7 * 86_400_000


class Keys:
    """The keys of one site."""

    def __init__(self, site: str) -> None:
        self.tag = "{" + site + "}"
        self.events = f"{self.tag}:events"
        self.changes = f"{self.tag}:changes"
        self.dead = f"{self.tag}:dead"
        self.meta = f"{self.tag}:meta"
        self.counts = f"{self.tag}:counts"

    def seen(self, identity: str) -> str:
        """Where it is marked that a delivery was taken."""
        return f"{self.tag}:seen:{identity}"

    def state(self, entity: str) -> str:
        """Where an entity's version and bookings are kept."""
        return f"{self.tag}:state:{entity}"

    def panes(self, generation: int, panes: Hash) -> str:
        """Where panes are kept. A generation is one way of dividing time (zone, start of day)."""
        return f"{self.tag}:pane:{generation}:{panes.rollup}:{panes.dimension}:{panes.level}:{panes.span}"

    def note(self, name: str) -> str:
        """Where a process leaves word for the others."""
        return f"{self.tag}:note:{name}"

"""fold(events) -> increments: what a batch changes in panes and entity states.

An entity keeps (version, bookings): a newer version books -old +new, an older or equal one is a no-op.
So duplicates, disorder, edits, refunds, cancellations and replays all end in the same panes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from opsmon.core.calendar import DAY_MS, Level, SiteCalendar
from opsmon.core.events import Event
from opsmon.core.kpis import ROLLUPS_ON, Rollup
from opsmon.core.money import MAX_MINOR
from opsmon.core.orders import Fact, Told, Version, tell

# How long panes of a level are corrected after they end, and entity states kept after their last change.
KEPT_MS: dict[Level, int | None] = {"m": 8 * DAY_MS, "h": 400 * DAY_MS, "d": None}
STATE_KEPT_MS = 400 * DAY_MS
# A hash holds up to 25 hours of panes: it goes only when the last of them is out of date.
_HASH_MARGIN_MS = 2 * DAY_MS

# A clock that runs ahead by more than this is not believed: the event is counted when it arrived.
FUTURE_MS = 5 * 60_000
LATE_MS = 60_000


class Booking(NamedTuple):
    """One amount in one rollup at one instant: what an entity's present version adds."""

    rollup: str
    dimension: str
    time_ms: int
    aggregate: str
    amount: int


class Hash(NamedTuple):
    """A stored hash of panes of one rollup, dimension and level; `span` says which hour, day or month."""

    rollup: str
    dimension: str
    level: Level
    span: str


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of an entity: the version that counts, and what it booked."""

    version: Version
    bookings: tuple[Booking, ...]


@dataclass(slots=True)
class Fold:
    """The outcome of a batch: increments by hash and field, states by entity, counters by name.

    `expires_ms` says when each hash may go (None: never). `since_ms` is when the earliest event
    about an entity happened: counting covers what came after.
    """

    increments: dict[Hash, dict[str, int]] = field(default_factory=dict)
    expires_ms: dict[Hash, int | None] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    since_ms: int | None = None

    @property
    def writes(self) -> int:
        """How many values a commit of this fold writes."""
        return len(self.states) + sum(map(len, self.increments.values())) + len(self.counters)

    @property
    def rollups(self) -> set[str]:
        """The rollups whose panes move."""
        return {pane_hash.rollup for pane_hash, fields in self.increments.items() if any(fields.values())}

    def count(self, counter: str) -> None:
        """Add one to a counter."""
        self.counters[counter] = self.counters.get(counter, 0) + 1


def entities(event: Event) -> list[str]:
    """The keys of the entities whose states a fold of this event needs."""
    return [told.key for told in tell(event) if told.key is not None]


def fold(
    events: Iterable[Event], states: Mapping[str, State | None], calendar: SiteCalendar, now_ms: int
) -> Fold:
    """Fold events, in any order, over the stored states of their entities.

    Raises KeyError, TypeError or ValueError for an event whose data cannot be used; then nothing counts.
    """
    result = Fold()
    for event in events:
        _note_lateness(event, result)
        for told in tell(event):
            _fold_one(told, event, states, calendar, now_ms, result)
    _drop_zeros(result)
    return result


def rebook(bookings: Iterable[Booking], calendar: SiteCalendar, now_ms: int) -> Fold:
    """The increments of bookings that no pane holds yet: for counting anew by another calendar."""
    result = Fold()
    _book(bookings, +1, calendar, now_ms, result)
    _drop_zeros(result)
    return result


def _fold_one(told: Told, event: Event, states: Mapping[str, State | None], calendar: SiteCalendar,
              now_ms: int, result: Fold) -> None:
    if any(fact.time_ms < now_ms - STATE_KEPT_MS for fact in told.facts):
        # The state that an older version left may be gone: booking again could count twice.
        result.count(f"{event.source}:too-old")
        return
    new = _bookings(told.facts, event, result)
    if told.key is not None:
        _note_since(event, result)
    if told.key is None or told.version is None:
        _book(new, +1, calendar, now_ms, result)
        return
    old = result.states.get(told.key) or states.get(told.key)
    if old is not None and old.version >= told.version:
        return
    _book(old.bookings if old else (), -1, calendar, now_ms, result)
    _book(new, +1, calendar, now_ms, result)
    result.states[told.key] = State(told.version, new)


def _note_lateness(event: Event, result: Fold) -> None:
    if event.arrived_ms - event.time_ms > LATE_MS:
        result.count(f"{event.source}:late")


def _note_since(event: Event, result: Fold) -> None:
    # When it happened, not when its order was placed: one update of an old order makes no history.
    happened_ms = min(event.time_ms, event.arrived_ms)
    result.since_ms = happened_ms if result.since_ms is None else min(happened_ms, result.since_ms)


def _bookings(facts: tuple[Fact, ...], event: Event, result: Fold) -> tuple[Booking, ...]:
    timed = [(fact, _believed(fact, event, result)) for fact in facts]
    return tuple(
        booking
        for fact, time_ms in timed
        for rollup in ROLLUPS_ON[fact.type]
        for booking in _booking(fact, rollup, time_ms)
    )


def _believed(fact: Fact, event: Event, result: Fold) -> int:
    """Event time, or arrival time where the event claims to come from the future."""
    if fact.time_ms > event.arrived_ms + FUTURE_MS:
        result.count(f"{event.source}:future")
        return event.arrived_ms
    return fact.time_ms


def _booking(fact: Fact, rollup: Rollup, time_ms: int) -> list[Booking]:
    dimension = fact.labels.get(rollup.by, "")
    if rollup.measure == "count":
        return [Booking(rollup.id, dimension, time_ms, "n", 1)]
    money = fact.amounts.get(rollup.value)
    if money is None:
        return []
    booked = [Booking(rollup.id, dimension, time_ms, f"s:{money.currency}", money.minor)]
    if rollup.measure == "mean":
        booked.append(Booking(rollup.id, dimension, time_ms, f"n:{money.currency}", 1))
    return booked


def _book(bookings: Iterable[Booking], sign: int, calendar: SiteCalendar, now_ms: int, result: Fold) -> None:
    for rollup, dimension, time_ms, aggregate, amount in bookings:
        for pane in calendar.place(time_ms):
            kept = KEPT_MS[pane.level]
            expires = None if kept is None else pane.end_ms + kept + _HASH_MARGIN_MS
            if kept is not None and pane.end_ms + kept <= now_ms:
                continue
            pane_hash = Hash(rollup, dimension, pane.level, pane.span)
            fields = result.increments.setdefault(pane_hash, {})
            name = f"{pane.field}.{aggregate}"
            fields[name] = fields.get(name, 0) + sign * amount
            result.expires_ms[pane_hash] = expires


def _drop_zeros(result: Fold) -> None:
    for pane_hash in list(result.increments):
        fields = {name: amount for name, amount in result.increments[pane_hash].items() if amount}
        if any(abs(amount) > MAX_MINOR for amount in fields.values()):
            raise ValueError("amount out of range")
        result.increments[pane_hash] = fields
        if not fields:
            del result.increments[pane_hash], result.expires_ms[pane_hash]


def plain(state: State) -> list[Any]:
    """A state as plain lists, to be encoded."""
    return [*state.version, [list(booking) for booking in state.bookings]]


def from_plain(stored: list[Any]) -> State:
    """The state that `plain` made these lists of. Raises TypeError or ValueError for others."""
    updated, rank, digest, bookings = stored
    return State((updated, rank, digest), tuple(Booking(*booking) for booking in bookings))

"""Sessions of one visitor: stretches of events with no gap longer than `gap_ms` between them.

A late event may extend a session to either side or bridge two. The outcome is the same in any order of
arrival: a session is joined when the distance is at most the gap.
"""

from collections.abc import Iterable
from typing import NamedTuple

Amounts = tuple[tuple[str, int], ...]


class Session(NamedTuple):
    """One session: first and last event (epoch ms), how many, the steps seen (bits), money by currency."""

    start_ms: int
    last_ms: int
    events: int
    steps: int
    amounts: Amounts = ()


def hit(time_ms: int, step: int | None = None, amounts: Amounts = ()) -> Session:
    """One event as the smallest session."""
    return Session(time_ms, time_ms, 1, 0 if step is None else 1 << step, amounts)


def add(sessions: Iterable[Session], new: Session, gap_ms: int) -> tuple[Session, ...]:
    """The sessions with `new` joined to those within the gap. In order of start; may not be repeated."""
    joined, apart = new, []
    for session in sessions:
        if session.start_ms - joined.last_ms > gap_ms or joined.start_ms - session.last_ms > gap_ms:
            apart.append(session)
        else:
            joined = merge(session, joined)
    return tuple(sorted([*apart, joined]))


def merge(one: Session, other: Session) -> Session:
    """Two sessions as one: associative and commutative."""
    return Session(
        min(one.start_ms, other.start_ms), max(one.last_ms, other.last_ms),
        one.events + other.events, one.steps | other.steps, _sum(one.amounts, other.amounts),
    )


def reached(steps: int) -> int:
    """How many steps of the funnel a session reached: the furthest one seen implies those before."""
    return steps.bit_length()


def _sum(one: Amounts, other: Amounts) -> Amounts:
    if not one or not other:
        return one or other
    totals = dict(one)
    for currency, minor in other:
        totals[currency] = totals.get(currency, 0) + minor
    return tuple(sorted(totals.items()))

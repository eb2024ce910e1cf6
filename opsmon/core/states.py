"""What is remembered between events: of an entity its newest version, of a group its members, of a visitor
the sessions. A state holds facts, not bookings, so that a catalogue that changes can be counted anew."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from opsmon.core.facts import Fact, Version
from opsmon.core.sessions import Session


class EntityState(NamedTuple):
    """The version that counts, and what it tells."""

    version: Version
    facts: tuple[Fact, ...]


class GroupState(NamedTuple):
    """A group's members by name."""

    members: dict[str, tuple[Any, ...]]


class SessionState(NamedTuple):
    """A visitor's sessions in order of start."""

    sessions: tuple[Session, ...]


State = EntityState | GroupState | SessionState


@dataclass(frozen=True, slots=True)
class Believed:
    """What a fold starts from: states by key (None: there is none), and the rows admitted by (rollup, span)."""

    states: dict[str, State | None]
    rows: dict[tuple[str, str], set[str]]


def plain(state: State) -> list[Any]:
    """A state as plain lists, to be encoded. Equal states make equal lists."""
    if isinstance(state, EntityState):
        return ["e", *state.version, [[fact.type, fact.time_ms, fact.fields] for fact in state.facts]]
    if isinstance(state, GroupState):
        return ["g", sorted([name, *data] for name, data in state.members.items())]
    return ["s", [list(session) for session in state.sessions]]


def from_plain(stored: list[Any]) -> State:
    """The state that `plain` made these lists of. Raises TypeError, ValueError or IndexError for others."""
    match stored:
        case ["e", updated, rank, digest, facts]:
            return EntityState((updated, rank, digest), tuple(Fact(*fact) for fact in facts))
        case ["g", members]:
            return GroupState({name: tuple(data) for name, *data in members})
        case ["s", sessions]:
            return SessionState(tuple(
                Session(start, last, events, steps, tuple((currency, minor) for currency, minor in amounts))
                for start, last, events, steps, amounts in sessions))
        case _:
            raise ValueError("not a state")

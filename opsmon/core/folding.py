"""fold(events) -> increments: what a batch changes in panes and states.

Facts are gathered by minute first, then spread to the levels, so that an event costs one addition per
rollup and a batch writes as often as there are different panes. Duplicates, disorder, edits, refunds,
cancellations and replays all end in the same panes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from opsmon.core.calendar import MINUTE_MS, Level, Place, SiteCalendar
from opsmon.core.catalogue import Catalogue, Rollup
from opsmon.core.corrections import Late, closed_by
from opsmon.core.events import Event
from opsmon.core.facts import (
    FUTURE_MS,
    LOOKED_UP,
    MAX_LAG_MS,
    REMEMBERING,
    Fact,
    Member,
    Told,
    is_remembered_whole,
    order_members,
    tell,
    with_money,
)
from opsmon.core.groups import MOST_MEMBERS, group_facts, joined
from opsmon.core.measures import JOINS, STORAGE, Booker, Timed, booker, identity, matcher, number
from opsmon.core.money import MAX_MINOR
from opsmon.core.panes import NOW_SPAN, OTHER, Hash, Retention, StoredLevel, expires_ms, slot_of
from opsmon.core.sessions import Session, add, hit, reached
from opsmon.core.states import Believed, EntityState, GroupState, SessionState, State

# A webhook that took longer had been given up at least once, or what sent it had stood still.
LATE_MS = 3_600_000
SESSION = "~session:"

Gathered = dict[str, Any]
# A rollup's place in the catalogue, the test a fact has to pass, and its booker.
Counting = tuple[int, Callable[[Any], bool] | None, Booker]
# Whether a pane is to be written: of this rollup and level, beginning at this instant.
Wants = Callable[[Rollup, StoredLevel, int], bool]


@dataclass(frozen=True)
class Rules:
    """What folding goes by: the site's catalogue, its calendar, how long things are kept, and how long an hour waits
    for late events before it stands as whole."""

    catalogue: Catalogue
    calendar: SiteCalendar
    retention: Retention = field(default_factory=Retention)
    grace_ms: int = 2 * MINUTE_MS

    @cached_property
    def bookers(self) -> dict[str, tuple[Counting, ...]]:
        """By fact type: each rollup's place, the test a fact has to pass, and its booker."""
        made = [(at, matcher(rollup.where), booker(rollup)) for at, rollup in enumerate(self.catalogue.rollups)]
        return {fact: tuple(made[at] for at in places) for fact, places in self.catalogue.on.items()}

    @cached_property
    def reversible(self) -> dict[str, tuple[Counting, ...]]:
        """The same without what cannot be taken back: for facts of entities."""
        rollups = self.catalogue.rollups
        return {fact: tuple(one for one in counting if STORAGE[rollups[one[0]].measure] not in ("joins", "unique"))
                for fact, counting in self.bookers.items()}

    @property
    def name(self) -> str:
        """What makes two sets of panes comparable: `Europe/Berlin+0 1f0a…`."""
        return f"{self.calendar.name} {self.catalogue.digest}"


@dataclass(slots=True)
class Heard:
    """A batch, read. Facts without memory by type and minute; of entities and groups what each event tells;
    how long each of the deliveries that arrived in a minute was on its way, by source; and the keys of the
    states a fold needs."""

    facts: dict[tuple[str, int], list[Timed]] = field(default_factory=dict)
    told: list[tuple[str, Told | Member]] = field(default_factory=list)
    arrivals: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    since_ms: int | None = None
    arrived_ms: int = 0

    @property
    def first_arrived_ms(self) -> int | None:
        """The minute in which the first of them arrived; None when none did."""
        return min((minute for _, minute in self.arrivals), default=0) * MINUTE_MS or None

    def note_since(self, event: Event) -> None:
        """When it happened, not when its order was placed: one update of an old order makes no history."""
        happened_ms = min(event.time_ms, event.arrived_ms)
        if self.since_ms is None or happened_ms < self.since_ms:
            self.since_ms = happened_ms

    def count(self, counter: str) -> None:
        """Add one to a counter."""
        self.counters[counter] = self.counters.get(counter, 0) + 1


@dataclass(slots=True)
class Fold:
    """The outcome of a batch, by hash: increments, joins, members seen, scores; by rollup: what is open.

    `expires_ms` says when each hash may go (None: never), `admitted` the rows that are new by rollup and
    span, `missing` the states that were needed and not at hand: then the fold is not to be committed.
    `since_ms` is when the earliest event about an entity happened: counting covers what came after. `corrected`
    are by rollup the starts of hours that could stand as whole before, and change.
    """

    increments: dict[Hash, dict[str, int]] = field(default_factory=dict)
    joins: dict[Hash, dict[str, tuple[int, int]]] = field(default_factory=dict)
    seen: dict[Hash, set[str]] = field(default_factory=dict)
    scores: dict[Hash, dict[str, int]] = field(default_factory=dict)
    open: dict[str, dict[str, int | None]] = field(default_factory=dict)
    admitted: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    expires_ms: dict[Hash, int | None] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    counters: dict[str, int] = field(default_factory=dict)
    since_ms: int | None = None
    corrected: dict[str, list[int]] = field(default_factory=dict)

    @property
    def writes(self) -> int:
        """How many values a commit of this fold writes."""
        parts: tuple[dict[Any, Any], ...] = (self.increments, self.joins, self.seen, self.scores, self.open)
        return (len(self.states) + len(self.counters)
                + sum(len(fields) for part in (*parts, self.admitted) for fields in part.values()))

    @property
    def rollups(self) -> set[str]:
        """The rollups whose numbers move."""
        parts: tuple[dict[Hash, Any], ...] = (self.increments, self.joins, self.seen, self.scores)
        return {pane_hash.rollup for part in parts for pane_hash in part} | set(self.open)

    def count(self, counter: str, times: int = 1) -> None:
        """Add to a counter."""
        self.counters[counter] = self.counters.get(counter, 0) + times


def hear(events: Iterable[Event], rules: Rules) -> Heard:
    """Read a batch, once. Raises KeyError, TypeError or ValueError for an event that cannot be used."""
    heard = Heard()
    arrivals, facts = heard.arrivals, heard.facts
    for event in events:
        arrived_ms, source = event.arrived_ms, event.source
        place, lag = (source, arrived_ms // MINUTE_MS), arrived_ms - event.time_ms
        if lag > LATE_MS:
            heard.count(f"{source}:late")
        # lag_ms, written out: this is done for each of many thousand events a second.
        lag = 0 if lag < 0 else MAX_LAG_MS if lag > MAX_LAG_MS else lag
        lags = arrivals.get(place)
        if lags is None:
            arrivals[place] = [lag]
        else:
            lags.append(lag)
        if arrived_ms > heard.arrived_ms:
            heard.arrived_ms = arrived_ms
        if event.version is not None or event.type in REMEMBERING:
            _hear_told(heard, event)
        if not is_remembered_whole(event):
            heard.note_since(event)
            time_ms = event.time_ms
            if time_ms > arrived_ms + FUTURE_MS:
                heard.count(f"{source}:future")
                time_ms = arrived_ms
            facts.setdefault((event.type, time_ms // MINUTE_MS), []).append((time_ms, with_money(event.data)))
    _note_session_keys(heard, rules)
    return heard


def _hear_told(heard: Heard, event: Event) -> None:
    tellings, members = tell(event)
    for told in tellings:
        # A test order, a deletion or the name of a product begins no history.
        if told.facts and told.facts[0].type not in LOOKED_UP:
            heard.note_since(event)
        facts = tuple([_believable(fact, event.arrived_ms) for fact in told.facts])
        if facts != told.facts:
            heard.count(f"{event.source}:future")
        heard.told.append((event.source, told._replace(facts=facts)))
        heard.keys.add(told.key)
        heard.keys.update(member.group for member in order_members(told.key, facts))
    for member in members:
        heard.note_since(event)
        heard.told.append((event.source, member))
        heard.keys.add(member.group)


def _note_session_keys(heard: Heard, rules: Rules) -> None:
    for (fact_type, _), facts in heard.facts.items():
        for rollup in rules.catalogue.sessions_on.get(fact_type, ()):
            heard.keys.update(session_key(rollup.id, visitor) for _, fields in facts
                              if (visitor := identity(fields.get(rollup.of))))


def _believable(fact: Fact, arrived_ms: int) -> Fact:
    """Event time, or arrival time where the event claims to come from the future."""
    return fact if fact.time_ms <= arrived_ms + FUTURE_MS else fact._replace(time_ms=arrived_ms)


def fold(heard: Heard, believed: Believed, rules: Rules, now_ms: int) -> Fold:
    """Fold a batch, its events in any order, over the stored states of what they are about.

    Raises KeyError, TypeError or ValueError for an event whose data cannot be used; then nothing counts.
    """
    folding = Folding(believed, rules, now_ms, closed_ms=closed_by(heard.first_arrived_ms, rules.grace_ms))
    folding.result.counters.update(heard.counters)
    folding.result.since_ms = heard.since_ms
    folding.take_facts(heard)
    for source, told in heard.told:
        folding.take(source, told)
    return folding.finish()


class Folding:
    """A fold under way. `take` events, or `book` facts that no pane holds yet, then `finish`."""

    def __init__(self, believed: Believed, rules: Rules, now_ms: int, wants: Wants | None = None,
                 closed_ms: int | None = None) -> None:
        self._believed, self._rules, self._now_ms, self._wants = believed, rules, now_ms, wants
        self._rollups = rules.catalogue.rollups
        self._minutes: dict[int, list[Gathered | None]] = {}
        self._laid_by: dict[int, dict[tuple[str, int], list[Timed]]] = {-1: {}, +1: {}}
        self._rows: dict[tuple[str, str], set[str]] = {}
        self._late = Late(closed_ms, now_ms)
        self.result = Fold()

    def take_facts(self, heard: Heard, *, visits: bool = True) -> None:
        """Book what has no memory, and the visits it belongs to."""
        bookers, sessions_on = self._rules.bookers, self._rules.catalogue.sessions_on
        for (source, minute), lags in heard.arrivals.items():
            arrived = [(minute * MINUTE_MS, {"source": source, "lag_ms": lag}) for lag in lags]
            self._book(bookers, ("delivery.arrived", minute), arrived, +1)
        for place, facts in heard.facts.items():
            self._book(bookers, place, facts, +1)
            for rollup in sessions_on.get(place[0], ()) if visits else ():
                self._follow(rollup, place[0], facts)

    def take(self, source: str, told: Told | Member) -> None:
        """Fold what one event tells of an entity or a group."""
        if isinstance(told, Member):
            self._put(told, source)
        else:
            self._replace(told, source)

    def book_state(self, key: str, state: State | None, sign: int) -> None:
        """Add all that a state adds, or take it back."""
        if isinstance(state, SessionState):
            self._book_sessions(key, state, sign)
        elif isinstance(state, EntityState):
            self._lay_by(state.facts, sign)
        elif isinstance(state, GroupState):
            self._lay_by(group_facts(key, state.members), sign)

    def note_open(self, rollup: str, name: str, time_ms: int | None) -> None:
        """Remember since when, or until when, something is open; None: it was, and is unless it is told again.

        What is taken back and what is added come in any order, minute by minute: what is added holds.
        """
        marks = self.result.open.setdefault(rollup, {})
        if time_ms is not None or name not in marks:
            marks[name] = time_ms

    def finish(self) -> Fold:
        """Book what changed, and spread it to the levels. Raises ValueError for amounts beyond 2^53."""
        for key, state in self.result.states.items():
            old = self._believed.states.get(key)
            if old != state:
                self.book_state(key, old, -1)
                self.book_state(key, state, +1)
            if isinstance(state, SessionState):
                self.result.states[key] = self._without_old(state)
        for sign in (-1, +1):
            for place, facts in self._laid_by[sign].items():
                self._book(self._rules.reversible, place, facts, sign)
        calendar = self._rules.calendar
        for minute, gathered in self._minutes.items():
            place_of = calendar.place(minute * MINUTE_MS)
            is_late = self._late.is_closed(place_of.hour)
            for rollup, into in zip(self._rollups, gathered, strict=True):
                if into:
                    self._spread(rollup, place_of, into)
                    if is_late and "h" in rollup.levels:
                        self._late.note(rollup, slot_of(place_of.hour, place_of, is_whole=rollup.is_whole))
        _drop_zeros(self.result)
        self.result.corrected = self._late.remained(self.result.increments, self.result.scores)
        return self.result

    def _lay_by(self, facts: Iterable[Fact], sign: int) -> None:
        """Facts of one type and minute are booked together, those taken back first."""
        laid_by = self._laid_by[sign]
        for fact_type, time_ms, fields in facts:
            laid_by.setdefault((fact_type, time_ms // MINUTE_MS), []).append((time_ms, fields))

    def _book(self, bookers: Mapping[str, tuple[Counting, ...]], place: tuple[str, int], facts: Sequence[Timed],
              sign: int) -> None:
        counting = bookers.get(place[0])
        if not counting:
            return
        gathered = self._gathered(place[1])
        for at, matches, book in counting:
            chosen = facts if matches is None else [fact for fact in facts if matches(fact[1])]
            if chosen:
                into = gathered[at]
                if into is None:
                    into = gathered[at] = {}
                book(into, chosen, sign)

    def _book_sessions(self, key: str, state: SessionState, sign: int) -> None:
        rollup_id, _, visitor = key.removeprefix(SESSION).partition(":")
        at = self._rules.catalogue.index_by_id.get(rollup_id)
        if at is None:
            return
        rollup = self._rollups[at]
        for session in state.sessions:
            gathered = self._gathered(session.start_ms // MINUTE_MS)
            into = gathered[at]
            if into is None:
                into = gathered[at] = {}
            for name, amount in session_amounts(session, rollup):
                into[name] = into.get(name, 0) + sign * amount
        self.note_open(rollup.id, visitor, state.sessions[-1].last_ms + rollup.gap_ms if sign > 0 else None)

    def _gathered(self, minute: int) -> list[Gathered | None]:
        gathered = self._minutes.get(minute)
        if gathered is None:
            gathered = self._minutes[minute] = [None] * len(self._rollups)
        return gathered

    def _replace(self, told: Told, source: str) -> None:
        key, version, facts = told
        if self._is_too_old(facts):
            # The state that an older version left may be gone: booking again could count twice.
            self.result.count(f"{source}:too-old")
            return
        old = self._state(key)
        before = old.facts if isinstance(old, EntityState) else ()
        if isinstance(old, EntityState) and old.version >= version:
            if old.version[:2] > version[:2]:  # else it is the same again, told by another event
                self.result.count(f"{source}:out-of-order")
            return
        self.result.states[key] = EntityState(version, facts)
        if before != facts:
            self._regroup(_by_place(order_members(key, before)), _by_place(order_members(key, facts)), source)

    def _is_too_old(self, facts: Iterable[Fact]) -> bool:
        oldest_ms = self._now_ms - self._rules.retention.entities_ms
        return any(fact.time_ms < oldest_ms for fact in facts)

    def _regroup(self, old: dict[tuple[str, str], Member], new: dict[tuple[str, str], Member],
                 source: str) -> None:
        for place, member in old.items():
            if place not in new:
                self._put(member._replace(data=None), source)
        for place, member in new.items():
            if old.get(place) != member:
                self._put(member, source)

    def _put(self, member: Member, source: str) -> None:
        """Let a member join its group, change there, or leave it."""
        state = self._state(member.group)
        members = dict(state.members) if isinstance(state, GroupState) else {}
        before = members.get(member.name)
        if member.data is None:
            members.pop(member.name, None)
        elif before is None and len(members) >= MOST_MEMBERS:
            self.result.count(f"{source}:crowded")
            return
        else:
            members[member.name] = joined(before, member.data, member.group)
        if members.get(member.name) == before:
            return
        self.result.states[member.group] = GroupState(members)

    def _follow(self, rollup: Rollup, fact_type: str, facts: Iterable[Timed]) -> None:
        step = rollup.steps.index(fact_type) if fact_type in rollup.steps else None
        for time_ms, fields in facts:
            visitor = identity(fields.get(rollup.of))
            if visitor and all(condition.matches(fields) for condition in rollup.where):
                found = number(rollup, fields) if rollup.value else None
                self._visit(rollup, visitor, hit(time_ms, step, ((found[1], found[0]),) if found else ()))

    def _visit(self, rollup: Rollup, visitor: str, seen: Session) -> None:
        key = session_key(rollup.id, visitor)
        state = self._state(key)
        old = state.sessions if isinstance(state, SessionState) else ()
        self.result.states[key] = SessionState(add(old, seen, rollup.gap_ms))

    def _without_old(self, state: SessionState) -> SessionState:
        """Sessions are remembered as long as their minutes are kept: so long a late event may join them."""
        oldest_ms = self._now_ms - self._rules.retention.minutes_ms
        kept = tuple(session for session in state.sessions if session.last_ms >= oldest_ms)
        return SessionState(kept or state.sessions[-1:])

    def _state(self, key: str) -> State | None:
        found = self.result.states.get(key)
        if found is not None:
            return found
        if key not in self._believed.states:
            self.result.missing.add(key)
        return self._believed.states.get(key)

    def _spread(self, rollup: Rollup, place: Place, gathered: Gathered) -> None:
        storage = STORAGE[rollup.measure]
        if storage == "open":
            for name, time_ms in gathered.items():
                self.note_open(rollup.id, name, time_ms)
            return
        wants = self._wants or _everything
        if "n" in rollup.levels and wants(rollup, "n", 0):
            self._put_into(storage, Hash(rollup.id, "n", NOW_SPAN), None, "",
                           self._resolved(rollup, NOW_SPAN, gathered))
        resolved = self._resolved(rollup, place.day.span, gathered)
        for pane in place:
            kept_ms = kept(rollup, pane.level, self._rules.retention)
            if pane.level not in rollup.levels or not wants(rollup, pane.level, pane.start_ms):
                continue
            if kept_ms is not None and pane.end_ms + kept_ms <= self._now_ms:
                continue
            slot = slot_of(pane, place, is_whole=rollup.is_whole)
            self._put_into(storage, Hash(rollup.id, pane.level, slot.span), expires_ms(pane.end_ms, kept_ms),
                           slot.prefix, resolved)

    def _put_into(self, storage: str, pane_hash: Hash, expires: int | None, prefix: str, values: Gathered) -> None:
        into: dict[str, Any]
        if storage == "sums":
            into = self.result.increments.setdefault(pane_hash, {})
            for name, amount in values.items():
                name = prefix + name
                into[name] = into.get(name, 0) + amount
        elif storage == "joins":
            into = self.result.joins.setdefault(pane_hash, {})
            for name, new in values.items():
                name = prefix + name
                old = into.get(name)
                into[name] = new if old is None else JOINS[join_of(name)](old, new)
        elif storage == "unique":
            self.result.seen.setdefault(pane_hash, set()).update(values)
        else:
            self._put_scores(pane_hash, expires, values)
            return
        self.result.expires_ms[pane_hash] = expires

    def _put_scores(self, pane_hash: Hash, expires: int | None, values: Gathered) -> None:
        for name, amount in values.items():
            currency, _, member = name.partition(":")
            of_currency = pane_hash._replace(span=f"{pane_hash.span}:{currency}" if currency else pane_hash.span)
            into = self.result.scores.setdefault(of_currency, {})
            into[member] = into.get(member, 0) + amount
            self.result.expires_ms[of_currency] = expires

    def _resolved(self, rollup: Rollup, span: str, gathered: Gathered) -> Gathered:
        """The same with rows beyond the cap among `other`. Which rows are admitted holds for a whole month."""
        if not rollup.has_rows:
            return gathered
        rows = self._rows_of(rollup.id, span)
        resolved: Gathered = {}
        join = JOINS.get(rollup.measure)
        for name, amount in gathered.items():
            row, _, aggregate = name.rpartition(".")
            if row not in rows:
                if len(rows) < rollup.cap:
                    rows.add(row)
                    self.result.admitted.setdefault((rollup.id, span), set()).add(row)
                else:
                    name = f"{OTHER}.{aggregate}"
            old = resolved.get(name)
            resolved[name] = amount if old is None else join(old, amount) if join else old + amount
        return resolved

    def _rows_of(self, rollup: str, span: str) -> set[str]:
        place = (rollup, span)
        rows = self._rows.get(place)
        if rows is None:
            rows = self._rows[place] = set(self._believed.rows.get(place, ()))
        return rows


def _everything(rollup: Rollup, level: StoredLevel, start_ms: int) -> bool:
    return True


def kept(rollup: Rollup, level: Level, retention: Retention) -> int | None:
    """How long a rollup's panes of a level are kept after they end; None: for ever."""
    own = {"m": rollup.minutes_kept_ms, "h": rollup.hours_kept_ms, "d": None}[level]
    general = retention.of(level)
    return general if own is None else own if general is None else min(own, general)


def join_of(name: str) -> str:
    """Which join a stored field is under: min, max or last."""
    return name.rpartition(".")[2].partition(":")[0]


def session_key(rollup: str, visitor: str) -> str:
    """Where a visitor's sessions are remembered."""
    return f"{SESSION}{rollup}:{visitor}"


def session_amounts(session: Session, rollup: Rollup) -> list[tuple[str, int]]:
    """What a session adds to the pane of its start: itself, events, duration, steps reached, money."""
    amounts = [("n", 1), ("e", session.events), ("d", session.last_ms - session.start_ms)]
    amounts += [(f"f{step}", 1) for step in range(1, reached(session.steps) + 1)]
    return amounts + [(f"s:{currency}" if currency else "s", minor) for currency, minor in session.amounts]


def _by_place(members: Iterable[Member]) -> dict[tuple[str, str], Member]:
    return {(member.group, member.name): member for member in members}


def _drop_zeros(result: Fold) -> None:
    for part in (result.increments, result.scores):
        for pane_hash in list(part):
            fields = {name: amount for name, amount in part[pane_hash].items() if amount}
            if any(abs(amount) > MAX_MINOR for amount in fields.values()):
                raise ValueError("amount out of range")
            part[pane_hash] = fields
            if not fields:
                del part[pane_hash], result.expires_ms[pane_hash]

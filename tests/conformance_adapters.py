"""How a case is put to opsmon, and the adapters for engines whose rule is another than ours.

A plan says what is sent and which windows are read. Most cases need no more than that. An adapter changes
the plan; its name is the function's, its reason the first line of the docstring. It is used only where the two
rules come to different answers for the events at hand.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opsmon.core.calendar import SiteCalendar
from opsmon.core.windows import Aligned, Bounds, CalendarUnit, Every, aligned_windows, windows
from tests.conformance_cases import Case, Given, Malformed, Wall

# Beyond so many windows between the first event and the last, and of years, only those of events are looked at.
MANY_WINDOWS = 1_000


@dataclass(frozen=True)
class Plan:
    """What is sent, in order; the windows of each key that some events make, half-open, and how that engine
    writes their bounds; `is_final_when_complete`: a window is read when it is complete for the first time."""

    case: Case
    sent: tuple[Given, ...]
    windows: Callable[[Sequence[Given]], dict[str, list[Bounds]]]
    shown: Callable[[Bounds], Bounds] = lambda bounds: bounds
    is_final_when_complete: bool = False
    adapters: tuple[str, ...] = ()


Adapter = Callable[[Plan], Plan]


def plan_of(case: Case) -> Plan:
    """The plan of a case, with the adapters it needs."""
    plan = Plan(case, case.events, lambda events: _windows(case, events),
                _inclusive if isinstance(case.window, Aligned) else _as_is)
    for adapter in ADAPTERS:
        changed = adapter(plan)
        if changed is not plan:
            plan = replace(changed, adapters=(*plan.adapters, name_of(adapter)))
    return plan


def name_of(adapter: Adapter) -> str:
    """An adapter's name in words."""
    return adapter.__name__.replace("_", " ")


def reason_of(name: str) -> str:
    """Why an adapter is needed."""
    adapter = next(adapter for adapter in ADAPTERS if name_of(adapter) == name)
    return (adapter.__doc__ or "").partition("\n")[0]


def drops_what_is_behind_the_watermark(plan: Plan) -> Plan:
    """That engine drops every event that is behind its watermark; we count it in its window.

    Such events are not sent.
    """
    late = plan.case.late
    if late is None or late.rule.about != "ts":
        return plan
    kept = tuple(one for one in plan.sent if not late.rule.is_over(one.time_ms, late.before[one.index]))
    return plan if kept == plan.sent else replace(plan, sent=kept)


def closes_windows_for_good(plan: Plan) -> Plan:
    """That engine takes no event into a window that is over; we correct the window.

    Its last word is what we say when the window is complete for the first time, with its watermark as the clock
    and its lateness as our grace.
    """
    case, late = plan.case, plan.case.late
    if late is None or late.rule.about != "end" or case.kind == "session":
        return plan
    everything = plan.windows(plan.sent)
    for one in plan.sent:
        for start_ms, end_ms in everything[one.key]:
            if start_ms <= one.time_ms < end_ms and late.rule.is_over(end_ms, late.before[one.index]):
                return replace(plan, is_final_when_complete=True)
    return plan


def closes_sessions_for_good(plan: Plan) -> Plan:
    """That engine forgets a session that is over, and what comes too late begins another or is dropped; we join it.

    What it drops is not sent, and a session that touches a forgotten one is another visitor's.
    """
    case, late = plan.case, plan.case.late
    if late is None or case.kind != "session" or late.rule.about == "ts":
        return plan
    sessions = [session for key in case.keys for session in _forgetful(case, key)]
    names = {one.index: name for session, name in _named(case, sessions) for one in session}
    sent = tuple(replace(one, name=names[one.index]) for one in plan.sent if one.index in names)
    return plan if sent == plan.sent else replace(plan, sent=sent)


def has_no_window_before_zero(plan: Plan) -> Plan:
    """That engine has no window that begins before 0; ours begin where they begin.

    Those windows are cut at 0, or are one from 0 on, as the case says.
    """
    case = plan.case
    if not case.early or not isinstance(case.window, Aligned):
        return plan
    size_ms = case.window.size_ms

    def cut(bounds: Bounds) -> Bounds:
        if bounds[0] >= 0:
            return bounds
        return (0, size_ms + 1) if case.early == "0..size" else (0, bounds[1])

    if all(bounds[0] >= 0 for found in plan.windows(plan.sent).values() for bounds in found):
        return plan
    return replace(plan, windows=lambda events: {
        key: sorted({cut(bounds) for bounds in found}) for key, found in _windows(case, events).items()})


def divides_the_wall_clock(plan: Plan) -> Plan:
    """That engine divides the wall clock: the hour that comes twice in autumn is one window; ours are two.

    The bounds are its, by the instants at which the wall clock of our calendar reads them.
    """
    case = plan.case
    if case.wall is None:
        return plan
    wall = case.wall
    theirs = _wall_windows(wall, case.events, case.zone_calendar)
    if case.window is not None and not isinstance(case.window, Aligned):
        ours = _around(case.window, case, case.events)
        if _of_any_event(theirs, case.events) == _of_any_event(ours, case.events):
            return plan
    return replace(plan, windows=lambda events: _for_all(events, _wall_windows(wall, events, case.zone_calendar)))


# Bounds first: whether a window is over depends on where it ends.
ADAPTERS: tuple[Adapter, ...] = (has_no_window_before_zero, divides_the_wall_clock,
                                 drops_what_is_behind_the_watermark, closes_windows_for_good,
                                 closes_sessions_for_good)


def left_out(plan: Plan) -> set[int]:
    """Which events count in no window: they were not sent, fall into a gap, or came when all was over."""
    case, sent = plan.case, {one.index for one in plan.sent}
    found = {one.index for one in case.events} - sent
    if case.kind == "session":
        return found
    everything = plan.windows(plan.sent)
    rule = case.late.rule if case.late and plan.is_final_when_complete else None
    for one in plan.sent:
        around = [bounds for bounds in everything[one.key] if bounds[0] <= one.time_ms < bounds[1]]
        if all(rule and case.late and rule.is_over(end, case.late.before[one.index]) for _, end in around):
            found.add(one.index)
    return found


def _as_is(bounds: Bounds) -> Bounds:
    return bounds


def _inclusive(bounds: Bounds) -> Bounds:
    """The end of a window aligned to events, as its engines write it: the last instant it holds."""
    return bounds[0], bounds[1] - 1


def _windows(case: Case, events: Sequence[Given]) -> dict[str, list[Bounds]]:
    """The windows of each key. One more is looked at on each side, where nothing should be."""
    if isinstance(case.window, Aligned):
        times: dict[str, list[int]] = {}
        for one in events:
            times.setdefault(one.key, []).append(one.time_ms)
        return {key: aligned_windows(found, case.window.size_ms, case.window.step_ms) for key, found in times.items()}
    if case.window is None:
        raise Malformed("the wall clock is divided in a way that only an adapter can")
    return _for_all(events, _around(case.window, case, events))


def _for_all(events: Iterable[Given], found: list[Bounds]) -> dict[str, list[Bounds]]:
    return {one.key: found for one in events}


def _around(window: Every | CalendarUnit, case: Case, events: Sequence[Given]) -> list[Bounds]:
    calendar = case.zone_calendar
    if not events:
        return []
    times = [one.time_ms for one in events]
    first_ms, last_ms = min(times), max(times)
    stretches = [(first_ms, last_ms + 1)]
    is_year = isinstance(window, CalendarUnit) and window.unit == "year"
    if is_year or (isinstance(window, Every) and last_ms - first_ms > MANY_WINDOWS * window.hop_ms):
        stretches = [(time_ms, time_ms + 1) for time_ms in times]
    if case.empty:
        stretches.append(case.empty)
    found = {bounds for stretch in stretches for bounds in windows(window, *stretch, calendar)}
    if found and isinstance(window, Every):
        least_ms, most_ms = min(found)[0] - 1, max(found)[1]
        found |= {bounds for at in (least_ms, most_ms) for bounds in windows(window, at, at + 1, calendar)}
    elif found and not is_year:
        found |= set(windows(window, min(found)[0] - 1, max(found)[1] + 1, calendar))
    return sorted(found)


def _wall_windows(wall: Wall, events: Sequence[Given], calendar: SiteCalendar) -> list[Bounds]:
    """Windows of the wall clock that may hold these events, by the instants it reads their bounds."""
    epoch, unit = datetime(1970, 1, 1), timedelta(milliseconds=1)
    walls = [(calendar.wall(one.time_ms).replace(tzinfo=None) - epoch) // unit for one in events]
    if not walls:
        return []
    first_ms = min(walls) - wall.size_ms - wall.slide_ms
    first_ms -= (first_ms - wall.offset_ms) % wall.slide_ms
    found = []
    for start_ms in range(first_ms, max(walls) + wall.slide_ms + 1, wall.slide_ms):
        start, end = (calendar.instant(epoch + at * unit) for at in (start_ms, start_ms + wall.size_ms))
        if start < end:
            found.append((start, end))
    return found


def _of_any_event(found: Iterable[Bounds], events: Sequence[Given]) -> set[Bounds]:
    return {(start, end) for start, end in found if any(start <= one.time_ms < end for one in events)}


def _forgetful(case: Case, key: str) -> list[list[Given]]:
    """A key's sessions in an engine that forgets those that are over."""
    assert case.late is not None
    late, done, live = case.late, list[list[Given]](), list[list[Given]]()
    for one in (event for event in case.events if event.key == key):
        watermark_ms = late.before[one.index]
        over = [session for session in live if late.rule.is_over(_instant(case, session), watermark_ms)]
        done += over
        live = [session for session in live if session not in over]
        near = [session for session in live if _touch(case, session, [one])]
        joined = sorted([one, *(event for session in near for event in session)], key=lambda event: event.time_ms)
        if not late.rule.is_over(_instant(case, joined), watermark_ms):
            live = [*(session for session in live if session not in near), joined]
    return done + live


def _named(case: Case, sessions: Iterable[list[Given]]) -> list[tuple[list[Given], str]]:
    """Each session with a visitor's name: those of one name do not touch."""
    named: list[tuple[list[Given], str]] = []
    for session in sessions:
        key = session[0].key
        taken = {name for other, name in named if other[0].key == key and _touch(case, other, session)}
        names = [key, *(f"{key}#{life}" for life in range(2, len(taken) + 2))]
        named.append((session, next(name for name in names if name not in taken)))
    return named


def _touch(case: Case, one: Sequence[Given], other: Sequence[Given]) -> bool:
    gap_ms = case.gap_ms - case.splits_at_gap
    return other[0].time_ms - one[-1].time_ms <= gap_ms and one[0].time_ms - other[-1].time_ms <= gap_ms


def _instant(case: Case, session: Sequence[Given]) -> int:
    """The instant that a rule about sessions looks at: the last event, or a gap after it."""
    assert case.late is not None
    return session[-1].time_ms + (0 if case.late.rule.about == "last" else case.gap_ms)

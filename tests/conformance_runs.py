"""A case run again and again: by batch size, in other orders, and step by step where it says what was told when.

Every run is a site of its own. A run gives cells, (start, end, key, aggregate) -> value, in the case's time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from math import isclose
from random import Random

from redis.asyncio import Redis

from opsmon.core.calendar import MINUTE_MS
from opsmon.core.sessions import Session
from opsmon.core.windows import Bounds
from tests.conformance_adapters import Plan, left_out, plan_of, reason_of
from tests.conformance_cases import Case, Cell, Emission, Given, Number
from tests.conformance_site import CaseSite, Disagreement, Seen, wants_rows

BATCHES = (1, 2, 3, 7, 500)
SEEDS = (1, 2, 3)
_MOST_SHOWN = 3
_sites = count(1)

Cells = dict[Cell, Number]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case: nothing `wrong` is a pass. `runs` says how it was tried."""

    runs: str
    adapters: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


async def judge(client: Redis, case: Case) -> Verdict:
    """Run a case in every way; the first way that gives another answer than expected is told."""
    plan = plan_of(case)
    batches, shuffles = _batches(case), () if case.late else SEEDS
    runs = f"{len(batches)} batch sizes"
    runs += f", {len(shuffles)} shuffles" if shuffles else ", in its order"
    runs += f", {len(case.emissions)} emissions" if case.emissions else ""
    verdict = Verdict(runs, plan.adapters, notes=_notes(case))
    wrong = _wrong_drops(plan)
    for name, ordered, batch in [] if wrong else _ways(plan, batches, shuffles):
        try:
            differences = _differences(case.expected, await _run(client, ordered, batch))
        except Disagreement as error:
            differences = [str(error)]
        if differences:
            wrong = [f"{name}: {said}" for said in differences]
            break
    if not wrong and case.emissions:
        wrong = await _wrong_emissions(client, plan)
    return replace(verdict, wrong=tuple(wrong))


def reasons(verdict: Verdict) -> str:
    """Why a case needed its adapters."""
    return "; ".join(f'"{name}": {reason_of(name)}' for name in verdict.adapters)


def _batches(case: Case) -> tuple[int, ...]:
    own = [size for size in case.batch_sizes if size and not (size < 0 and case.late)]
    return tuple(dict.fromkeys((*BATCHES, *own)))


def _ways(plan: Plan, batches: Sequence[int], seeds: Sequence[int]) -> Iterator[tuple[str, Plan, int]]:
    """Each way to run a plan. A batch size below zero: in reverse order."""
    for batch in batches:
        sent = plan.sent[::-1] if batch < 0 else plan.sent
        yield f"batch {batch}", replace(plan, sent=sent), abs(batch)
    for seed, batch in zip(seeds, (1, 3, 500), strict=False):
        shuffled = list(plan.sent)
        Random(seed).shuffle(shuffled)
        yield f"shuffle {seed}", replace(plan, sent=tuple(shuffled)), batch


async def _run(client: Redis, plan: Plan, batch: int) -> Cells:
    case = plan.case
    if case.semantics == "occupancy":
        return await _standing_at_ends(client, plan, batch)
    site = _site(client, plan, batch)
    if plan.is_final_when_complete:
        return await _when_complete(plan, site)
    await site.count(plan.sent)
    return await _at_present(plan, site, plan.sent)


def _site(client: Redis, plan: Plan, batch: int) -> CaseSite:
    return CaseSite(client, f"case-{next(_sites)}", plan, batch=batch, has_rows=wants_rows(plan.case, batch))


async def _at_present(plan: Plan, site: CaseSite, counted: Sequence[Given]) -> Cells:
    """What the site says now that these events are counted."""
    if plan.case.kind == "session":
        return await _session_cells(plan, site)
    by_key = plan.windows(counted)
    seen = await site.windows(sorted({bounds for found in by_key.values() for bounds in found}))
    cells: Cells = {}
    for one in seen:
        for key, found in by_key.items():
            if one.bounds in found:
                cells |= _cells(plan, one, key)
    strange = {name for one in seen for name in one.values} - set(site.names)
    if strange:
        raise Disagreement(f"there are rows of no key: {', '.join(sorted(strange))}")
    return cells


async def _when_complete(plan: Plan, site: CaseSite) -> Cells:
    """What the site says of each window when it is complete for the first time; of the others, at the end.

    A window that was complete before any of its events came was never one.
    """
    late = plan.case.late
    assert late is not None
    final: dict[tuple[str, Bounds], Cells] = {}
    open_cells: Cells = {}
    known: set[tuple[str, Bounds]] = set()
    before_ms: int | None = None
    start = 0
    for stop, one in enumerate(plan.sent, 1):
        watermark_ms = late.after[one.index]
        if stop < len(plan.sent) and watermark_ms == (late.after[one.index - 1] if one.index else None):
            continue
        await site.count(plan.sent[start:stop])
        start = stop
        now_ms = None if watermark_ms is None else late.rule.now_ms(watermark_ms)
        by_key = plan.windows(plan.sent[:stop])
        asked = sorted({bounds for found in by_key.values() for bounds in found})
        # Before the first watermark nothing is complete: an instant before all windows will do.
        seen = await site.windows(asked, now_ms if now_ms is not None else min(asked)[0] - 1) if asked else []
        open_cells = {}
        for window in seen:
            for key, found in by_key.items():
                place = (key, window.bounds)
                if window.bounds not in found or place in final:
                    continue
                if window.is_complete:
                    was_over = before_ms is not None and window.bounds[1] + late.rule.lateness_ms <= before_ms
                    final[place] = {} if was_over and place not in known else _cells(plan, window, key)
                else:
                    open_cells |= _cells(plan, window, key)
                known.add(place)
        before_ms = now_ms
    for cells in final.values():
        open_cells |= cells
    return open_cells


def _cells(plan: Plan, seen: Seen, key: str) -> Cells:
    """The cells of a window; with nothing in it, none, or zeros where the case wants to see empty windows."""
    case, (start_ms, end_ms) = plan.case, seen.bounds
    shown = plan.shown(seen.bounds)
    values = seen.values.get(key)
    if values is None:
        is_wanted = case.empty and start_ms < case.empty[1] and case.empty[0] < end_ms
        return {(*shown, key, name): 0 for name in case.aggregates if name in ("count", "sum")} if is_wanted else {}
    return {(*shown, key, name): values[name] for name in case.aggregates if name in values}


async def _session_cells(plan: Plan, site: CaseSite) -> Cells:
    """Sessions one by one as they are remembered; what counts in each, besides, is a window over its stretch.

    Another session of the visitor is over a gap away, and so are the minutes it touches.
    """
    case, scale = plan.case, site.scale
    keys = {one.name: one.key for one in plan.sent}
    sessions = await site.sessions()
    shown = [(scale.to_case(one.start_ms), scale.to_case(one.last_ms)) for _, one in sessions]
    seen = dict(zip(shown, await site.windows([(start, last + 1) for start, last in shown]), strict=True))
    cells: Cells = {}
    for (name, session), (start_ms, last_ms) in zip(sessions, shown, strict=True):
        values = seen[start_ms, last_ms].values.get(name, {})
        kept = {"count": session.events, "sum": site.plain(sum(minor for _, minor in session.amounts))}
        for aggregate in case.aggregates:
            if aggregate in kept and not _equal(kept[aggregate], values.get(aggregate)):
                raise Disagreement(f"the session of {name} at {start_ms} keeps the {aggregate} {kept[aggregate]}, "
                                   f"the panes of its stretch {values.get(aggregate)}")
            if aggregate in values:
                end_ms = last_ms + case.gap_ms if case.ends_with_gap else last_ms
                cells[start_ms, end_ms, keys[name], aggregate] = values[aggregate]
    if sessions:
        await _check_totals(site, [session for _, session in sessions], "sum" in case.aggregates)
    return cells


async def _check_totals(site: CaseSite, found: Sequence[Session], has_sum: bool) -> None:
    """Panes count sessions where they start: taken together they say the same as the sessions themselves."""
    stretch = (min(one.start_ms for one in found), max(one.start_ms for one in found) + MINUTE_MS)
    shows = ("count", "events", "sum") if has_sum else ("count", "events")
    totals = await site.session_totals(stretch, shows)
    kept: dict[str, Number] = {"count": len(found), "events": sum(one.events for one in found),
            "sum": site.plain(sum(minor for one in found for _, minor in one.amounts))}
    wrong = [show for show, total in totals.items() if not _equal(total, kept[show])]
    if wrong:
        raise Disagreement(f"the sessions come to {kept}, the panes they begin in to {totals}")


async def _standing_at_ends(client: Redis, plan: Plan, batch: int) -> Cells:
    """What holds at the end of each window that is expected: only events before it are told."""
    cells: Cells = {}
    for start_ms, end_ms in sorted({cell[:2] for cell in plan.case.expected}):
        site = _site(client, plan, batch)
        until = [one for one in plan.sent if one.time_ms < end_ms or one.time_ms == start_ms == end_ms]
        await site.count(until)
        held = await site.standing()
        for aggregate in plan.case.aggregates:
            cells |= {(start_ms, end_ms, name, aggregate): number for name, number in held.items()}
            # An empty place may be said to be empty.
            cells |= {cell: 0 for cell in plan.case.expected
                      if cell[:2] == (start_ms, end_ms) and cell[3] == aggregate and cell[2] not in held}
    return cells


def _wrong_drops(plan: Plan) -> list[str]:
    case, found = plan.case, left_out(plan)
    if case.dropped is None or case.dropped == found:
        return []
    wrong = [f"expected event {index} to count nowhere, it counts" for index in sorted(case.dropped - found)]
    return wrong + [f"expected event {index} to count, it counts nowhere" for index in sorted(found - case.dropped)]


async def _wrong_emissions(client: Redis, plan: Plan) -> list[str]:
    """Read after each event that something was told of: it is what we would show then, or what that adds."""
    site = _site(client, plan, 500)
    told: Cells = {}
    start = 0
    for index in sorted({emission.index for emission in plan.case.emissions}):
        stop = sum(one.index <= index for one in plan.sent)
        await site.count(plan.sent[start:stop])
        start = stop
        cells = await _at_present(plan, site, plan.sent[:stop])
        for emission in (one for one in plan.case.emissions if one.index == index):
            said = _wrong_emission(emission, cells, told)
            if said:
                return [f"after event {index}: {said}"]
    return []


def _wrong_emission(emission: Emission, cells: Mapping[Cell, Number], told: Cells) -> str:
    *place, aggregate = emission.cell
    if not aggregate.startswith("delta_"):
        found = cells.get(emission.cell)
        return "" if _equal(found, emission.value) else f"expected {_shown(emission.cell, emission.value)}, got {found}"
    cell: Cell = (place[0], place[1], place[2], aggregate.removeprefix("delta_"))  # type: ignore[assignment]
    change = cells.get(cell, 0) - told.get(cell, 0)
    told[cell] = cells.get(cell, 0)
    return "" if _equal(change, emission.value) else f"expected {_shown(emission.cell, emission.value)}, got {change}"


def _differences(expected: Mapping[Cell, Number], found: Mapping[Cell, Number]) -> list[str]:
    said = []
    for cell in sorted({*expected, *found}):
        if cell not in found:
            said.append(f"expected {_shown(cell, expected[cell])}, got nothing")
        elif cell not in expected:
            said.append(f"expected nothing, got {_shown(cell, found[cell])}")
        elif not _equal(found[cell], expected[cell]):
            said.append(f"expected {_shown(cell, expected[cell])}, got {found[cell]}")
    if len(said) > _MOST_SHOWN:
        said = [*said[:_MOST_SHOWN], f"and {len(said) - _MOST_SHOWN} more"]
    return said


def _equal(one: Number | None, other: Number | None) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one, float) or isinstance(other, float):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


def _shown(cell: Cell, value: Number | None) -> str:
    start_ms, end_ms, key, aggregate = cell
    return f'[{start_ms}, {end_ms}, "{key}", "{aggregate}", {"null" if value is None else value}]'


def _notes(case: Case) -> tuple[str, ...]:
    """What else is to be known of a case.

    An exclusive gap is a setting of ours and no adapter: instants are whole ms, so that "nearer than the gap" is
    a gap of one less.
    """
    notes = (f"gap of {case.gap_ms} exclusive",) if case.splits_at_gap else ()
    return (*notes, f"not known: {', '.join(case.strange)}") if case.strange else notes

"""Reading any stretch of time: which panes each of a row of windows is folded from, and what they say.

A window is read from the fewest panes that cover it: whole days, whole hours, then minutes, of those its
rollup keeps and that are still kept. Where the finest needed is gone, the window is widened to what is there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opsmon.core.calendar import Level, Pane
from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.folding import kept
from opsmon.core.measures import STORAGE
from opsmon.core.panes import Retention
from opsmon.core.readings import Row, Site, is_complete, narrowed_rows, rows_of
from opsmon.core.requests import Answers, Request, all_rows, fold_panes, hashes_of, top_request
from opsmon.core.values import Value, sample_of, value_of
from opsmon.core.windows import Bounds, cover

# A year of days, a month of hours, a day of minutes: more in one answer helps nobody.
MOST_WINDOWS = 1_500
MOST_REQUESTS = 4_000


class TooMuch(ValueError):
    """More windows or panes than one answer may hold. The message says which bound and what to do."""


@dataclass(frozen=True, slots=True)
class RangePlan:
    """Windows of one KPI, each with the panes it is folded from; `asks` for what panes do not hold."""

    kpi: Kpi
    rollup: Rollup
    bounds: tuple[Bounds, ...]
    panes: tuple[tuple[Pane, ...], ...]
    asks: tuple[Request | None, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class WindowReading:
    """One window: its bounds as asked, what it says, on how many facts that rests, and its rows."""

    start_ms: int
    end_ms: int
    value: Value
    sample: int | None
    complete: bool
    rows: tuple[Row, ...] = ()


def plan_range(kpi: Kpi, rollup: Rollup, bounds: Iterable[Bounds], site: Site, retention: Retention) -> RangePlan:
    """Plan the reading of windows. Raises TooMuch."""
    chosen = []
    for one in bounds:
        chosen.append(one)
        if len(chosen) > MOST_WINDOWS:
            raise TooMuch(f"over {MOST_WINDOWS} windows: ask for a larger step or a shorter time")
    panes = tuple(_cover(rollup, start_ms, end_ms, site, retention) for start_ms, end_ms in chosen)
    asks = tuple(_ask(kpi, rollup, covered, site) for covered in panes)
    requests = dict.fromkeys(asked for ask, covered in zip(asks, panes, strict=True)
                             for asked in _requests(rollup, ask, covered, site))
    if len(requests) > MOST_REQUESTS:
        raise TooMuch(f"over {MOST_REQUESTS} reads: ask for a larger step or a shorter time")
    return RangePlan(kpi, rollup, tuple(chosen), panes, asks, tuple(requests))


def read_range(planned: RangePlan, answers: Answers, site: Site) -> list[WindowReading]:
    """Fold the answers to a plan's requests, window by window."""
    return [_read(planned, at, answers, site) for at in range(len(planned.bounds))]


def levels_of(rollup: Rollup) -> tuple[Level, ...]:
    """The levels a rollup keeps panes of, coarsest first."""
    return tuple(level for level in ("d", "h", "m") if level in rollup.levels)


def _cover(rollup: Rollup, start_ms: int, end_ms: int, site: Site, retention: Retention) -> tuple[Pane, ...]:
    since = {level: None if (life := kept(rollup, level, retention)) is None else site.now_ms - life
             for level in levels_of(rollup)}
    return tuple(cover(start_ms, end_ms, site.calendar, levels_of(rollup),
                       minutes_from_ms=since.get("m"), hours_from_ms=since.get("h")))


def _ask(kpi: Kpi, rollup: Rollup, panes: Sequence[Pane], site: Site) -> Request | None:
    if rollup.measure in ("unique", "distinct"):
        return Request(rollup.measure, tuple(hashes_of(rollup, panes, site.calendar)))
    if STORAGE[rollup.measure] == "scores":
        currency = (site.currency or "") if rollup.value == "amount" else ""
        return top_request(rollup, panes, site.calendar, currency, kpi.rows)
    return None


def _requests(rollup: Rollup, ask: Request | None, panes: Sequence[Pane], site: Site) -> list[Request]:
    if ask is not None:
        return [ask]
    return [Request("hash", (found,)) for found in hashes_of(rollup, panes, site.calendar)]


def _read(planned: RangePlan, at: int, answers: Answers, site: Site) -> WindowReading:
    kpi, rollup, (start_ms, end_ms), ask = planned.kpi, planned.rollup, planned.bounds[at], planned.asks[at]
    complete = is_complete(end_ms, site)
    if ask is not None:
        return _answered(ask, answers.others[ask], start_ms, end_ms, complete)
    totals = narrowed_rows(fold_panes(rollup, planned.panes[at], answers, site.calendar), rollup, kpi)
    found = all_rows(totals)
    currency = site.currency if kpi.unit == "money" else None
    rows = rows_of(rollup, kpi, totals, currency) if rollup.has_rows else ()
    return WindowReading(start_ms, end_ms, value_of(rollup, kpi, found, currency),
                         sample_of(rollup, found, currency), complete, rows)


def _answered(ask: Request, found: Any, start_ms: int, end_ms: int, complete: bool) -> WindowReading:
    if ask.kind == "top":
        rows = tuple(Row(name, amount) for name, amount in found)
        return WindowReading(start_ms, end_ms, sum(amount for _, amount in found), None, complete, rows)
    return WindowReading(start_ms, end_ms, int(found), None, complete)

"""Server-side SVG of a history: bars of what adds up, a line with gaps of what does not. Pure arithmetic."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.history import KNOWN, History, Spot
from opsmon.web.axis import Axis, axis
from opsmon.web.history_views import ChartView, GapView, SpotView
from opsmon.web.languages import N_
from opsmon.web.views import GridLineView

PLACE = 20
_BAR, _INSET = 15.2, 2.4
# A gap has words where it is at least so wide a part of the chart.
_ROOM = 0.3
_MOST_DOTS = 31
_REASONS = {"uncounted": N_("not counted yet"), "gone": N_("no longer kept"), "empty": N_("no data")}

# A value in words; an axis value in words.
Write = Callable[[float | None], str]


def adds_up(kpi: Kpi, rollup: Rollup) -> bool:
    """Whether a window's value is so many or so much of something: a bar from nought says it."""
    if rollup.measure in ("count", "sum", "distinct", "unique", "top"):
        return True
    if rollup.measure == "sessions":
        return kpi.show not in ("converted", "duration", "mean")
    return rollup.measure in ("mean", "percentile") and kpi.show in ("count", "sum")


def chart(told: History, kpi: Kpi, rollup: Rollup, texts: Sequence[SpotView], write: Write, label: str,
          say: Callable[[str], str]) -> ChartView:
    """Place the windows, whose words are in `texts`; `write` writes the values of grid lines, `say` speaks."""
    is_bars, spots = adds_up(kpi, rollup), told.spots
    values = [value for spot in spots for value in (spot.value, spot.before) if value is not None]
    scale = axis(values, kpi.unit)
    placed = tuple(_placed(at, spots, texts[at], scale, is_bars=is_bars) for at in range(len(spots)))
    lines, moving = ((), "") if is_bars else _lines(placed)
    return ChartView(
        kind="bars" if is_bars else "line", width=len(spots) * PLACE, place=PLACE, bar=_text(_BAR), spots=placed,
        lines=lines, moving=moving, gaps=tuple(_gaps(spots, say)),
        grid=tuple(GridLineView(_text(scale.y(value)), write(value)) for value in scale.lines),
        base=GridLineView(_text(scale.y(0)), write(0)), label=label,
    )


def _placed(at: int, spots: Sequence[Spot], words: SpotView, scale: Axis, *, is_bars: bool) -> SpotView:
    spot, left, y, height = spots[at], at * PLACE, "", ""
    if spot.value is not None and is_bars:
        top, bottom = sorted((scale.y(spot.value), scale.y(0)))
        y, height = _text(top), _text(bottom - top)
    elif spot.value is not None:
        y = _text(scale.y(spot.value))
    beside = [spots[near].value for near in (at - 1, at + 1) if 0 <= near < len(spots)]
    is_alone = spot.state == "moving" or beside == [None] * len(beside)
    return replace(
        words, left=_text(left), x=_text(left + (_INSET if is_bars else PLACE / 2)), y=y, height=height,
        before_y="" if spot.before is None else _text(scale.y(spot.before)),
        delta="" if spot.corrected_ms is None or not y else delta(left + PLACE / 2, min(float(y), scale.y(0))),
        has_dot=not is_bars and bool(y) and (is_alone or len(spots) <= _MOST_DOTS),
    )


def _lines(placed: Sequence[SpotView]) -> tuple[tuple[str, ...], str]:
    """Unbroken stretches, each a polyline; the last step to what still moves is apart."""
    lines, moving = [], ""
    for has_value, stretch in groupby(placed, key=lambda spot: bool(spot.y)):
        points = list(stretch)
        if has_value and points[-1].state == "moving":
            moving = _points(points[-2:]) if len(points) > 1 else ""
            points = points[:-1]
        if has_value and len(points) > 1:
            lines.append(_points(points))
    return tuple(lines), moving


def _points(spots: Sequence[SpotView]) -> str:
    return " ".join(f"{spot.x},{spot.y}" for spot in spots)


def _gaps(spots: Sequence[Spot], say: Callable[[str], str]) -> list[GapView]:
    found, at = [], 0
    for state, stretch in groupby(spots, key=lambda spot: spot.state):
        length = len(list(stretch))
        if state in _REASONS:
            has_room = length / len(spots) >= _ROOM
            found.append(GapView(_text(at * PLACE), _text(length * PLACE), _text(100 * (at + length / 2) / len(spots)),
                                 say(_REASONS[state]) if has_room else ""))
        at += length
    return found


def delta(x: float, y: float) -> str:
    """The path of a small triangle over a bar or a point, within the box."""
    return f"M{_text(x - 4)} {_text(max(y - 3, 7))}h8l-4-7z"


def extremes(spots: Sequence[Spot]) -> tuple[Spot, Spot] | None:
    """The lowest of those that are over, and the highest; None of fewer than two, or when all are alike."""
    known = [spot for spot in spots if spot.state in KNOWN and spot.value is not None]
    if len(known) < 2:
        return None
    over = [spot for spot in known if spot.state != "moving"] or known
    low, high = min(over, key=lambda spot: spot.value or 0), max(known, key=lambda spot: spot.value or 0)
    return None if low.value == high.value else (low, high)


def _text(number: float) -> str:
    return f"{round(number, 2) + 0:.10g}"

"""Points and bars of server-side SVG charts: pure arithmetic in a box 100 units high."""

from collections.abc import Sequence

from opsmon.core.readings import Point, Reading
from opsmon.web.history_chart import delta
from opsmon.web.views import BarsView, BarView, GridLineView, SparkView
from opsmon.web.wording import Wording

_STEP = 10
_BAR_STEP = 20
_GAP = 0.24
_LABEL_EVERY = 3
_TOPS = (4, 8, 12, 16, 20, 24, 32, 40, 60, 80, 100)


def spark(reading: Reading, wording: Wording) -> SparkView:
    """The series as a line from zero; its last point still moves."""
    values = [point.value or 0 for point in reading.series]
    top = max(*values, 1)
    dots = [(index * _STEP, round(100 - value * 96 / top)) for index, value in enumerate(values)]
    line = _joined(dots[:-1])
    return SparkView(
        points=line,
        area=f"0,100 {line} {dots[-2][0]},100",
        width=(len(values) - 1) * _STEP,
        moving=_joined(dots[-2:]),
        last_x=str(dots[-1][0]),
        last_y=str(dots[-1][1]),
        sentence=_spark_sentence(reading, wording),
        rows=tuple((wording.time(point.start_ms), wording.value(reading, point.value))
                   for point in reading.series if point.value),
    )


def _joined(dots: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in dots)


def bars(reading: Reading, wording: Wording) -> BarsView:
    """The series as bars, what it is compared with as marks, the live bar with an outline of what it will come to."""
    before = {index: point.value for index, point in enumerate(reading.before_series)}
    top = nice_top([*_values(reading.series), *_values(reading.before_series), reading.expected or 0])
    last = len(reading.series) - 1
    drawn = tuple(
        _bar(index, point, before.get(index), reading, top, wording, is_live=index == last)
        for index, point in enumerate(reading.series)
    )
    grid = tuple(GridLineView(_y(top * step / 4, top), wording.number(top * step // 4))
                 for step in range(1, 5))
    more = wording.sentences(_absent_words(reading, wording), _marks_words(reading, wording))
    return BarsView(len(drawn) * _BAR_STEP, drawn, grid, _bars_sentence(reading, wording), more,
                    str(_absent(reading) * _BAR_STEP))


def _absent(reading: Reading) -> int:
    """How many hours passed before counting began."""
    return next((at for at, point in enumerate(reading.series[:-1]) if point.value is not None),
                max(len(reading.series) - 1, 0))


def nice_top(values: Sequence[float]) -> int:
    """A round number no value is above, which divides into four: 4, 8 … 40, 60, 80, 100, 120 …"""
    highest = max(values, default=0)
    scale = 1
    while highest > 100 * scale:
        scale *= 10
    return next(step * scale for step in _TOPS if highest <= step * scale)


def _bar(index: int, point: Point, ghost: float | None, reading: Reading, top: int, wording: Wording,
         *, is_live: bool) -> BarView:
    value = point.value or 0
    expected = reading.expected if is_live else None
    is_absent = point.value is None and not is_live
    return BarView(
        x=str(_round(index * _BAR_STEP + _BAR_STEP * _GAP / 2)),
        y=_y(value, top),
        width=str(_round(_BAR_STEP * (1 - _GAP))),
        label=wording.hour(point.start_ms) if (len(reading.series) - 1 - index) % _LABEL_EVERY == 0 else "",
        name=wording.day_and_hour(point.start_ms),
        text=wording.say("not counted yet") if is_absent else wording.value(reading, point.value),
        state="live" if is_live else "absent" if is_absent else "complete",
        ghost_y=None if ghost is None else _y(ghost, top),
        expected_y=None if expected is None else _y(expected, top),
        expected_height=None if expected is None else str(_round(100 * expected / top)),
        delta=delta((index + 0.5) * _BAR_STEP, 100 - 100 * value / top) if point.start_ms in reading.corrected else "",
    )


def _spark_sentence(reading: Reading, wording: Wording) -> str:
    best = max(reading.series, key=lambda point: point.value or 0)
    if not best.value:
        return wording.say("None in the last 60 minutes")
    return wording.say("%(all)s in the last 60 minutes, most at %(time)s: %(most)s",
                       all=wording.number(sum(_values(reading.series))), time=wording.time(best.start_ms),
                       most=wording.number(best.value))


def _bars_sentence(reading: Reading, wording: Wording) -> str:
    now, corrected = wording.number(reading.value or 0), _corrected_words(reading, wording)
    if reading.expected is None:
        return wording.say("%(now)s so far this hour", now=now) + corrected
    return wording.say("%(now)s so far this hour, on course for %(expected)s", now=now,
                       expected=wording.number(reading.expected)) + corrected


def _corrected_words(reading: Reading, wording: Wording) -> str:
    """That hours changed after they were over, beside the marks over their bars."""
    if not reading.corrected:
        return ""
    if len(reading.corrected) == 1:
        return f". {wording.say('Δ %(hour)s corrected late', hour=wording.time(reading.corrected[0]))}"
    return f". {wording.say('Δ %(count)s hours corrected late', count=wording.number(len(reading.corrected)))}"


def _absent_words(reading: Reading, wording: Wording) -> str:
    """That the hours before were not counted: no bar there is no nought."""
    absent = _absent(reading)
    if not 0 < absent < len(reading.series):
        return ""
    return wording.say("Counted since %(time)s", time=wording.day_and_hour(reading.series[absent].start_ms))


def _marks_words(reading: Reading, wording: Wording) -> str:
    """What the marks are where they are not what they are everywhere else."""
    if reading.kpi.against != "yesterday" or not reading.before_series:
        return ""
    return wording.say("The marks are the same hours a day ago.")


def _values(points: Sequence[Point]) -> list[float]:
    return [point.value or 0 for point in points]


def _y(value: float, top: int) -> str:
    return str(_round(100 - 100 * value / top))


def _round(number: float) -> float | int:
    rounded = round(number, 1)
    return int(rounded) if rounded == int(rounded) else rounded

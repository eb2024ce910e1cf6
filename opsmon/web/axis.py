"""The scale of a chart: a base line of nought and up to four grid lines at round values, above and below it."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opsmon.core.catalogue import Unit

MOST_LINES = 4
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800)
_HOURS = (1, 2, 3, 6, 12, 24, 48, 120, 240)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`, in steps of `step`; money in minor units, shares from 0 to 1, times in ms."""

    low: float
    high: float
    step: float

    @property
    def lines(self) -> list[float]:
        """The values of the grid lines, highest first; nought has a line of its own."""
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return [at * self.step for at in range(last, first - 1, -1) if at]

    def y(self, value: float) -> float:
        """The height of a value in a box 100 high, downwards."""
        return 100 * (self.high - value) / (self.high - self.low)


def axis(values: Iterable[float], unit: Unit) -> Axis:
    """The closest axis that holds these values and nought."""
    held = [0.0, *values]
    low, high = min(held), max(held)
    is_whole = all(value == round(value) for value in held)
    for step in _steps(unit, is_whole=is_whole):
        down, up = -low / step, high / step
        if _whole(down) + _whole(up) <= MOST_LINES:
            longer = max(_whole(down), _whole(up), 1)
            return Axis(-_held(down) * step, longer * step, step) if up >= down else (
                Axis(-longer * step, _held(up) * step, step))
    raise OverflowError("no axis is as long as that")


def _whole(steps: float) -> int:
    return math.ceil(steps - 1e-9)


def _held(steps: float) -> float:
    """How many steps hold the shorter side: whole ones; less than half a one in tenths, without a line of its own."""
    return _whole(steps) if steps >= 0.5 else _whole(10 * steps) / 10


def _steps(unit: Unit, *, is_whole: bool) -> Iterator[float]:
    """Round steps, shortest first."""
    if unit == "share":
        yield from (step / 100 for step in _decimal(0))
    elif unit == "ms":
        yield from (step for step in _decimal(0) if step < 1_000)
        yield from (seconds * 1_000.0 for seconds in _SECONDS)
        yield from (hours * 3_600_000.0 for hours in _HOURS)
        yield from (240 * step * 3_600_000.0 for step in _decimal(0))
    else:
        yield from _decimal(0 if is_whole else -9)


def _decimal(least: int) -> Iterator[float]:
    """1, 2, 2.5 and 5 times the powers of ten from 10^least on; no broken ones where they begin with 1."""
    for power in range(least, 300):
        for digit in (1.0, 2.0, 2.5, 5.0):
            if digit != 2.5 or power != 0 or least < 0:
                yield digit * 10.0**power

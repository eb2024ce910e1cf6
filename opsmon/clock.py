"""The only reader of the time. Everything else is told what time it is."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant as whole milliseconds since the epoch, UTC."""

    def now_ms(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is told to move: for tests and for looking at another day."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, by_ms: int) -> None:
        """Move the clock by `by_ms` milliseconds (negative: a clock step backwards)."""
        self._now_ms += by_ms

    def set(self, now_ms: int) -> None:
        """Put the clock to an instant, epoch ms."""
        self._now_ms = now_ms

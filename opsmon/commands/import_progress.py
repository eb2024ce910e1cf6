"""How far an import is: a bar on a terminal, a line now and then anywhere else."""

import sys
import time
from typing import TextIO

_BAR = 24
# A bar may move often; lines are for logs, and a short import needs none.
_BAR_EVERY_S, _LINE_EVERY_S = 0.2, 10.0


class Progress:
    """Told after each part how much is done, and what it waits for; `done` is for whoever has to say it at the end."""

    def __init__(self, total: int, out: TextIO | None = None) -> None:
        self.total, self.done = total, 0
        self._out = out or sys.stderr
        self._is_terminal = self._out.isatty()
        self._begun_s = self._told_s = time.monotonic()
        self._first: int | None = None
        self._width = 0

    def __call__(self, done: int, why: str) -> None:
        self.done = done
        self._first = done if self._first is None else self._first
        now_s = time.monotonic()
        is_over = done >= self.total
        if not (self._is_terminal and is_over) and now_s - self._told_s < (
                _BAR_EVERY_S if self._is_terminal else _LINE_EVERY_S):
            return
        self._told_s = now_s
        text = self._text(why, now_s - self._begun_s)
        if self._is_terminal:
            padded = f"{self._bar()} {text}".ljust(self._width)
            self._width = len(padded.rstrip())
            print(f"\r{padded}", end="\n" if is_over else "", file=self._out, flush=True)
        else:
            print(text, file=self._out, flush=True)

    def end_line(self) -> None:
        """Leave a bar that did not get to its end, before anything else is said."""
        if self._is_terminal and self._width and self.done < self.total:
            print(file=self._out, flush=True)

    def _bar(self) -> str:
        full = self.done * _BAR // self.total
        return f"[{'#' * full}{'.' * (_BAR - full)}] {self.done * 100 // self.total:3} %"

    def _text(self, why: str, taken_s: float) -> str:
        text = f"{self.done:,} of {self.total:,} stored"
        fresh = self.done - (self._first or 0)
        if why:
            return f"{text} ({why})"
        if fresh <= 0 or taken_s < 1 or self.done >= self.total:
            return text
        return f"{text}, {_length((self.total - self.done) * taken_s / fresh)} left"


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"

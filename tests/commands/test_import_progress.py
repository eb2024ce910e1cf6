"""How far an import is: a bar for a person, lines for a log."""

import io

import pytest

from opsmon.commands import import_progress
from opsmon.commands.import_progress import Progress


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the stopwatch shows: the first of the list."""
    shown = [0.0]
    monkeypatch.setattr(import_progress.time, "monotonic", lambda: shown[0])
    return shown


def test_a_terminal_shows_a_bar_with_the_time_that_is_left(seconds: list[float]) -> None:
    """One line that moves, and ends when all is done."""
    out = Terminal()
    progress = Progress(1_000, out)
    for at, done in ((0, 0), (2, 250), (4, 500), (8, 1_000)):
        seconds[0] = at
        progress(done, "")
    assert out.getvalue().split("\r")[1:] == [
        "[######..................]  25 % 250 of 1,000 stored, 6 s left",
        "[############............]  50 % 500 of 1,000 stored, 4 s left",
        "[########################] 100 % 1,000 of 1,000 stored        \n"]


def test_a_bar_says_what_it_waits_for(seconds: list[float]) -> None:
    """And what it is shortened to covers what stood there."""
    out = Terminal()
    progress = Progress(1_000, out)
    for at, why in ((1, "1,200 wait to be counted"), (2, "9 wait")):
        seconds[0] = at
        progress(500, why)
    first, second = out.getvalue().split("\r")[1:]
    assert (first.endswith("500 of 1,000 stored (1,200 wait to be counted)"), len(first) == len(second)) == (True, True)


def test_a_bar_moves_a_few_times_a_second(seconds: list[float]) -> None:
    """However often it is told."""
    out = Terminal()
    progress = Progress(1_000, out)
    for done in range(999):
        seconds[0] = done / 1_000
        progress(done, "")
    assert out.getvalue().count("\r") == 4


def test_what_was_stored_before_is_no_speed(seconds: list[float]) -> None:
    """The time that is left is told by what was done now."""
    out = Terminal()
    progress = Progress(1_000, out)
    progress(800, "stored before")
    seconds[0] = 10.0
    progress(900, "")
    assert out.getvalue().endswith("900 of 1,000 stored, 10 s left")


def test_a_log_gets_a_line_now_and_then(seconds: list[float]) -> None:
    """None where it is quick: a job every night says nothing."""
    out = io.StringIO()
    progress = Progress(1_000, out)
    for at in range(0, 25, 3):
        seconds[0] = at
        progress(at * 40, "")
    assert out.getvalue().splitlines() == ["480 of 1,000 stored, 13 s left", "960 of 1,000 stored, 1 s left"]


def test_a_bar_that_ends_early_leaves_its_line(seconds: list[float]) -> None:
    """What is said next begins a new one."""
    out = Terminal()
    progress = Progress(1_000, out)
    seconds[0] = 1.0
    progress(500, "")
    progress.end_line()
    assert (out.getvalue().endswith("\n"), progress.done) == (True, 500)

"""What the page of alerts' quality receives: frozen values, already worded."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from dataclasses import dataclass
from typing import Literal

from opsmon.core.alerting.quality import Flag
from opsmon.core.alerting.remedies import Kind
from opsmon.core.alerting.rules import Severity
from opsmon.web.views import shown


@dataclass(frozen=True, slots=True)
class FigureView:
    """One figure of a rule."""

    label: str = shown("what it is: 'Acted on'")
    value: str = shown("the figure: '40%', a dash where there is none")
    note: str = shown("what else there is to say: 'of 12 that are over', '' for nothing", default="")


@dataclass(frozen=True, slots=True)
class FlagView:
    """What is wrong with a rule."""

    id: Flag = shown("which of them")
    text: str = shown("the same in a sentence")


@dataclass(frozen=True, slots=True)
class RemedyView:
    """What may be done about a rule with one press."""

    kind: Kind = shown("which of them; the form sends it")
    label: str = shown("on the button: 'Fire only after 5 min'")
    effect: str = shown("'It would have fired 3 instead of 12 times.'")
    value: str = shown("what it becomes: the wait in ms or the severity, which the form sends; '' for none")


@dataclass(frozen=True, slots=True)
class RuleQualityView:
    """A rule that fired in the last 30 days."""

    id: str = shown("its id")
    title: str = shown("its name")
    level: Severity = shown("how bad it is when it fires")
    word: str = shown("the same in a word")
    off: str = shown("why it is off, '' while it is on")
    note: str = shown("why nothing can be done here, '' where it can")
    flags: tuple[FlagView, ...] = shown("what is wrong with it")
    figures: tuple[FigureView, ...] = shown("what became of its alerts")
    remedies: tuple[RemedyView, ...] = shown("what may be done about it")
    reason: str = shown("what may be said when it is retired, '' where the reader has to find words")
    believed: str = shown("what the forms were made of")


@dataclass(frozen=True, slots=True)
class ShiftView:
    """A shift in the picture of all of them."""

    level: Literal["none", "some", "beyond"] = shown("how often it was interrupted: not, within the budget, more often")
    text: str = shown("how often, '' for not at all")


@dataclass(frozen=True, slots=True)
class BudgetView:
    """How often people were called away from what they do."""

    text: str = shown("one sentence: in how many shifts it was too often")
    about: str = shown("what is counted, and when shifts begin")
    is_beyond: bool = shown("whether it was too often at all")
    rows: tuple[str, ...] = shown("the hours of the shifts, as the picture has them from above")
    blank: int = shown("how many places of the first column are before the first shift")
    shifts: tuple[ShiftView, ...] = shown("all of them, the oldest first")
    first: str = shown("the day of the first")
    last: str = shown("the day of the last")
    beyond: tuple[tuple[str, str], ...] = shown("(when, how often and by what) of those with too many")
    more: str = shown("how many more of them there are, '' for none")


@dataclass(frozen=True, slots=True)
class QualityView:
    """All of it."""

    text: str = shown("one sentence for all: how many fired, and how many rules want a look")
    note: str = shown("that not all of the log could be read, '' usually")
    budget: BudgetView = shown("interruptions by shift")
    rules: tuple[RuleQualityView, ...] = shown("those with something wrong first, then those that fired most")
    quiet: str = shown("the rules that did not fire, '' for none")

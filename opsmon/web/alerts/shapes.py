"""What the screens of alerts receive: frozen values, already worded."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from dataclasses import dataclass
from typing import ClassVar, Literal

from opsmon.core.alerting.rules import Severity
from opsmon.web.part_shapes import PartView
from opsmon.web.views import SparkView, shown

# How an open alert stands: nobody sees to it; somebody does; all who were told did not answer; kept quiet by a silence,
# a snooze or what explains it; back within its limit.
Standing = Literal["open", "acknowledged", "nobody", "quiet", "recovering"]
May = Literal["read", "answer", "act"]


@dataclass(frozen=True, slots=True)
class AlertRowView:
    """An open alert in one line."""

    id: str = shown("its fingerprint; its page is /alerts/<id>")
    level: Severity = shown("how bad it is")
    word: str = shown("the same in a word: 'Critical'")
    title: str = shown("'Payments fail', and which: 'Payments fail: web'")
    value: str = shown("how far from its limit: '34%, over 20%'; '' where that is not for everybody")
    since_ms: int = shown("when it fired, epoch ms: its age is drawn in the page")
    since: str = shown("the same by the site's clock: '13:02'")
    standing: Standing = shown("how it stands")
    who: str = shown("the same in words, with who sees to it: 'Ana sees to it'")


@dataclass(frozen=True, slots=True)
class AlertsView(PartView):
    """The panel: every open alert, the worst first."""

    kind: ClassVar[str] = "alerts"

    rows: tuple[AlertRowView, ...] = shown("at most 6")
    more: str = shown("'and 3 more', '' when these are all")
    empty: str = shown("what is said instead of rows: how many rules find nothing wrong; '' where there are some")
    definition: str = shown("what is listed, and what is left out")


@dataclass(frozen=True, slots=True)
class BandView:
    """The line above the tiles of every board and wall."""

    worst: AlertRowView | None = shown("the alert to be seen first, None while nothing is open")
    more: str = shown("'2 more', '' when it is the only one")
    count: int = shown("how many are open")
    is_loud: bool = shown("whether something critical or high is open that nobody sees to: rotation stops, it sounds")
    mutes: tuple[str, ...] = shown("'Everything is muted until 14:30: stocktaking (Ana)', one for each silence")
    note: str = shown("that it could not be read, '' usually", default="")
    state: Literal["live", "error"] = shown("error: could not be read", default="live")


@dataclass(frozen=True, slots=True)
class CountView:
    """The way to the page of alerts, in the navigation of boards."""

    text: str = shown("with how many are open: 'Alerts: 3 open'; '' while none is")
    is_any: bool = shown("whether any is open")
    state: Literal["live", "error"] = shown("error: could not be read", default="live")
    note: str = shown("that it could not be read, '' usually", default="")


@dataclass(frozen=True, slots=True)
class OpenAlertView:
    """An open alert, whole."""

    row: AlertRowView = shown("what the panel says of it")
    then: str = shown("the value when it fired and the furthest since: 'at first 21%, at most 34%'")
    lasts: str = shown("how long it has lasted: '12 min'")
    action: str = shown("what to do, '' where the rule does not say")
    owner: str = shown("who owns the rule, '' for nobody")
    risk: str = shown("money at risk per hour, '' where it is not known or not for this reader")
    spark: SparkView | None = shown("the last 60 minutes, None where they are not kept")
    may: May = shown("what the reader may do: nothing, see to it and write, everything")


@dataclass(frozen=True, slots=True)
class ChoicesView:
    """What managers choose from when they say what becomes of an alert."""

    people: tuple[str, ...] = shown("whom it can be given to; none where nobody has an account")
    codes: tuple[tuple[str, str], ...] = shown("what it was: (code, words)")
    snoozes: tuple[tuple[str, str], ...] = shown("for how long nothing is said of it: (minutes, words)")


@dataclass(frozen=True, slots=True)
class OpenView:
    """The live part of the page of alerts."""

    rows: tuple[OpenAlertView, ...] = shown("the worst first")
    text: str = shown("one sentence for all: '2 alerts are open', or that nothing is wrong")
    note: str = shown("that it could not be read, '' usually")
    mutes: tuple[str, ...] = shown("silences that hold, in words")
    state: Literal["live", "empty", "error"] = shown("empty: nothing is open")
    choices: ChoicesView | None = shown("for managers; None for everybody else", default=None)


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of what became of alerts."""

    id: str = shown("its id in the log")
    at: str = shown("when, in words")
    alert: str = shown("fingerprint")
    title: str = shown("of its rule then")
    level: str = shown("how bad it was")
    word: str = shown("the same in a word")
    is_marked: bool = shown("whether it is about what fired: else nothing was wrong")
    text: str = shown("what happened: 'fired: 34%, over 20%', 'Ana sees to it'")
    note: str = shown("what somebody wrote, '' if nothing")
    state: str = shown("state after it")


@dataclass(frozen=True, slots=True)
class OneAlertView:
    """An alert's own page, open or over."""

    id: str = shown("its fingerprint")
    title: str = shown("what is wrong, and of several things which")
    level: Severity = shown("how bad it is")
    word: str = shown("the same in a word")
    open: OpenAlertView | None = shown("all of it while it is open, None when it is over")
    state: str = shown("its state in words")
    rule: str = shown("id of its rule")
    watched: str = shown("the number or source it is about")
    kpi_url: str = shown("page of that number, '' where there is none for this reader")
    is_seen_to: bool = shown("whether somebody sees to it")
    assigned_to: str = shown("to whom it was given, '' for nobody")
    run: str = shown("the run of it that is shown, '' before it ever fired")
    verdicts: tuple[tuple[str, str, bool], ...] = shown("what may be said of it now that it is over: (value, words, "
                                                        "whether it was); nothing while it is open")


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule in the list."""

    id: str = shown("its id")
    title: str = shown("its name")
    level: Severity = shown("how bad it is when it fires")
    word: str = shown("the same in a word")
    about: str = shown("its kind and what it watches: 'Limit: Orders today'")
    owner: str = shown("who owns it, '' for nobody")
    where: str = shown("'Comes with opsmon', 'Your own', 'In opsmon.toml'")
    off: str = shown("why it is off, '' while it is on")
    fired: str = shown("when it fired last")


@dataclass(frozen=True, slots=True)
class PastView:
    """What a rule would have said of the last 14 days."""

    text: str = shown("'It would have fired 3 times in the last 14 days.', or why nothing can be said")
    runs: tuple[str, ...] = shown("the newest of them: when, how long, how far")
    unknown: str = shown("what could not be known, '' when nothing")


@dataclass(frozen=True, slots=True)
class SilenceView:
    """A silence that holds."""

    id: str = shown("its id")
    about: str = shown("what is quiet: 'Everything', 'Payments fail'")
    until: str = shown("'until 14:30, 23 min more'")
    reason: str = shown("why")
    author: str = shown("who")


@dataclass(frozen=True, slots=True)
class SpecialDaysView:
    """A campaign or a holiday."""

    id: str = shown("its id")
    name: str = shown("as people call it")
    days: str = shown("'Campaign, Nov 27, 2026 to Nov 30, 2026'")
    author: str = shown("who marked it")
    is_fixed: bool = shown("whether it stands in the site's file")


AlertView = AlertsView | BandView | OpenView | CountView

# Before anything was ever read.
NO_BAND = BandView(None, "", 0, is_loud=False, mutes=())
NO_COUNT = CountView("", is_any=False)
NO_LIST = OpenView((), "", "", (), "error")

"""What each measure needs, may be given, can be told in, and which panes it is kept in: for those who define KPIs."""

from dataclasses import dataclass, field, replace

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import PERCENTILE_MINUTES_MS, Now, Sliding, Tumbling, Window
from opsmon.core.facts_known import Kind

COUNTED = ("orders", "visitors", "customers", "sessions", "pieces", "count")
# Kept as whole thousandths: a mean of 4.5 stays one.
_SCALE = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """One measure: the fields it `needs`, with what each is; those it `takes`; the levels it can be kept in.

    `instead` is set where facts must not be taken back: it says what to use for facts that are.
    """

    needs: dict[str, str] = field(default_factory=dict)
    takes: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    instead: str = ""
    levels: str = "mhd"

    @property
    def by_hours(self) -> bool:
        """Whether there are no minutes of it."""
        return "m" not in self.levels


_VALUE = {"value": 'the number to measure, e.g. value = "amount"'}
_OF = {"of": 'the field whose values are told apart, e.g. of = "visitor"'}
_HITS = {"hits": 'which of the facts are above its line, e.g. hits = { status = ">= 500" }'}
_MEMBERS = {"by": 'the field that names its members, e.g. by = "product"'}
_WHOSE = {"of": 'the field that says whose they are, e.g. of = "visitor"'}
_JOIN = Rule(_VALUE, ("by", "cap"), instead='use "mean", or "percentile" with show = "p1" or "p99"')

RULES: dict[str, Rule] = {
    "count": Rule(takes=("by", "cap"), levels="nmhd"),
    "sum": Rule(_VALUE, ("by", "cap"), levels="nmhd"),
    "mean": Rule(_VALUE, ("by", "cap", "show", "least"), ("mean", "count", "sum")),
    "ratio": Rule(_HITS, ("by", "cap", "least")),
    "stddev": Rule(_VALUE, ("by", "cap", "least")),
    "percentile": Rule(_VALUE, ("by", "cap", "show", "least"), ("p95", "count")),
    "min": _JOIN,
    "max": _JOIN,
    "last": replace(_JOIN, instead='use "sum" with window = "now", or "mean"', levels="nmhd"),
    "unique": Rule(_OF, instead='use "distinct"', levels="hd"),
    "distinct": Rule(_OF, levels="hd"),
    "top": Rule(_VALUE | _MEMBERS, ("cap",), levels="hd"),
    "sessions": Rule(_WHOSE, ("value", "gap", "steps", "show", "least"),
                     ("count", "open", "events", "duration", "converted", "funnel", "mean", "sum"),
                     instead="count facts such as page.viewed or user.active"),
}


def who_takes(name: str) -> list[str]:
    """The measures that a field is for."""
    return [measure for measure, rule in RULES.items() if name in rule.needs or name in rule.takes]


def units_of(measure: str, show: str, value: str, kind: Kind | None) -> tuple[str, ...]:
    """The units a number may be told in. Amounts with a currency are money: no other number is."""
    if measure == "ratio" or show == "converted":
        return ("share",)
    if measure == "sessions":
        return {"duration": ("ms",), "mean": ("money",), "sum": ("money",)}.get(show, COUNTED)
    if measure in ("count", "unique", "distinct") or show == "count":
        return COUNTED
    if kind in ("money", "ms"):
        return (kind,)
    if measure == "top":  # ranked by whole numbers; an amount is looked for in the site's currency
        return ("money",) if value == "amount" else (*COUNTED, "ms")
    is_either = kind is None and value == "amount" and measure not in ("stddev", "percentile")
    return (*COUNTED, "ms", "share", *(("money",) if is_either else ()))


def scale_of(measure: str, unit: str, kind: Kind | None) -> int:
    """Into how many parts a unit is divided to be kept as a whole number: money and ms are whole already."""
    is_whole = {unit, kind} & {"money", "ms"} or measure not in ("sum", "mean", "stddev", "min", "max", "last")
    return 1 if is_whole else _SCALE


def finest_of(measure: str, window: Window) -> str:
    """The level of panes a window is folded from."""
    if isinstance(window, Now):
        return "n"
    if isinstance(window, Tumbling):
        return "m" if window.size_ms == MINUTE_MS else "h"
    if isinstance(window, Sliding):
        return "h" if RULES[measure].by_hours or window.size_ms >= DAY_MS else "m"
    return "d"


def needed_levels(measure: str, window: Window) -> str:
    """The levels a window cannot do without; none for what is open now, which is in no pane."""
    finest = finest_of(measure, window)
    return "" if measure == "sessions" and finest == "n" else finest


def usual_levels(measure: str, window: Window, *, is_by: bool) -> str:
    """What a window needs and, for plain numbers, the minutes that last week's same hour is compared by."""
    finest = finest_of(measure, window)
    if finest == "n" and measure != "sessions":
        return "n"
    is_long = isinstance(window, Sliding) and finest == "h"
    is_plain = not (is_by or RULES[measure].by_hours or measure == "percentile" or is_long)
    return "mhd" if finest == "m" or is_plain else "hd"


def minutes_kept_ms(measure: str, levels: str, window: Window) -> int | None:
    """How long minutes are kept where that is shorter than usual: percentiles are large."""
    if measure != "percentile" or "m" not in levels:
        return None
    return max(PERCENTILE_MINUTES_MS, window.size_ms + HOUR_MS if isinstance(window, Sliding) else 0)

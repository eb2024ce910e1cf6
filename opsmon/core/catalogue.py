"""What a catalogue is made of: rollups, which count facts into panes, and KPIs, which are read from rollups.

A fact is one thing an event tells at one instant (an order was placed, a page was viewed). KPIs are
declared, not coded: `on` which facts, `where` they match, which `measure` of them, `by` what, over which
window. A catalogue is checked once and indexed by fact.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

from opsmon.core.calendar import HOUR_MS, MINUTE_MS
from opsmon.core.slots import Compare

Measure = Literal["count", "sum", "mean", "ratio", "stddev", "percentile", "min", "max", "last", "unique",
                  "distinct", "top", "open", "sessions", "own"]
Operator = Literal["=", "!=", ">", ">=", "<", "<=", "in"]
Fields = Mapping[str, Any]

# Rows of a dimension before `other` takes the rest. 200 rows of two aggregates stay in a compact hash.
CAP = 200
TOP_CAP = 2_000
# Latencies touch some 60 buckets a minute: kept for the windows that look at minutes, no longer.
PERCENTILE_MINUTES_MS = 3 * HOUR_MS
# Rates and lags of sources are looked at over minutes for an hour or so.
LAG_MINUTES_MS = 3 * HOUR_MS
UNIQUE_HOURS_MS = 8 * 24 * HOUR_MS
HALF_HOUR_MS = 30 * MINUTE_MS
# The rollups that goods are looked up in when a number is read (goods.py), and the field that narrows by one of them.
GOODS, TAGS, SOLD, TAG = "goods", "tags", "sold", "tag"
# What rules of alerts look things up in: orders by the stage they wait in, and orders by their amounts.
STAGES, AMOUNTS = "stage-waits", "order-amounts"
# Stages at which an order stays for ever.
LAST_STAGES = ("done", "shipped", "sent", "delivered", "picked up", "collected", "cancelled", "finished", "completed")
# Two weeks and a day: what is usual is learned of the one, and the day that is looked at is not over.
AMOUNTS_KEPT_MS = 15 * 24 * HOUR_MS
# What may be known by its product.
OF_GOODS = frozenset({"product", "sku"})

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b), "!=": lambda a, b: bool(a != b), "in": lambda a, b: a in b,
    ">": lambda a, b: bool(a > b), ">=": lambda a, b: bool(a >= b),
    "<": lambda a, b: bool(a < b), "<=": lambda a, b: bool(a <= b),
}
_ORDERED = frozenset({">", ">=", "<", "<="})


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of a fact compared with a value; a field that is missing, or no number, matches no `>` or `<`."""

    field: str
    operator: Operator
    value: str | int | float | bool | tuple[str | int, ...]

    def matches(self, fields: Fields) -> bool:
        """Whether the fact's fields meet the condition."""
        found = fields.get(self.field)
        if self.operator in _ORDERED and (isinstance(found, bool) or not isinstance(found, int | float)):
            return False
        return _COMPARE[self.operator](found, self.value)


@dataclass(frozen=True, slots=True)
class Rollup:
    """What is kept of facts.

    `value` names the field that is summed or measured, `by` the fields that make rows (for top: the
    members), `of` the field whose values are told apart (unique, distinct) or that groups facts into
    sessions; a sum `of` something keeps its rows while anything is told of them, also at nought; what is open is told
    apart `of` something, of a stage as packing|17. `hits` are
    the facts a ratio has above its line. `levels` are the panes kept: minutes, hours, days, and n for what
    holds now. What is `own` opsmon knows of itself, without counting. Numbers that are no money are kept as
    whole multiples of 1/scale.
    """

    id: str
    on: tuple[str, ...]
    measure: Measure
    value: str = ""
    by: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    hits: tuple[Condition, ...] = ()
    of: str = ""
    levels: str = "mhd"
    cap: int = CAP
    scale: int = 1
    gap_ms: int = HALF_HOUR_MS
    steps: tuple[str, ...] = ()
    minutes_kept_ms: int | None = None
    hours_kept_ms: int | None = None

    @property
    def has_rows(self) -> bool:
        """Whether its hashes hold rows of a dimension, with a cap and `other`."""
        return bool(self.by) and self.measure != "top"

    @property
    def is_whole(self) -> bool:
        """Whether each pane has a key of its own, not a field among others'."""
        return self.has_rows or self.measure in ("distinct", "unique", "top")


@dataclass(frozen=True, slots=True)
class Today:
    """From the start of the site's business day to now."""

    kind: Literal["today"] = "today"


@dataclass(frozen=True, slots=True)
class Tumbling:
    """Windows of one pane side by side (a minute or a local hour); `history` of them are shown."""

    size_ms: int
    history: int
    kind: Literal["tumbling"] = "tumbling"


@dataclass(frozen=True, slots=True)
class Sliding:
    """The last `size_ms`, moving on by `hop_ms`, ended `delay_ms` ago. Others call this window hopping."""

    size_ms: int
    hop_ms: int = MINUTE_MS
    delay_ms: int = 0
    kind: Literal["sliding"] = "sliding"


@dataclass(frozen=True, slots=True)
class Days:
    """The last `count` business days, today among them."""

    count: int
    kind: Literal["days"] = "days"


@dataclass(frozen=True, slots=True)
class Month:
    """The present calendar month so far, in business days."""

    kind: Literal["month"] = "month"


@dataclass(frozen=True, slots=True)
class Now:
    """What holds at this moment."""

    kind: Literal["now"] = "now"


Window = Today | Tumbling | Sliding | Days | Month | Now
Unit = Literal["orders", "money", "share", "ms", "visitors", "customers", "sessions", "pieces", "count"]
Area = Literal["sales", "operations", "technology"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One number: what it is called, what it is read from, and which direction is good.

    `show` picks what a rollup that keeps several aggregates gives (count, mean, sum, p50, p95, p99,
    converted, duration, step1 …). A ratio or mean of fewer than `least` says that it is too early to tell.
    `older_ms`: of what is open, only what has been open for longer. `beside`: the KPI that it is shown beside. A place
    on a board may narrow it: `only` to rows with these values of its rollup's fields, `against` says what it is
    compared with.
    """

    id: str
    label: str
    rollup: str
    window: Window
    unit: Unit
    definition: str
    better: Literal["up", "down", "neither"] = "up"
    area: Area = "sales"
    show: str = ""
    rows: int = 10
    least: int = 1
    older_ms: int = 0
    beside: str = ""
    only: tuple[tuple[str, str], ...] = ()
    against: Compare = "week"


@dataclass(frozen=True)
class Catalogue:
    """All rollups and KPIs of a site, indexed. Equal catalogues have equal digests."""

    rollups: tuple[Rollup, ...]
    kpis: tuple[Kpi, ...]
    index_by_id: dict[str, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index_by_id", {rollup.id: at for at, rollup in enumerate(self.rollups)})

    @cached_property
    def on(self) -> dict[str, tuple[int, ...]]:
        """By fact type: the places in `rollups` of those that count it; sessions apart."""
        return self._by_fact(rollup for rollup in self.rollups if rollup.measure != "sessions")

    @cached_property
    def sessions_on(self) -> dict[str, tuple[Rollup, ...]]:
        """By fact type: the rollups that group it into sessions."""
        found = self._by_fact(rollup for rollup in self.rollups if rollup.measure == "sessions")
        return {fact: tuple(self.rollups[at] for at in places) for fact, places in found.items()}

    @cached_property
    def kpi_by_id(self) -> dict[str, Kpi]:
        """KPIs by id."""
        return {kpi.id: kpi for kpi in self.kpis}

    @cached_property
    def digest(self) -> str:
        """What makes two catalogues count alike: their rollups, not the words of their KPIs."""
        return blake2b(repr(self.digests).encode(), digest_size=8).hexdigest()

    @cached_property
    def digests(self) -> dict[str, str]:
        """By rollup: what makes two of them count alike."""
        return {rollup.id: blake2b(repr(rollup).encode(), digest_size=8).hexdigest() for rollup in self.rollups}

    @cached_property
    def moved_by_time(self) -> tuple[str, ...]:
        """KPIs that time alone moves: all with a window, and what is open, which ages."""
        aging = ("open", "sessions", "own")
        return tuple(kpi.id for kpi in self.kpis
                     if not isinstance(kpi.window, Now) or self.rollup(kpi.rollup).measure in aging)

    def rollup(self, rollup_id: str) -> Rollup:
        """A rollup by id. Raises KeyError."""
        return self.rollups[self.index_by_id[rollup_id]]

    @cached_property
    def asides(self) -> dict[str, frozenset[str]]:
        """By rollup: those that are looked up beside it when it is read."""
        lists = {rollup.id for rollup in self.rollups if not OF_GOODS.isdisjoint(rollup.by[:1])}
        return {rollup: frozenset({GOODS, TAGS, SOLD} if rollup == "stock" else {GOODS, TAGS}) for rollup in lists}

    def kpis_of(self, rollups: set[str]) -> list[str]:
        """The KPIs that read any of these rollups, in catalogue order."""
        moved = rollups | {one for one, beside in self.asides.items() if not beside.isdisjoint(rollups)}
        return [kpi.id for kpi in self.kpis if kpi.rollup in moved]

    def _by_fact(self, rollups: Iterable[Rollup]) -> dict[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        for rollup in rollups:
            for fact in rollup.on:
                found.setdefault(fact, []).append(self.index_by_id[rollup.id])
        return {fact: tuple(places) for fact, places in found.items()}

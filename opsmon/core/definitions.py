"""A site's own KPIs: the [[kpi]] tables of opsmon.toml become rollups and KPIs beside the built-in ones.

All that is wrong is told at once, each with what would be right: a definition that could only ever show
nothing is refused here, not discovered on the board a week later.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from opsmon.core.calendar import DAY_MS
from opsmon.core.catalogue import (
    CAP,
    HALF_HOUR_MS,
    TOP_CAP,
    UNIQUE_HOURS_MS,
    Area,
    Catalogue,
    Condition,
    Kpi,
    Measure,
    Now,
    Rollup,
    Today,
    Unit,
    Window,
)
from opsmon.core.conditions import Mistake, read_conditions
from opsmon.core.definition_words import both, either, sentence, shown, such_as
from opsmon.core.facts import VENDOR_TYPES
from opsmon.core.facts_known import FACTS, is_below_zero, kind_of, similar, without
from opsmon.core.measure_rules import (
    RULES,
    Rule,
    finest_of,
    minutes_kept_ms,
    needed_levels,
    scale_of,
    units_of,
    usual_levels,
    who_takes,
)
from opsmon.core.window_texts import EXPECTED, duration_ms, read_window

MOST_KPIS = 200
MAX_LABEL = 40
MAX_DEFINITION = 400
MAX_NAME = 64
MOST_FACTS = 20
MOST_ROWS = 5_000
MOST_LEAST = 1_000_000

Better = Literal["up", "down", "neither"]

_ID = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
# As events may be called, see sources/json_events.py.
_FACT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", re.ASCII)
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)", re.ASCII)
_OF_ALL = ("id", "label", "on", "where", "measure", "window", "unit", "better", "area", "definition", "levels")
_OF_SOME = ("value", "of", "by", "hits", "show", "gap", "steps", "cap", "least")
_FIELDS = (*_OF_ALL, *_OF_SOME)
_ORDER_FACTS = tuple(fact for fact in FACTS if fact.startswith(("order.", "refund.")))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field ('' for none in particular) of the table at `index`, and what would be right."""

    index: int
    field: str
    text: str


def read_definitions(tables: Sequence[object], built_in: Catalogue) -> tuple[Catalogue, list[Problem]]:
    """The built-in catalogue and the KPIs of all tables that are right, and what is wrong with the others."""
    problems: list[Problem] = []
    rollups, kpis = list(built_in.rollups), list(built_in.kpis)
    taken = dict.fromkeys(built_in.kpi_by_id, "a built-in")
    if len(tables) > MOST_KPIS:
        problems.append(Problem(MOST_KPIS, "", f"a site may have {MOST_KPIS} KPIs of its own, and this is one more"))
    for index, table in enumerate(tables[:MOST_KPIS]):
        if not isinstance(table, dict):
            problems.append(Problem(index, "", "expected a table headed [[kpi]]"))
            continue
        definition = _Definition(table, taken)
        found = definition.read()
        problems += [Problem(index, field, text) for field, text in definition.in_order()]
        taken.setdefault(definition.id, "an earlier")
        if found is not None:
            kpi, rollup = found[0], _shared(found[1], rollups)
            rollups += [rollup] if rollup is found[1] else []
            kpis.append(replace(kpi, rollup=rollup.id))
    return Catalogue(tuple(rollups), tuple(kpis)), problems


def _shared(rollup: Rollup, others: Iterable[Rollup]) -> Rollup:
    """One that counts the same already, or this one."""
    described, levels = _described(rollup), set(rollup.levels)
    return next((other for other in others if levels <= set(other.levels) and _described(other) == described), rollup)


def _described(rollup: Rollup) -> Rollup:
    """What a rollup counts, in whatever order it was written."""
    return replace(rollup, id="", levels="", on=tuple(sorted(rollup.on)),
                   where=tuple(sorted(rollup.where, key=repr)), hits=tuple(sorted(rollup.hits, key=repr)))


class _Definition:
    """One table being read. What is wrong goes to `mistakes`; reading goes on, so that all of it is told."""

    def __init__(self, table: Mapping[str, Any], taken: Mapping[str, str]) -> None:
        self._table, self._taken = table, taken
        self.mistakes: list[Mistake] = []
        said = table.get("id")
        self.id = said if isinstance(said, str) else ""

    def read(self) -> tuple[Kpi, Rollup] | None:
        """The KPI and its rollup; None when anything is wrong."""
        self._check_names()
        self._check_id()
        label = self._text("label", MAX_LABEL)
        definition = self._text("definition", MAX_DEFINITION) if "definition" in self._table else ""
        better = self._one_of("better", get_args(Better), "neither")
        area = self._one_of("area", get_args(Area), "sales")
        on = self._on()
        where = self._conditions("where", on)
        measure = cast(Measure, self._one_of("measure", RULES))
        window = self._window(measure)
        if not measure:
            return None
        rollup, show = self._rollup(measure, on, where, window)
        unit = self._unit(rollup, show)
        least = self._number("least", 1, MOST_LEAST) if self._has("least", RULES[measure]) else 1
        if self.mistakes:
            return None
        rollup = replace(rollup, scale=scale_of(measure, unit, kind_of(rollup.value, on)))
        kpi = Kpi(self.id, label, rollup.id, window, cast(Unit, unit), definition, cast(Better, better),
                  cast(Area, area), show, least=least)
        return kpi if definition else replace(kpi, definition=sentence(kpi, rollup)), rollup

    def _rollup(self, measure: Measure, on: tuple[str, ...], where: tuple[Condition, ...], window: Window
                ) -> tuple[Rollup, str]:
        """What is kept, and what is shown of it."""
        rule = RULES[measure]
        self._check_fields(measure, rule)
        self._check_revised(measure, rule, on)
        by = self._fields("by", on, most=1 if measure == "top" else 2) if self._has("by", rule) else ()
        value = self._value(measure, on) if self._has("value", rule) else ""
        steps = self._steps(on) if self._has("steps", rule) else ()
        levels = self._levels(measure, rule, window, is_by=bool(by))
        rollup = Rollup(
            f"x-{self.id}", on, measure, value, by, where,
            hits=self._hits(on) if self._has("hits", rule) else (),
            of="".join(self._fields("of", on, most=1)) if self._has("of", rule) else "",
            levels=levels,
            cap=self._cap(measure, rule),
            gap_ms=self._gap() if self._has("gap", rule) else HALF_HOUR_MS,
            steps=steps,
            minutes_kept_ms=minutes_kept_ms(measure, levels, window),
            hours_kept_ms=UNIQUE_HOURS_MS if measure == "unique" else None)
        return rollup, self._show(rollup, rule, window)

    def in_order(self) -> list[Mistake]:
        """What is wrong, in the order in which the fields are written; what is missing comes last."""
        written = {name: at for at, name in enumerate(self._table)}
        return sorted(self.mistakes, key=lambda one: written.get(one.field.partition(".")[0], len(written)))

    # --- what is said, and what is wrong with it ---

    def _wrong(self, field: str, text: str) -> None:
        self.mistakes.append(Mistake(field, f"{field if field.isprintable() else repr(field)} {text}"))

    def _expected(self, field: str, right: str) -> None:
        said = f"is {shown(self._table[field])}" if field in self._table else "is missing"
        self._wrong(field, f"{said}: expected {right}")

    def _text(self, field: str, most: int) -> str:
        said = self._table.get(field)
        if isinstance(said, str) and said.strip() and len(said) <= most and said.isprintable():
            return said
        self._expected(field, f"a text of 1 to {most} characters, on one line")
        return ""

    def _one_of(self, field: str, known: Iterable[str], default: str = "") -> str:
        said, words = self._table.get(field, default), list(known)
        if isinstance(said, str) and said in words:
            return said
        self._expected(field, either(words) + (similar(said, words) if isinstance(said, str) else ""))
        return ""

    def _number(self, field: str, default: int, most: int) -> int:
        said = self._table.get(field, default)
        if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= most:
            return said
        self._expected(field, f"a whole number from 1 to {most}")
        return default

    def _names(self, field: str, most: int) -> tuple[str, ...] | None:
        """A text, or a list of different ones, each once."""
        said = self._table.get(field)
        names = said if isinstance(said, list) else [said]
        if 0 < len(names) <= most and all(isinstance(name, str) and 0 < len(name) <= MAX_NAME for name in names):
            return tuple(dict.fromkeys(names))
        return None

    # --- one field after the other ---

    def _check_names(self) -> None:
        for name in self._table:
            if name not in _FIELDS:
                self._wrong(name[:MAX_NAME], f"is no field of a KPI{similar(name, _FIELDS)}: "
                                             f"expected {either(_FIELDS)}")

    def _check_id(self) -> None:
        if not _ID.fullmatch(self.id):
            self._expected("id", 'at most 40 small letters, digits and hyphens, e.g. "returns-today"')
        elif self.id in self._taken:
            self._wrong("id", f"is that of {self._taken[self.id]} KPI: expected another")

    def _on(self) -> tuple[str, ...]:
        facts = self._names("on", MOST_FACTS)
        if facts is None:
            self._expected("on", f'a fact, e.g. "order.placed", or a list of up to {MOST_FACTS}')
            return ()
        return tuple(sorted(filter(self._is_fact, facts)))

    def _is_fact(self, fact: str) -> bool:
        if fact in FACTS or (_FACT.fullmatch(fact) and fact not in VENDOR_TYPES):
            return True
        if fact in VENDOR_TYPES:
            self._wrong("on", f"is {shown(fact)}, which a shop sends: expected what it tells, {either(_told_by(fact))}")
        else:
            self._wrong("on", f"is {shown(fact)}, and no fact is called so{similar(fact, FACTS)}: expected "
                              f"{', '.join(FACTS)}, or the type of your own events, e.g. till.opened")
        return False

    def _window(self, measure: str) -> Window:
        said = self._table.get("window")
        rule = RULES.get(measure, Rule())
        try:
            if not isinstance(said, str):
                raise ValueError(EXPECTED)
            window = read_window(said, by_hours=rule.by_hours)
        except ValueError as error:
            self._expected("window", str(error))
            return Today()
        if isinstance(window, Now) and measure and "n" not in rule.levels and measure != "sessions":
            self._wrong("window", 'is "now", which is for count, sum, last and sessions: '
                                  f'expected e.g. "today" or "24h" of {measure}')
        elif measure and finest_of(measure, window) == "m" and rule.by_hours:
            self._wrong("window", f'is {shown(said)}, but {measure} is kept by the hour: expected e.g. "per hour", '
                                  '"24h" or "today"')
        return window

    def _has(self, field: str, rule: Rule) -> bool:
        return field in self._table and (field in rule.needs or field in rule.takes)

    def _check_fields(self, measure: str, rule: Rule) -> None:
        for field, meaning in rule.needs.items():
            if field not in self._table:
                self._wrong(field, f"is missing: {measure} needs {meaning}")
        for field in _OF_SOME:
            if field in self._table and not self._has(field, rule):
                self._wrong(field, f"is not for {measure}: leave it out, or measure {either(who_takes(field))}")
        if self._has("cap", rule) and "by" not in self._table:
            self._wrong("cap", "bounds rows, and there are none: leave it out, or say by which field")

    def _check_revised(self, measure: str, rule: Rule, on: Sequence[str]) -> None:
        """What is joined or estimated cannot be taken back (see measures.py); sessions follow events only."""
        known = [fact for fact in on if fact in FACTS]
        if measure == "sessions":
            wrong, why = [fact for fact in known if FACTS[fact].is_closed or FACTS[fact].is_revised], "is of no visitor"
        else:
            wrong, why = [fact for fact in known if FACTS[fact].is_revised], "may be changed or taken back"
        if rule.instead and wrong:
            self._wrong("measure", f"is {shown(measure)}, but {wrong[0]} {why}: {rule.instead}")

    def _has_field(self, place: str, field: str, on: Sequence[str]) -> bool:
        missing = without(field, on)
        for fact in missing:
            known = FACTS[fact].fields
            self._wrong(place, f"is {shown(field)}, which {fact} does not have{similar(field, known)}: "
                               f"expected {either(known)}")
        return not missing

    def _fields(self, place: str, on: Sequence[str], most: int) -> tuple[str, ...]:
        fields = self._names(place, most)
        if fields is None:
            self._expected(place, "a field" if most == 1 else f"a field or a list of up to {most}")
            return ()
        for field in fields:
            if self._has_field(place, field, on) and kind_of(field, on) == "money":
                self._wrong(place, f"is {shown(field)}, which is money: expected a text{such_as(on, 'text')}")
        return fields

    def _value(self, measure: str, on: Sequence[str]) -> str:
        (field,) = self._names("value", 1) or ("",)
        if not field:
            self._expected("value", f"a field that is a number{such_as(on, 'number', 'money', 'ms')}")
        if not field or not self._has_field("value", field, on):
            return ""
        kind = kind_of(field, on)
        if kind == "text":
            self._wrong("value", f"is {shown(field)}, which is text: expected a number"
                                 f"{such_as(on, 'number', 'money', 'ms')}")
        elif kind == "money" and measure in ("stddev", "percentile"):
            self._wrong("value", f"is {shown(field)}, which is money, and {measure} knows no currencies: "
                                 "expected a plain number, or the measure mean")
        elif field != "amount" and (measure == "sessions" or (measure == "top" and kind == "money")):
            self._wrong("value", f"is {shown(field)}, but {measure} adds up amounts only: expected amount")
        return field

    def _conditions(self, place: str, on: Sequence[str]) -> tuple[Condition, ...]:
        if place not in self._table:
            return ()
        found = []
        for one in read_conditions(self._table[place], lambda field: kind_of(field, on)):
            where = f"{place}.{one.field[:MAX_NAME]}" if one.field else place
            if isinstance(one, Mistake):
                self._wrong(where, one.text)
            elif missing := without(one.field, on):
                known = FACTS[missing[0]].fields
                self._wrong(where, f"is asked of {missing[0]}, which does not have it{similar(one.field, known)}: "
                                   f"expected {either(known)}")
            elif is_below_zero(one.field, on) and _is_above_zero(one):
                self._wrong(where, f'is never above zero in {both(on)}: expected e.g. "<= -50"')
            else:
                found.append(one)
        return tuple(sorted(found, key=lambda condition: condition.field))

    def _hits(self, on: Sequence[str]) -> tuple[Condition, ...]:
        if self._table["hits"] == {}:
            self._wrong("hits", 'is empty: expected e.g. { status = ">= 500" }')
        return self._conditions("hits", on)

    def _steps(self, on: Sequence[str]) -> tuple[str, ...]:
        said, steps = self._table["steps"], self._names("steps", MOST_FACTS)
        if steps is None or not isinstance(said, list) or len(steps) < max(len(said), 2):
            self._expected("steps", f"a list of 2 to {MOST_FACTS} different facts, the first step first")
            return ()
        for step in steps:
            if on and step not in on:
                self._wrong("steps", f"has {shown(step)}, which on does not have{similar(step, on)}: "
                                     f"expected {either(on)}")
        return steps

    def _cap(self, measure: str, rule: Rule) -> int:
        usual = TOP_CAP if measure == "top" else CAP
        return self._number("cap", usual, MOST_ROWS) if self._has("cap", rule) else usual

    def _gap(self) -> int:
        said = self._table["gap"]
        gap_ms = duration_ms(said) if isinstance(said, str) else None
        if gap_ms is None or gap_ms > DAY_MS:
            self._expected("gap", 'a duration from "1m" to "24h"')
        return gap_ms or HALF_HOUR_MS

    def _show(self, rollup: Rollup, rule: Rule, window: Window) -> str:
        if not rule.shows or (rollup.measure == "sessions" and isinstance(window, Now) and "show" not in self._table):
            return "open" if rule.shows else ""
        said = self._table.get("show", rule.shows[0])
        if rollup.measure == "percentile" and isinstance(said, str) and _is_percentile(said):
            return said
        known = [*rule.shows, *(f"step{at}" for at in range(1, len(rollup.steps) + 1))]
        if not isinstance(said, str) or said not in known:
            self._expected("show", either([*known, *(["any such as p50 or p99.9"] * (rollup.measure == "percentile"))]))
            return ""
        if rollup.measure == "sessions":
            self._check_shown(said, rollup, is_now=isinstance(window, Now))
        return said

    def _check_shown(self, show: str, rollup: Rollup, *, is_now: bool) -> None:
        if show in ("converted", "funnel") and not rollup.steps:
            self._wrong("show", f'is "{show}", which needs steps: expected e.g. '
                                'steps = ["page.viewed", "checkout.completed"]')
        elif show in ("mean", "sum") and not rollup.value:
            self._wrong("show", f'is "{show}", which needs a value: expected value = "amount"')
        elif (show == "open") != is_now:
            self._wrong("show", f'is "{show}", but what is open is asked of now: expected show = "open" '
                                'together with window = "now"')

    def _unit(self, rollup: Rollup, show: str) -> str:
        kind = kind_of(rollup.value, rollup.on)
        right = units_of(rollup.measure, show, rollup.value, kind)
        if "unit" not in self._table and {"money", "count"} <= set(right):
            # Only the site knows whether its own events name a currency.
            self._expected("unit", f'money if {both(rollup.on)} name a currency, else {either(right[:-1])}')
            return ""
        unit = self._one_of("unit", get_args(Unit), "count" if "count" in right else right[0])
        if unit and unit not in right and kind != "text":
            of = f" of {rollup.value}" if rollup.value and show != "count" else ""
            self._wrong("unit", f'is "{unit}", but {show or rollup.measure}{of} is told in another: '
                                f"expected {either(right)}")
        return unit

    def _levels(self, measure: str, rule: Rule, window: Window, *, is_by: bool) -> str:
        usual = usual_levels(measure, window, is_by=is_by)
        if "levels" not in self._table:
            return usual
        levels = self._table["levels"]
        if not isinstance(levels, str) or not levels or set(levels) - set(rule.levels) or (
                len(set(levels)) < len(levels)):
            names = {"n": "n for now", "m": "m for minutes", "h": "h for hours", "d": "d for days"}
            self._expected("levels", f"some of {both(names[level] for level in rule.levels)}, e.g. {shown(usual)}")
            return usual
        needed = set(needed_levels(measure, window)) | ({"h"} if "m" in levels else set())
        if not needed <= set(levels):
            self._expected("levels", f"{both(sorted(needed - set(levels)))} among them, e.g. {shown(usual)}")
        return "".join(level for level in "nmhd" if level in levels)


def _told_by(kind: str) -> tuple[str, ...]:
    """What a shop's event tells, by the word it begins with; what orders tell where nothing is called so."""
    family = tuple(fact for fact in FACTS if fact.startswith(kind.partition(".")[0] + "."))
    return family if family and not kind.startswith("order.") else _ORDER_FACTS


def _is_percentile(show: str) -> bool:
    found = _PERCENTILE.fullmatch(show)
    return found is not None and float(found[1]) > 0


def _is_above_zero(condition: Condition) -> bool:
    """Whether it asks for what is above zero."""
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return condition.operator in (">", ">=", "=", "in") and all(
        isinstance(value, int | float) and value > 0 for value in values)

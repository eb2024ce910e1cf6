"""Rules as a site's file has them, and what a rule may be about. Pure."""

import re
from collections.abc import Collection, Sequence

from opsmon.core.alerting.built_in import BEHIND, EVERY_SOURCE, LOGINS, TELLING
from opsmon.core.alerting.records import MOST_RULES, parse_rule
from opsmon.core.alerting.rules import Burst, Late, Limit, Outlier, Pace, Quiet, Rule, RunsOut, Unusual
from opsmon.core.catalogue import AMOUNTS, STAGES, Catalogue, Kpi, Rollup
from opsmon.core.definitions import Problem
from opsmon.core.goods import DAYS_LEFT
from opsmon.core.history import has_history
from opsmon.core.narrowing import narrowed
from opsmon.core.said import Said

_FIELD = re.compile(r"(\w+): ?")


def read_rules(tables: Sequence[object], catalogue: Catalogue) -> tuple[tuple[Rule, ...], list[Problem]]:
    """The rules of all tables that are right, and what is wrong with the others."""
    rules, problems = dict[str, Rule](), list[Problem]()
    for index, table in enumerate(tables[:MOST_RULES]):
        rule, found = parse_rule(table)
        wrong = [str(one) for one in found]
        if rule is not None and rule.id in rules:
            wrong = [f"id: another rule is called {rule.id}"]
        elif rule is not None:
            wrong = [f"{field}: {text}" for field, text in wrong_about(rule, catalogue)]
        if rule is not None and not wrong:
            rules[rule.id] = rule
        problems += [_problem(index, text) for text in wrong]
    return tuple(rules.values()), problems


def wrong_about(rule: Rule, catalogue: Catalogue, sources: Collection[str] | None = None) -> list[tuple[str, str]]:
    """(field, sentence) of what does not fit what a rule watches. `sources`: those that are set up, where known."""
    if isinstance(rule.condition, Quiet):
        return _wrong_source(rule.about, sources)
    if rule.about == BEHIND:
        return [] if isinstance(rule.condition, Limit) else [("about", Said("how far opsmon is behind has a limit"))]
    if rule.about == TELLING:
        return [] if isinstance(rule.condition, Limit) else [
            ("about", Said("how many receivers cannot be told has a limit"))]
    if rule.about == LOGINS:
        return [] if isinstance(rule.condition, Burst) else [("about", Said("failed logins come in bursts"))]
    kpi = catalogue.kpi_by_id.get(rule.about)
    if kpi is None:
        return [("about", Said("there is no number called %(name)s", name=rule.about))]
    rollup = catalogue.rollup(kpi.rollup)
    if isinstance(rule.condition, RunsOut | Pace | Late | Outlier | Burst):
        return _wrong_kind(rule, kpi, rollup, catalogue)
    if not isinstance(rule.condition, Limit) and rule.by_row:
        return [("by_row", Said("only a limit can be held against each row"))]
    if rule.by_row and not rollup.by:
        return [("by_row", Said("this number has no rows"))]
    if rule.only and narrowed(kpi, rule.only, catalogue) is None:
        return [("only", Said("this number is not counted by that"))]
    if isinstance(rule.condition, Unusual) and not (has_history(kpi, rollup) and "h" in rollup.levels):
        return [("about", Said("what is usual is known only of numbers that are kept by the hour"))]
    return []


def _wrong_kind(rule: Rule, kpi: Kpi, rollup: Rollup, catalogue: Catalogue) -> list[tuple[str, str]]:
    """What does not fit of the kinds that know only some numbers."""
    is_late, fields = isinstance(rule.condition, Late), {field for field, _ in rule.only}
    if rule.by_row and not (is_late and rollup.id == STAGES):
        return [("by_row", Said("only a limit can be held against each row"))]
    if fields and not (fields <= {"stage"} and rollup.id == STAGES if is_late else
                       isinstance(rule.condition, Burst | RunsOut) and narrowed(kpi, rule.only, catalogue)):
        return [("only", Said("this number is not counted by that"))]
    match rule.condition:
        case RunsOut() if kpi.show != DAYS_LEFT:
            return [("about", Said("only of stock it is known how long it lasts"))]
        case Late() if rollup.measure != "open":
            return [("about", Said("only of open orders it is known since when they wait"))]
        case Outlier() if rollup.id != AMOUNTS:
            return [("about", Said("only of the largest orders each amount is known"))]
        case Burst() | Pace() if not can_be_counted(rollup):
            return [("about", Said("only what is counted minute by minute can be counted over minutes"))]
        case Pace(need=need) if need not in catalogue.kpi_by_id:
            return [("need", Said("there is no number called %(name)s", name=need))]
    return []


def can_be_counted(rollup: Rollup) -> bool:
    """Whether it is known how many there were in any few minutes."""
    return "m" in rollup.levels and rollup.measure in ("count", "sum", "mean", "ratio")


def _wrong_source(about: str, sources: Collection[str] | None) -> list[tuple[str, str]]:
    name = about.removeprefix("source:")
    if about == EVERY_SOURCE or (about != name and name and (sources is None or name in sources)):
        return []
    return [("about", Said("name a source, like source:shopify, or sources for all of them"))]


def _problem(index: int, text: str) -> Problem:
    found = _FIELD.match(text)
    return Problem(index, found[1] if found else "", text)

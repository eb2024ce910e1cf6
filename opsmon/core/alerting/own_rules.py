"""Rules as a site's file has them, and what a rule may be about. Pure."""

import re
from collections.abc import Collection, Sequence

from opsmon.core.alerting.built_in import BEHIND, EVERY_SOURCE
from opsmon.core.alerting.records import MOST_RULES, parse_rule
from opsmon.core.alerting.rules import Limit, Quiet, Rule, Unusual
from opsmon.core.catalogue import Catalogue
from opsmon.core.definitions import Problem
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
    kpi = catalogue.kpi_by_id.get(rule.about)
    if kpi is None:
        return [("about", Said("there is no number called %(name)s", name=rule.about))]
    rollup = catalogue.rollup(kpi.rollup)
    if not isinstance(rule.condition, Limit) and rule.by_row:
        return [("by_row", Said("only a limit can be held against each row"))]
    if rule.by_row and not rollup.by:
        return [("by_row", Said("this number has no rows"))]
    if rule.only and narrowed(kpi, rule.only, catalogue) is None:
        return [("only", Said("this number is not counted by that"))]
    if isinstance(rule.condition, Unusual) and not (has_history(kpi, rollup) and "h" in rollup.levels):
        return [("about", Said("what is usual is known only of numbers that are kept by the hour"))]
    return []


def _wrong_source(about: str, sources: Collection[str] | None) -> list[tuple[str, str]]:
    name = about.removeprefix("source:")
    if about == EVERY_SOURCE or (about != name and name and (sources is None or name in sources)):
        return []
    return [("about", Said("name a source, like source:shopify, or sources for all of them"))]


def _problem(index: int, text: str) -> Problem:
    found = _FIELD.match(text)
    return Problem(index, found[1] if found else "", text)

"""A definition in words: what a KPI counts, in a line; and the small words of sentences about definitions."""

from collections.abc import Iterable

from opsmon.core.catalogue import Condition, Kpi, Rollup
from opsmon.core.facts_known import FACTS, Kind, similar
from opsmon.core.window_texts import window_words


def in_a_line(kpi: Kpi, rollup: Rollup) -> str:
    """'count of refund.given where channel = web by country, today'."""
    return f"{_measured(kpi, rollup)}, {window_words(kpi.window)}"


def sentence(kpi: Kpi, rollup: Rollup) -> str:
    """The definition of a KPI that has none."""
    said = in_a_line(kpi, rollup)
    return f"{said[0].upper()}{said[1:]}."


def unheard_of(rollup: Rollup) -> list[str]:
    """The facts that only a site's own events can bring, each with what may have been meant."""
    return [f"{fact}{similar(fact, FACTS)}" for fact in rollup.on if fact not in FACTS]


def either(words: Iterable[str]) -> str:
    """'one, two or three'."""
    *before, last = words
    return f"{', '.join(before)} or {last}" if before else last


def both(words: Iterable[str]) -> str:
    """'one, two and three'."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def such_as(on: Iterable[str], *kinds: Kind) -> str:
    """', such as country or channel': fields of these facts that hold one of these; '' when none is known."""
    found = dict.fromkeys(name for fact in on if fact in FACTS for name, field in FACTS[fact].fields.items()
                          if field.kind in kinds)
    return f", such as {either(found)}" if found else ""


def shown(value: object) -> str:
    """A value in a sentence: short, however long it is."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > 2**63:
        return "a huge number"
    if isinstance(value, str):
        return f'"{value[:40]}"' if value[:40].isprintable() else repr(value[:40])
    return str(value)[:40]


def _measured(kpi: Kpi, rollup: Rollup) -> str:
    """What is measured of which facts."""
    facts = ", ".join(rollup.on)
    match rollup.measure:
        case "count":
            said = f"count of {facts}"
        case "ratio":
            said = f"share of {facts} with {both(map(_condition, rollup.hits))}"
        case "unique" | "distinct":
            said = f"different {rollup.of} of {facts}"
        case "top":
            said = f"top {rollup.by[0]} by {rollup.value} of {facts}"
        case "sessions":
            said = f"sessions of {rollup.of} over {facts} ({kpi.show})"
        case "open" | "own":
            said = f"{kpi.show or rollup.measure} of {facts or 'opsmon'}"
        case measure:
            said = f"{kpi.show or measure} of {rollup.value} of {facts}"
    where = f" where {both(map(_condition, rollup.where))}" if rollup.where else ""
    return said + where + (f" by {both(rollup.by)}" if rollup.has_rows else "")


def _condition(condition: Condition) -> str:
    """'country = DE or AT', 'amount >= 50'."""
    if isinstance(condition.value, tuple):
        return f"{condition.field} = {either(map(str, condition.value))}"
    value = str(condition.value)
    return f"{condition.field} {condition.operator} {value.lower() if isinstance(condition.value, bool) else value}"

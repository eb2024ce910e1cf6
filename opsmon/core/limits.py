"""Limits as people write them, '1000', '5 %', '24 h', read by the unit of the KPI they are for."""

import re
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

from opsmon.core.catalogue import Unit
from opsmon.core.money import exponent
from opsmon.core.said import Said
from opsmon.core.slots import Options

Level = Literal["warn", "crit"]

_WRITTEN = re.compile(r"(-?\d{1,15}(?:\.\d{1,6})?)\s*([a-z%]*)", re.ASCII)
_LENGTHS_MS = {"ms": 1, "s": 1_000, "sec": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_EXAMPLES = {"money": "an amount, like 1000 or 49.90", "share": "a share, like 5 %",
             "ms": "a length of time with its unit, like 500 ms, 90 s, 15 min, 24 h or 2 d"}


class Limits(NamedTuple):
    """Where a value begins to be marked, in the KPI's own unit; None: nowhere."""

    warn: float | None
    critical: float | None
    is_lowest: bool

    def level(self, value: float | None) -> Level | None:
        """How far a value is beyond; None while it is not, or there is none."""
        if value is None:
            return None
        found: tuple[tuple[Level, float | None], ...] = (("crit", self.critical), ("warn", self.warn))
        return next((level for level, limit in found if limit is not None
                     and (value < limit if self.is_lowest else value > limit)), None)


def limits_of(options: Options, unit: Unit, currency: str | None) -> Limits | None:
    """The limits of a slot; None when it has none. Money is in minor units of `currency`."""
    warn, critical = (_value(text, unit, currency) for text in (options.warn, options.critical))
    return None if warn is None and critical is None else Limits(warn, critical, options.is_lowest)


def wrong_limits(options: Options, unit: Unit) -> list[str]:
    """What is wrong with the limits, in sentences; [] when nothing is."""
    found: list[str] = []
    for name, text in (("warn", options.warn), ("critical", options.critical)):
        if text and read_limit(text, unit) is None:
            found.append(Said("%(field)s: %(value)s is not %(example)s", field=Said(name), value=repr(text),
                              example=Said(hint(unit))))
    if not found and options.warn and options.critical:
        warn, critical = read_limit(options.warn, unit), read_limit(options.critical, unit)
        if warn is not None and critical is not None and (critical > warn if options.is_lowest else critical < warn):
            found.append(_out_of_order(options))
    return found


def _out_of_order(options: Options) -> Said:
    if options.is_lowest:
        return Said("critical: %(critical)s has to be below %(warn)s, where it begins to warn",
                    critical=options.critical, warn=options.warn)
    return Said("critical: %(critical)s has to be over %(warn)s, where it begins to warn",
                critical=options.critical, warn=options.warn)


def hint(unit: Unit) -> str:
    """How a limit is written for a KPI of this unit."""
    return _EXAMPLES.get(unit, "a number, like 40")


def read_limit(text: str, unit: Unit) -> Decimal | None:
    """A limit in its unit: money in whole units of its currency, a share from 0 to 1, a length in ms; None for what
    is none."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None:
        return None
    try:
        amount = Decimal(found[1])
    except InvalidOperation:
        return None
    if unit == "share":
        return amount / 100 if found[2] == "%" else None
    if unit == "ms":
        return amount * _LENGTHS_MS[found[2]] if found[2] in _LENGTHS_MS else None
    return amount if not found[2] else None


def _value(text: str, unit: Unit, currency: str | None) -> float | None:
    amount = read_limit(text, unit) if text else None
    if amount is None:
        return None
    return float(amount.scaleb(exponent(currency)) if unit == "money" and currency else amount)

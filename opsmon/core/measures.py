"""How each measure is booked: what a fact adds to its rollup's panes, and what taking it back subtracts.

count, sum, mean, ratio, stddev and percentile keep whole numbers that add up: merging panes is adding
them, retraction is subtracting. distinct keeps a count per value, top a sum per member: alike. min, max,
last and unique are joins (idempotent, in any order): merging is joining, and there is no taking back,
because what a smaller value hid was never kept. So they look only at facts that nothing takes back: of
events without a version.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from itertools import repeat
from typing import Any, Literal

from opsmon.core.catalogue import Condition, Fields, Measure, Rollup
from opsmon.core.money import MAX_MINOR
from opsmon.core.percentiles import bucket

Storage = Literal["sums", "joins", "unique", "scores", "open"]
# One fact of a type and minute that are known: when it was, and its fields.
Timed = tuple[int, Fields]
# Adds facts, or takes them back (sign -1), in what has been gathered of one rollup and minute. Whole lists,
# because what is done per fact decides how many events a second a worker counts.
Booker = Callable[[dict[str, Any], Sequence[Timed], int], None]

STORAGE: dict[Measure, Storage] = {
    "count": "sums", "sum": "sums", "mean": "sums", "ratio": "sums", "stddev": "sums", "percentile": "sums",
    "distinct": "sums", "sessions": "sums", "min": "joins", "max": "joins", "last": "joins",
    "unique": "unique", "top": "scores", "open": "open", "own": "sums",
}
# Squares are kept in two halves, so that a day of them stays a whole number below 2^53.
SQUARE_BITS = 24
MAX_LABEL = 48
MAX_IDENTITY = 64
_REMEMBERED = 20_000
_CONTROLS = dict.fromkeys([*range(32), 127], " ")


def label(value: object) -> str:
    """A field as the name of a row: at most 48 characters, no control characters."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return str(value).translate(_CONTROLS).strip()[:MAX_LABEL]


def identity(value: object) -> str:
    """A field as who or what it names: whole, because two that begin alike are two; a long one as its digest."""
    text = "" if value is None else str(value).translate(_CONTROLS)
    return text if len(text) <= MAX_IDENTITY else blake2b(text.encode(), digest_size=16).hexdigest()


def booker(rollup: Rollup) -> Booker:
    """The function that books facts for a rollup."""
    return _MAKERS[rollup.measure](rollup)


def matcher(conditions: Sequence[Condition]) -> Callable[[Fields], bool] | None:
    """The test that all conditions make together; None for none."""
    if not conditions:
        return None
    if len(conditions) == 1:
        return conditions[0].matches
    return lambda fields: all(condition.matches(fields) for condition in conditions)


def number(rollup: Rollup, fields: Fields) -> tuple[int, str] | None:
    """A fact's value as a whole number, and its currency ('' for numbers); None when it has none."""
    value = fields.get(rollup.value)
    if isinstance(value, tuple | list):
        return int(value[0]), str(value[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    scaled = value if rollup.scale == 1 and type(value) is int else round(value * rollup.scale)
    if abs(scaled) > MAX_MINOR:
        raise ValueError(f"{rollup.value} is out of range: {value!r:.40}")
    return scaled, ""


class _Rows(dict[tuple[str, ...], str]):
    """The beginning of the names of a row's aggregates, by the texts of its fields: the row and a point.

    Keyed by texts only: 1, 1.0 and true are equal as keys and are three rows.
    """

    def __missing__(self, texts: tuple[str, ...]) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        name = self[texts] = "|".join(label(text).replace("|", "/") for text in texts) + "."
        return name


def _prefixes(rollup: Rollup) -> Callable[[Sequence[Timed]], Iterable[str]]:
    """Gives the beginning of the names for each of some facts."""
    if not rollup.has_rows:
        return lambda facts: repeat("", len(facts))
    rows, names = _Rows(), rollup.by
    if len(names) == 1:
        name = names[0]
        return lambda facts: [rows[value if type(value := fields.get(name)) is str else label(value),]
                              for _, fields in facts]
    return lambda facts: [rows[tuple([value if type(value := fields.get(name)) is str else label(value)
                                      for name in names])] for _, fields in facts]


def _count(rollup: Rollup) -> Booker:
    prefixes = _prefixes(rollup)
    if not rollup.has_rows:
        return _count_plainly

    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        for prefix, count in Counter(prefixes(facts)).items():
            _add(gathered, prefix + "n", sign * count)

    return book


def _count_plainly(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
    _add(gathered, "n", sign * len(facts))


def _sum(rollup: Rollup) -> Booker:
    """A row that comes to nought leaves nothing, unless it is counted too: an empty shelf is still a shelf."""
    return _amounts(rollup, ("n",) if rollup.of else ())


def _mean(rollup: Rollup) -> Booker:
    return _amounts(rollup, ("n",))


def _amounts(rollup: Rollup, counted: tuple[str, ...]) -> Booker:
    """Sums by row and currency; `counted` names what counts the facts that have a value."""
    prefixes, name, scale = _prefixes(rollup), rollup.value, rollup.scale

    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        totals: dict[tuple[str, str], int] = {}
        counts: dict[tuple[str, str], int] = {}
        named = list(prefixes(facts)) if rollup.has_rows else [""] * len(facts)
        values = [fields.get(name) for _, fields in facts]
        if scale == 1 and named.count(named[0]) == len(named) and set(map(type, values)) == {int}:
            # Whole numbers of one row, as the lags of a source are: every delivery comes this way.
            _add(gathered, f"{named[0]}s", sign * sum(values))  # type: ignore[arg-type]  # all int
            for aggregate in counted:
                _add(gathered, f"{named[0]}{aggregate}", sign * len(values))
            return
        for prefix, value, (_, fields) in zip(named, values, facts, strict=True):
            if type(value) is list:
                value, place = value[0], (prefix, f":{value[1]}")
            elif type(value) is int and scale == 1:
                place = prefix, ""
            elif (found := number(rollup, fields)) is not None:
                value, place = found[0], (prefix, "")
            else:
                continue
            totals[place] = totals.get(place, 0) + value
            counts[place] = counts.get(place, 0) + 1
        for (prefix, suffix), total in totals.items():
            _add(gathered, f"{prefix}s{suffix}", sign * total)
            for aggregate in counted:
                _add(gathered, f"{prefix}{aggregate}{suffix}", sign * counts[prefix, suffix])

    return book


def _ratio(rollup: Rollup) -> Booker:
    prefixes, hits = _prefixes(rollup), matcher(rollup.hits)

    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        named = list(prefixes(facts))
        for prefix, count in Counter(named).items():
            _add(gathered, prefix + "b", sign * count)
        hit = [prefix for prefix, (_, fields) in zip(named, facts, strict=True) if hits is None or hits(fields)]
        for prefix, count in Counter(hit).items():
            _add(gathered, prefix + "a", sign * count)

    return book


def _stddev(rollup: Rollup) -> Booker:
    prefixes = _prefixes(rollup)

    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        for prefix, (_, fields) in zip(prefixes(facts), facts, strict=True):
            found = number(rollup, fields)
            if found is not None:
                high, low = divmod(found[0] * found[0], 1 << SQUARE_BITS)
                for name, amount in (("n", 1), ("s", found[0]), ("q0", low), ("q1", high)):
                    _add(gathered, prefix + name, sign * amount)

    return book


def _percentile(rollup: Rollup) -> Booker:
    prefixes, name = _prefixes(rollup), rollup.value

    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        for prefix, (_, fields) in zip(prefixes(facts), facts, strict=True):
            value = fields.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                _add(gathered, f"{prefix}p{bucket(value)}", sign)

    return book


def _distinct(rollup: Rollup) -> Booker:
    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        for _, fields in facts:
            value = identity(fields.get(rollup.of))
            if value:
                _add(gathered, value, sign)

    return book


def _unique(rollup: Rollup) -> Booker:
    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        values = {identity(fields.get(rollup.of)) for _, fields in facts} if sign > 0 else set()
        gathered.update(dict.fromkeys(values - {""}, 1))

    return book


def _top(rollup: Rollup) -> Booker:
    rows, (name,) = _Rows(), rollup.by

    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        for _, fields in facts:
            found = number(rollup, fields)
            if found is not None:
                # The currency first: it has no colon, a label may have one.
                _add(gathered, f"{found[1]}:{rows[label(fields.get(name)),][:-1]}", sign * found[0])

    return book


def _join(rollup: Rollup) -> Booker:
    prefixes, join, measure = _prefixes(rollup), JOINS[rollup.measure], rollup.measure

    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        for prefix, (time_ms, fields) in zip(prefixes(facts), facts, strict=True):
            found = number(rollup, fields)
            if found is not None and sign > 0:
                name = f"{prefix}{measure}{':' + found[1] if found[1] else ''}"
                new = (time_ms, found[0]) if measure == "last" else (found[0], 0)
                old = gathered.get(name)
                gathered[name] = new if old is None else join(old, new)

    return book


def _open(rollup: Rollup) -> Booker:
    told_apart = rollup.of

    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        for time_ms, fields in facts:
            name = fields["entity"]
            if told_apart:
                name = f"{label(fields.get(told_apart)).replace('|', '/')}|{name}"
            gathered[name] = time_ms if sign > 0 else None

    return book


def _elsewhere(rollup: Rollup) -> Booker:
    def book(gathered: dict[str, Any], facts: Sequence[Timed], sign: int) -> None:
        raise TypeError(f"{rollup.id} is not booked fact by fact")

    return book


def _add(gathered: dict[str, Any], name: str, amount: int) -> None:
    gathered[name] = gathered.get(name, 0) + amount


JOINS: dict[str, Callable[..., tuple[int, int]]] = {"min": min, "max": max, "last": max}
_MAKERS: dict[Measure, Callable[[Rollup], Booker]] = {
    "count": _count, "sum": _sum, "mean": _mean, "ratio": _ratio, "stddev": _stddev,
    "percentile": _percentile, "distinct": _distinct, "unique": _unique, "top": _top,
    "min": _join, "max": _join, "last": _join, "open": _open, "sessions": _elsewhere, "own": _elsewhere,
}

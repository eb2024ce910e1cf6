"""One cell of a table -> a number, an instant, a country, an id. What can be meant in two ways is refused."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import blake2b

from babel import Locale

from opsmon.core.calendar import MAX_MS, MIN_MS, SiteCalendar
from opsmon.core.events import entity_id
from opsmon.core.facts import FUTURE_MS
from opsmon.core.money import is_currency
from opsmon.core.said import Said

MAX_QUANTITY = 1_000_000
_COUNTRY = 40

_PLAIN = re.compile(r"[+-]?(\d{1,13}(\.\d{0,17})?|\.\d{1,17})", re.ASCII)
# 1,234.50 and 1,234,567; 1.234,50 and 1.234.567 and 12,5. Neither has 1,234, which may be either.
_ENGLISH = re.compile(r"[+-]?\d{1,3}((,\d{3})+\.\d{1,17}|(,\d{3}){2,4})", re.ASCII)
_CONTINENTAL = re.compile(r"[+-]?(\d{1,3}((\.\d{3})+,\d{1,17}|(\.\d{3}){2,4})"
                          r"|\d{1,13},(\d{1,2}|\d{4,17})|(\d{4,13}|0),\d{3})", re.ASCII)
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
# What parts thousands in other places: blanks of three kinds, apostrophes.
_GAPS = re.compile(r"(?<=\d)[ \u00a0\u202f'’](?=\d{3}(?!\d))", re.ASCII)

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?))?"
                  r" ?(Z|UTC|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)(?: (\d{1,2}:\d\d)(:\d\d)?( ?[AaPp][Mm])?)?", re.ASCII)
_HOUR = re.compile(r"%-?[HIcXsT]")
_EXAMPLE = datetime(2011, 11, 27, 15, 4, 5, tzinfo=UTC)

_PLAIN_ID = re.compile(r"[A-Za-z0-9._#/-]{1,64}")
_FLOAT_ID = re.compile(r"(\d+)\.0", re.ASCII)
# Names that spreadsheets use and CLDR does not.
_ALIASES = {"uk": "GB", "usa": "US", "united states of america": "US", "eire": "IE", "rsa": "ZA", "hong kong": "HK",
            "czech republic": "CZ", "turkey": "TR", "macedonia": "MK", "unspecified": ""}


# What a formula that failed leaves in its place: taken for a text, all such rows would be of one order.
_FAILED = re.compile(r"#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|CALC!|BEZUG!|WERT!|NV|ZAHL!)|Err:\d{3}")
# Spreadsheets keep 00123 a text by writing ="00123", or '00123.
_KEPT_TEXT = re.compile(r'="([^"]*)"|\'([\d.,+-]+)', re.ASCII)
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.ASCII | re.IGNORECASE)


class BadCell(ValueError):
    """A cell is not what its column holds; the message goes on after the column's name."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(Said(text, **values))
        self.problem = Said(text, **values)


def shown(text: str) -> str:
    """A cell in a sentence: short, however long it is."""
    return repr(text[:40])


def cell_text(raw: str) -> str:
    """A cell as its column's reader takes it: without blanks around it, or what keeps a number a text."""
    text = raw.strip()
    kept = _KEPT_TEXT.fullmatch(text) if text[:1] in ("=", "'") else None
    return text if kept is None else (kept[1] or kept[2] or "").strip()


def check_formula(text: str) -> None:
    """Raises BadCell for what a formula that failed has left."""
    if text[:1] in ("#", "E") and _FAILED.fullmatch(text):
        raise BadCell(f"is {shown(text)}, a formula that failed in the spreadsheet: expected its value")


# Prices recur.
@lru_cache(maxsize=4096)
def amount(text: str, *, has_commas: bool = False) -> Decimal:
    """A number, exactly. `has_commas`: in this file a comma may well be the decimal point. Raises BadCell."""
    plain = _GAPS.sub("", text)
    if _EITHER.fullmatch(plain) and ("," in plain or has_commas):
        whole = re.sub("[.,]", "", plain)
        decimal = plain.replace(",", ".")
        raise BadCell("is %(cell)s, which may be %(whole)s or %(decimal)s: expected %(whole)s or %(decimal)s0",
                      cell=shown(text), whole=whole, decimal=decimal)
    if _PLAIN.fullmatch(plain):
        return Decimal(plain)
    if _ENGLISH.fullmatch(plain):
        return Decimal(plain.replace(",", ""))
    if _CONTINENTAL.fullmatch(plain):
        return Decimal(plain.replace(".", "").replace(",", "."))
    raise BadCell("is %(cell)s: expected a number such as 12.50", cell=shown(text))


def quantity(text: str, *, has_commas: bool = False) -> int:
    """A whole number of pieces; may be negative. Raises BadCell."""
    try:
        found = amount(text, has_commas=has_commas)
    except BadCell:
        found = None
    if found is None or found % 1 or abs(found) > MAX_QUANTITY:
        raise BadCell("is %(cell)s: expected a whole number up to %(most)s", cell=shown(text), most=MAX_QUANTITY)
    return int(found)


def currency_code(text: str) -> str:
    """An ISO currency. Raises BadCell."""
    if not is_currency(text.upper()):
        raise BadCell("is %(cell)s: expected an ISO currency such as EUR", cell=shown(text))
    return text.upper()


def number_of(text: str) -> str:
    """What an order is called. Raises BadCell."""
    if _SHORTENED.fullmatch(text):
        raise BadCell(f"is {shown(text)}, a number that a spreadsheet has shortened: expected all its digits")
    try:
        return entity_id(_unfloated(text))
    except ValueError:
        raise BadCell(f"is {shown(text)}: expected 1 to 64 printable ASCII characters") from None


def customer_id(text: str) -> str:
    """Who ordered: an id as it stands, anything else (an address, a name) as a digest that tells nobody who."""
    plain = _unfloated(text)
    if _PLAIN_ID.fullmatch(plain):
        return plain
    return blake2b(plain.casefold().encode(), digest_size=8).hexdigest() if plain else ""


def country_code(text: str) -> str:
    """A country as vendors write it, by its ISO code; one that is not known as it stands."""
    if len(text) == 2 and text.isascii() and text.isalpha():
        return text.upper()
    return _countries().get(text.casefold(), text[:_COUNTRY])


def instant(text: str, calendar: SiteCalendar, *, time_format: str = "", now_ms: int) -> int:
    """When it was, epoch ms; a day without a time is its business day's beginning. Raises BadCell."""
    try:
        time_ms = _formatted(text, calendar, time_format) if time_format else _iso(text, calendar)
    except OverflowError:
        time_ms = MAX_MS
    if not MIN_MS <= time_ms <= now_ms + FUTURE_MS:
        raise BadCell("is %(cell)s: expected a time that is not in the future", cell=shown(text))
    return time_ms


def is_time_format(time_format: str) -> bool:
    """Whether strptime can read what it says, and it names a year."""
    try:
        read = datetime.strptime(_EXAMPLE.strftime(time_format), time_format)  # noqa: DTZ007 - only its year
    except (ValueError, re.error):
        return False
    return read.year == _EXAMPLE.year


def _iso(text: str, calendar: SiteCalendar) -> int:
    found = _ISO.fullmatch(text)
    if not found:
        raise BadCell(_which_format(text))
    day, time, offset = found.groups()
    try:
        if time is None:
            return calendar.day_begins(date.fromisoformat(day))
        return _placed(datetime.fromisoformat(f"{day}T{time}{_offset(offset)}"), calendar)
    except ValueError:
        raise BadCell("is %(cell)s: expected a date and time that there is", cell=shown(text)) from None


def _formatted(text: str, calendar: SiteCalendar, time_format: str) -> int:
    try:
        wall = datetime.strptime(text, time_format)  # noqa: DTZ007 - where it has no offset, the site's zone counts
    except ValueError:
        raise BadCell(f"is {shown(text)}: expected a time such as {shown(_EXAMPLE.strftime(time_format))}, as "
                      f"--time-format '{time_format}' says") from None
    return _placed(wall, calendar) if _HOUR.search(time_format) else calendar.day_begins(wall.date())


def _placed(when: datetime, calendar: SiteCalendar) -> int:
    """An instant; what the clock shows twice in autumn is the first of the two."""
    if when.tzinfo is None:
        return calendar.instant(when)
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _offset(text: str | None) -> str:
    return "" if text is None else "+00:00" if text in ("Z", "UTC") else text


def _which_format(text: str) -> str:
    """Whether the day or the month comes first is nothing to guess: a whole year would be in the wrong months."""
    found = _NUMERIC.fullmatch(text)
    if not found:
        return (f"is {shown(text)}: expected a time such as 2011-11-27 15:04, or say how it is written with "
                "--time-format")
    first, sign, second, year, time, seconds, half = found.groups()
    rest = f"{sign}{'%Y' if len(year) == 4 else '%y'}"
    if time:
        rest += f" {'%I' if half else '%H'}:%M{':%S' if seconds else ''}"
        rest += "" if not half else " %p" if half[0] == " " else "%p"
    possible = [f"--time-format '{order}{rest}'" for order, day, month in
                ((f"%d{sign}%m", first, second), (f"%m{sign}%d", second, first))
                if 1 <= int(day) <= 31 and 1 <= int(month) <= 12]
    if len(possible) == 2:
        return f"is {shown(text)}, day or month first: say which, {' or '.join(possible)}"
    return f"is {shown(text)}: expected a time such as 2011-11-27 15:04, or say {possible[0]}" if possible else (
        f"is {shown(text)}: expected a date that there is")


def _unfloated(text: str) -> str:
    """A number that went through a program which takes every number for a fraction: 18211.0."""
    found = _FLOAT_ID.fullmatch(text)
    return found[1] if found else text


@cache
def _countries() -> dict[str, str]:
    """ISO codes by English names, in small letters."""
    names = {name.casefold(): code for code, name in Locale("en").territories.items() if len(code) == 2}
    return names | _ALIASES

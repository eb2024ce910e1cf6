"""Words, numbers, money and times in the site's language and locale. All formatting is done here, by Babel."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Literal
from unicodedata import category, east_asian_width

from babel import Locale
from babel.dates import format_datetime, format_skeleton, get_day_names
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.money import exponent
from opsmon.core.readings import Reading
from opsmon.core.said import Said
from opsmon.web.languages import ENGLISH, language_of, messages

MINUS = "−"
# The longest number that has a size of its own: −123.456.789,000 KWD.
LONGEST = 20
# A sentence that ends with one of these needs no full stop.
_ENDS = (".", "。", "!", "?", "…")
_UNSPACED = frozenset({"ja", "zh"})
# A value at the end of a sentence. %%(name)s is none.
_AT_THE_END = re.compile(r"(?<!%)(%\((\w+)\)s)[.。](?!\.)")


class Wording:
    """Speaks and writes for one site: its language, its locale, its zone."""

    def __init__(self, locale: str, calendar: SiteCalendar, language: str = "") -> None:
        """`language`: the catalogue to be spoken, of the locale's own where none is named."""
        self.locale = Locale.parse(locale)
        self._calendar = calendar
        self.language = language or language_of(locale)
        self._messages = messages(self.language)
        is_own = self.language != ENGLISH or self.locale.language == ENGLISH
        # Names of days stand within sentences, and are in their language.
        self.voice = self.locale if is_own else Locale(ENGLISH)

    @property
    def tag(self) -> str:
        """The locale as a BCP 47 tag, for Intl."""
        return str(self.locale).replace("_", "-")

    @property
    def spoken(self) -> str:
        """The language of the words as a BCP 47 tag, for lang=: English where there is no catalogue."""
        return str(self.voice).replace("_", "-")

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Which way lines run, for dir=."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    def say(self, text: str, **values: object) -> str:
        """A sentence in the site's language; `%(name)s` in it stands for a value. Without values a % is a %."""
        if isinstance(text, Said):
            values = {name: self.say(one) if isinstance(one, Said) else one for name, one in text.values.items()}
            text = text.text
        found = self._messages.gettext(text) if text else ""
        return _filled(found, values) if values else found

    def many(self, one: str, more: str, count: float, **values: object) -> str:
        """The same of a number of things, in the form the language has for it; `%(num)s` is the number, written."""
        # A form is chosen by a whole number: 1.5 hours are as many as 2.
        found = self._messages.ngettext(one, more, ceil(count))
        return _filled(found, {"num": self.number(count), **values})

    def sentences(self, *texts: str) -> str:
        """Sentences one after the other, those that are '' left out; the last one ends as it is. One that ends with an
        abbreviation has its full stop already: '10 Min. Die ältesten: #1001'."""
        said = [text for text in texts if text]
        is_spaced = self.voice.language not in _UNSPACED
        stop, between = (".", " ") if is_spaced else ("。", "")
        return between.join([*(text if text.endswith(_ENDS) else text + stop for text in said[:-1]), *said[-1:]])

    def both(self, words: Sequence[str]) -> str:
        """'one, two and three'."""
        return str(format_list(words, locale=self.voice))

    def either(self, words: Sequence[str]) -> str:
        """'one, two, or three'."""
        return str(format_list(words, style="or", locale=self.voice))

    def number(self, value: float) -> str:
        """1234 as '1,234'."""
        return _typographic(format_decimal(value, locale=self.locale))

    def money(self, minor: float, currency: str) -> str:
        """Minor units as an amount: 123450 EUR as '€1,234.50', 500 JPY as '¥500'."""
        amount = Decimal(round(minor)).scaleb(-exponent(currency))
        return _spaced(_typographic(format_currency(amount, currency, locale=self.locale)))

    def whole_money(self, minor: float, currency: str) -> str:
        """The same without cents where there are none: 120000 EUR as '€1,200'."""
        amount = Decimal(round(minor)).scaleb(-exponent(currency))
        if amount != amount.to_integral_value():
            return self.money(minor, currency)
        pattern = self.locale.currency_formats["standard"].pattern.replace(".00", "")
        return _spaced(_typographic(format_currency(amount, currency, pattern, self.locale, currency_digits=False)))

    def about(self, reading: Reading, value: float) -> str:
        """A value that is no more than likely: money without cents."""
        if reading.kpi.unit != "money" or not reading.currency:
            return self.value(reading, value)
        unit = 10 ** exponent(reading.currency)
        return self.whole_money(round(value / unit) * unit, reading.currency)

    def value(self, reading: Reading, value: float | None) -> str:
        """A value of a KPI in its unit; a dash where there is nothing to divide by."""
        if value is None:
            return "–"
        if reading.kpi.unit == "money":
            return self.money(value, reading.currency) if reading.currency else self.number(value)
        if reading.kpi.unit == "share":
            return self.fine_share(value)
        if reading.kpi.unit == "ms":
            return self.milliseconds(value) if value < 1000 else self.seconds(value)
        return self.number(value)

    def change(self, now: float, before: float) -> str:
        """'+12 %'; '' where last week had nothing to compare with. What is nearly alike is '0 %', never '−0 %'."""
        if before <= 0:
            return ""
        ratio = round((now - before) / before, 2) or 0.0
        sign = "+" if ratio > 0 else ""
        return sign + _typographic(format_percent(ratio, locale=self.locale))

    def share(self, fraction: float) -> str:
        """0.61 as '61%'."""
        return format_percent(fraction, locale=self.locale)

    def fine_share(self, fraction: float) -> str:
        """0.61 as '61%', 0.024 as '2.4%': below a tenth the first decimal tells 2 from 3."""
        digits = 3 if abs(fraction) < 0.0995 else 2
        return _typographic(format_percent(round(fraction, digits), locale=self.locale, decimal_quantization=False))

    def time(self, time_ms: int) -> str:
        """The site's wall clock, hours and minutes."""
        return format_skeleton("Hm", self._wall(time_ms), locale=self.locale)

    def clock(self, time_ms: int) -> str:
        """The site's wall clock to the second."""
        return format_skeleton("Hms", self._wall(time_ms), locale=self.locale)

    def weekday(self, time_ms: int) -> str:
        """'Friday'."""
        return str(get_day_names("wide", locale=self.voice)[self._wall(time_ms).weekday()])

    def day_and_hour(self, time_ms: int) -> str:
        """'Fri 13:00'."""
        return format_datetime(self._wall(time_ms), "EEE HH:mm", locale=self.locale)

    def moment(self, time_ms: int) -> str:
        """'Nov 20, 14:03:22': day and time, of what may be weeks old."""
        return f"{format_skeleton('MMMd', self._wall(time_ms), locale=self.locale)}, {self.clock(time_ms)}"

    def day_and_time(self, time_ms: int) -> str:
        """'Oct 21, 14:00': a day and its time, of what was weeks ago."""
        return f"{format_skeleton('MMMd', self._wall(time_ms), locale=self.locale)}, {self.time(time_ms)}"

    def date(self, time_ms: int) -> str:
        """'Dec 20, 2026': a day, of what may be in another year."""
        return format_skeleton("yMMMd", self._wall(time_ms), locale=self.locale)

    def hour(self, time_ms: int) -> str:
        """'13', for an axis."""
        return f"{self._wall(time_ms).hour:02}"

    def duration(self, duration_ms: int) -> str:
        """A length of time in one unit: '40 sec', '6 min', '3 hr'."""
        if duration_ms < MINUTE_MS:
            return self._unit(round(duration_ms / 1000), "second")
        if duration_ms < 2 * HOUR_MS:
            return self._unit(round(duration_ms / MINUTE_MS), "minute")
        return self._unit(round(duration_ms / HOUR_MS), "hour")

    def hours(self, length_ms: int) -> str:
        """A length of time that is no age, as rules have it: '24 hr', '90 min', '90 sec'."""
        for unit, size_ms in (("hour", HOUR_MS), ("minute", MINUTE_MS)):
            if length_ms % size_ms == 0:
                return self._unit(length_ms // size_ms, unit)
        return self._unit(round(length_ms / 1000), "second")

    def age(self, age_ms: int) -> str:
        """A length of time in two units: '12 sec', '6 min', '2 hr 14 min', '3 days 4 hr'."""
        minutes = round(age_ms / MINUTE_MS)
        if age_ms < MINUTE_MS or minutes < 60:
            return self.duration(age_ms)
        if age_ms < DAY_MS - MINUTE_MS / 2:
            return self._two(minutes // 60, "hour", minutes % 60, "minute")
        hours = round(age_ms / HOUR_MS)
        return self._two(hours // 24, "day", hours % 24, "hour")

    def size(self, size_bytes: int) -> str:
        """'84 MB', '3.1 MB', '12 kB'; whole from ten on."""
        if size_bytes < 1024**2:
            return self._unit(round(size_bytes / 1024), "kilobyte")
        megabytes = size_bytes / 1024**2
        return self._unit(round(megabytes, 1) if megabytes < 10 else round(megabytes), "megabyte")

    def seconds(self, milliseconds: float) -> str:
        """'1.3 sec', and from ten seconds on what `age` says."""
        if milliseconds < 9_950:
            return self._unit(round(milliseconds / 1000, 1), "second")
        return self.age(round(milliseconds))

    def milliseconds(self, milliseconds: float) -> str:
        """'1.8 ms'; whole above ten."""
        shown = round(milliseconds, 1) if milliseconds < 10 else round(milliseconds)
        return self._unit(shown, "millisecond")

    def _two(self, large: int, unit: str, small: int, smaller: str) -> str:
        words = [self._unit(large, unit), *([self._unit(small, smaller)] if small else [])]
        return " ".join(words)

    def _unit(self, amount: float, unit: str) -> str:
        return str(format_unit(amount, f"{unit}", length="short", locale=self.locale))

    def _wall(self, time_ms: int) -> datetime:
        return self._calendar.wall(time_ms)


def room_of(text: str) -> int:
    """How much room a number takes, in digits: 1 to LONGEST. What writes Chinese, Japanese or Korean is as wide as
    two of them, marks that only say which way a line runs take none. Source: Unicode, UAX #11."""
    wide = sum(east_asian_width(sign) in "WF" for sign in text)
    marks = sum(category(sign) == "Cf" for sign in text)
    return min(max(len(text) + wide - marks, 1), LONGEST)


def _filled(text: str, values: Mapping[str, object]) -> str:
    """A text with its values. A value that brings a full stop along, as '10 Min.' does, ends the sentence by it."""
    def ended(found: re.Match[str]) -> str:
        return found[1] if str(values.get(found[2], "")).endswith((".", "。")) else found[0]

    return _AT_THE_END.sub(ended, text) % values


def _spaced(text: str) -> str:
    """A currency told by letters stands apart from its number: 'KWD 12.500', but '€12.50'.

    Source: CLDR, currencySpacing, which Babel leaves out.
    """
    return re.sub(r"(?<=[A-Z])(?=\d)", "\u00a0", text)


def _typographic(text: str) -> str:
    return text.replace("-", MINUS)

"""Spans and their windows in words: 'Friday, November 20, 2026', 'the week before', '02:00 CET'. By Babel."""

from collections import Counter
from collections.abc import Sequence

from babel.dates import format_date, format_interval, format_skeleton

from opsmon.core.calendar import HOUR_MS, SiteCalendar
from opsmon.core.spans import Span
from opsmon.core.windows import Bounds
from opsmon.web.languages import N_
from opsmon.web.wording import Wording

COLUMNS = {"hour": N_("Hour"), "15m": N_("Quarter of an hour"), "day": N_("Day"), "month": N_("Month")}
_HOURS_APART, _DAYS_APART = 3, 5


class SpanWords:
    """Writes spans of one site."""

    def __init__(self, wording: Wording, calendar: SiteCalendar) -> None:
        self.wording, self.calendar = wording, calendar

    def title(self, span: Span) -> str:
        """'Friday, November 20, 2026', 'Nov 16 – 22, 2026', 'November 2026', '2026'."""
        if span.name == "day":
            return str(format_date(span.first, "full", locale=self.wording.locale))
        if span.name == "week":
            last = self.calendar.day_of(span.end_ms - 1)
            return str(format_interval(span.first, last, "yMMMd", locale=self.wording.locale))
        return str(format_skeleton("yMMMM" if span.name == "month" else "y", span.first, locale=self.wording.locale))

    def short(self, span: Span) -> str:
        """The same for a link: 'Fri, Nov 20'."""
        return self.day(span.start_ms) if span.name == "day" else self.title(span)

    def day(self, time_ms: int) -> str:
        """'Fri, Nov 20': the business day of an instant."""
        return self._skeleton("MMMEd", time_ms)

    def until(self, span: Span, time_ms: int) -> str:
        """How far a span is told: 'by 14:02', 'by Fri 14:02', 'by Nov 20, 14:02'."""
        clock = self.wording.time(time_ms)
        if span.name == "day":
            return self.wording.say("by %(time)s", time=clock)
        day = self._skeleton("E", time_ms) if span.name == "week" else f"{self._skeleton('MMMd', time_ms)},"
        return self.wording.say("by %(time)s", time=f"{day} {clock}")

    def names(self, step: str, bounds: Sequence[Bounds]) -> list[str]:
        """What each window is called; two of the same hour are told apart by their zone."""
        names = [self._name(step, start_ms) for start_ms, _ in bounds]
        met = Counter(names)
        return [f"{name} {self.calendar.wall(start_ms).tzname()}" if met[name] > 1 else name
                for name, (start_ms, _) in zip(names, bounds, strict=True)]

    def labels(self, step: str, span: Span, bounds: Sequence[Bounds]) -> list[str]:
        """What stands under each window on the axis; '' under most: every third hour, every fifth day of a month."""
        return [self._label(step, span, start_ms) for start_ms, _ in bounds]

    def length(self, span: Span) -> str:
        """'This day has 25 hours: the clocks are changed.'; '' for a day as any other."""
        length_ms = span.end_ms - span.start_ms
        if span.name != "day" or length_ms == 24 * HOUR_MS:
            return ""
        return self.wording.many("This day has %(num)s hour: the clocks are changed.",
                                 "This day has %(num)s hours: the clocks are changed.", length_ms / HOUR_MS)

    def instant(self, time_ms: int) -> str:
        """'Fri, Nov 20, 14:02'."""
        return f"{self._skeleton('yMMMEd', time_ms)}, {self.wording.time(time_ms)}"

    def _name(self, step: str, time_ms: int) -> str:
        if step == "month":
            return self._skeleton("yMMMM", time_ms)
        return self.day(time_ms) if step == "day" else self.wording.time(time_ms)

    def _label(self, step: str, span: Span, time_ms: int) -> str:
        if step == "month":
            return self._skeleton("MMM", time_ms)
        if step == "day":
            day = self.calendar.day_of(time_ms).day
            in_month = str(day) if day % _DAYS_APART == 0 or day == 1 else ""
            return in_month if span.name == "month" else self._skeleton("E", time_ms)
        wall = self.calendar.wall(time_ms)
        # Of the repeated hour the first has the label.
        has_label = wall.hour % _HOURS_APART == 0 and wall.minute == 0 and not wall.fold
        return self.wording.hour(time_ms) if has_label else ""

    def _skeleton(self, skeleton: str, time_ms: int) -> str:
        """A business day, not a date of the wall clock: it may begin at 04:00."""
        return str(format_skeleton(skeleton, self.calendar.day_of(time_ms), locale=self.wording.locale))

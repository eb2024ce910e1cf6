"""A history worded: the finding, the comparison, what is not whole or not known, and each window's row."""

from collections import Counter

from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.history import KNOWN, QUARTERS, History, Spot, SpotState
from opsmon.core.readings import Reading
from opsmon.core.spans import SPANS, Span, after, before
from opsmon.web.history_chart import adds_up, chart, extremes
from opsmon.web.history_views import HistoryView, LinkView, SpotView
from opsmon.web.kpi_links import Here
from opsmon.web.span_words import COLUMNS, SpanWords
from opsmon.web.views import ComparisonView, Direction

_SPAN_WORDS = {"day": "Day", "week": "Week", "month": "Month", "year": "Year"}
_NOUNS = {"hour": ("hours", "hour"), QUARTERS: ("quarters of an hour", "quarter of an hour"),
          "day": ("days", "day"), "month": ("months", "month")}
_GAPS: tuple[tuple[SpotState, str], ...] = (
    ("uncounted", "not counted yet"), ("gone", "no longer kept"), ("empty", "without data"))
_MARKS = {"day": "the same weekday a week before", "week": "the week before", "year": "the year before"}
_UNITS = {"orders": "orders", "visitors": "visitors", "customers": "customers", "sessions": "visits",
          "pieces": "pieces"}


class Values:
    """Writes the values of one KPI; `reading` knows its unit and currency."""

    def __init__(self, reading: Reading, words: SpanWords) -> None:
        self._reading, self._words = reading, words

    def text(self, value: float | None) -> str:
        """'€1,234.50', '340 ms'; a dash where nothing is known."""
        return self._words.wording.value(self._reading, value)

    def with_unit(self, value: float | None) -> str:
        """'412 orders'."""
        return f"{self.text(value)} {self.unit(value)}".rstrip()

    def unit(self, value: float | None) -> str:
        """'orders', 'order' of one; '' where the number says it."""
        word = _UNITS.get(self._reading.kpi.unit, "")
        return word.removesuffix("s") if value == 1 else word

    def on_axis(self, value: float | None) -> str:
        """The same as short as an axis has it: money without cents where the steps have none."""
        wording, currency = self._words.wording, self._reading.currency
        if value is None or self._reading.kpi.unit != "money" or currency is None:
            return self._plain(value or 0)
        return wording.whole_money(value, currency)

    def _plain(self, value: float) -> str:
        wording = self._words.wording
        if value and self._reading.kpi.unit == "ms":
            return wording.milliseconds(value) if value < 1_000 else wording.duration(round(value))
        return self.text(value) if value else wording.number(0)


def history_view(told: History, kpi: Kpi, rollup: Rollup, values: Values, words: SpanWords, here: Here, now_ms: int
                 ) -> HistoryView:
    """Everything the page says of a span."""
    span, finding = told.span, _finding(told, kpi, rollup, values, words)
    spots = _spots(told, kpi, values, words)
    label = f"{here.label}, {words.title(span)}: {finding}"
    is_known = any(spot.state in KNOWN for spot in told.spots)
    has_marks = any(spot.before is not None for spot in told.spots)
    later = after(span, words.calendar)
    return HistoryView(
        title=words.title(span),
        steps=_steps(told, here),
        earlier=_way(before(span, words.calendar), words, here),
        later=_way(later, words, here) if later.start_ms <= now_ms else None,
        finding=finding,
        comparison=_comparison(told, kpi, values, words, now_ms),
        notes=tuple(note for note in (words.length(span), *_notes(told, rollup, words)) if note),
        chart=chart(told, kpi, rollup, spots, values.on_axis, label) if is_known else None,
        rows=tuple(spot for spot in spots if spot.state != "ahead"),
        before=_MARKS[span.name] if has_marks else "",
        column=COLUMNS[told.step],
        has_samples=any(spot.sample for spot in spots),
        is_moving=any(spot.state == "moving" for spot in told.spots),
    )


def span_links(here: Here) -> tuple[LinkView, ...]:
    """Ways to the other lengths of time."""
    return tuple(LinkView(_SPAN_WORDS[name], "" if name == here.span else here.to(span=name)) for name in SPANS)


def state_words(spot: Spot, kpi: Kpi, told: History, words: SpanWords) -> str:
    """Why a window is not whole, or why nothing is known of it; '' for a whole one."""
    match spot.state:
        case "moving":
            return "so far" if spot.end_ms > told.as_of_ms else "may still change"
        case "whole" | "part" if spot.corrected_ms is not None:
            return f"Δ corrected {words.wording.moment(spot.corrected_ms)}"
        case "part":
            return f"counted from {words.instant(told.since_ms or 0)} on"
        case "empty":
            is_few = bool(spot.sample) and (spot.sample or 0) < kpi.least
            return f"too few: {spot.sample} of {kpi.least}" if is_few else "no data"
        case "uncounted":
            return "not counted yet"
        case "gone":
            return "no longer kept"
        case "ahead":
            return "still to come"
        case _:
            return ""


def _spots(told: History, kpi: Kpi, values: Values, words: SpanWords) -> list[SpotView]:
    bounds = [(spot.start_ms, spot.end_ms) for spot in told.spots]
    names, labels = words.names(told.step, bounds), words.labels(told.step, told.span, bounds)
    return [_spot(spot, name, label, kpi, values, told, words)
            for spot, name, label in zip(told.spots, names, labels, strict=True)]


def _spot(spot: Spot, name: str, label: str, kpi: Kpi, values: Values, told: History, words: SpanWords) -> SpotView:
    text, note = values.text(spot.value), state_words(spot, kpi, told, words)
    was = "" if spot.before is None else values.text(spot.before)
    hint = ", ".join(part for part in (f"{name}: {text if spot.value is not None else note}",
                                       note if spot.value is not None else "", f"before: {was}" if was else "") if part)
    sample = "" if spot.sample is None else words.wording.number(spot.sample)
    return SpotView(spot.state, name, label, text, was, note, sample, hint, "", "", "", "", "", False)


def _steps(told: History, here: Here) -> tuple[LinkView, ...]:
    if not told.has_quarters:
        return ()
    by_quarters = told.step == QUARTERS
    return (LinkView("By the hour", here.to(step="") if by_quarters else ""),
            LinkView("By 15 minutes", "" if by_quarters else here.to(step=QUARTERS)))


def _way(span: Span, words: SpanWords, here: Here) -> LinkView:
    return LinkView(words.short(span), here.to(at=span.first.isoformat()))


def _finding(told: History, kpi: Kpi, rollup: Rollup, values: Values, words: SpanWords) -> str:
    """One sentence: how much there was, and when most of it."""
    known = [spot for spot in told.spots if spot.value is not None]
    if told.whole is None or told.whole.value is None or not known:
        return _why_nothing(told, kpi, words)
    total, so_far = values.with_unit(told.whole.value), " so far" if told.whole.state == "moving" else ""
    if rollup.measure == "top" and told.row is None:
        so_far = f"{so_far} for the {kpi.rows} best"
    ends = extremes(told.spots)
    if adds_up(kpi, rollup):
        most = f", most {_when(ends[1], told, words)}: {values.text(ends[1].value)}" if ends else ""
        return f"{total}{so_far}{most}."
    if ends is None:
        return f"{total} overall{so_far}."
    return (f"{total} overall{so_far}; lowest {_when(ends[0], told, words)}: {values.text(ends[0].value)}, "
            f"highest {_when(ends[1], told, words)}: {values.text(ends[1].value)}.")


def _when(spot: Spot, told: History, words: SpanWords) -> str:
    bounds = [(one.start_ms, one.end_ms) for one in told.spots]
    name = words.names(told.step, bounds)[bounds.index((spot.start_ms, spot.end_ms))]
    return f"{'in' if told.step == 'month' else 'on' if told.step == 'day' else 'at'} {name}"


def _why_nothing(told: History, kpi: Kpi, words: SpanWords) -> str:
    states = {spot.state for spot in told.spots}
    if states == {"ahead"}:
        return "Still to come."
    if "empty" in states:
        few = next((spot for spot in told.spots if spot.sample), None)
        return f"No number: {state_words(few, kpi, told, words)}." if few else "No data: there is nothing to divide by."
    if "gone" in states:
        return f"No longer kept: this number reaches back to {words.instant(told.gone_ms or 0)}."
    if told.since_ms is None:
        return "Nothing has been counted yet."
    return f"Not counted yet: counting begins with {words.instant(told.since_ms)}."


def _notes(told: History, rollup: Rollup, words: SpanWords) -> list[str]:
    """What is not as it seems: gaps by their reason, and steps that are coarser than the span would have."""
    met = Counter(spot.state for spot in told.spots)
    is_known, noun = any(state in met for state in KNOWN), _NOUNS[told.step]
    notes = []
    if told.span.name == "day" and told.step == "day":
        notes.append("So far back this number is kept by days, no finer." if "h" in rollup.levels
                     else "This number is kept by days, no finer.")
    gaps = [f"{words.wording.number(met[state])} {noun[met[state] == 1]} {reason}"
            for state, reason in _GAPS if is_known and met[state]]
    if gaps:
        notes.append(f"Gaps: {', '.join(gaps)}.")
    corrected = sum(spot.corrected_ms is not None for spot in told.spots)
    if corrected:
        notes.append(f"Δ {words.wording.number(corrected)} {noun[corrected == 1]} changed after "
                     f"{'it was' if corrected == 1 else 'they were'} over: something came late.")
    if met["part"] and told.since_ms is not None:
        notes.append(f"Counting begins with {words.instant(told.since_ms)}.")
    return notes


def _comparison(told: History, kpi: Kpi, values: Values, words: SpanWords, now_ms: int) -> ComparisonView | None:
    if told.whole is None or told.whole.state in ("uncounted", "gone"):
        return None
    found = told.compared
    if found is None:
        return ComparisonView(_why_incomparable(told, words), "", "none")
    is_over = told.span.end_ms <= now_ms
    then = words.short(told.against) + ("" if is_over else f" {words.until(told.span, found.then_ms)}")
    if found.now is None or found.before is None:
        return ComparisonView(f"No comparison: no data {'of ' + then if found.before is None else 'yet'}", "", "none")
    change = words.wording.change(found.now, found.before) if kpi.unit != "share" else ""
    was = f"{values.text(found.now)} against {values.text(found.before)} on {then}" if told.span.name == "day" else (
        f"{values.text(found.now)} against {values.text(found.before)} in {then}")
    return ComparisonView(was, change, _direction(found.now, found.before, kpi), was) if change else (
        ComparisonView(was, "", "none"))


def _why_incomparable(told: History, words: SpanWords) -> str:
    against = words.short(told.against)
    if told.gone_ms is not None and told.against.start_ms < told.gone_ms:
        return f"No comparison: of {against} nothing is kept any more"
    if told.since_ms is None or told.since_ms > told.against.start_ms:
        return f"No comparison yet: {against} was not counted"
    return "No comparison yet: nothing of it is whole"


def _direction(now: float, then: float, kpi: Kpi) -> Direction:
    if now == then:
        return "same"
    if kpi.better == "neither":
        return "none"
    return "good" if (now > then) == (kpi.better == "up") else "bad"

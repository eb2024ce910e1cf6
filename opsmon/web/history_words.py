"""A history worded: the finding, the comparison, what is not whole or not known, and each window's row."""

from collections import Counter

from opsmon.core.catalogue import Kpi, Rollup
from opsmon.core.history import KNOWN, QUARTERS, History, Spot, SpotState
from opsmon.core.readings import Reading
from opsmon.core.spans import SPANS, Span, after, before
from opsmon.web.history_chart import adds_up, chart, extremes
from opsmon.web.history_views import HistoryView, LinkView, SpotView
from opsmon.web.kpi_links import Here
from opsmon.web.languages import N_, NN_
from opsmon.web.span_words import COLUMNS, SpanWords
from opsmon.web.views import ComparisonView, Direction

_SPAN_WORDS = {"day": N_("Day"), "week": N_("Week"), "month": N_("Month"), "year": N_("Year")}
_NOUNS = {"hour": NN_("%(num)s hour %(state)s", "%(num)s hours %(state)s"),
          QUARTERS: NN_("%(num)s quarter of an hour %(state)s", "%(num)s quarters of an hour %(state)s"),
          "day": NN_("%(num)s day %(state)s", "%(num)s days %(state)s"),
          "month": NN_("%(num)s month %(state)s", "%(num)s months %(state)s")}
_CORRECTED = {
    "hour": NN_("Δ %(num)s hour changed after it was over: something came late.",
                "Δ %(num)s hours changed after they were over: something came late."),
    QUARTERS: NN_("Δ %(num)s quarter of an hour changed after it was over: something came late.",
                  "Δ %(num)s quarters of an hour changed after they were over: something came late."),
    "day": NN_("Δ %(num)s day changed after it was over: something came late.",
               "Δ %(num)s days changed after they were over: something came late."),
    "month": NN_("Δ %(num)s month changed after it was over: something came late.",
                 "Δ %(num)s months changed after they were over: something came late."),
}
_GAPS: tuple[tuple[SpotState, str], ...] = (
    ("uncounted", N_("not counted yet")), ("gone", N_("no longer kept")), ("empty", N_("without data")))
_MARKS = {"day": N_("the same weekday a week before"), "week": N_("the week before"), "year": N_("the year before")}
_UNITS = {"orders": NN_("order", "orders"), "visitors": NN_("visitor", "visitors"),
          "customers": NN_("customer", "customers"), "sessions": NN_("visit", "visits"),
          "pieces": NN_("piece", "pieces")}
_WHEN = {"month": N_("in %(name)s"), "day": N_("on %(name)s")}


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
        unit = _UNITS.get(self._reading.kpi.unit)
        return self._words.wording.many(*unit, 0 if value is None else value) if unit else ""

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
        steps=_steps(told, here, words),
        earlier=_way(before(span, words.calendar), words, here),
        later=_way(later, words, here) if later.start_ms <= now_ms else None,
        finding=finding,
        comparison=_comparison(told, kpi, values, words, now_ms),
        notes=tuple(note for note in (words.length(span), *_notes(told, rollup, words)) if note),
        chart=chart(told, kpi, rollup, spots, values.on_axis, label, words.wording.say) if is_known else None,
        rows=tuple(spot for spot in spots if spot.state != "ahead"),
        before=words.wording.say(_MARKS[span.name]) if has_marks else "",
        column=words.wording.say(COLUMNS[told.step]),
        has_samples=any(spot.sample for spot in spots),
        is_moving=any(spot.state == "moving" for spot in told.spots),
    )


def span_links(here: Here, words: SpanWords) -> tuple[LinkView, ...]:
    """Ways to the other lengths of time."""
    return tuple(LinkView(words.wording.say(_SPAN_WORDS[name]), "" if name == here.span else here.to(span=name))
                 for name in SPANS)


def state_words(spot: Spot, kpi: Kpi, told: History, words: SpanWords) -> str:
    """Why a window is not whole, or why nothing is known of it; '' for a whole one."""
    say = words.wording.say
    match spot.state:
        case "moving":
            return say("so far") if spot.end_ms > told.as_of_ms else say("may still change")
        case "whole" | "part" if spot.corrected_ms is not None:
            return say("Δ corrected %(time)s", time=words.wording.moment(spot.corrected_ms))
        case "part":
            return say("counted from %(time)s on", time=words.instant(told.since_ms or 0))
        case "empty":
            is_few = bool(spot.sample) and (spot.sample or 0) < kpi.least
            return say("too few: %(some)s of %(all)s", some=spot.sample, all=kpi.least) if is_few else say("no data")
        case "uncounted":
            return say("not counted yet")
        case "gone":
            return say("no longer kept")
        case "ahead":
            return say("still to come")
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
    said = words.wording.say("before: %(value)s", value=was) if was else ""
    hint = ", ".join(part for part in (f"{name}: {text if spot.value is not None else note}",
                                       note if spot.value is not None else "", said) if part)
    sample = "" if spot.sample is None else words.wording.number(spot.sample)
    return SpotView(spot.state, name, label, text, was, note, sample, hint, "", "", "", "", "", False)


def _steps(told: History, here: Here, words: SpanWords) -> tuple[LinkView, ...]:
    if not told.has_quarters:
        return ()
    by_quarters = told.step == QUARTERS
    return (LinkView(words.wording.say("By the hour"), here.to(step="") if by_quarters else ""),
            LinkView(words.wording.say("By 15 minutes"), "" if by_quarters else here.to(step=QUARTERS)))


def _way(span: Span, words: SpanWords, here: Here) -> LinkView:
    return LinkView(words.short(span), here.to(at=span.first.isoformat()))


def _finding(told: History, kpi: Kpi, rollup: Rollup, values: Values, words: SpanWords) -> str:
    """One sentence: how much there was, and when most of it."""
    known = [spot for spot in told.spots if spot.value is not None]
    if told.whole is None or told.whole.value is None or not known:
        return _why_nothing(told, kpi, words)
    say, ends, total = words.wording.say, extremes(told.spots), _total(told, told.whole, kpi, rollup, values, words)
    if ends is None:
        return say("%(total)s.", total=total)
    low, high = ({"when": _when(end, told, words), "value": values.text(end.value)} for end in ends)
    if adds_up(kpi, rollup):
        return say("%(total)s, most %(when)s: %(value)s.", total=total, **high)
    return say("%(total)s; lowest %(low_when)s: %(low)s, highest %(high_when)s: %(high)s.", total=total,
               low_when=low["when"], low=low["value"], high_when=high["when"], high=high["value"])


def _total(told: History, whole: Spot, kpi: Kpi, rollup: Rollup, values: Values, words: SpanWords) -> str:
    """'412 orders so far', '€31.50 overall', '€1,200 so far for the 10 best'."""
    say, value = words.wording.say, values.with_unit(whole.value)
    is_moving = whole.state == "moving"
    if not adds_up(kpi, rollup):
        return say("%(value)s overall so far", value=value) if is_moving else say("%(value)s overall", value=value)
    said = say("%(value)s so far", value=value) if is_moving else value
    is_top = rollup.measure == "top" and told.row is None
    return words.wording.many("%(value)s for the %(num)s best", "%(value)s for the %(num)s best", kpi.rows, value=said
                              ) if is_top else said


def _when(spot: Spot, told: History, words: SpanWords) -> str:
    bounds = [(one.start_ms, one.end_ms) for one in told.spots]
    name = words.names(told.step, bounds)[bounds.index((spot.start_ms, spot.end_ms))]
    return words.wording.say(_WHEN.get(told.step, N_("at %(name)s")), name=name)


def _why_nothing(told: History, kpi: Kpi, words: SpanWords) -> str:
    states, say = {spot.state for spot in told.spots}, words.wording.say
    if states == {"ahead"}:
        return say("Still to come.")
    if "empty" in states:
        few = next((spot for spot in told.spots if spot.sample), None)
        return say("No number: %(why)s.", why=state_words(few, kpi, told, words)) if few else say(
            "No data: there is nothing to divide by.")
    if "gone" in states:
        return say("No longer kept: this number reaches back to %(time)s.", time=words.instant(told.gone_ms or 0))
    if told.since_ms is None:
        return say("Nothing has been counted yet.")
    return say("Not counted yet: counting begins with %(time)s.", time=words.instant(told.since_ms))


def _notes(told: History, rollup: Rollup, words: SpanWords) -> list[str]:
    """What is not as it seems: gaps by their reason, and steps that are coarser than the span would have."""
    met = Counter(spot.state for spot in told.spots)
    is_known, say = any(state in met for state in KNOWN), words.wording.say
    notes = []
    if told.span.name == "day" and told.step == "day":
        notes.append(say("So far back this number is kept by days, no finer.") if "h" in rollup.levels
                     else say("This number is kept by days, no finer."))
    gaps = [words.wording.many(*_NOUNS[told.step], met[state], state=say(reason))
            for state, reason in _GAPS if is_known and met[state]]
    if gaps:
        notes.append(say("Gaps: %(gaps)s.", gaps=", ".join(gaps)))
    corrected = sum(spot.corrected_ms is not None for spot in told.spots)
    if corrected:
        notes.append(words.wording.many(*_CORRECTED[told.step], corrected))
    if met["part"] and told.since_ms is not None:
        notes.append(say("Counting begins with %(time)s.", time=words.instant(told.since_ms)))
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
        return ComparisonView(words.wording.say("No comparison: no data of %(then)s", then=then)
                              if found.before is None else words.wording.say("No comparison: no data yet"), "", "none")
    change = words.wording.change(found.now, found.before) if kpi.unit != "share" else ""
    against = N_("%(now)s against %(before)s on %(then)s") if told.span.name == "day" else N_(
        "%(now)s against %(before)s in %(then)s")
    was = words.wording.say(against, now=values.text(found.now), before=values.text(found.before), then=then)
    return ComparisonView(was, change, _direction(found.now, found.before, kpi), was) if change else (
        ComparisonView(was, "", "none"))


def _why_incomparable(told: History, words: SpanWords) -> str:
    against, say = words.short(told.against), words.wording.say
    if told.gone_ms is not None and told.against.start_ms < told.gone_ms:
        return say("No comparison: of %(then)s nothing is kept any more", then=against)
    if told.since_ms is None or told.since_ms > told.against.start_ms:
        return say("No comparison yet: %(then)s was not counted", then=against)
    return say("No comparison yet: nothing of it is whole")


def _direction(now: float, then: float, kpi: Kpi) -> Direction:
    if now == then:
        return "same"
    if kpi.better == "neither":
        return "none"
    return "good" if (now > then) == (kpi.better == "up") else "bad"

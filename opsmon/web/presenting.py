"""Readings and verdicts -> views: the words and shapes that templates show."""

from opsmon.core.calendar import MINUTE_MS
from opsmon.core.catalogue import Kpi, Month, Today, Tumbling
from opsmon.core.health import Health, Heard
from opsmon.core.readings import OUTLOOK, Reading
from opsmon.web.charts import bars, spark
from opsmon.web.languages import N_
from opsmon.web.source_words import title
from opsmon.web.tile_words import definition_words
from opsmon.web.views import ComparisonView, Direction, HealthView, KpiView, SetupView, SourceView, Trend
from opsmon.web.wording import Wording, room_of

_AGAINST: dict[str, dict[Trend, str]] = {
    "week": {"up": N_("more than last %(weekday)s by %(time)s"), "down": N_("less than last %(weekday)s by %(time)s"),
             "same": N_("as last %(weekday)s by %(time)s")},
    "yesterday": {"up": N_("more than yesterday by %(time)s"), "down": N_("less than yesterday by %(time)s"),
                  "same": N_("as yesterday by %(time)s")},
    "month": {"up": N_("more than last month by %(time)s"), "down": N_("less than last month by %(time)s"),
              "same": N_("as last month by %(time)s")},
}
_MARKS = {"week": N_("The marks are the same hours a week ago."),
          "yesterday": N_("The marks are the same hours a day ago.")}


def kpi_view(reading: Reading, wording: Wording, zone: str, *, is_behind: bool) -> KpiView:
    """One KPI as its tile shows it; `is_behind`: events wait that it does not hold yet."""
    kpi = reading.kpi
    text = wording.value(reading, reading.value)
    is_hours = isinstance(kpi.window, Tumbling) and kpi.window.history == 24
    is_minutes = isinstance(kpi.window, Tumbling) and not is_hours
    return KpiView(
        id=kpi.id,
        label=wording.say(kpi.label),
        text=text,
        chars=room_of(text),
        value="" if reading.value is None else str(reading.value),
        state="catching-up" if is_behind else "live" if reading.value else "empty",
        note=_note(reading, wording),
        definition=definition_words([kpi.definition, *_marks_words(reading)], zone, wording),
        comparison=comparison(reading, wording) if _is_compared(kpi) else None,
        spark=spark(reading, wording) if is_minutes else None,
        bars=bars(reading, wording) if is_hours else None,
    )


def health_view(health: Health, sources: tuple[Heard, ...], processed_ms: int | None, latency: str,
                wording: Wording, now_ms: int) -> HealthView:
    """The second and third age in words."""
    return HealthView(
        state=health.state,
        text=_health_text(health, wording),
        processed_ms=processed_ms,
        latency=latency,
        sources=tuple(_source_view(source, health, wording) for source in sources),
    )


def standing_view(last: HealthView | None, wording: Wording, since_ms: int, *, is_ours: bool) -> HealthView:
    """What is said while nothing can be shown anew, for the store is away or by a mistake of ours: the numbers stay,
    and since when they stand."""
    time = wording.time(since_ms)
    return HealthView(
        state="stopped" if is_ours else "store-down",
        text=wording.say("A fault in opsmon: numbers stand still since %(time)s; its log says why", time=time)
        if is_ours else wording.say("The store cannot be reached: numbers stand still since %(time)s", time=time),
        processed_ms=last.processed_ms if last else None,
        latency="",
        sources=last.sources if last else (),
    )


def setup_view(needed: bool, webhook_url: str, has_secret: bool, progress: tuple[str, float] | None,
               wording: Wording) -> SetupView:
    """What to do first, and how far a fill-in has come."""
    return SetupView(
        needed=needed,
        webhook_url=webhook_url,
        command="opsmon send-test shopify",
        secret="" if has_secret else wording.say("Give opsmon the shop's signing secret, in the environment as"),
        progress=f"{wording.say(progress[0])}: {wording.share(progress[1])}" if progress else "",
    )


def _is_compared(kpi: Kpi) -> bool:
    return isinstance(kpi.window, Today | Month) and kpi.show != OUTLOOK


def comparison(reading: Reading, wording: Wording) -> ComparisonView:
    """A number beside the same stretch a week or a day ago, or why there is nothing to compare it with."""
    if reading.before is None:
        first = {"month": N_("No comparison yet (first month)"), "yesterday": N_("No comparison yet (first day)")}.get(
            _compared_with(reading), N_("No comparison yet (first week)"))
        return ComparisonView(wording.say(first), "", "none")
    value, before = (reading.value if reading.compared is None else reading.compared) or 0, reading.before
    was = _then(reading, wording)
    if before <= 0 or not value:  # of nothing, how much less it is than something says nothing
        return ComparisonView(was, "", "none")
    trend, change = _change(value, before, wording)
    good = (trend == "up") == (reading.kpi.better == "up")
    direction: Direction = "same" if trend == "same" else "good" if good else "bad"
    return ComparisonView(was, change, direction, _against(trend, reading, wording), trend)


def _change(value: float, before: float, wording: Wording) -> tuple[Trend, str]:
    """Which way it went and how far, in words that go before `_against`; less than half a percent is no way."""
    ratio = round((value - before) / before, 2)
    if not ratio:
        return "same", wording.say("Same") if value == before else wording.say("About the same")
    return "up" if ratio > 0 else "down", wording.share(abs(ratio))


def _then(reading: Reading, wording: Wording) -> str:
    """What was then: 'Last Friday by 14:02: 12'."""
    until_ms, before = reading.before_until_ms or reading.start_ms, wording.value(reading, reading.before)
    known = {"value": before, "time": wording.time(until_ms), "weekday": wording.weekday(until_ms - 1)}
    match _compared_with(reading):
        case "month":
            return wording.say("Last month by %(time)s: %(value)s", value=before, time=wording.day_and_time(until_ms))
        case "yesterday":
            return wording.say("Yesterday by %(time)s: %(value)s", **known)
        case _:
            return wording.say("Last %(weekday)s by %(time)s: %(value)s", **known)


def _against(trend: Trend, reading: Reading, wording: Wording) -> str:
    """What it is more or less than, or the same as: 'more than last Friday by 14:02'."""
    until_ms, kind = reading.before_until_ms or reading.start_ms, _compared_with(reading)
    time = wording.day_and_time(until_ms) if kind == "month" else wording.time(until_ms)
    return wording.say(_AGAINST[kind][trend], time=time, weekday=wording.weekday(until_ms - 1))


def _compared_with(reading: Reading) -> str:
    return "month" if isinstance(reading.kpi.window, Month) else reading.kpi.against


def _marks_words(reading: Reading) -> list[str]:
    """What the marks over bars are."""
    if not reading.before_series:
        return []
    return [_MARKS[reading.kpi.against]] if reading.kpi.against in _MARKS else []


def _note(reading: Reading, wording: Wording) -> str:
    if reading.others:
        amounts = ", ".join(wording.money(minor, currency) for currency, minor in reading.others)
        return wording.say("not included: %(amounts)s", amounts=amounts)
    if isinstance(reading.kpi.window, Tumbling) and reading.kpi.window.size_ms == MINUTE_MS:
        return wording.say("%(value)s in the minute before", value=wording.value(reading, reading.series[-2].value))
    if reading.count:
        return wording.many("%(num)s order in the last hour", "%(num)s orders in the last hour", reading.count)
    return ""


def _health_text(health: Health, wording: Wording) -> str:
    if health.trouble:
        return wording.say(health.trouble)
    if health.state == "stopped":
        return wording.many("No worker is running: %(num)s event waits", "No worker is running: %(num)s events wait",
                            health.waiting) if health.waiting else wording.say("No worker is running")
    if health.state == "late":
        return wording.many("Catching up, %(num)s event behind (%(length)s)",
                            "Catching up, %(num)s events behind (%(length)s)", health.waiting,
                            length=wording.duration(health.behind_ms))
    return ""


def _source_view(source: Heard, health: Health, wording: Wording) -> SourceView:
    name = title(source.name, wording)
    silent = source in health.silent
    text = ""
    if silent and source.last_ms is not None and source.usual_gap_ms is not None:
        usual = wording.duration(source.usual_gap_ms)
        text = wording.say("No %(name)s event since %(time)s (usually within %(length)s)", name=name,
                           time=wording.time(source.last_ms), length=usual)
    return SourceView(name, source.last_ms, silent, text)

"""A number explained in words: the same facts as GET /api/kpis/{id}/explain."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.core.catalogue import (
    Condition,
    Days,
    Kpi,
    Measure,
    Month,
    Now,
    Rollup,
    Sliding,
    Today,
    Tumbling,
    Window,
)
from opsmon.core.health import BEHIND_MS
from opsmon.core.window_texts import duration_words
from opsmon.web.history_views import EventView, ExplainedView
from opsmon.web.languages import N_
from opsmon.web.span_words import SpanWords
from opsmon.web.wording import Wording

_MEASURES: dict[Measure, str] = {
    "count": N_("The number of %(facts)s"), "sum": N_("The sum of %(value)s of %(facts)s"),
    "mean": N_("The mean %(value)s of %(facts)s"), "ratio": N_("The share of %(facts)s"),
    "stddev": N_("The standard deviation of %(value)s of %(facts)s"),
    "percentile": N_("Percentiles of %(value)s of %(facts)s"), "min": N_("The smallest %(value)s of %(facts)s"),
    "max": N_("The largest %(value)s of %(facts)s"), "last": N_("The last %(value)s of %(facts)s"),
    "unique": N_("The number of different %(of)s of %(facts)s"),
    "distinct": N_("The number of different %(of)s of %(facts)s"), "top": N_("%(value)s summed over %(facts)s"),
    "open": N_("What is open after %(facts)s"), "sessions": N_("Sessions of each %(of)s made of %(facts)s"),
    "own": N_("What opsmon knows of itself"),
}
_LEVELS = {"minutes": N_("minutes"), "hours": N_("hours"), "days": N_("days")}


def explained_view(told: Mapping[str, Any], kpi: Kpi, rollup: Rollup, words: SpanWords, *, is_row: bool = False
                   ) -> ExplainedView:
    """All that is known of a number, in the order a person would ask; of one row, events are those of all."""
    say, definition, exact = words.wording.say, told["definition"], told["exactness"]
    zone = say("%(zone)s; days begin at %(time)s", zone=told["zone"], time=_clock(told["day_start_ms"]))
    facts = [
        (say("Counts"), counts_words(rollup, words.wording), ""), (say("Window"), window_text(told, kpi, words), ""),
        (say("Time zone"), zone, ""),
        (say("Exactness"), say(exact), ""), (say("Rows"), _rows(rollup, words), ""),
        (say("Kept"), _kept(told["kept_ms"], words), ""),
        (say("Freshness"), _newest(told["fresh"], words), _waiting(told["fresh"], words)),
    ]
    return ExplainedView(say(definition), tuple(fact for fact in facts if fact[1]),
                         say("What all rows were last made of") if is_row else say("What it was last made of"),
                         tuple(_event(event, words) for event in told["last_events"]))


def fresh_text(fresh: Mapping[str, Any], words: SpanWords) -> str:
    """'As of Nov 20, 14:03:22: all that has arrived is counted.'"""
    say, as_of = words.wording.say, words.wording.moment(fresh["as_of_ms"])
    if is_behind(fresh):
        return say("As of %(time)s, catching up: %(waiting)s", time=as_of, waiting=_waiting(fresh, words))
    if fresh["waiting"]:
        return say("As of %(time)s: all that has arrived is counted but the last moment.", time=as_of)
    return say("As of %(time)s: all that has arrived is counted.", time=as_of)


def is_behind(fresh: Mapping[str, Any]) -> bool:
    """Whether events wait for longer than they take to be counted."""
    return bool(fresh["waiting"]) and fresh["as_of_ms"] - fresh["caught_up_ms"] > BEHIND_MS


def window_text(told: Mapping[str, Any], kpi: Kpi, words: SpanWords) -> str:
    """'The business day so far: from Fri, Nov 20, 2026, 00:00 to before Sat, Nov 21, 2026, 00:00, still moving'."""
    window, said = told["window"], window_in_words(kpi.window, words.wording)
    said = said[0].upper() + said[1:]
    if window["start_ms"] == window["end_ms"]:
        return said
    state = words.wording.say("complete") if window["complete"] else words.wording.say("still moving")
    return words.wording.say("%(window)s: from %(start)s to before %(end)s, %(zone)s; %(state)s", window=said,
                             start=words.instant(window["start_ms"]), end=words.instant(window["end_ms"]),
                             zone=told["zone"], state=state)


def window_in_words(window: Window, wording: Wording) -> str:
    """'the business day so far', 'the last 30 minutes'."""
    match window:
        case Today():
            return wording.say("the business day so far")
        case Tumbling():
            return wording.say("the present hour") if window.size_ms >= HOUR_MS else wording.say("the present minute")
        case Sliding(size_ms, _, delay_ms) if delay_ms:
            return wording.many("the last %(num)s minute, ended %(delay)s minutes ago",
                                "the last %(num)s minutes, ended %(delay)s minutes ago", size_ms // MINUTE_MS,
                                delay=wording.number(delay_ms // MINUTE_MS))
        case Sliding(size_ms):
            return wording.many("the last %(num)s minute", "the last %(num)s minutes", size_ms // MINUTE_MS)
        case Days(count):
            return wording.many("the last %(num)s business day, today among them",
                                "the last %(num)s business days, today among them", count)
        case Month():
            return wording.say("the month so far")
        case Now():
            return wording.say("now")


def counts_words(rollup: Rollup, wording: Wording) -> str:
    """One sentence: the measure, the facts, the conditions, the rows."""
    say = wording.say
    parts = [say(_MEASURES[rollup.measure], value=rollup.value, of=rollup.of, facts=wording.either(rollup.on))]
    if rollup.hits:
        parts.append(say("with %(conditions)s", conditions=_conditions(rollup.hits, wording)))
    if rollup.where:
        parts.append(say("where %(conditions)s", conditions=_conditions(rollup.where, wording)))
    if rollup.by:
        parts.append(say("by %(fields)s", fields=wording.both(rollup.by)))
    if rollup.measure == "sessions":
        parts.append(wording.many("no more than %(num)s minute apart", "no more than %(num)s minutes apart",
                                  rollup.gap_ms // MINUTE_MS))
    return say("%(sentence)s.", sentence=" ".join(parts))


def _conditions(conditions: Sequence[Condition], wording: Wording) -> str:
    return wording.both([f"{one.field} {one.operator} {_value(one.value)}" for one in conditions])


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rows(rollup: Rollup, words: SpanWords) -> str:
    return words.wording.many("At most %(num)s row; the rest is in other.",
                              "At most %(num)s rows; the rest is in other.", rollup.cap) if rollup.by else ""


def _waiting(fresh: Mapping[str, Any], words: SpanWords) -> str:
    if not is_behind(fresh):
        return ""
    return words.wording.many("%(num)s event waits to be counted; all that arrived by %(time)s is.",
                              "%(num)s events wait to be counted; all that arrived by %(time)s is.",
                              fresh["waiting"], time=words.wording.moment(fresh["caught_up_ms"]))


def _newest(fresh: Mapping[str, Any], words: SpanWords) -> str:
    last_ms, as_of, say = fresh["last_counted_ms"], words.wording.moment(fresh["as_of_ms"]), words.wording.say
    if not last_ms:
        return say("As of %(time)s; no event has come yet", time=as_of)
    return say("As of %(time)s; the newest event that was counted came %(last)s", time=as_of,
               last=words.wording.moment(last_ms))


def _kept(lives_ms: Mapping[str, int | None], words: SpanWords) -> str:
    say = words.wording.say
    lives = [say("%(what)s for ever", what=say(_LEVELS[level])) if life is None else
             say("%(what)s for %(length)s", what=say(_LEVELS[level]), length=_length(life, words))
             for level, life in lives_ms.items()]
    said = ", ".join(lives)
    return said[:1].upper() + said[1:] or say("Only what holds now")


def _length(life_ms: int, words: SpanWords) -> str:
    if life_ms % DAY_MS == 0:
        return words.wording.many("%(num)s day", "%(num)s days", life_ms // DAY_MS)
    return duration_words(max(life_ms - life_ms % MINUTE_MS, MINUTE_MS))


def _event(event: Mapping[str, Any], words: SpanWords) -> EventView:
    return EventView(words.wording.moment(event["time_ms"]), event["type"], event["key"] or event["id"],
                     tuple(_added(added, words) for added in event["adds"]))


def _added(added: Mapping[str, Any], words: SpanWords) -> str:
    fields = {name: value for name, value in added.items() if name not in ("fact", "time_ms")}
    return " ".join([added["fact"], *(f"{name.removesuffix('_ms').replace('_', ' ')} {_plain(name, value, words)}"
                                      for name, value in fields.items())])


def _plain(name: str, value: object, words: SpanWords) -> str:
    """A field of a fact; money, which is kept in minor units, as an amount, milliseconds as a length of time."""
    match value:
        case int() | float() if name.endswith("ms") and not isinstance(value, bool):
            return words.wording.milliseconds(value) if value < 1_000 else words.wording.duration(round(value))
        case [int() as minor, str() as currency] | (int() as minor, str() as currency) if len(currency) == 3:
            return words.wording.money(minor, currency)
        case _:
            return str(value)


def _clock(day_start_ms: int) -> str:
    return f"{day_start_ms // HOUR_MS:02}:{day_start_ms // MINUTE_MS % 60:02}"

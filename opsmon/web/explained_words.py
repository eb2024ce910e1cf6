"""A number explained in words: the same facts as GET /api/kpis/{id}/explain."""

from collections.abc import Mapping
from typing import Any

from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS
from opsmon.core.health import BEHIND_MS
from opsmon.core.window_texts import duration_words
from opsmon.web.history_views import EventView, ExplainedView
from opsmon.web.span_words import SpanWords


def explained_view(told: Mapping[str, Any], words: SpanWords, *, is_row: bool = False) -> ExplainedView:
    """All that is known of a number, in the order a person would ask; of one row, events are those of all."""
    facts = [
        ("Counts", told["counts"], ""), ("Window", window_text(told, words), ""),
        ("Time zone", f"{told['zone']}; days begin at {_clock(told['day_start_ms'])}", ""),
        ("Exactness", told["exactness"], ""), ("Rows", told["rows"], ""), ("Kept", _kept(told["kept_ms"], words), ""),
        ("Freshness", _newest(told["fresh"], words), _waiting(told["fresh"], words)),
    ]
    return ExplainedView(told["definition"], tuple(fact for fact in facts if fact[1]),
                         "What all rows were last made of" if is_row else "What it was last made of",
                         tuple(_event(event, words) for event in told["last_events"]))


def fresh_text(fresh: Mapping[str, Any], words: SpanWords) -> str:
    """'As of Nov 20, 14:03:22: all that has arrived is counted.'"""
    as_of = f"As of {words.wording.moment(fresh['as_of_ms'])}"
    if is_behind(fresh):
        return f"{as_of}, catching up: {_waiting(fresh, words)}"
    return f"{as_of}: all that has arrived is counted{' but the last moment' if fresh['waiting'] else ''}."


def is_behind(fresh: Mapping[str, Any]) -> bool:
    """Whether events wait for longer than they take to be counted."""
    return bool(fresh["waiting"]) and fresh["as_of_ms"] - fresh["caught_up_ms"] > BEHIND_MS


def window_text(told: Mapping[str, Any], words: SpanWords) -> str:
    """'The business day so far: from Fri, Nov 20, 2026, 00:00 to before Sat, Nov 21, 2026, 00:00, still moving'."""
    window = told["window"]
    said: str = window["words"][0].upper() + window["words"][1:]
    if window["start_ms"] == window["end_ms"]:
        return said
    state = "complete" if window["complete"] else "still moving"
    return (f"{said}: from {words.instant(window['start_ms'])} to before {words.instant(window['end_ms'])}, "
            f"{told['zone']}; {state}")


def _waiting(fresh: Mapping[str, Any], words: SpanWords) -> str:
    if not is_behind(fresh):
        return ""
    waits = "1 event waits" if fresh["waiting"] == 1 else f"{words.wording.number(fresh['waiting'])} events wait"
    return f"{waits} to be counted; all that arrived by {words.wording.moment(fresh['caught_up_ms'])} is."


def _newest(fresh: Mapping[str, Any], words: SpanWords) -> str:
    last_ms = fresh["last_counted_ms"]
    newest = f"the newest event that was counted came {words.wording.moment(last_ms)}" if last_ms else (
        "no event has come yet")
    return f"As of {words.wording.moment(fresh['as_of_ms'])}; {newest}"


def _kept(lives_ms: Mapping[str, int | None], words: SpanWords) -> str:
    lives = [f"{level} {'for ever' if life is None else 'for ' + _length(life, words)}"
             for level, life in lives_ms.items()]
    return ", ".join(lives).capitalize() or "Only what holds now"


def _length(life_ms: int, words: SpanWords) -> str:
    if life_ms % DAY_MS == 0:
        return f"{words.wording.number(life_ms // DAY_MS)} days"
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

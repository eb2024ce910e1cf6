"""explain: what a number means, how fresh it is, and what it was last made of."""

import argparse
import asyncio
import sys
from typing import Any

import orjson

from opsmon.app.site import kpi_queries, on_store
from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.core.window_texts import duration_words
from opsmon.settings import Settings
from opsmon.store.connection import Reader
from opsmon.store.explain_queries import explain as explain_kpi
from opsmon.store.keys import Keys
from opsmon.web.languages import ENGLISH
from opsmon.web.wording import Wording


def explain(args: argparse.Namespace) -> int:
    """Print a number's meaning, window, freshness and last events."""
    settings = settings_of(args)
    kpi = settings.catalogue.kpi_by_id.get(args.kpi)
    if kpi is None:
        raise OpsmonError(f"{args.kpi}: no such number; known are {', '.join(settings.catalogue.kpi_by_id)}")
    told = asyncio.run(on_store(settings, lambda client: explain_kpi(
        Reader(client), Keys(settings.site), kpi_queries(client, settings), kpi, SystemClock().now_ms())))
    if args.json:
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        _print(told, settings)
    return 0


def _print(told: dict[str, Any], settings: Settings) -> None:
    calendar = SiteCalendar(settings.timezone, settings.day_start_ms)
    wording = Wording(settings.locale, calendar, ENGLISH)
    print(f"{told['label']}: {_value(told, wording)}\n")
    print(f"Definition  {told['definition']}")
    print(f"Counts      {told['counts']}{' ' + told['rows'] if told['rows'] else ''}")
    print(f"Exactness   {told['exactness']}")
    print(f"Window      {_window(told['window'])}")
    print(f"Days        of {told['zone']}, beginning at {_clock(told['day_start_ms'])}")
    print(f"Kept        {_kept(told['kept_ms']) or 'what holds now only'}")
    print(f"Fresh       {_fresh(told['fresh'], wording)}")
    for event in told["last_events"]:
        print(f"Event       {_when(event['time_ms'], calendar)} {event['type']} {event['key'] or event['id']}")
        for added in event["adds"]:
            print(f"            {_added(added)}")


def _value(told: dict[str, Any], wording: Wording) -> str:
    value, unit = told["value"], told["unit"]
    if value is None:
        return "–"
    if unit == "money":
        return wording.money(value, told["currency"]) if told["currency"] else "0"
    about = f", give or take {wording.share(told['error'])}" if told["error"] else ""
    if unit == "share":
        return wording.share(value) + about
    return wording.number(value) + (f" {unit}" if unit != "count" else "") + about


def _window(window: dict[str, Any]) -> str:
    if window["start_ms"] == window["end_ms"]:
        return str(window["words"])
    state = "complete" if window["complete"] else "still moving"
    return f"{window['words']}: from {window['start']} to before {window['end']}, {state}"


def _fresh(fresh: dict[str, Any], wording: Wording) -> str:
    waiting = f"{wording.number(fresh['waiting'])} events wait" if fresh["waiting"] else "nothing waits"
    last = fresh["last_counted_ms"]
    newest = f"; the newest came at {wording.day_and_hour(last)}" if last else "; none has come yet"
    return f"all that arrived by {wording.clock(fresh['caught_up_ms'])} is counted, {waiting}{newest}"


def _kept(lives_ms: dict[str, int | None]) -> str:
    lives = {level: "for ever" if life is None else f"for {_days(life)}" for level, life in lives_ms.items()}
    return ", ".join(f"{level} {life}" for level, life in lives.items())


def _days(life_ms: int) -> str:
    return f"{life_ms // DAY_MS} days" if life_ms % DAY_MS == 0 else duration_words(life_ms - life_ms % MINUTE_MS)


def _added(added: dict[str, Any]) -> str:
    fields = {name: value for name, value in added.items() if name not in ("fact", "time_ms")}
    return " ".join([added["fact"], *(f"{name}={_plain(value)}" for name, value in fields.items())])


def _plain(value: object) -> str:
    """A field of a fact; money as it is kept, in minor units."""
    return f"{value[0]} {value[1]}" if isinstance(value, list | tuple) and len(value) == 2 else str(value)


def _when(time_ms: int, calendar: SiteCalendar) -> str:
    return f"{calendar.wall(time_ms):%Y-%m-%d %H:%M:%S}"


def _clock(day_start_ms: int) -> str:
    return f"{day_start_ms // HOUR_MS:02}:{day_start_ms // MINUTE_MS % 60:02}"

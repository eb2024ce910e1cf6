"""explain: what a number means, how fresh it is, and what it was last made of."""

import argparse
import asyncio
import sys
from typing import Any

import orjson

from opsmon.app import kpi_queries, on_store
from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.settings import Settings
from opsmon.store.connection import Reader
from opsmon.store.explain_queries import explain as explain_kpi
from opsmon.store.keys import Keys
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
    wording = Wording(settings.locale, SiteCalendar(settings.timezone, settings.day_start_ms))
    window, fresh = told["window"], told["fresh"]
    print(f"{told['label']}: {'–' if told['value'] is None else told['value']} ({told['unit']})\n")
    print(f"Definition  {told['definition']}")
    print(f"Counts      {told['counts']} {told['exactness']}")
    print(f"Window      {window['words']}: {wording.day_and_hour(window['start_ms'])} to "
          f"{wording.day_and_hour(window['end_ms'])}, {'complete' if window['complete'] else 'still moving'}")
    print(f"Zone        {told['zone']}")
    print(f"Fresh       all that arrived by {wording.clock(fresh['caught_up_ms'])} is counted; "
          f"{wording.number(fresh['waiting'])} events wait")
    for event in told["last_events"]:
        print(f"Event       {wording.clock(event['time_ms'])} {event['source']} {event['type']} {event['key']}")

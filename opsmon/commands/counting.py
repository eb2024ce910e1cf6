"""verify: count again and compare. replay: count anew and swap."""

import argparse
import asyncio

from opsmon.app.site import on_store
from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.calendar import SiteCalendar
from opsmon.core.folding import Rules
from opsmon.core.panes import OTHER
from opsmon.settings import Settings
from opsmon.store.keys import Keys
from opsmon.workers.rebuild import rebuild
from opsmon.workers.verify import Difference
from opsmon.workers.verify import verify as verify_site

_SHOWN = 40


def verify(args: argparse.Namespace) -> int:
    """Print whether the counts are what a recount gives; 1 and a table when they are not."""
    settings = settings_of(args)

    report = asyncio.run(on_store(settings, lambda client: verify_site(
        client, Keys(settings.site), _rules(settings), SystemClock().now_ms())))
    since = "all events" if report.covers_ms is None else f"the events since {_when(report.covers_ms, settings)}"
    print(f"Counted again: {report.numbers} numbers of {report.rollups} rollups, from {since} "
          "and from all that is remembered of orders, customers and visitors.")
    if not report.differences:
        print("Equal.")
        return 0
    _print(report.differences)
    print(f"{len(report.differences)} differ. `opsmon replay` counts anew.")
    return 1


def replay(args: argparse.Namespace) -> int:
    """Count anew beside what counts, then swap; live traffic goes on."""
    settings = settings_of(args)

    generation = asyncio.run(on_store(settings, lambda client: rebuild(
        client, Keys(settings.site), _rules(settings), SystemClock().now_ms())))
    print(f"Counted anew; generation {generation} counts now.")
    return 0


def _rules(settings: Settings) -> Rules:
    return Rules(settings.catalogue, SiteCalendar(settings.timezone, settings.day_start_ms), settings.kept)


def _when(time_ms: int, settings: Settings) -> str:
    return f"{SiteCalendar(settings.timezone).wall(time_ms):%Y-%m-%d %H:%M}"


def _print(differences: list[Difference]) -> None:
    print(f"{'rollup':24} {'level':5} {'span':12} {'field':32} {'counted':>16} {'recounted':>16}")
    for one in differences[:_SHOWN]:
        print(f"{one.rollup:24} {one.level:5} {one.span:12} {one.field.replace(OTHER, 'other'):32} "
              f"{one.counted:>16} {one.recounted:>16}")
    if len(differences) > _SHOWN:
        print(f"… and {len(differences) - _SHOWN} more")

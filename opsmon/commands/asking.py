"""status: how it goes. check: whether the settings are right. kpis: what is counted, and what can be."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException
from typing import Any

import orjson

from opsmon.clock import SystemClock
from opsmon.commands.arguments import overrides, settings_of
from opsmon.commands.weaknesses import open_to_all, untold, weaknesses
from opsmon.core.calendar import SiteCalendar
from opsmon.core.definition_words import in_a_line, unheard_of
from opsmon.core.facts_known import FACTS
from opsmon.core.kpis import BUILT_IN
from opsmon.core.window_texts import window_words
from opsmon.setting_texts import without_password
from opsmon.settings import TABLE, Setting, Settings
from opsmon.settings import check as check_settings
from opsmon.web.views import StatusView


def status(args: argparse.Namespace) -> int:
    """Print the status; 0 when all is well, 1 when something is behind or stopped."""
    settings = settings_of(args)
    facts = asyncio.run(_facts(settings))
    if args.json:
        sys.stdout.buffer.write(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        from opsmon.web.languages import ENGLISH
        from opsmon.web.status import status_view
        from opsmon.web.wording import Wording

        wording = Wording(settings.locale, SiteCalendar(settings.timezone, settings.day_start_ms), ENGLISH)
        _print(status_view(facts, wording), wording)
    return 0 if facts["state"] == "ok" else 1


def check(args: argparse.Namespace) -> int:
    """Print each setting and what is weak about it, or each wrong one with what would be right; 1 when any is wrong."""
    settings, problems = check_settings(overrides=overrides(args))
    for problem in problems:
        print(problem)
    if settings is None:
        return 1
    for setting in TABLE:
        value = getattr(settings, _field(setting.name))
        print(f"{setting.variable:24} {_shown(setting, value)}")
    for kpi in settings.catalogue.kpis:
        if kpi.id not in BUILT_IN.kpi_by_id:
            rollup = settings.catalogue.rollup(kpi.rollup)
            print(f"KPI {kpi.id}: {kpi.label}, {in_a_line(kpi, rollup)}")
            for fact in unheard_of(rollup):
                print(f"    {fact} has to come with events of your own")
    print("All settings can be used.")
    for sentence in [*weaknesses(settings), *asyncio.run(open_to_all(settings))]:
        print(f"Weak: {sentence}")
    for sentence in asyncio.run(untold(settings)):
        print(f"Alerts: {sentence}")
    return 0


def kpis(args: argparse.Namespace) -> int:
    """Print every KPI of the site or, with --facts, what can be counted."""
    _print_all(_facts_known() if args.facts else _kpis_of(settings_of(args)))
    return 0


def _kpis_of(settings: Settings) -> Iterator[str]:
    for kpi in settings.catalogue.kpis:
        own = "" if kpi.id in BUILT_IN.kpi_by_id else ", of this site"
        yield f"{kpi.id:20} {kpi.label} ({kpi.unit}, {window_words(kpi.window)}{own})"
        yield f"{'':20} {kpi.definition}"


def _facts_known() -> Iterator[str]:
    for name, fact in FACTS.items():
        yield f"{name:20} {fact.meaning}{' (may be changed or taken back)' if fact.is_revised else ''}"
        for field, known in fact.fields.items():
            yield f"    {field:16} {known.kind:6} {known.meaning}"
    yield "Events you post count under their own type, with the fields of their data."


def _print_all(lines: Iterable[str]) -> None:
    """Print a long list, of which `| head` may want the beginning only."""
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _facts(settings: Settings) -> dict[str, Any]:
    """From the store itself, so that it works while no web process does; latency from the web process. What the
    memory is spent on is measured now."""
    from opsmon.app.site import kpi_queries, on_store, sources
    from opsmon.core.folding import Rules
    from opsmon.store.connection import Reader
    from opsmon.store.data_dir import DataDir
    from opsmon.store.keys import Keys
    from opsmon.store.meta import read_meta
    from opsmon.web.status import gather
    from opsmon.workers.measuring import look

    async def ask(client: Any) -> dict[str, Any]:
        keys, kpis, now_ms = Keys(settings.site), kpi_queries(client, settings), SystemClock().now_ms()
        facts = await gather(Reader(client), keys, kpis, tuple(sources(settings)), _latency(settings),
                             DataDir(settings.data).fsync(), now_ms)
        generation = (await read_meta(Reader(client), keys)).generation
        rules = Rules(settings.catalogue, kpis.calendar, settings.kept)
        return facts | {"memory": asdict(await look(client, keys, rules, generation, now_ms))}

    return await on_store(settings, ask)


def _latency(settings: Settings) -> tuple[int, int] | None:
    connection = HTTPConnection("127.0.0.1", settings.port, timeout=2)
    try:
        connection.request("GET", "/status.json")
        found = orjson.loads(connection.getresponse().read())["latency_ms"]
        return (found["median"], found["p99"]) if found else None
    except (OSError, HTTPException, ValueError, KeyError):
        return None
    finally:
        connection.close()


def _print(view: StatusView, wording: Any) -> None:
    print(f"{view.text}  ({view.at})\n")
    for sentence in view.to_do:
        print(f"To do      {sentence}")
    for source in view.sources:
        last = "" if source.last_ms is None else f"; last heard {wording.clock(source.last_ms)}"
        print(f"{source.name:14} {source.word}{last}; {source.in_5_minutes} in 5 min, "
              f"{source.in_an_hour} in an hour, mean lag {source.lag}")
        print(f"{'':14} {source.accepted} accepted, {source.duplicates} duplicates, {source.unused} not used, "
              f"{source.refused} refused, {source.dead_letters} dead, {source.out_of_order} out of order, "
              f"{source.late} late")
        for sentence in (*source.more, *([source.refused_cause] if source.refused_cause else [])):
            print(f"{'':14} {sentence}")
    print(f"Stream     {view.lag} not read, {view.pending} not counted")
    if view.store:
        print(f"Store      {view.store.name}, {view.store.memory}, appendfsync {view.store.appendfsync}, "
              f"fsync {view.store.fsync}")
    print(f"Screens    order to screen {view.latency or 'not measured yet'}")
    for row in view.memory:
        print(f"Memory     {row.name}: {row.size}, {row.keys} {'key' if row.keys == '1' else 'keys'}"
              f"{f', {row.bound}' if row.bound else ''}")
    for sentence in view.full:
        print(f"Full       {sentence}")
    for sentence in view.stopped:
        print(f"Stopped    {sentence}")
    for letter in view.dead_letters:
        print(f"Dead       {wording.day_and_hour(letter.at_ms)} {letter.source}: {letter.reason}")


def _shown(setting: Setting, value: object) -> object:
    if setting.secret:
        return "set" if value else ""
    return without_password(str(value)) if setting.name == "store_url" else "" if value is None else value


def _field(name: str) -> str:
    return next(name + suffix for suffix in ("", "_ms", "_bytes", "s") if hasattr(Settings, name + suffix))

"""import: orders, stock and counts from a spreadsheet or an old shop, into the stream that webhooks go into.

May be repeated, and broken off: what is stored already is a duplicate, or the same version of the same order.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from opsmon.clock import Clock, SystemClock
from opsmon.commands import import_columns
from opsmon.commands.appending import EARLIER, append, how_far
from opsmon.commands.arguments import settings_of
from opsmon.commands.import_columns import SavedColumns
from opsmon.commands.import_progress import Progress
from opsmon.commands.import_report import report, too_old
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.core.events import Event
from opsmon.core.money import is_currency
from opsmon.settings import Settings
from opsmon.sources.csv_cells import is_time_format
from opsmon.sources.csv_columns import ColumnsError, parse_columns
from opsmon.sources.csv_facts import FactTable, read_facts
from opsmon.sources.csv_orders import How, Reading, read_orders
from opsmon.sources.csv_tables import decode

_INTERRUPTED = 130


class _WrongCommand(ValueError):
    """The command line cannot be followed; the message says why."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a command line asks for: the kind of table, how it is read, and the currency that was said."""

    table: str
    how: How
    currency: str | None


def import_files(args: argparse.Namespace) -> int:
    """Read files, report, and append; 0 when all was taken, 1 when rows were left out, 2 for a wrong command line."""
    settings, clock = settings_of(args), SystemClock()
    if args.list_columns:
        return _list(settings.data)
    if not args.files:
        args.refuse("the following arguments are required: FILE")
    calendar = SiteCalendar(settings.timezone, settings.day_start_ms)
    try:
        plan = _plan(args, settings, calendar)
        now_ms = clock.now_ms()
        reading = _read(plan, args.files, now_ms)
        _save(args.save_columns, plan, reading, settings.data)
    except (_WrongCommand, ColumnsError) as error:
        print(f"opsmon: {error}", file=sys.stderr)
        return 2
    for line in report(plan.table, reading, calendar):
        print(line)
    if args.save_columns:
        print(f"Saved       how these files are read: --columns-from {args.save_columns}")
    return _take(reading, too_old(reading.events, settings, now_ms), args, settings, clock)


def _take(reading: Reading, too_old: str, args: argparse.Namespace, settings: Settings, clock: Clock) -> int:
    if too_old:
        print(too_old)
    if args.dry_run:
        print("Nothing was stored: this was a dry run.")
    elif too_old and not args.force:
        raise OpsmonError("nothing was stored. Raise the setting, for `opsmon up` too, or leave them uncounted with "
                          "--force")
    elif reading.events and (ended := _store(reading.events, settings, clock)):
        return ended
    if reading.problems and not args.dry_run:
        print("Rows were left out: see above. Once they are right, the same command takes what is missing.")
    return 1 if reading.problems or (too_old and not args.force) else 0


def _store(events: Sequence[Event], settings: Settings, clock: Clock) -> int:
    """Append, and say what became of them; not 0 when it was interrupted."""
    progress = Progress(len(events))
    try:
        outcomes = asyncio.run(append(events, settings, clock, progress))
    except KeyboardInterrupt:
        progress.end_line()
        print(f"opsmon: interrupted. {how_far(progress.done, len(events))}", file=sys.stderr)
        return _INTERRUPTED
    except OpsmonError:
        progress.end_line()
        raise
    earlier = f"; {outcomes[EARLIER]:,} by an earlier try" if outcomes[EARLIER] else ""
    print(f"Stored      {outcomes[b'event']:,} events; {outcomes[b'duplicate']:,} were there already{earlier}")
    return 0


def _plan(args: argparse.Namespace, settings: Settings, calendar: SiteCalendar) -> _Plan:
    saved = _saved(args, settings.data)
    currency, time_format = args.currency or saved.currency, args.time_format or saved.time_format
    if not import_columns.is_name(args.shop):
        raise _WrongCommand(f"--name {args.shop!r}: expected small letters, digits and hyphens, at most 32")
    if args.save_columns is not None and not import_columns.is_name(args.save_columns):
        raise _WrongCommand(f"--save-columns {args.save_columns!r}: expected small letters, digits and hyphens, at "
                            "most 32")
    if currency is not None and not is_currency(currency):
        raise _WrongCommand(f"--currency {currency!r}: expected an ISO currency of three capital letters")
    if time_format and not is_time_format(time_format):
        raise _WrongCommand(f"--time-format {time_format!r}: expected a format with a year, as strptime reads it, "
                            "e.g. '%d/%m/%Y %H:%M'")
    columns = parse_columns(args.columns, saved.table) if args.columns is not None else saved.columns or None
    prefix = saved.cancel_prefix if args.cancel_prefix is None else args.cancel_prefix
    return _Plan(saved.table, How(calendar, settings.site, name=args.shop, currency=currency or settings.currency,
                                  columns=columns, time_format=time_format, cancel_prefix=prefix), currency)


def _saved(args: argparse.Namespace, data: Path) -> SavedColumns:
    """What was saved under the name that is given; without one, nothing."""
    if args.columns_from is None:
        return SavedColumns(args.table or "orders", {})
    if args.columns is not None:
        raise _WrongCommand("--columns and --columns-from: expected one of them")
    saved = import_columns.load(data, args.columns_from)
    if args.table not in (None, saved.table):
        raise _WrongCommand(f"--as {args.table}: what is saved as {args.columns_from} is for {saved.table}")
    return saved


def _save(name: str | None, plan: _Plan, reading: Reading, data: Path) -> None:
    if name is None:
        return
    found: list[Mapping[str, str]] = list(reading.columns.values())
    if not found or any(columns != found[0] for columns in found):
        raise _WrongCommand("--save-columns: the files have different columns; save those of one file")
    how = plan.how
    import_columns.save(data, name, SavedColumns(plan.table, found[0], how.time_format, plan.currency,
                                                 how.cancel_prefix))


def _list(data: Path) -> int:
    """Say what is saved."""
    saved = import_columns.names(data)
    for name in saved:
        print(f"{name:11} {import_columns.load(data, name)}")
    if not saved:
        print("No columns are saved: opsmon import FILE --save-columns NAME does.")
    return 0


def _read(plan: _Plan, paths: Sequence[str], now_ms: int) -> Reading:
    files = [(path, _text(path)) for path in paths]
    if plan.table == "orders":
        return read_orders(files, plan.how, now_ms)
    return read_facts(cast(FactTable, plan.table), files, plan.how, now_ms)


def _text(path: str) -> str:
    try:
        return decode(Path(path).read_bytes())
    except OSError as error:
        raise OpsmonError(f"{path} cannot be read: {error.strerror}") from None

"""import: orders from a spreadsheet or an old shop, into the stream that webhooks go into.

May be repeated, and broken off: what is stored already is a duplicate, or the same version of the same order.
"""

import argparse
import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from opsmon.app import store_url
from opsmon.clock import Clock, SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.calendar import DAY_MS, SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.core.events import Event
from opsmon.core.health import WORKER_GONE_MS
from opsmon.core.money import exponent, is_currency
from opsmon.settings import Settings, without_password
from opsmon.sources.csv_cells import is_time_format
from opsmon.sources.csv_columns import ColumnsError, parse_columns
from opsmon.sources.csv_orders import SOURCE, How, Reading, read_orders
from opsmon.sources.csv_tables import decode
from opsmon.store.connection import STORE_ERRORS, Reader, worker_client
from opsmon.store.event_stream import checksum, encode
from opsmon.store.health_queries import backlog, workers
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Taken

SHOWN_PROBLEMS = 10
# One script call, during which the store answers nobody else: at most this many events and bytes.
CHUNK, CHUNK_BYTES = 500, 256 * 1024
BREATH_S = 0.02
# A webhook's event stands in line behind what is imported: workers count so many in less than a second.
MOST_WAITING = 1_000
# The janitor comes once a minute; until then the stream may be a quarter above its bound.
PATIENCE_S = 90.0
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class _WrongCommand(ValueError):
    """The command line cannot be followed; the message says why."""


def import_orders(args: argparse.Namespace) -> int:
    """Read files, report, and append; 0 when all was taken, 1 when rows were left out, 2 for a wrong command line."""
    settings, clock = settings_of(args), SystemClock()
    calendar = SiteCalendar(settings.timezone, settings.day_start_ms)
    try:
        how = _how(args, settings, calendar)
        now_ms = clock.now_ms()
        reading = read_orders(((path, _read(path)) for path in args.files), how, now_ms)
    except (_WrongCommand, ColumnsError) as error:
        print(f"opsmon: {error}", file=sys.stderr)
        return 2
    too_old = _too_old(reading.events, settings, now_ms)
    _report(reading, calendar)
    if too_old:
        print(too_old)
    if args.dry_run:
        print("Nothing was stored: this was a dry run.")
    elif too_old and not args.force:
        raise OpsmonError("nothing was stored. Raise the setting, for `opsmon up` too, or leave them uncounted with "
                          "--force")
    elif reading.events:
        outcomes = asyncio.run(append(reading.events, settings, clock, _Progress(len(reading.events))))
        print(f"Stored      {outcomes[b'event']:,} events; {outcomes[b'duplicate']:,} were there already")
    if reading.problems and not args.dry_run:
        print("Rows were left out: see above. Once they are right, the same command takes what is missing.")
    return 1 if reading.problems or (too_old and not args.force) else 0


async def append(events: Sequence[Event], settings: Settings, clock: Clock, tell: Callable[[int, str], None]
                 ) -> "Counter[bytes]":
    """Append events, as fast as they are counted; how often each outcome. May be repeated.

    Raises OpsmonError when the store or the workers do not keep up; what is stored by then stays.
    """
    client, keys = worker_client(store_url(settings)), Keys(settings.site)
    scripts, room = Scripts(client, keys), _Room(Reader(client), keys, settings, clock)
    outcomes: Counter[bytes] = Counter()
    try:
        for chunk in _chunks(events, clock):
            while why := await room.lacks(int(await client.memory_usage(keys.events) or 0)):
                tell(outcomes.total(), why)
                await asyncio.sleep(0.1)
            outcomes.update(await scripts.append_events(chunk, clock.now_ms()))
            tell(outcomes.total(), "")
            await asyncio.sleep(BREATH_S)
    except (OpsmonError, *STORE_ERRORS) as error:
        why = str(error) if isinstance(error, OpsmonError) else (
            f"the store at {without_password(store_url(settings))} did not confirm: {error}. Is opsmon running with "
            "this --data or --store, and is there room in the store?")
        raise OpsmonError(f"{why} {outcomes.total():,} of {len(events):,} events are stored; the same command again "
                          "goes on from there, and counts nothing twice") from None
    finally:
        await client.aclose()
    return outcomes


class _Room:
    """Whether the stream has room for more, asked again and again until it has."""

    def __init__(self, reader: Reader, keys: Keys, settings: Settings, clock: Clock) -> None:
        self._reader, self._keys, self._clock = reader, keys, clock
        self._most_bytes = settings.stream_memory_bytes + settings.stream_memory_bytes // 4
        self._since_s, self._least = 0.0, (0, 0)

    async def lacks(self, stream_bytes: int) -> str:
        """What there is too much of; '' when there is room. Raises OpsmonError when it gets no better."""
        found = await backlog(self._reader, self._keys)
        waiting = found.unread + found.pending
        if waiting <= MOST_WAITING and stream_bytes <= self._most_bytes:
            self._since_s = 0.0
            return ""
        if not await self._is_worked():
            raise OpsmonError(f"{waiting:,} events wait in the stream and no worker counts them: start `opsmon up` or "
                              "`opsmon worker`.")
        if not self._since_s or waiting < self._least[0] or stream_bytes < self._least[1]:
            self._since_s, self._least = time.monotonic(), (waiting, stream_bytes)
        elif time.monotonic() - self._since_s > PATIENCE_S:
            raise OpsmonError(f"{waiting:,} events wait in the stream ({stream_bytes // 1024**2} MB), and it gets no "
                              "less: `opsmon status` says why.")
        return f"{waiting:,} wait to be counted"

    async def _is_worked(self) -> bool:
        notes = await workers(self._reader, self._keys)
        return any(self._clock.now_ms() - note.seen_ms < WORKER_GONE_MS for note in notes.values())


class _Progress:
    """Tells a terminal how far it is."""

    def __init__(self, total: int) -> None:
        self._total, self._told_s = total, 0.0

    def __call__(self, done: int, why: str) -> None:
        if not sys.stderr.isatty() or (done < self._total and time.monotonic() - self._told_s < 0.2):
            return
        self._told_s = time.monotonic()
        print(f"\r  {done:,} of {self._total:,} stored{f' ({why})' if why else '':40}",
              end="\n" if done >= self._total else "", file=sys.stderr, flush=True)


def _chunks(events: Iterable[Event], clock: Clock) -> Iterator[list[Taken]]:
    chunk: list[Taken] = []
    size = 0
    for event in events:
        payload = encode(event._replace(arrived_ms=clock.now_ms()))
        if chunk and (len(chunk) == CHUNK or size + len(payload) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(Taken("event", SOURCE, event.id, payload, checksum(payload)))
        size += len(payload)
    if chunk:
        yield chunk


def _how(args: argparse.Namespace, settings: Settings, calendar: SiteCalendar) -> How:
    if not _NAME.fullmatch(args.shop):
        raise _WrongCommand(f"--name {args.shop!r}: expected small letters, digits and hyphens, at most 32")
    if args.currency is not None and not is_currency(args.currency):
        raise _WrongCommand(f"--currency {args.currency!r}: expected an ISO currency of three capital letters")
    if args.time_format and not is_time_format(args.time_format):
        raise _WrongCommand(f"--time-format {args.time_format!r}: expected a format with a year, as strptime reads it, "
                            "e.g. '%d/%m/%Y %H:%M'")
    columns = None if args.columns is None else parse_columns(args.columns)
    return How(calendar, settings.site, name=args.shop, currency=args.currency or settings.currency, columns=columns,
               time_format=args.time_format, cancel_prefix=args.cancel_prefix)


def _read(path: str) -> str:
    try:
        return decode(Path(path).read_bytes())
    except OSError as error:
        raise OpsmonError(f"{path} cannot be read: {error.strerror}") from None


def _too_old(events: Sequence[Event], settings: Settings, now_ms: int) -> str:
    """What to say of events that are older than orders are kept; '' when none is."""
    old = [event for event in events if event.time_ms < now_ms - settings.kept.entities_ms]
    if not old:
        return ""
    days = (now_ms - min(event.time_ms for event in old)) // DAY_MS + 2
    kept = settings.kept.entities_ms // DAY_MS
    return (f"Too old     {len(old):,} of {len(events):,} happened more than {kept} days ago and would not be counted: "
            f"OPSMON_KEEP_ORDERS={days}d would keep them")


def _report(reading: Reading, calendar: SiteCalendar) -> None:
    orders = [event.data for event in reading.events if event.type == "order.updated"]
    backs = len(reading.events) - len(orders)
    print(f"Read        {reading.rows:,} rows of {len(reading.columns)} file{'s'[:len(reading.columns) != 1]}")
    for columns in dict.fromkeys(", ".join(f"{name}={column}" for name, column in columns.items())
                                 for columns in reading.columns.values()):
        print(f"Columns     {columns}")
    print(f"Orders      {len(orders):,} with {sum(len(order['lines']) for order in orders):,} lines")
    print(f"Money back  {backs:,}, on days of their own")
    if reading.events:
        first, last = (calendar.day_of(reading.events[at].time_ms) for at in (0, -1))
        print(f"Days        {first} to {last}")
    for currency, (ordered, back) in sorted(_sums(reading.events).items()):
        print(f"{currency:11} {_shown(ordered, currency)} ordered, {_shown(back, currency)} given back: "
              f"{_shown(ordered - back, currency)}")
    if reading.repeated:
        print(f"Repeated    {reading.repeated:,} stand alike in several files, and count once")
    if reading.problems:
        print(f"Left out    {reading.left_out:,} orders, for {len(reading.problems):,} problems:")
    for problem in reading.problems[:SHOWN_PROBLEMS]:
        print(f"  {problem}")
    if len(reading.problems) > SHOWN_PROBLEMS:
        print(f"  … and {len(reading.problems) - SHOWN_PROBLEMS:,} more")


def _sums(events: Iterable[Event]) -> dict[str, tuple[int, int]]:
    """By currency: what was ordered and what was given back, cancelled orders being given back whole."""
    sums: dict[str, tuple[int, int]] = {}
    for event in events:
        back = sum(refund["amount_minor"] for refund in event.data["refunds"])
        total = event.data.get("total_minor", 0)
        if event.data.get("cancelled_ms") is not None:
            back = total
        currency = event.data.get("currency") or event.data["refunds"][0]["currency"]
        before = sums.get(currency, (0, 0))
        sums[currency] = before[0] + total, before[1] + back
    return sums


def _shown(minor: int, currency: str) -> str:
    digits = exponent(currency)
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f}"

"""What an import says of the files it read: rows, columns, sums, and which rows cannot be taken and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from opsmon.core.calendar import DAY_MS, SiteCalendar
from opsmon.core.events import Event
from opsmon.core.facts import is_remembered_whole
from opsmon.core.money import exponent
from opsmon.settings import Settings
from opsmon.sources.csv_orders import Reading

SHOWN_PROBLEMS, SHOWN_NAMES = 10, 10


def report(table: str, reading: Reading, calendar: SiteCalendar) -> Iterator[str]:
    """The lines of a report."""
    yield f"Read        {reading.rows:,} rows of {len(reading.columns)} file{'s'[:len(reading.columns) != 1]}"
    for columns in dict.fromkeys(", ".join(f"{name}={column}" for name, column in columns.items())
                                 for columns in reading.columns.values()):
        yield f"Columns     {columns}"
    yield from _orders(reading, calendar) if table == "orders" else _facts(table, reading, calendar)
    if reading.repeated:
        yield f"Repeated    {reading.repeated:,} stand alike in several files, and count once"
    if reading.problems:
        yield (f"Left out    {reading.left_out:,} {'orders' if table == 'orders' else 'rows'}, for "
               f"{len(reading.problems):,} problems:")
    yield from (f"  {problem}" for problem in reading.problems[:SHOWN_PROBLEMS])
    if len(reading.problems) > SHOWN_PROBLEMS:
        yield f"  … and {len(reading.problems) - SHOWN_PROBLEMS:,} more"


def too_old(events: Sequence[Event], settings: Settings, now_ms: int) -> str:
    """What to say of events that are older than what they are about is kept; '' when none is."""
    oldest_ms = now_ms - settings.kept.entities_ms
    old = [event for event in events if event.time_ms < oldest_ms and is_remembered_whole(event)]
    if not old:
        return ""
    days = (now_ms - min(event.time_ms for event in old)) // DAY_MS + 2
    kept = settings.kept.entities_ms // DAY_MS
    return (f"Too old     {len(old):,} of {len(events):,} happened more than {kept} days ago and would not be counted: "
            f"OPSMON_KEEP_ORDERS={days}d would keep them")


def _orders(reading: Reading, calendar: SiteCalendar) -> Iterator[str]:
    orders = [event.data for event in reading.events if event.type == "order.updated"]
    yield f"Orders      {len(orders):,} with {sum(len(order['lines']) for order in orders):,} lines"
    yield f"Money back  {len(reading.events) - len(orders):,}, on days of their own"
    yield from _days(reading.events, calendar)
    for currency, (ordered, back) in sorted(_sums(reading.events).items()):
        yield (f"{currency:11} {_shown(ordered, currency)} ordered, {_shown(back, currency)} given back: "
               f"{_shown(ordered - back, currency)}")


def _facts(table: str, reading: Reading, calendar: SiteCalendar) -> Iterator[str]:
    if table == "stock":
        pieces = sum(event.data["available"] for event in reading.events)
        places = {event.data.get("location", "") for event in reading.events}
        yield (f"Stock       {len(reading.events):,} levels in {len(places):,} place{'s'[:len(places) != 1]}, "
               f"{pieces:,} pieces")
        return
    yield f"{table.capitalize():11} {len(reading.events):,}"
    yield from _days(reading.events, calendar)
    if table == "counts":
        sums: Counter[str] = Counter()
        for event in reading.events:
            sums[event.data["name"]] += event.data["value"]
        yield from (f"  {name}: {value:,}" for name, value in sums.most_common(SHOWN_NAMES))
        if len(sums) > SHOWN_NAMES:
            yield f"  … and {len(sums) - SHOWN_NAMES:,} more names"


def _days(events: Sequence[Event], calendar: SiteCalendar) -> Iterator[str]:
    if events:
        first, last = (calendar.day_of(events[at].time_ms) for at in (0, -1))
        yield f"Days        {first} to {last}"


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

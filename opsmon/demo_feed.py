"""The demo's shop assistant: sends simulated deliveries to the webhook over real HTTP, then and now; and what else the
shop's house tells, to /ingest/events.

First the past (`fill_in`, `fill_in_house`), then the present in real time (`run_live`, `run_house`). What fails is
counted and told in `Sender.trouble`; nothing is raised, for a demo shall outlive a restart of what it shows.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from itertools import groupby, islice
from threading import Event, Lock, Thread
from typing import TypeVar
from urllib.parse import urlsplit

from opsmon.sources.signing import headers_for
from opsmon.sources.simulated_house import Said, body_of, simulate_house, stock_now
from opsmon.sources.simulated_parcels import simulate_parcels
from opsmon.sources.simulator import Delivery, Shop, local_day, simulate_day, simulate_window

WEEKS_BACK = 8
# A believable shop sleeps at night, a demo must not: with an order each 15 s something is sent every 4 to 5 s
# in the mean, and nine gaps in ten are shorter than 11 s (measured over an hour, at 3, 11 and 16 o'clock).
LIVELY_PER_HOUR = 240.0
TRIES = 20  # about 70 s with the pauses between them
LONGEST_PAUSE_S = 5.0
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_TIMEOUT_S = 30.0
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
# How far back the house tells: parcels on their way, moves and visits of a day, programs of what boards look at.
PARCELS_MS, HOUSE_MS, PROGRAMS_MS = 3 * _DAY_MS, _DAY_MS, _HOUR_MS // 2
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of the house as one body, all of them due by `at_ms`."""

    at_ms: int
    body: bytes


Sent = Delivery | Batch
S = TypeVar("S", Delivery, Batch)


def _headers(sent: Sent, secret: bytes) -> dict[str, str]:
    """A delivery is signed as Shopify does; who sends events has a token."""
    if isinstance(sent, Delivery):
        return headers_for(sent, secret)
    return {"content-type": "application/x-ndjson", "Authorization": f"Bearer {secret.decode()}"}


class Sender:
    """Posts deliveries to one URL on a few keep-alive connections; safe to share between threads.

    `secret` signs deliveries; for batches of events it is the token.

    `counts` holds how many answers had which status; `gave up` counts deliveries that no try brought home.
    `trouble` is the last thing that went wrong, one sentence for a person, or None.
    """

    def __init__(
        self, url: str, secret: bytes, *, connections: int = 4, tries: int = TRIES, stop: Event | None = None
    ) -> None:
        self.url = url
        self.stop = stop or Event()
        self.counts: Counter[int | str] = Counter()
        self.trouble: str | None = None
        self._secret = secret
        self._connections = connections
        self._tries = tries
        self._lock = Lock()

    def send(self, delivery: Sent) -> int | None:
        """Send one delivery; return the status that settled it, or None when nobody took it."""
        line = _Line(self.url)
        try:
            return self._deliver(line, delivery)
        finally:
            line.close()

    def send_all(self, deliveries: Iterable[Sent]) -> None:
        """Send all and return when each was answered or given up, or soon after `stop` is set.

        Deliveries start in order; up to `connections` are under way at once. The iterable is pulled by one
        thread at a time, so a generator may make them lazily and may wait.
        """
        source = _Shared(deliveries)
        threads = [Thread(target=self._drain, args=(source,), daemon=True) for _ in range(self._connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _drain(self, source: "_Shared") -> None:
        line = _Line(self.url)
        try:
            while not self.stop.is_set() and (delivery := source.take()) is not None:
                self._deliver(line, delivery)
        finally:
            line.close()

    def _deliver(self, line: "_Line", delivery: Sent) -> int | None:
        headers = _headers(delivery, self._secret)
        for attempt in range(self._tries):
            pause_s = min(LONGEST_PAUSE_S, 0.05 * 2**attempt)
            try:
                status, retry_after_s = line.post(delivery.body, headers)
            except (OSError, HTTPException) as error:
                # A kept connection is often found closed: the first new try is at once.
                pause_s = pause_s if attempt else 0.0
                self._note("no answer", f"{self.url} does not answer: {error or type(error).__name__}.")
            else:
                self._note(status, None if status < 300 else f"{self.url} answered {status}.")
                if status not in _TRY_AGAIN:
                    return status
                pause_s = pause_s if retry_after_s is None else min(LONGEST_PAUSE_S, retry_after_s)
            if self.stop.wait(pause_s):
                return None
        self._note("gave up", self.trouble)
        return None

    def _note(self, answer: int | str, trouble: str | None) -> None:
        with self._lock:
            self.counts[answer] += 1
            self.trouble = trouble or self.trouble


class _Shared:
    """An iterator that threads take turns to pull."""

    def __init__(self, deliveries: Iterable[Sent]) -> None:
        self._deliveries = iter(deliveries)
        self._lock = Lock()

    def take(self) -> Sent | None:
        with self._lock:
            return next(self._deliveries, None)


class _Line:
    """One keep-alive connection, opened when needed and dropped after a failure."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._http = kind(parts.hostname or "127.0.0.1", parts.port, timeout=_TIMEOUT_S)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, float | None]:
        """Post once; return the status and Retry-After in seconds. Raises OSError or HTTPException."""
        try:
            self._http.request("POST", self._path, body, headers)
            answer = self._http.getresponse()
            answer.read()
        except (OSError, HTTPException):
            self.close()
            raise
        return answer.status, _retry_after_s(answer)

    def close(self) -> None:
        self._http.close()


def _retry_after_s(answer: HTTPResponse) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def fill_in(
    sender: Sender, shop: Shop, now_ms: int, *,
    days: int = WEEKS_BACK * 7, on_progress: Callable[[float, date], None] = lambda fraction, day: None,
) -> None:
    """Send what the shop sent up to `now_ms` about the orders of the last `days` days, newest day first.

    Within a day in order of time. `on_progress(fraction, day)` is called once before the first day and after
    each. Safe to repeat: the same deliveries with the same webhook ids. Ends early when `sender.stop` is set.
    """
    today = local_day(shop, now_ms)
    on_progress(0.0, today)
    for back in range(days):
        day = today - timedelta(days=back)
        sender.send_all(delivery for delivery in simulate_day(shop, day) if delivery.at_ms < now_ms)
        if sender.stop.is_set():
            return
        on_progress((back + 1) / days, day)


def run_live(
    sender: Sender, shop: Shop, rate: float, stop: Event, *, now_ms: Callable[[], int],
    since_ms: int | None = None, quietest_per_hour: float = LIVELY_PER_HOUR,
) -> None:
    """Send in real time what the shop sends from `since_ms` (default: now) on, until `stop` is set.

    `rate` multiplies how many orders arrive; 1 with `quietest_per_hour=0` is the shop that `fill_in` knows.
    `since_ms` is the `now_ms` that `fill_in` had: what became due meanwhile is sent at once. `stop` should be
    the sender's own, so that a waiting retry ends too.
    """
    since_ms = now_ms() if since_ms is None else since_ms
    sender.send_all(_in_time(_live(shop, rate, since_ms, quietest_per_hour), now_ms, stop))


def fill_in_house(sender: Sender, shop: Shop, now_ms: int) -> None:
    """Send what the house told up to `now_ms`, the last hour first, back to HOUSE_MS. Safe to repeat: equal ids."""
    sender.send_all(_batches(stock_now(shop, now_ms)))
    told = simulate_house(shop, now_ms - PROGRAMS_MS, now_ms)
    sender.send_all(_batches(told))
    for end_ms in range(now_ms - PROGRAMS_MS, now_ms - HOUSE_MS, -_HOUR_MS):
        sender.send_all(_batches(simulate_house(shop, end_ms - _HOUR_MS, end_ms, with_programs=False)))


def fill_in_parcels(sender: Sender, shop: Shop, now_ms: int) -> None:
    """Send what was told up to `now_ms` of payments, parcels and the like, back to PARCELS_MS. Safe to repeat."""
    sender.send_all(simulate_parcels(shop, now_ms - PARCELS_MS, now_ms))


def run_house(sender: Sender, shop: Shop, rate: float, stop: Event, *, now_ms: Callable[[], int], since_ms: int,
              quietest_per_hour: float = LIVELY_PER_HOUR) -> None:
    """Send in real time what the house of the shop that `run_live` knows tells, until `stop` is set; what is due
    together goes together."""
    more, end_ms = _more(shop, rate, quietest_per_hour), since_ms + 3_650 * _DAY_MS
    streams = (simulate_house(shop, since_ms, end_ms), simulate_house(more, since_ms, end_ms, placed_from_ms=since_ms))
    told = heapq.merge(*streams)
    sender.send_all(_in_time(_due(told), now_ms, stop))


def _due(told: Iterable[Said]) -> Iterator[Batch]:
    """Events of one second, when it is over."""
    for second, group in groupby(told, key=lambda one: one.at_ms // 1000):
        yield Batch((second + 1) * 1000, body_of(group))


def _batches(told: Iterable[Said]) -> Iterator[Batch]:
    found = iter(told)
    while batch := list(islice(found, _BATCH)):
        yield Batch(batch[-1].at_ms, body_of(batch))


def _more(shop: Shop, rate: float, quietest_per_hour: float) -> Shop:
    """The orders the shop would not have: they get ids of their own."""
    return replace(shop, series=shop.series + 1, orders_per_day=shop.orders_per_day * max(0.0, rate - 1),
                   quietest_per_hour=quietest_per_hour)


def _live(shop: Shop, rate: float, since_ms: int, quietest_per_hour: float) -> Iterator[Delivery]:
    """The shop itself, and beside it the orders it would not have."""
    end_ms, more = since_ms + 3_650 * _DAY_MS, _more(shop, rate, quietest_per_hour)
    streams = [simulate_window(shop, since_ms, end_ms)]
    if more.orders_per_day or quietest_per_hour:
        streams.append(simulate_window(more, since_ms, end_ms, placed_from_ms=since_ms))
    return heapq.merge(*streams, key=lambda delivery: delivery.at_ms)


def run_parcels(sender: Sender, shop: Shop, rate: float, stop: Event, *, now_ms: Callable[[], int], since_ms: int,
                quietest_per_hour: float = LIVELY_PER_HOUR) -> None:
    """Send in real time what the shop that `run_live` knows tells of payments, parcels and the like, until `stop`."""
    more, end_ms = _more(shop, rate, quietest_per_hour), since_ms + 3_650 * _DAY_MS
    streams = (simulate_parcels(shop, since_ms, end_ms),
               simulate_parcels(more, since_ms, end_ms, placed_from_ms=since_ms))
    told = heapq.merge(*streams, key=lambda delivery: delivery.at_ms)
    sender.send_all(_in_time(told, now_ms, stop))


def _in_time(deliveries: Iterable[S], now_ms: Callable[[], int], stop: Event) -> Iterator[S]:
    for delivery in deliveries:
        while (ahead_ms := delivery.at_ms - now_ms()) > 0:
            # In short waits, so that a clock that was set is noticed.
            if stop.wait(min(ahead_ms / 1000, LONGEST_PAUSE_S)):
                return
        if stop.is_set():
            return
        yield delivery

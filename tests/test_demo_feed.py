"""The demo's sender over real HTTP: everything arrives, whatever the other side does meanwhile."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from threading import Event, Lock, Thread
from zoneinfo import ZoneInfo

import pytest

from opsmon.demo_feed import Sender, fill_in, fill_in_house, run_house, run_live
from opsmon.sources.signing import sign
from opsmon.sources.simulated_house import simulate_house
from opsmon.sources.simulator import Delivery, Shop, simulate_day, simulate_window

SECRET = b"a-secret-for-tests"
BERLIN = ZoneInfo("Europe/Berlin")
SHOP = Shop(BERLIN, orders_per_day=30)
NOON_MS = round(datetime(2026, 1, 7, 12, tzinfo=BERLIN).timestamp() * 1000)


class Receiver:
    """A throw-away webhook that keeps what it took. `answers` come first: a status, or None to hang up."""

    def __init__(self) -> None:
        self.answers: list[int | None] = []
        self.taken: list[str] = []
        self.refused: list[str] = []
        self.unsigned = 0
        self.tokens: set[str] = set()
        self.connections = 0
        self.lock = Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/shopify"

    def answer(self, webhook_id: str, signed: bool) -> int | None:
        with self.lock:
            status = self.answers.pop(0) if self.answers else 200
            (self.taken if status == 200 else self.refused).append(webhook_id)
            self.unsigned += not signed
            return status


def handler_of(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            receiver.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signed = self.headers["X-Shopify-Hmac-Sha256"] == sign(body, SECRET)
            receiver.tokens |= {self.headers["Authorization"]} - {None}
            status = receiver.answer(self.headers["X-Shopify-Webhook-Id"], signed)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            if status == 503:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


def wait_until(predicate: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not predicate():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.005)


def some(count: int) -> list[Delivery]:
    return list(islice(simulate_day(SHOP, date(2026, 1, 6)), count))


def ids(deliveries: list[Delivery]) -> list[str]:
    return sorted(delivery.webhook_id for delivery in deliveries)


def test_everything_is_delivered_once_and_signed(receiver: Receiver) -> None:
    """On a good day each delivery is taken once, and each seal fits."""
    sender = Sender(receiver.url, SECRET)
    sender.send_all(iter(some(60)))
    assert sorted(receiver.taken) == ids(some(60))
    assert (receiver.unsigned, sender.counts, sender.trouble) == (0, {200: 60}, None)


def test_a_few_connections_carry_everything(receiver: Receiver) -> None:
    """Connections are kept: sixty deliveries need no more than three of them."""
    Sender(receiver.url, SECRET, connections=3).send_all(some(60))
    assert receiver.connections <= 3


def test_a_delivery_that_is_put_off_comes_again(receiver: Receiver) -> None:
    """503 means later: the sender comes back until it is taken."""
    receiver.answers = [503, 503, 503, 503, 503]
    sender = Sender(receiver.url, SECRET)
    sender.send_all(some(20))
    assert sorted(receiver.taken) == ids(some(20))
    assert sender.counts == {200: 20, 503: 5}


def test_a_cut_connection_loses_nothing(receiver: Receiver) -> None:
    """When the other side hangs up, the sender calls again and repeats what was not answered."""
    receiver.answers = [200, None, 200, None, None]
    sender = Sender(receiver.url, SECRET)
    sender.send_all(some(20))
    assert sorted(receiver.taken) == ids(some(20))
    assert sender.counts["no answer"] == 3


def test_a_refusal_is_counted_and_not_repeated(receiver: Receiver) -> None:
    """401 will not turn into 200 by asking again; a person is told."""
    receiver.answers = [401]
    sender = Sender(receiver.url, SECRET)
    assert sender.send(some(1)[0]) == 401
    assert sender.trouble == f"{receiver.url} answered 401."


def test_nobody_there_is_told_in_a_sentence() -> None:
    """A closed door is no crash: the sender tries again until it is told to stop, and says why."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/webhooks/shopify"
    sender = Sender(url, SECRET)
    thread = Thread(target=sender.send_all, args=(some(5),))
    thread.start()
    wait_until(lambda: sender.counts["no answer"] > 4, "a try")
    sender.stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert (sender.trouble or "").startswith(f"{url} does not answer:")


def test_a_delivery_nobody_takes_is_given_up(receiver: Receiver) -> None:
    """After the last try the sender goes on with the next delivery and counts the lost one."""
    receiver.answers = [503, 503]
    sender = Sender(receiver.url, SECRET, tries=2)
    assert [sender.send(delivery) for delivery in some(2)] == [None, 200]
    assert sender.counts == {503: 2, "gave up": 1, 200: 1}


def test_the_past_is_filled_in_newest_day_first(receiver: Receiver) -> None:
    """Today comes first and up to now, then yesterday, and so on; each day tells how far it is."""
    told: list[tuple[float, date]] = []
    fill_in(Sender(receiver.url, SECRET), SHOP, NOON_MS, days=4, on_progress=lambda *at: told.append(at))
    today, *_, oldest = days = [date(2026, 1, day) for day in (7, 6, 5, 4)]
    due = [delivery for day in days for delivery in simulate_day(SHOP, day) if delivery.at_ms < NOON_MS]
    assert sorted(receiver.taken) == ids(due)
    assert (told[0], told[-1], len(told)) == ((0.0, today), (1.0, oldest), 5)


def test_the_present_goes_on_where_the_past_ended(receiver: Receiver) -> None:
    """What became due while the past was filled in is sent at once; what is still to come waits."""
    stop, later_ms = Event(), NOON_MS + 3_600_000
    sender = Sender(receiver.url, SECRET, stop=stop)
    due = list(simulate_window(SHOP, NOON_MS, later_ms))
    live = Thread(target=run_live, args=(sender, SHOP, 1.0, stop),
                  kwargs={"now_ms": lambda: later_ms - 1, "since_ms": NOON_MS, "quietest_per_hour": 0})
    live.start()
    wait_until(lambda: len(receiver.taken) >= len(due), "the last due delivery")
    stop.set()
    live.join(5)
    assert not live.is_alive()
    assert sorted(receiver.taken) == ids(due)


def test_a_demo_is_lively_at_night(receiver: Receiver) -> None:
    """At three in the morning something still happens, more often than every ten seconds in the mean."""
    night_ms, stop = NOON_MS - 9 * 3_600_000, Event()
    sender = Sender(receiver.url, SECRET, stop=stop)
    live = Thread(target=run_live, args=(sender, SHOP, 1.0, stop),
                  kwargs={"now_ms": lambda: night_ms + 600_000, "since_ms": night_ms})
    live.start()
    wait_until(lambda: len(receiver.taken) > 60, "a delivery each ten seconds for ten minutes")
    stop.set()
    live.join(5)
    assert not live.is_alive()


def test_more_orders_have_ids_of_their_own() -> None:
    """Orders that only the demo's hurry brings are never taken for one of the shop itself."""
    more = replace(SHOP, series=1)
    shop_ids = {delivery.webhook_id for delivery in simulate_day(SHOP, date(2026, 1, 6))}
    assert shop_ids.isdisjoint({delivery.webhook_id for delivery in simulate_day(more, date(2026, 1, 6))})


def test_events_of_the_house_go_with_a_token(receiver: Receiver) -> None:
    """They are not signed: who sends to /ingest/events has a token."""
    sender = Sender(receiver.url, b"token")
    fill_in_house(sender, SHOP, NOON_MS)
    assert receiver.tokens == {"Bearer token"}
    assert sender.counts[200] == len(receiver.taken)


def test_what_the_house_tells_goes_on_where_the_past_ended(receiver: Receiver) -> None:
    """Second by second, what was told in it together."""
    stop, later_ms = Event(), NOON_MS + 60_000
    sender = Sender(receiver.url, b"token", connections=1, stop=stop)
    due = {one.at_ms // 1000 for one in simulate_house(SHOP, NOON_MS, later_ms)}
    live = Thread(target=run_house, args=(sender, SHOP, 1.0, stop),
                  kwargs={"now_ms": lambda: later_ms, "since_ms": NOON_MS, "quietest_per_hour": 0})
    live.start()
    wait_until(lambda: len(receiver.taken) >= len(due), "every second's batch")
    stop.set()
    live.join(5)
    assert (live.is_alive(), len(receiver.taken)) == (False, len(due))

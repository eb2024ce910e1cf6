"""send-test: one signed order through the front door. inspect: what opsmon makes of a payload."""

import argparse
import sys
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of, where
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.core.facts import Told
from opsmon.core.folding import Rules, fold, hear
from opsmon.core.states import Believed
from opsmon.sources import simulator
from opsmon.sources.shopify import Headers, read_event
from opsmon.sources.shopify_bodies import READERS
from opsmon.sources.signing import TEST_SHOP
from opsmon.store.data_dir import DataDir
from opsmon.store.event_stream import encode


def send_test(args: argparse.Namespace) -> int:
    """Send a test order, or take one back, signed with this machine's test secret."""
    from opsmon.demo_feed import Sender

    settings, now_ms = settings_of(args), SystemClock().now_ms()
    url = _url(args.url) if args.url else f"http://127.0.0.1:{settings.port}/webhooks/shopify"
    currency = settings.currency or "EUR"
    if args.undo:
        order_id = _order_id(args.undo)
        delivery = simulator.undo_test_order(order_id, now_ms, domain=TEST_SHOP)
    else:
        order_id = simulator.test_order_id(now_ms)
        delivery = simulator.test_order(currency, now_ms, domain=TEST_SHOP)
    sender = Sender(url, DataDir(settings.data).test_secret().encode(), connections=1, tries=3)
    status = sender.send(delivery)
    if status != 200:
        raise OpsmonError(f"{url} did not take it: {sender.trouble or status}. Is opsmon running there, with "
                          f"the data folder {settings.data}?")
    undo = f"opsmon send-test shopify{where(settings)} --undo {order_id}"
    print(f"Test order {order_id} {'taken back' if args.undo else f'sent. Take it back with: {undo}'}")
    return 0


def inspect(args: argparse.Namespace) -> int:
    """Print the canonical event of a payload and what it would count; store nothing."""
    settings, now_ms = settings_of(args), SystemClock().now_ms()
    body = sys.stdin.buffer.read() if args.file == "-" else _read(args.file)
    if args.topic not in READERS:
        print(f"{args.topic}: counted as not used; used are {', '.join(READERS)}")
        return 0
    try:
        event = read_event(Headers(args.topic, "inspected.myshopify.com", "inspect", ""), body, now_ms,
                           settings.site)
        rules = Rules(settings.catalogue, SiteCalendar(settings.timezone, settings.day_start_ms), settings.kept)
        heard = hear([event], rules)
        counted = fold(heard, Believed(dict.fromkeys(heard.keys), {}), rules, now_ms)
    except ValueError as error:  # BadBody is one
        raise OpsmonError(f"this would be a dead letter: {error}") from None
    shown = {"event": event._asdict(), "bytes": len(encode(event)),
             "facts": [fact._asdict() for _, told in heard.told if isinstance(told, Told)
                       for fact in told.facts],
             "counts": [[*found, fields] for found, fields in counted.increments.items()], "notes": counted.counters}
    sys.stdout.buffer.write(orjson.dumps(shown, option=orjson.OPT_INDENT_2) + b"\n")
    return 0


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise OpsmonError(f"--url {text}: expected an address such as http://127.0.0.1:8000/webhooks/shopify")
    return text


def _order_id(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise OpsmonError(f"--undo {text}: expected the number that send-test printed")
    return int(text)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise OpsmonError(f"{path} cannot be read: {error.strerror}") from None

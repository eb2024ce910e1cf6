"""Large, deep and colliding JSON through the doors that machines use: answered at once, never a fault (T19, T20)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from opsmon.store.data_dir import DataDir
from opsmon.web.doors import FORM_BYTES
from tests.conftest import SECRET
from tests.http import request
from tests.line import Line, open_line
from tests.web.accounts.accounts import with_admin
from tests.web.test_odoo import SOURCE as ODOO
from tests.web.test_odoo import TOKEN as ODOO_TOKEN
from tests.web.test_source_doors import SIGNED, SOURCES, TOKEN

pytestmark = pytest.mark.anyio

WITHIN_S = 2.0
# Strings that are equal in what a weak hash looks at: multiples of the modulus of Python's own for numbers.
COLLIDING = b"{" + b",".join(b'"%d":1' % (number * (2**61 - 1)) for number in range(30_000)) + b"}"
BODIES = {
    **{f"{depth} arrays": b"[" * depth + b"]" * depth for depth in (65, 254, 1_024, 100_000)},
    **{f"{depth} objects": b'{"a":' * depth + b"1" + b"}" * depth for depth in (65, 254, 1_024, 100_000)},
    "arrays without end": b"[" * 100_000, "many small arrays": b"[" + b"[]," * 300_000 + b"[]]",
    "colliding names": COLLIDING, "one name, often": b"{" + b'"id":1,' * 100_000 + b'"id":2}',
    "a long number": b'{"id":' + b"9" * 500_000 + b"}", "a long fraction": b'{"id":0.' + b"9" * 500_000 + b"}",
    "a large exponent": b'{"id":1e999999999}', "30 digits": b'{"id":' + b"7" * 30 + b"}", "no text": b"\xff" * 1_000,
    "half a character": b'{"id":"\xc3"}', "half a pair": b'{"id":"\\ud800"}', "zeroes": b'{"id":"\\u0000"}',
    "a mark first": b"\xef\xbb\xbf{}", "nothing": b"", "NaN": b'{"id":NaN}',
}


@pytest.mark.parametrize("name", BODIES)
async def test_odd_json_is_answered_at_once_and_never_a_fault(line: Line, settings: Settings, name: str) -> None:
    """A signed webhook that cannot be used is kept aside (200); the others are told what is wrong. Then all goes on."""
    body, token = BODIES[name], DataDir(settings.data).test_secret()
    async with asyncio.timeout(3 * WITHIN_S):
        webhook = await line.post("orders/create", body)
        events = await request(line.port, "POST", "/ingest/events", body, {"authorization": f"Bearer {token}"})
        collected = await request(line.port, "POST", "/collect", body[:2_000], {"content-type": "text/plain"})
    assert (webhook.status, collected.status) == (200, 204)
    assert events.status in (200, 400, 413)
    assert (await line.get("/livez")).status == 200


# Each within what its own sender would send: by signature, by token in a header, by token in the address.
SENDERS = {
    **{f"/ingest/{name}": signed for name, signed in SIGNED.items()},
    f"/ingest/door/{TOKEN}": lambda body: {"content-type": "application/json"},
    f"/webhooks/odoo/{ODOO_TOKEN}": lambda body: {"content-type": "application/json"},
}
# Announced; it is not waited for.
OVERSIZED = {"content-length": str(2 * 1024**2)}


@pytest.fixture
async def others(settings: Settings, clock: ManualClock, store: Redis) -> AsyncIterator[Line]:
    """A site with a source of every kind that one declares."""
    async with open_line(replace(settings, sources=(*SOURCES, ODOO)), clock, store, SECRET.encode()) as line:
        yield line


@pytest.mark.parametrize("path", SENDERS, ids=["woo", "billing", "bus", "door", "token", "odoo"])
async def test_odd_json_of_other_senders_is_answered_at_once_and_never_a_fault(others: Line, path: str) -> None:
    """Taken, kept aside, not used or refused, each within seconds; over the limit is a 413. Then all goes on."""
    found = {}
    for name, body in BODIES.items():
        async with asyncio.timeout(WITHIN_S):
            found[name] = (await request(others.port, "POST", path, body, SENDERS[path](body))).status
    large = await request(others.port, "POST", path, b"", SENDERS[path](b"") | OVERSIZED)
    assert (large.status, set(found.values()) <= {200, 401, 415}) == (413, True), found
    assert (await others.get("/livez")).status == 200


async def test_odd_forms_at_the_way_in_are_answered_at_once_and_never_a_fault(line: Line) -> None:
    """Who signs in sends a form; whoever sends anything else there, or a program's API a body, is told so."""
    await with_admin(line.store)
    found = set()
    for body in (*BODIES.values(), b"&" * FORM_BYTES, b"email=" + b"%" * FORM_BYTES, b"a=1&" * FORM_BYTES):
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            async with asyncio.timeout(WITHIN_S):
                answer = await request(line.port, "POST", "/login", body[:FORM_BYTES], {
                    "content-type": kind, "sec-fetch-site": "same-origin"})
            found.add(answer.status)
    large = await request(line.port, "POST", "/login", b"", OVERSIZED | {
        "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"})
    assert (large.status, found <= {400, 403, 415, 429}) == (413, True), found
    assert (await line.get("/livez")).status == 200

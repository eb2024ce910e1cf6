"""Large, deep and colliding JSON through the doors that machines use: answered at once, never a fault (T19, T20)."""

import asyncio

import pytest

from opsmon.settings import Settings
from opsmon.store.data_dir import DataDir
from tests.http import request
from tests.line import Line

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

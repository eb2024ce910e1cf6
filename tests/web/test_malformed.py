"""What is no HTTP, or two things at once: refused or closed at once, and what is behind it never misread (T22)."""

import asyncio

import pytest

from tests.conftest import NOW_MS
from tests.line import Line
from tests.web.accounts.accounts import signed_in

pytestmark = pytest.mark.anyio

WITHIN_S = 3.0
HOST = b"Host: 127.0.0.1\r\n"
# Behind each: were it read as a request of its own, this is how its answer would look.
NEXT = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = b"POST /collect HTTP/1.1\r\n" + HOST
CHUNKED = b"POST /webhooks/shopify HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
SAMPLES: dict[str, bytes] = {
    "both lengths": CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    "both lengths, the other way": POST + b"Content-Length: 6\r\nTransfer-Encoding: "
                                    b"chunked\r\n\r\n0\r\n\r\nG",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "the same length twice": POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "a list of lengths": POST + b"Content-Length: 1, 1\r\n\r\na",
    "a length below nothing": POST + b"Content-Length: -1\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +1\r\n\r\na",
    "a length in hex": POST + b"Content-Length: 0x1\r\n\r\na",
    "a length beyond all": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "chunks twice": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks that are none": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks before something": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks after a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunks of old": b"POST /collect HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a size that is none": CHUNKED + b"\r\nzz\r\na\r\n0\r\n\r\n",
    "a size below nothing": CHUNKED + b"\r\n-1\r\na\r\n0\r\n\r\n",
    "a size beyond all": CHUNKED + b"\r\n" + b"f" * 20 + b"\r\na\r\n",
    "a chunk that is too long": CHUNKED + b"\r\n1\r\nab\r\n0\r\n\r\n",
    "chunks with bare newlines": CHUNKED + b"\r\n1\na\n0\n\n",
    "an address elsewhere": b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address of another scheme": b"GET file:///etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "no slash": b"GET status HTTP/1.1\r\n" + HOST + b"\r\n",
    "all of it": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a zero byte in the address": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a zero byte, written": b"GET /%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a zero byte in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\x00b\r\n\r\n",
    "bytes in the address": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header without name": b"GET / HTTP/1.1\r\n" + HOST + b": a\r\n\r\n",
    "a blank in a name": b"GET / HTTP/1.1\r\n" + HOST + b"X A: b\r\n\r\n",
    "a line that goes on": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\r\n c\r\n\r\n",
    "a bare return": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\rX-B: c\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: 127.0.0.1/?x=\r\n\r\n",
    "a host with somebody": b"GET / HTTP/1.1\r\nHost: evil@127.0.0.1\r\n\r\n",
    "two hosts in one": b"GET / HTTP/1.1\r\nHost: 127.0.0.1, evil.example\r\n\r\n",
    "a version to come": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "no version": b"GET /\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("1603010200010001fc0303") + b"\x00" * 200,
    "no method": b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method of nobody": b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a huge header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "a thousand headers": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\r\n" * 1_000 + b"\r\n",
}


async def said(port: int, sent: bytes) -> bytes:
    """All that is answered, until the other side closes. Raises TimeoutError when it does not in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    try:
        writer.write(sent)
        async with asyncio.timeout(WITHIN_S):
            while piece := await reader.read(65536):
                found += piece
    except ConnectionError:
        pass
    finally:
        writer.close()
    return found


@pytest.mark.parametrize("name", SAMPLES)
async def test_what_is_malformed_is_refused_and_what_is_behind_it_unread(line: Line, name: str) -> None:
    """One answer of 4xx or none, the connection closed within 3 s, and nothing answered twice."""
    await signed_in(line.store, "admin", NOW_MS)
    answered = await said(line.port, SAMPLES[name] + NEXT)
    assert answered[:10] in (b"", b"HTTP/1.1 4")
    assert answered.count(b"HTTP/1.1 ") == bool(answered)


async def test_what_is_right_is_answered_and_what_is_behind_it_too(line: Line) -> None:
    """The control: two requests, one behind the other, in chunks and with a length."""
    right = (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n" +
             POST + b"Content-Length: 2\r\n\r\n[]")
    last = NEXT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answers = (await said(line.port, right + last)).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"204", b"204", b"200"]

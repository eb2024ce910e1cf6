"""Who may change something: a page of this opsmon, and nobody else's (HARDENING T8)."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from opsmon.web.security import SameOrigin
from tests.http import request
from tests.line import Line

pytestmark = pytest.mark.anyio

HOST = "127.0.0.1:8000"
SAME = {"sec-fetch-site": "same-origin"}
OURS = {"origin": f"http://{HOST}"}
# What comes from elsewhere, or does not say where from.
STRANGE = [
    {}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": ""},
    {"sec-fetch-site": "Same-Origin"}, {"sec-fetch-site": "same-origin, cross-site"},
    {"sec-fetch-site": "cross-site", **OURS}, {"origin": "null"}, {"origin": ""}, {"origin": "http://"},
    {"origin": "http://evil.example"}, {"origin": f"http://{HOST}.evil.example"}, {"origin": "http://127.0.0.1"},
    {"origin": "http://127.0.0.1:8001"}, {"origin": HOST}, {"origin": f"ftp://{HOST}"},
    {"origin": f"http://user@{HOST}"}, {"referer": f"http://{HOST}/status"},
]


async def status_of(method: str, headers: dict[str, str], host: str | None = HOST) -> int:
    """What the middleware answers; 200 when the app behind it was asked."""
    said: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def receive() -> Message:
        raise AssertionError("nothing of a body is read")

    async def send(message: Message) -> None:
        said.append(message)

    given = headers | ({"host": host} if host is not None else {})
    await SameOrigin(app)({"type": "http", "method": method, "headers": [
        (name.encode(), value.encode()) for name, value in given.items()]}, receive, send)
    return int(said[0]["status"])


@pytest.mark.parametrize("headers", [SAME, {"sec-fetch-site": "none"}, OURS, {"origin": f"https://{HOST}"},
                                     {"origin": f"HTTP://{HOST}"}, SAME | OURS, SAME | {"origin": "null"}], ids=str)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_page_of_our_own_may_change_something(method: str, headers: dict[str, str]) -> None:
    """The browser vouches for it; a person who types an address is nobody's page."""
    assert await status_of(method, headers) == 200


@pytest.mark.parametrize("headers", STRANGE, ids=str)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
async def test_a_page_from_elsewhere_may_not(method: str, headers: dict[str, str]) -> None:
    """Another site, another port, a sandboxed frame, an old browser without a word: refused unread."""
    assert await status_of(method, headers) == 403


@pytest.mark.parametrize("headers", STRANGE, ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_reading_is_free(method: str, headers: dict[str, str]) -> None:
    """A link from elsewhere opens the board: nothing changes by being looked at."""
    assert await status_of(method, headers) == 200


async def test_no_host_is_nobodys_host() -> None:
    """An empty Origin and no Host are not the same."""
    assert [await status_of("POST", {"origin": origin}, None) for origin in ("http://", "null", "")] == [403] * 3


async def test_the_boards_stand_behind_it(line: Line) -> None:
    """Every page of them, with the security headers and a sentence that says what to do."""
    answer = await request(line.port, "POST", "/status", b"", {"sec-fetch-site": "cross-site"})
    assert (answer.status, "press the button again" in answer.text) == (403, True)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_webhooks_do_not(line: Line) -> None:
    """A vendor has no page: its signature speaks for it."""
    assert (await line.post("orders/create", {"id": 1}, sec_fetch_site="cross-site")).status == 200

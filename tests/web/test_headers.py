"""What every answer says of itself, and what none gives away (HARDENING T9, T30, D22)."""

import pytest

from opsmon.web import rendering
from opsmon.web.security import CSP
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line
from tests.web.accounts.accounts import signed_in, with_admin

pytestmark = pytest.mark.anyio

HELD = {
    "content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
}
HSTS = "max-age=63072000"
# Tells what runs here, or where.
GIVEN_AWAY = ("server", "x-powered-by", "via")
INSIDES = ("Traceback", 'File "', "redis.", "/home", "/root", "/tmp", "opsmon-test", "site-packages", "Error(")


# Beside HELD and what HTTP itself needs (date, content-length or transfer-encoding, connection): all that each kind of
# answer says. Whatever is new, or gone, is looked at.
KINDS = {
    "a page": ("GET", "/b/sales", {"content-type", "etag", "vary"}),
    "a wall": ("GET", "/wall", {"content-type", "etag", "vary"}),
    "a page of accounts": ("GET", "/people", {"content-type", "vary"}),
    "the sign-in page": ("GET", "/login", {"content-type", "vary"}),
    "JSON": ("GET", "/api/kpis", {"content-type"}),
    "JSON of a board": ("GET", "/b/sales.json", {"content-disposition", "content-type"}),
    "CSV": ("GET", "/kpi/orders-today.csv", {"content-disposition", "content-type", "vary"}),
    "CSV of the audit": ("GET", "/audit.csv", {"content-disposition", "content-type", "vary"}),
    "a static file": ("GET", rendering.asset("css/ops.css"), {"content-type", "vary"}),
    "an error": ("GET", "/nothing", {"content-type"}),
    "a refusal": ("POST", "/enter", {"content-type"}),
    "the wrong way": ("GET", "/logout", {"allow", "content-type"}),
    "metrics": ("GET", "/metrics", {"content-type"}),
    "health": ("GET", "/livez", {"content-type"}),
    "a stream of old": ("GET", "/live?v=x", {"content-type", "x-accel-buffering"}),
    "a service worker": ("GET", "/sw.js", {"content-type", "vary"}),
    "a webhook": ("POST", "/webhooks/shopify", {"content-type", "x-content-type-options"}),
    "events": ("POST", "/ingest/events", {"content-type", "www-authenticate", "x-content-type-options"}),
    "a pixel": ("POST", "/collect", {"access-control-allow-origin", "vary"}),
    "the pixel's script": ("GET", "/pixel.js", {"access-control-allow-origin", "cache-control", "content-type",
                                                 "cross-origin-resource-policy", "x-content-type-options"}),
}
OF_HTTP = {"date", "content-length", "transfer-encoding", "connection"}
# What machines and pages of other sites ask for carries what is of use there.
MACHINES = {"a webhook", "events", "a pixel", "the pixel's script"}


def held(answer: Answer) -> dict[str, str]:
    return {name: answer.headers.get(name, "") for name in HELD}


def static() -> str:
    return rendering.asset("css/ops.css")


PLACES = {
    "a page": ("GET", "/", 200), "the wall": ("GET", "/wall", 200), "a file": ("GET", static(), 200),
    "no file": ("GET", static() + "x", 404), "no page": ("GET", "/nothing", 404), "the wrong way": ("PUT", "/", 405),
    "a number": ("GET", "/api/kpis", 200), "no number": ("GET", "/api/kpis/nothing", 404),
    "a table": ("GET", "/kpi/orders-today.csv", 200), "metrics": ("GET", "/metrics", 200),
    "alive": ("GET", "/livez", 200), "ready": ("GET", "/readyz", 200), "sign in": ("GET", "/login", 200),
    "a change from nowhere": ("POST", "/enter", 403), "a stream the wrong way": ("POST", "/live", 403),
    "a stream of old": ("GET", "/live?v=x", 200), "the first link": ("GET", "/welcome/x", 410),
}


@pytest.mark.parametrize("name", PLACES)
async def test_every_answer_carries_the_headers(line: Line, name: str) -> None:
    """Whatever is asked, and whatever becomes of it; none says what runs here."""
    method, path, status = PLACES[name]
    headers = {"sec-fetch-site": "same-origin"} if method == "PUT" else {}
    answer = await request(line.port, method, path, b"", headers)
    assert (answer.status, held(answer)) == (status, HELD)
    assert [one for one in GIVEN_AWAY if one in answer.headers] == []
    assert [one for one in INSIDES if one in answer.text] == []
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_answer_has_these_headers_and_no_others(line: Line, kind: str) -> None:
    """Looked at by an admin: the set of D22, and what each kind says of itself."""
    method, path, own = KINDS[kind]
    answer = await request(line.port, method, path, b"", {"cookie": await signed_in(line.store, "admin", NOW_MS)})
    assert set(answer.headers) - OF_HTTP == own | (
        set() if kind in MACHINES else {"cache-control", *HELD})


CACHED = {
    "a page": "private, no-cache", "a wall": "private, no-cache",
    "a static file": "public, max-age=31536000, immutable",
    "a service worker": "no-cache", "CSV": "private, no-cache",
}


@pytest.mark.parametrize("kind", KINDS.keys() - MACHINES)
async def test_nothing_that_was_made_for_somebody_is_kept_for_another(line: Line, kind: str) -> None:
    """Neither by a proxy nor, but where it is asked again, by a browser that others use (CWE-524)."""
    method, path, _ = KINDS[kind]
    answer = await request(line.port, method, path, b"", {"cookie": await signed_in(line.store, "admin", NOW_MS)})
    assert answer.headers["cache-control"] == CACHED.get(kind, "no-store")


@pytest.mark.parametrize("path", ["/", "/wall", "/api/kpis/orders-today", "/kpi/orders-today"])
async def test_what_is_the_same_goes_on_being_kept(line: Line, path: str) -> None:
    """304 says nothing of keeping: it would take back what the first answer said."""
    first = await line.get(path)
    again = await line.get(path, if_none_match=first.headers["etag"])
    assert (again.status, again.headers.get("cache-control", "")) == (
        304, "private, no-cache" if "cache-control" in again.headers else "")


async def test_a_stream_carries_them(line: Line) -> None:
    """Though nothing stands between it and its socket afterwards."""
    stream = await line.open()
    assert {name: stream.headers.get(name, "") for name in HELD} == HELD
    assert (await stream.next_frame()).data != ""


@pytest.mark.parametrize("path", ["/status", "/live?v=x", "/nothing", "/login"])
async def test_who_is_turned_away_reads_them_too(line: Line, path: str) -> None:
    """303, 401 and all."""
    await with_admin(line.store)
    by_another_name = await line.get(path, host="unknown.example")
    assert (held(await line.get(path)), held(by_another_name), by_another_name.status) == (HELD, HELD, 421)


@pytest.mark.parametrize("path", ["/", "/login", "/nothing", "/livez"])
async def test_over_tls_a_browser_is_told_to_stay_there(line: Line, path: str) -> None:
    """For two years; a trusted proxy says that it was TLS."""
    await with_admin(line.store)
    answer = await line.get(path, x_forwarded_proto="https")
    assert answer.headers["strict-transport-security"] == HSTS


@pytest.mark.parametrize("path", ["/status", "/status.json"])
async def test_a_fault_of_ours_shows_no_insides(line: Line, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence and the headers; what happened is in the log."""
    async def failing(*_: object) -> None:
        raise RuntimeError("redis.exceptions at /home/opsmon: Error(secret)")

    monkeypatch.setattr("opsmon.web.pages.gather", failing)
    cookie = await signed_in(line.store, "admin", NOW_MS)
    answer = await line.get(path, cookie=cookie)
    assert (answer.status, held(answer)) == (500, HELD)
    assert [one for one in (*INSIDES, "secret", "RuntimeError") if one in answer.text] == []


async def test_webhooks_are_never_taken_for_pages(line: Line) -> None:
    """What they are answered is text, and stays text."""
    answer = await line.post("orders/create", b"<script>", x_shopify_hmac_sha256="")
    assert (answer.status, answer.headers["x-content-type-options"]) == (401, "nosniff")


@pytest.mark.parametrize(("path", "method"), [("/webhooks/shopify", "POST"), ("/ingest/events", "POST"),
                                              ("/collect", "POST"), ("/enter", "POST"), ("/", "GET")])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate, gzip", "x"])
async def test_nothing_packed_is_unpacked(line: Line, path: str, method: str, encoding: str) -> None:
    """A few bytes could become a gigabyte: 415, and how to send it."""
    answer = await request(line.port, method, path, b"\x1f\x8b", {"content-encoding": encoding})
    assert (answer.status, answer.text) == (
        415, "Send the body as it is: nothing packed (Content-Encoding) is taken.\n")

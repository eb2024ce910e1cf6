"""Twenty secrets sent through every door: none is in a log, in an answer, or among the metrics (HARDENING T25)."""

import logging
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest

from opsmon.logs import OneLine
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line
from tests.web.accounts.accounts import signed_in

pytestmark = pytest.mark.anyio

SECRETS = [f"Sentinel-{number:02}-" + "abcdefghijklmnopqrstuvwxyz0123456789"[number:] for number in range(20)]
FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
INJECTED = "a\r\n2026-11-21 00:00:00 INFO opsmon: all is well\x1b[2J\u2028b"


def requests() -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """Method, address, body, headers: each secret where somebody may put one."""
    one = iter(SECRETS)
    yield "POST", f"/webhooks/shopify/{next(one)}", b"{}", {}
    yield "POST", f"/webhooks/shopify?token={next(one)}", b"{}", {}
    yield "POST", f"/webhooks/nobody/{next(one)}", b"{}", {}
    yield "POST", f"/ingest/nobody/{next(one)}", b"{}", {}
    yield "POST", "/webhooks/shopify", b"{}", {"x-shopify-hmac-sha256": next(one)}
    yield "POST", "/webhooks/shopify", f'{{"token": "{next(one)}"'.encode(), {"authorization": f"Basic {next(one)}"}
    yield "POST", "/ingest/events", b"[]", {"authorization": f"Bearer {next(one)}"}
    yield "POST", "/collect", f'[{{"name": "{next(one)}"}}]'.encode(), {}
    yield "GET", "/api/kpis", b"", {"authorization": f"Bearer {next(one)}"}
    yield "GET", "/metrics", b"", {"authorization": f"bearer  {next(one)}"}
    yield "GET", "/status", b"", {"cookie": f"opsmon-session={next(one)}"}
    yield "GET", "/live?v=x", b"", {"cookie": f"opsmon-screen={next(one)}", "last-event-id": next(one)}
    yield "POST", "/login", urlencode({"email": "ana@shop.example", "password": next(one)}).encode(), FORM
    yield "POST", "/login", urlencode({"email": "eve@x.example", "password": next(one)}).encode(), FORM
    yield "GET", f"/invite/{next(one)}", b"", {}
    yield "POST", f"/welcome/{next(one)}", urlencode({"password": next(one)}).encode(), FORM
    yield "POST", "/logout", b"", {"sec-fetch-site": "same-origin", "x-csrf": next(one)}
    yield "GET", "/ HTTP/9.9", f"password={SECRETS[-1]}".encode(), {}


async def ask(line: Line) -> list[Answer]:
    return [await request(line.port, *one) for one in requests()]


async def test_no_secret_is_repeated_anywhere(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger turned up to its most: what was sent is in no line, no answer, no metric."""
    caplog.set_level(logging.DEBUG)
    cookie = await signed_in(line.store, "admin", NOW_MS)
    answers = await ask(line)
    pages = ("/metrics", "/status", "/status.json", "/dead-letters")
    answers += [await line.get(path, cookie=cookie) for path in pages]
    written = caplog.text + "".join(OneLine().format(record) for record in caplog.records)
    said = "".join(f"{answer.headers}{answer.text}" for answer in answers)
    assert [secret for secret in SECRETS if secret in written or secret in said] == []
    assert all(any(secret in str(one) for one in requests()) for secret in SECRETS)


async def test_nothing_a_sender_does_is_a_line_of_the_log(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """So nobody fills a disk, or writes lines of their own: what is refused is counted."""
    caplog.set_level(logging.INFO)
    await signed_in(line.store, "admin", NOW_MS)
    await ask(line)
    told = quote(INJECTED)
    for path in (f"/{told}", f"/webhooks/{told}", f"/kpi/{told}", f"/login?next={told}", f"/live?v={told}"):
        await line.get(path, user_agent="a\x1b[2J", x_forwarded_for="\x85")
    await request(line.port, "POST", "/login", urlencode({"email": INJECTED, "password": INJECTED}).encode(), FORM)
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize("text", [INJECTED, "\0", "\x7f\x9b2J", "a\tb", "\u2029"])
def test_a_line_of_the_log_is_one_line(text: str) -> None:
    """Whatever is in it: a reader, and a terminal, sees what was written and nothing else."""
    record = logging.LogRecord("opsmon", logging.INFO, __file__, 1, "said %s", (text,), None)
    line = OneLine().format(record)
    assert (len(line.splitlines()), line.isprintable()) == (1, True)


def test_a_traceback_stands_behind_its_line() -> None:
    """Indented, so that what an error quotes is no line of its own."""
    try:
        raise ValueError(INJECTED)
    except ValueError as error:
        info = type(error), error, error.__traceback__
    record = logging.LogRecord("opsmon", logging.ERROR, __file__, 1, "failed", (), info)
    first, *more = OneLine().format(record).split("\n")
    assert (first.endswith("ERROR opsmon: failed"), {line[:4] for line in more}) == (True, {"    "})

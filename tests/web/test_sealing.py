"""Every address that changes something × every way another site could ask for it: refused, and nothing written (T8)."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from opsmon.web.doors import HARMLESS
from opsmon.web.route_table import route_table
from opsmon.web.sealing import token_of
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line
from tests.store.dump import dump, without_idle
from tests.web.accounts.accounts import signed_in

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
EXAMPLES = {"{board}": "operations", "{name}": "events", "{id}": "orders-today", "{secret}": "x"}
# Machines have no cookies that a browser could send along: a signature or a token of their own speaks for them, and
# /collect takes from anybody.
MACHINES = {"/collect", "/ingest/events", "/ingest/{source}", "/ingest/{source}/{token}", "/webhooks/{source}",
            "/webhooks/{source}/{token}"}
UNSAFE = [(method, row.path) for row in route_table() if row.path not in MACHINES
          for method in row.methods if method not in HARMLESS]
FORM = "application/x-www-form-urlencoded"
SAME = {"sec-fetch-site": "same-origin"}
STRANGER = token_of("a-secret-of-somebody-else-entirely")
# What comes with a request of somebody signed in, and what it says of itself; {token} is the right one.
WAYS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "no token": ({"content-type": FORM, **SAME}, {}),
    "an empty token": ({"content-type": FORM, **SAME}, {"csrf": ""}),
    "an address that was typed": ({"content-type": FORM, "sec-fetch-site": "none"}, {}),
    "the token in the address": ({"content-type": FORM, **SAME, "referer": "/?csrf={token}"}, {}),
    "a wrong token": ({"content-type": FORM, **SAME}, {"csrf": "0" * 64}),
    "the token of somebody else": ({"content-type": FORM, **SAME}, {"csrf": STRANGER}),
    "a wrong token of a script": ({"content-type": FORM, "x-csrf": STRANGER, **SAME}, {}),
    "another site": ({"content-type": FORM, "sec-fetch-site": "cross-site"}, {"csrf": "{token}"}),
    "a subdomain": ({"content-type": FORM, "sec-fetch-site": "same-site"}, {"csrf": "{token}"}),
    "a sandboxed frame": ({"content-type": FORM, "origin": "null"}, {"csrf": "{token}"}),
    "an old browser elsewhere": ({"content-type": FORM, "origin": "https://evil.example"}, {"csrf": "{token}"}),
    "nobody's page": ({"content-type": FORM}, {"csrf": "{token}"}),
    "a form of plain text": ({"content-type": "text/plain", **SAME}, {"csrf": "{token}"}),
    "a form with files": ({"content-type": "multipart/form-data; boundary=x", **SAME}, {"csrf": "{token}"}),
    "no form": (SAME, {"csrf": "{token}"}),
    "JSON": ({"content-type": "application/json", **SAME}, {"csrf": "{token}"}),
}


async def written(line: Line) -> dict[bytes, Any]:
    """All that the store holds, but how often somebody tried, and when they were last here."""
    return {key: found for key, found in without_idle(await dump(line.store)).items()
            if not key.startswith((b"{main}:tries", b"{main}:used", b"{main}:note"))}


async def ask(line: Line, method: str, path: str, cookie: str, way: str) -> Answer:
    headers, fields = WAYS[way]
    token = token_of(cookie.partition("=")[2])
    path = re.sub(r"\{\w+\}", lambda found: EXAMPLES.get(found[0], "x"), path)
    body = urlencode({name: value.replace("{token}", token) for name, value in fields.items()}).encode()
    return await request(line.port, method, path, body, {"x-csrf": "", "cookie": cookie, **headers})


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_changed_from_elsewhere(line: Line, way: str) -> None:
    """An admin's browser sends its cookies along; the answer is 403 each time, and every key is what it was."""
    cookie = await signed_in(line.store, "admin", NOW_MS)
    before = await written(line)
    assert {place: (await ask(line, *place, cookie, way)).status for place in UNSAFE} == dict.fromkeys(UNSAFE, 403)
    assert await written(line) == before


async def test_a_page_of_ours_may(line: Line) -> None:
    """The control: the same request with all three in order, as a field and as a header."""
    cookie = await signed_in(line.store, "admin", NOW_MS)
    token = token_of(cookie.partition("=")[2])
    as_field = await request(line.port, "POST", "/logout", f"csrf={token}".encode(),
                             {"cookie": cookie, "content-type": FORM, "x-csrf": "", **SAME})
    assert (as_field.status, as_field.headers["location"]) == (303, "/login")
    assert (await line.get("/", cookie=cookie)).status == 303
    again = await signed_in(line.store, "admin", NOW_MS)
    as_header = await request(line.port, "POST", "/logout", b"", {
        "cookie": again, "x-csrf": token_of(again.partition("=")[2]), **SAME})
    assert as_header.status == 303


def token_on(answer: Answer) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', answer.text)
    return found[1] if found else ""


async def test_a_form_for_nobody_in_particular_brings_a_cookie_that_it_belongs_to(line: Line) -> None:
    """The sign-in page: read only by who got it, and good for as long as its cookie."""
    await signed_in(line.store, "admin", NOW_MS)
    page = await line.get("/login")
    cookie, _, flags = page.headers["set-cookie"].partition(";")
    assert (cookie.partition("=")[0], token_of(cookie.partition("=")[2])) == ("opsmon-form", token_on(page))
    assert flags == " Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
    again = await line.get("/login", cookie=cookie)
    assert (token_on(again), "set-cookie" in again.headers) == (token_on(page), False)


async def test_a_form_for_somebody_belongs_to_their_session(line: Line) -> None:
    """Signed in anew, its old pages are good for nothing."""
    cookie = await signed_in(line.store, "operator", NOW_MS)
    assert token_on(await line.get("/enter", cookie=cookie)) == token_of(cookie.partition("=")[2])


async def test_what_is_shown_to_all_is_sealed_for_nobody(line: Line) -> None:
    """The cards of sources are drawn once, also by whoever looks first; the page has their form, and that which signs
    out."""
    cookie = await signed_in(line.store, "admin", NOW_MS)
    page = await line.get("/sources", cookie=cookie)
    assert page.text.count("csrf") == 2
    assert re.search(r'<form id="act" method="post"><input type="hidden"', page.text)
    assert 'form="act" formaction="/sources/shopify/test"' in page.text
    assert line.web.sources_hub is not None
    assert not [slot for slot in line.web.sources_hub.slots.values() if b"csrf" in slot.partial]


def test_every_form_that_changes_something_is_sealed() -> None:
    """In the templates, right behind its tag; and none in what is drawn once for all."""
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "templates").rglob("*.jinja")}
    forms = [(path, found[1]) for path, text in texts.items()
             for found in re.finditer(r'<form\b[^>]*method="post"[^>]*>\s*(\S+ ?\S+)', text)]
    assert [path for path, behind in forms if not behind.startswith("{{ csrf()")] == []
    assert len(forms) >= 7
    assert [path for path in texts if path.startswith("templates/partials/") and "csrf" in texts[path]] == []


def test_machines_have_no_seal() -> None:
    """They have no cookies; their signature or their token speaks for them."""
    audiences = {row.path: row.audience for row in route_table() if row.path in MACHINES}
    assert audiences == {
        "/collect": "anyone", "/ingest/events": "whoever has a token", "/ingest/{source}": "whoever signs",
        "/ingest/{source}/{token}": "whoever has its token", "/webhooks/{source}": "whoever signs",
        "/webhooks/{source}/{token}": "whoever has its token"}


async def test_no_cookie_opens_a_door_of_machines(line: Line) -> None:
    """An admin's browser that is made to send there is a machine without a signature: 401, and nothing is taken."""
    cookie = await signed_in(line.store, "admin", NOW_MS)
    before = await written(line)
    doors = ("/webhooks/shopify", "/ingest/events", "/ingest/shopify", "/webhooks/shopify/x")
    answers = {path: (await request(line.port, "POST", path, b"{}", {"cookie": cookie, **SAME})).status
               for path in doors}
    assert set(answers.values()) <= {401, 404}
    assert await written(line) == before


def test_a_token_tells_nothing_of_its_secret() -> None:
    """Whoever reads the page cannot make the cookie, nor anything else of it."""
    assert token_of("a" * 43) != token_of("b" * 43)
    assert "a" * 8 not in token_of("a" * 43)

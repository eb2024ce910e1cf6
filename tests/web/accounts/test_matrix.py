"""Every URL of the boards × every role: who is let in is written here once more, by hand."""

import pytest

from opsmon.core.access import Audience, Role
from opsmon.web.doors import Door
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line
from tests.web.accounts.accounts import paired, program, signed_in, with_admin

pytestmark = pytest.mark.anyio

ROLES: tuple[Role, ...] = ("wall", "viewer", "operator", "manager", "admin", "numbers", "metrics", "rules")
IN: dict[Audience, str] = {
    "anyone": "nobody wall viewer operator manager admin numbers metrics rules",
    "screens": "wall viewer operator manager admin", "readers": "viewer operator manager admin",
    "floor": "operator manager admin", "managers": "manager admin", "admins": "admin",
    "numbers": "viewer operator manager admin numbers", "metrics": "manager admin metrics",
    "rules": "manager admin rules",
}
TABLE: dict[tuple[str, str], Audience] = {
    ("GET", "/"): "readers",
    ("GET", "/b/{board}"): "readers",
    ("GET", "/wall"): "screens",
    ("GET", "/wall/{board}"): "screens",
    ("GET", "/boards"): "managers",
    ("POST", "/boards"): "managers",
    ("POST", "/boards/import"): "managers",
    ("GET", "/b/{board}.json"): "managers",
    ("GET", "/b/{board}/edit"): "managers",
    ("POST", "/b/{board}/edit"): "managers",
    ("GET", "/b/{board}/add"): "managers",
    ("GET", "/search"): "readers",
    ("GET", "/keys"): "readers",
    ("GET", "/manifest.webmanifest"): "anyone",
    ("GET", "/sw.js"): "anyone",
    ("GET", "/offline"): "anyone",
    ("GET", "/live"): "screens",
    ("GET", "/sources"): "managers",
    ("POST", "/sources/{name}/test"): "admins",
    ("GET", "/status"): "managers",
    ("GET", "/status.json"): "managers",
    ("GET", "/dead-letters"): "admins",
    ("POST", "/dead-letters"): "admins",
    ("GET", "/dead-letters/{id}"): "admins",
    ("POST", "/dead-letters/{id}"): "admins",
    ("GET", "/enter"): "floor",
    ("POST", "/enter"): "floor",
    ("GET", "/components"): "readers",
    ("GET", "/people"): "admins",
    ("POST", "/people"): "admins",
    ("POST", "/people/{id}"): "admins",
    ("GET", "/profile"): "readers",
    ("POST", "/profile"): "readers",
    ("GET", "/tokens"): "admins",
    ("POST", "/tokens"): "admins",
    ("GET", "/audit"): "admins",
    ("GET", "/audit.csv"): "admins",
    ("GET", "/kpi/{id}.csv"): "readers",
    ("GET", "/kpi/{id}"): "readers",
    ("GET", "/api/kpis"): "numbers",
    ("GET", "/api/kpis/{id}"): "numbers",
    ("GET", "/api/kpis/{id}/explain"): "numbers",
    ("GET", "/api/alerts"): "numbers",
    ("GET", "/api/rules"): "rules",
    ("GET", "/api/rules/{rule}"): "rules",
    ("PUT", "/api/rules/{rule}"): "rules",
    ("DELETE", "/api/rules/{rule}"): "rules",
    ("GET", "/api/openapi.json"): "numbers",
    ("GET", "/metrics"): "metrics",
    ("GET", "/alerts"): "readers",
    ("GET", "/alerts.csv"): "readers",
    ("GET", "/alerts.ndjson"): "readers",
    ("GET", "/alerts/quality"): "managers",
    ("POST", "/alerts/quality"): "managers",
    ("GET", "/alerts/{fingerprint}"): "readers",
    ("POST", "/alerts/{fingerprint}"): "floor",
    ("GET", "/rules"): "managers",
    ("POST", "/rules"): "managers",
    ("GET", "/rules/{rule}"): "managers",
    ("GET", "/silences"): "managers",
    ("POST", "/silences"): "managers",
    ("GET", "/calendar"): "managers",
    ("POST", "/calendar"): "managers",
    ("GET", "/pair"): "anyone",
    ("GET", "/screens"): "managers",
    ("POST", "/screens"): "managers",
    ("GET", "/screens/pair"): "managers",
    ("POST", "/screens/pair"): "managers",
    ("GET", "/a/{token}"): "anyone",
    ("POST", "/a/{token}"): "anyone",
    ("GET", "/receivers"): "admins",
    ("POST", "/receivers"): "admins",
    ("GET", "/login"): "anyone",
    ("POST", "/login"): "anyone",
    ("POST", "/logout"): "anyone",
    ("GET", "/welcome/{secret}"): "anyone",
    ("POST", "/welcome/{secret}"): "anyone",
    ("GET", "/invite/{secret}"): "anyone",
    ("POST", "/invite/{secret}"): "anyone",
}
# A thing of each kind that everybody who is let in may also see.
EXAMPLES = {"{board}": "operations", "{name}": "events", "{id}": "orders-today", "{secret}": "x",
            "{fingerprint}": "0123456789abcdef", "{rule}": "new"}


def is_let_in(place: tuple[str, str], answer: Answer) -> bool:
    if place[1] in ("/login", "/logout"):
        return True  # they lead there themselves, and a wrong password is 403
    return answer.status not in (401, 403) and not answer.headers.get("location", "").startswith("/login")


def doors(line: Line) -> dict[tuple[str, str], Door]:
    return {(method, door.path): door for door in line.web.doors for method in door.methods}


def example(path: str) -> str:
    for name, value in EXAMPLES.items():
        path = path.replace(name, value)
    return path


async def headers_of(line: Line, role: Role) -> dict[str, str]:
    """How somebody of a role shows who they are."""
    if role == "wall":
        return {"cookie": await paired(line.store, NOW_MS)}
    if role in ("numbers", "metrics", "rules"):
        return {"authorization": await program(line.store, NOW_MS, [role])}
    return {"cookie": await signed_in(line.store, role, NOW_MS)}


async def ask(line: Line, method: str, path: str, headers: dict[str, str]) -> Answer:
    """Ask as a page of this opsmon would; of a stream only whether it opens."""
    query = "?v=another" if path == "/live" else ""
    return await request(line.port, method, example(path) + query, b"", {"sec-fetch-site": "same-origin", **headers})


async def test_every_url_declares_for_whom_it_is_and_the_table_agrees(line: Line) -> None:
    """A new URL is in no table, and so fails here."""
    assert {place: door.audience for place, door in doors(line).items()} == TABLE


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_is_let_in_where_the_table_says_and_nowhere_else(line: Line, role: Role) -> None:
    """All URLs, all methods; who is not let in changes nothing and reads nothing."""
    headers = await headers_of(line, role)
    answers = {place: await ask(line, *place, headers) for place in TABLE}
    assert {place for place, answer in answers.items() if is_let_in(place, answer)} == {
        place for place, audience in TABLE.items() if role in IN[audience].split()}


async def test_somebody_unknown_is_let_in_nowhere(line: Line) -> None:
    """Pages send them to sign in, programs get 401."""
    await with_admin(line.store)
    answers = {place: await ask(line, *place, {}) for place in TABLE}
    assert {place for place, answer in answers.items() if is_let_in(place, answer)} == {
        place for place, audience in TABLE.items() if "nobody" in IN[audience].split()}


async def test_a_page_asked_for_is_shown_after_signing_in(line: Line) -> None:
    """Where they wanted to go is kept."""
    await with_admin(line.store)
    answer = await line.get("/b/sales?theme=dark")
    assert (answer.status, answer.headers["location"]) == (303, "/login?next=%2Fb%2Fsales%3Ftheme%3Ddark")


async def test_a_stream_is_refused_and_never_sent_elsewhere(line: Line) -> None:
    """A redirect would be followed in a loop."""
    await with_admin(line.store)
    assert (await line.get("/live?v=x")).status == 401


async def test_who_may_not_reads_for_whom_it_is(line: Line) -> None:
    """And who they are to opsmon."""
    cookie = await signed_in(line.store, "viewer", NOW_MS)
    answer = await line.get("/status", cookie=cookie)
    assert answer.status == 403
    assert "This is for managers and admins; you are Ana viewer (viewer)." in answer.text


async def test_a_session_that_ended_is_nobody(line: Line) -> None:
    """Its time is over even if the store still had it."""
    cookie = await signed_in(line.store, "admin", NOW_MS - 7_200_000, lasts_ms=3_600_000)
    assert (await line.get("/status", cookie=cookie)).status == 303


@pytest.mark.parametrize("cookie", ["opsmon-session=", "opsmon-session=x", 'opsmon-session="', "opsmon-session=%00",
                                    "a=b; opsmon-session=" + "a" * 5000, "=;;=", "\xff=1; opsmon-session=1"])
async def test_a_cookie_that_is_none_of_ours_is_nobody(line: Line, cookie: str) -> None:
    """Whatever it holds, it opens nothing and breaks nothing."""
    await with_admin(line.store)
    assert (await line.get("/status", cookie=cookie)).status == 303

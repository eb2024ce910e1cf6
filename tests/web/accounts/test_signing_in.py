"""How somebody becomes known: the first admin, an invitation, a password; and how nobody else does."""

import asyncio
import re
from urllib.parse import urlencode

import pytest

from opsmon.clock import ManualClock
from opsmon.core.access import LOCAL, Role
from opsmon.settings import Settings
from opsmon.store.accounts.audit import read_audit
from opsmon.store.accounts.people import People
from opsmon.store.accounts.records import Person
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line
from tests.web.accounts.accounts import KEYS, with_admin

pytestmark = pytest.mark.anyio

PASSWORD = "three odd herons"


async def send(line: Line, path: str, cookie: str = "", site: str = "same-origin", **fields: str) -> Answer:
    """Send a form as a page of this opsmon does."""
    headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": site}
    return await request(line.port, "POST", path, urlencode(fields).encode(),
                         {**headers, "cookie": cookie} if cookie else headers)


def cookie_of(answer: Answer) -> str:
    return answer.headers.get("set-cookie", "").partition(";")[0]


def trouble(answer: Answer) -> str:
    found = re.search(r'class="entry__trouble"[^>]*>.*?</svg>\s*(.*?)</p>', answer.text, re.DOTALL)
    return found[1] if found else ""


async def person(line: Line, role: Role = "admin", email: str = "ana@shop.example") -> tuple[Person, str]:
    """Somebody invited, and the path of their link."""
    people = People(line.store, Reader(line.store), KEYS)
    outcome, made, secret = await people.add(LOCAL, "127.0.0.1", email, "Ana", role, NOW_MS)
    assert outcome == "done"
    return made, f"/invite/{secret}"


async def admin(line: Line) -> str:
    """An admin who has accepted; their Cookie header."""
    _, path = await person(line)
    answer = await send(line, path, password=PASSWORD)
    assert answer.status == 303
    return cookie_of(answer)


async def login(line: Line, password: str = PASSWORD, email: str = "ana@shop.example", **more: str) -> Answer:
    return await send(line, "/login", email=email, password=password, **more)


# The first


async def test_the_printed_link_makes_the_first_admin(line: Line, settings: Settings) -> None:
    """And signs them in."""
    path = f"/welcome/{DataDir(settings.data).first_secret()}"
    answer = await send(line, path, name="Ana", email="Ana@Shop.example ", password=PASSWORD)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert (await line.get("/dead-letters", cookie=cookie_of(answer))).status == 200
    assert (await line.get("/")).status == 303


async def test_the_first_admin_is_made_from_another_machine_too(line: Line, settings: Settings) -> None:
    """A server in the hall has no screen of its own; the link's secret is what counts, and shows no board."""
    path = f"/welcome/{DataDir(settings.data).first_secret()}"
    assert [(await line.get(one, host="hall.example")).status for one in (path, "/", "/login")] == [200, 403, 403]


async def test_nobody_is_first_without_the_link(line: Line) -> None:
    """Not even at this machine, and nothing is changed."""
    answer = await send(line, "/welcome/" + "a" * 43, name="Eve", email="eve@x.example", password=PASSWORD)
    assert (answer.status, await line.store.exists(KEYS.people)) == (410, 0)


async def test_the_link_of_the_first_is_good_once(line: Line, settings: Settings) -> None:
    """Two at the same time: one is first."""
    path = f"/welcome/{DataDir(settings.data).first_secret()}"
    answers = await asyncio.gather(*(send(line, path, name=f"Person {n}", email=f"p{n}@x.example", password=PASSWORD)
                                     for n in range(3)))
    assert sorted(answer.status for answer in answers) == [303, 410, 410]
    assert (await line.get(path)).status == 410


@pytest.mark.parametrize(("fields", "said"), [
    ({"email": "ana"}, "This is no e-mail address: write it like ana@shop.example."),
    ({"name": " "}, "Give a name of 1 to 60 characters."),
    ({"password": "short"}, "Use at least 10 characters: three words that do not belong together are good."),
    ({"password": "password123"}, "This would be guessed first: use three words that do not belong together."),
    ({"password": "ana@shop.example"}, "This would be guessed first: use three words that do not belong together."),
    ({"password": "aaaaaaaaaaaa"}, "This would be guessed first: use three words that do not belong together."),
    ({"password": "x" * 129}, "Use at most 128 characters."),
])
async def test_what_cannot_be_is_told_beside_its_field(line: Line, settings: Settings, fields: dict[str, str],
                                                       said: str) -> None:
    """In the words of whoever typed it; what was right stays typed, but never a password."""
    path = f"/welcome/{DataDir(settings.data).first_secret()}"
    typed = {"name": "Ana", "email": "ana@shop.example", "password": PASSWORD, **fields}
    answer = await send(line, path, **typed)
    assert (answer.status, re.findall(r'class="field__error"[^>]*>.*?</svg>\s*(.*?)</p>', answer.text, re.DOTALL)) == (
        422, [said])
    assert typed["password"] not in answer.text.replace('value="ana@shop.example"', "")


# An invitation


async def test_an_invitation_lets_somebody_choose_a_password_and_come_in(line: Line) -> None:
    """Once."""
    await with_admin(line.store)
    _, path = await person(line, "viewer")
    answer = await send(line, path, password=PASSWORD)
    assert (await line.get("/", cookie=cookie_of(answer))).status == 200
    again = await send(line, path, password="another three words")
    assert [again.status, (await line.get(path)).status] == [410, 410]


async def test_a_weak_password_does_not_use_the_link_up(line: Line) -> None:
    """One may try again."""
    _, path = await person(line)
    assert [(await send(line, path, password=one)).status for one in ("short", PASSWORD)] == [422, 303]


async def test_a_new_password_ends_what_was_begun_with_the_old_one(line: Line) -> None:
    """Whoever had it stolen gets rid of the thief."""
    stolen = await admin(line)
    people = People(line.store, Reader(line.store), KEYS)
    ana = await people.by_email("ana@shop.example")
    assert ana is not None
    await send(line, f"/invite/{await people.link(ana, 'reset')}", password="other odd herons")
    assert (await line.get("/", cookie=stolen)).status == 303
    assert [(await login(line)).status, (await login(line, "other odd herons")).status] == [403, 303]


# Signing in


async def test_a_password_lets_in_and_on_to_where_one_wanted_to_be(line: Line) -> None:
    """The session is a cookie that no script reads and no other site's form sends."""
    await admin(line)
    answer = await login(line, next="/b/sales?theme=dark")
    assert (answer.status, answer.headers["location"], answer.headers["set-cookie"].partition(";")[2]) == (
        303, "/b/sales?theme=dark", " Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax")


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil.example", "/login?next=/",
                                  "javascript:alert(1)", "/a\r\nset-cookie: x=y", "", "/ä", "/" + "a" * 400])
async def test_nobody_is_sent_elsewhere_after_signing_in(line: Line, path: str) -> None:
    """Only to a path of this opsmon."""
    await admin(line)
    assert (await login(line, next=path)).headers["location"] == "/"


async def test_wrong_and_unknown_sound_the_same(line: Line) -> None:
    """Who has an account is nobody's business."""
    await admin(line)
    answers = [await login(line, "wrong"), await login(line, email="eve@x.example"), await login(line, "", "")]
    assert [(answer.status, trouble(answer)) for answer in answers] == [
        (403, "This e-mail address and this password do not belong together.")] * 3


async def test_an_account_that_is_off_or_not_accepted_lets_nobody_in(line: Line) -> None:
    """Whatever the password."""
    await admin(line)
    await person(line, "viewer", "ben@shop.example")
    assert [(await login(line, one, "ben@shop.example")).status for one in ("", PASSWORD)] == [403, 403]


async def test_an_account_is_tried_at_most_twenty_times_an_hour(line: Line, clock: ManualClock) -> None:
    """However many guesses come: nineteen are looked at and, when the hour is over, the twentieth."""
    await admin(line)
    statuses = []
    for _ in range(120):
        statuses += [(await login(line, "wrong")).status for _ in range(3)]
        clock.advance(30_000)
    assert (statuses.count(403), set(statuses)) == (19, {403, 429})
    assert (await login(line, PASSWORD)).status == 303
    tried = [await login(line, PASSWORD) for _ in range(6)]
    assert (tried[-1].status, trouble(tried[-1])) == (
        429, "Too many tries. Try again in 4 min, or ask an admin for a link to choose a new password.")


async def test_guessing_at_many_accounts_from_one_address_is_bounded_too(line: Line) -> None:
    """A list of stolen passwords is tried on one account each."""
    await admin(line)
    statuses = [(await login(line, "wrong", f"p{number}@x.example")).status for number in range(35)]
    assert (statuses.count(403), statuses.count(429)) == (30, 5)


async def test_signing_in_makes_a_session_of_its_own_and_ends_the_one_before(line: Line) -> None:
    """An id from before is worth nothing afterwards."""
    before = await admin(line)
    answer = await send(line, "/login", before, email="ana@shop.example", password=PASSWORD)
    assert cookie_of(answer) != before
    assert [(await line.get("/", cookie=one)).status for one in (before, cookie_of(answer))] == [303, 200]


async def test_signing_out_ends_the_session_and_takes_the_cookie(line: Line) -> None:
    """A copy of it is worth nothing."""
    cookie = await admin(line)
    answer = await send(line, "/logout", cookie)
    assert (answer.headers["location"], "Max-Age=0" in answer.headers["set-cookie"]) == ("/login", True)
    assert (await line.get("/", cookie=cookie)).status == 303


@pytest.mark.parametrize("path", ["/login", "/logout", "/welcome/x", "/invite/x"])
async def test_another_site_cannot_sign_anybody_in_or_out(line: Line, path: str) -> None:
    """Nor into an account of its own."""
    assert (await send(line, path, site="cross-site", email="a@b.example", password=PASSWORD)).status == 403


async def test_pages_with_secrets_in_their_address_are_not_kept(line: Line) -> None:
    """Not by the browser, and no other page learns where one came from."""
    _, path = await person(line)
    answer = await line.get(path)
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "same-origin")


async def test_the_audit_tells_how_somebody_came_in(line: Line) -> None:
    """Invited, accepted; without the password."""
    await admin(line)
    lines = await read_audit(Reader(line.store), KEYS, 10)
    assert [(one.who, one.what) for one in lines] == [("Ana", "person.accepted"), ("this machine", "person.invited")]
    assert lines[0].changes == (("password", "", "•••"),)

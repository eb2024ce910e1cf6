"""A screen shows a code, somebody lets it in, looks after it, and takes it away again: by pages and streams."""

import re
from urllib.parse import urlencode

import pytest

from opsmon.clock import ManualClock
from opsmon.core.access import Role
from opsmon.core.pairing import code_of
from opsmon.store.accounts.recognising import Recogniser
from opsmon.store.accounts.screens import RENEWED_EVERY_MS, Screens
from opsmon.store.connection import Reader
from tests.conftest import NOW_MS
from tests.http import Answer, Stream, open_stream, request
from tests.line import Line
from tests.waiting import wait_until_async
from tests.web.accounts.accounts import HOUR_MS, KEYS, signed_in, with_admin
from tests.web.accounts.people import PASSWORD, someone

pytestmark = pytest.mark.anyio

FIELDS = {"name": "Packing hall", "board:sales": "yes"}


async def send(line: Line, path: str, cookie: str, **fields: str) -> Answer:
    """Send a form as a page of this opsmon does."""
    return await request(line.port, "POST", path, urlencode(fields).encode(), {
        "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin", "cookie": cookie})


def cookie_of(answer: Answer) -> str:
    return answer.headers.get("set-cookie", "").partition(";")[0]


def boards_on(answer: Answer) -> list[str]:
    return re.findall(r'data-title="([^"]+)"', answer.text)


def code_on(answer: Answer) -> str:
    found = re.search(r'class="pair__code">([^<]+)<', answer.text)
    return found[1] if found else ""


async def waiting(line: Line) -> tuple[str, str]:
    """A screen that waits: its Cookie header and the code it shows."""
    await with_admin(line.store)
    answer = await line.get("/pair")
    return cookie_of(answer), code_on(answer)


async def let_in(line: Line, **fields: str) -> tuple[str, str, str]:
    """A screen that was let in: its cookie, its id, and the manager's cookie."""
    screen, code = await waiting(line)
    manager = await signed_in(line.store, "manager", NOW_MS)
    answer = await send(line, "/screens/pair", manager, code=code, **(FIELDS | fields))
    assert answer.status == 303
    (one,) = await Screens(line.store, Reader(line.store), KEYS).all()
    return screen, one.screen.id, manager


async def act(line: Line, manager: str, what: str, **fields: str) -> Answer:
    """Do something with the only screen there is, as it is now."""
    (one,) = await Screens(line.store, Reader(line.store), KEYS).all()
    return await send(line, "/screens", manager, act=what, screen=one.screen.id, version=str(one.screen.version),
                      **fields)


async def stream_of(line: Line, cookie: str) -> tuple[Stream, str]:
    """The wall of a screen, and its cookie from then on: the page is loaded, then its stream opened."""
    page = await line.get("/wall", cookie=cookie)
    found = re.search(r'hx-sse:connect="([^"]+)"', page.text)
    assert found is not None
    now = cookie_of(page) or cookie
    stream = await open_stream(line.port, found[1].replace("&amp;", "&"), {"cookie": now})
    line.streams.append(stream)
    return stream, now


async def look(line: Line, now_ms: int = NOW_MS) -> None:
    """What happens with a heartbeat."""
    live = next(door.answer for door in line.web.doors if door.path == "/live")
    reader = Reader(line.store)
    screens = Screens(line.store, reader, KEYS)
    await live.look(Recogniser(reader, KEYS, ManualClock(now_ms)).gone, screens.attend)


async def said(stream: Stream, name: str) -> str:
    """What comes with the next message of this name. Raises EOFError at the end."""
    while message := await stream.next():
        if message.event == name:
            return message.data
    raise EOFError


async def ended(line: Line) -> bool:
    """Whether the stream that is open ends."""
    assert line.web.hub is not None
    await wait_until_async(lambda: not line.web.hub.screens, "the end of the stream")
    return True


# The code


async def test_a_code_is_let_in_only_by_whoever_has_just_typed_a_password(line: Line) -> None:
    """A phone that lies about signed in hangs nothing: the password again, and what was filled in is kept."""
    _, code = await waiting(line)
    manager = await someone(line, "manager", proven_ms=NOW_MS - HOUR_MS)
    wanted = {"code": code, **FIELDS}
    found = [await manager.send("/screens/pair", **wanted, **more) for more in ({}, {"proof": "wrong"})]
    assert [(one.status, "Your password again" in one.text, "Packing hall" in one.text) for one in found] == [
        (403, True, True)] * 2
    assert (await manager.send("/screens/pair", **wanted, proof=PASSWORD)).status == 303
    (one,) = await Screens(line.store, Reader(line.store), KEYS).all()
    assert one.screen.name == "Packing hall"


async def test_a_screen_shows_a_code_and_keeps_it(line: Line) -> None:
    """The page loads itself again, without a script, and shows the same until it is over."""
    await with_admin(line.store)
    first = await line.get("/pair")
    again = await line.get("/pair", cookie=cookie_of(first))
    assert re.fullmatch(r"[2-9A-Y]{4}-[2-9A-Y]{4}", code_on(first)) is not None
    assert (code_on(again), again.headers.get("set-cookie"), again.headers["refresh"], again.headers["cache-control"]
            ) == (code_on(first), None, "4", "no-store")


async def test_the_secret_is_in_a_cookie_that_no_script_reads(line: Line) -> None:
    """For 400 days, never in a page or an address; the code is made of it."""
    await with_admin(line.store)
    answer = await line.get("/pair")
    secret = cookie_of(answer).partition("=")[2]
    assert answer.headers["set-cookie"].partition(";")[2] == " Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax"
    assert (secret in answer.text, code_of(secret)) == (False, code_on(answer).replace("-", ""))


async def test_another_code_comes_by_itself(line: Line, clock: ManualClock) -> None:
    """After ten minutes, with another secret."""
    cookie, code = await waiting(line)
    clock.advance(600_000)
    again = await line.get("/pair", cookie=cookie)
    assert (code_on(again) not in ("", code), cookie_of(again) not in ("", cookie)) == (True, True)


async def test_a_phone_is_led_to_where_the_screen_was(line: Line) -> None:
    """The address is written beside the code too."""
    await with_admin(line.store)
    answer = await line.get("/pair")
    assert f"127.0.0.1:{line.port}/screens/pair" in answer.text
    assert '<svg class="pair__qr" viewBox="0 0 41 41"' in answer.text


@pytest.mark.parametrize("host", ["evil\"><script>", "a" * 300, ""])
async def test_a_host_that_is_none_is_not_repeated(line: Line, host: str) -> None:
    """Whatever is asked for."""
    await with_admin(line.store)
    answer = await request(line.port, "GET", "/pair", b"", {"host": host})
    assert "<script>" not in answer.text
    assert answer.status in (200, 400)


async def test_there_are_no_screens_before_there_are_people(line: Line) -> None:
    """Nobody could let them in."""
    answer = await line.get("/pair")
    assert (answer.status, "Nobody has an account here yet" in answer.text) == (409, True)


async def test_who_is_signed_in_signs_out_before_a_browser_becomes_a_screen(line: Line) -> None:
    """A wall that is a manager could be used by everybody who walks by."""
    answer = await line.get("/pair", cookie=await signed_in(line.store, "manager", NOW_MS))
    assert (code_on(answer), 'action="/logout"' in answer.text) == ("", True)


async def test_too_many_screens_that_wait_are_told_so(line: Line) -> None:
    """And the page comes back by itself."""
    await with_admin(line.store)
    answers = [await line.get("/pair") for _ in range(61)]
    assert (answers[59].status, answers[60].status, answers[60].headers["refresh"]) == (200, 429, "20")


async def test_the_sign_in_page_leads_screens_to_their_own(line: Line) -> None:
    """Nobody types a password on a wall."""
    await with_admin(line.store)
    assert '<a href="/pair">This is a screen on the wall</a>' in (await line.get("/login")).text


# Letting in


async def test_a_screen_that_was_let_in_goes_to_its_wall(line: Line) -> None:
    """With the board that was chosen, and a token that it gets with the page."""
    cookie, _, _ = await let_in(line)
    assert [(answer.status, answer.headers.get("location")) for answer in [await line.get("/pair", cookie=cookie)]] == [
        (303, "/wall")]
    wall = await line.get("/wall", cookie=cookie)
    assert (wall.status, boards_on(wall), 'data-screen="Packing hall"' in wall.text) == (200, ["Sales"], True)
    assert cookie_of(wall) not in ("", cookie)


@pytest.mark.parametrize("path", ["/wall/technology", "/wall/operations+technology", "/wall?money=on"])
async def test_a_screen_shows_its_own_board_whatever_the_address_says(line: Line, path: str) -> None:
    """It is chosen by those who look after it."""
    cookie, _, _ = await let_in(line)
    assert boards_on(await line.get(path, cookie=cookie)) == ["Sales"]


async def test_of_several_boards_each_is_shown_in_turn(line: Line) -> None:
    """Three at most."""
    cookie, _, _ = await let_in(line, **{"board:operations": "yes"})
    assert boards_on(await line.get("/wall", cookie=cookie)) == ["Sales", "Operations"]


@pytest.mark.parametrize(("fields", "said"), [
    ({"name": ""}, "Give it a name"), ({"name": "a" * 61}, "Give it a name"), ({"name": "a\x00b"}, "Give it a name"),
    ({"board:sales": "", "board:nowhere": "yes"}, "Choose one to three boards"),
    ({"board:today": "1", "board:operations": "1", "board:technology": "1"}, "Choose one to three boards"),
    ({"code": "K7QM-4RTX"}, "No screen shows this code"), ({"code": "'; --"}, "No screen shows this code"),
])
async def test_what_is_wrong_is_said_and_what_was_typed_stays(line: Line, fields: dict[str, str], said: str) -> None:
    """Nothing is let in."""
    _, code = await waiting(line)
    manager = await signed_in(line.store, "manager", NOW_MS)
    answer = await send(line, "/screens/pair", manager, **({"code": code} | FIELDS | fields))
    assert (answer.status, said in answer.text) == (422, True)
    assert await Screens(line.store, Reader(line.store), KEYS).all() == []


async def test_codes_are_tried_five_times(line: Line) -> None:
    """Then not even the right one is looked at, for a minute."""
    cookie, code = await waiting(line)
    manager = await signed_in(line.store, "manager", NOW_MS)
    wrong = [await send(line, "/screens/pair", manager, code="K7QM-4RTX", **FIELDS) for _ in range(5)]
    right = await send(line, "/screens/pair", manager, code=code, **FIELDS)
    assert ([one.status for one in wrong], right.status, "Try again in 1 min." in right.text) == ([422] * 5, 429, True)
    assert (await line.get("/pair", cookie=cookie)).status == 200


async def test_a_code_does_not_let_another_browser_in(line: Line) -> None:
    """Who only read it has no secret that it was made of."""
    _, code = await waiting(line)
    thief = cookie_of(await line.get("/pair"))
    await send(line, "/screens/pair", await signed_in(line.store, "manager", NOW_MS), code=code, **FIELDS)
    assert [(await line.get(path, cookie=thief)).status for path in ("/pair", "/wall")] == [200, 303]


async def test_a_qr_code_leads_to_a_form_that_has_the_code(line: Line) -> None:
    """Nothing is let in by opening it."""
    cookie, code = await waiting(line)
    manager = await signed_in(line.store, "manager", NOW_MS)
    form = await line.get(f"/screens/pair?code={code}", cookie=manager)
    assert (f'value="{code}"' in form.text, (await line.get("/wall", cookie=cookie)).headers["location"]) == (
        True, "/pair")


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_only_managers_let_screens_in(line: Line, role: Role) -> None:
    """A code alone is no right."""
    _, code = await waiting(line)
    answer = await send(line, "/screens/pair", await signed_in(line.store, role, NOW_MS), code=code, **FIELDS)
    assert (answer.status, await Screens(line.store, Reader(line.store), KEYS).all()) == (403, [])


# Looking after them


async def test_the_list_says_what_a_screen_shows_and_whether_it_answers(line: Line, clock: ManualClock) -> None:
    """New, there, lost."""
    cookie, _, manager = await let_in(line)
    said = []
    for wait_ms in (0, 60_000, 120_000):
        clock.advance(wait_ms)
        found = re.search(r'screen__state">.*?</svg>\s*(.*?)</p>', (await line.get("/screens", cookie=manager)).text)
        said += [found[1] if found else ""]
        if not wait_ms:
            await line.get("/wall", cookie=cookie)
    assert (said[:2], said[2].partition(": ")[0]) == (["not seen yet", "answers"], "lost for 3 min")
    assert "Sales, without money" in (await line.get("/screens", cookie=manager)).text


async def test_a_board_that_is_chosen_is_pushed(line: Line) -> None:
    """At once: the page is told to load itself again, and then it is another one."""
    cookie, _, manager = await let_in(line)
    stream, now = await stream_of(line, cookie)
    await act(line, manager, "save", name="Packing hall", **{"board:technology": "yes"})
    assert await said(stream, "reload") != ""
    assert boards_on(await line.get("/wall", cookie=now)) == ["Technology"]


async def test_a_page_that_is_another_one_is_not_taken_from_the_browsers_store(line: Line) -> None:
    """Or it would be told to load itself again for ever."""
    cookie, _, manager = await let_in(line)
    _, now = await stream_of(line, cookie)
    etag = (await line.get("/wall", cookie=now)).headers["etag"]
    same = await line.get("/wall", cookie=now, if_none_match=etag)
    await act(line, manager, "reload")
    assert (same.status, (await line.get("/wall", cookie=now, if_none_match=etag)).status) == (304, 200)


async def test_a_stream_of_a_page_as_it_is_to_be_goes_on(line: Line) -> None:
    """Nothing is said to it with a heartbeat."""
    cookie, _, _ = await let_in(line)
    await stream_of(line, cookie)
    await look(line)
    assert line.web.hub is not None
    assert [screen.ended for screen in line.web.hub.screens] == [False]


async def test_a_screen_says_its_name_once(line: Line) -> None:
    """When somebody asks which one it is, and its page stays."""
    cookie, _, manager = await let_in(line)
    stream, _ = await stream_of(line, cookie)
    assert (await act(line, manager, "identify")).headers["location"].startswith("/screens?did=identify")
    assert await said(stream, "identify") == "Packing hall"
    assert line.web.hub is not None
    assert [screen.ended for screen in line.web.hub.screens] == [False]


async def test_a_token_that_is_a_week_old_is_renewed_without_a_hand(line: Line, clock: ManualClock) -> None:
    """The screen is told to load its page, which brings the new one."""
    cookie, _, _ = await let_in(line)
    stream, now = await stream_of(line, cookie)
    clock.advance(RENEWED_EVERY_MS)
    await look(line, NOW_MS + RENEWED_EVERY_MS)
    assert await said(stream, "reload") != ""
    assert cookie_of(await line.get("/wall", cookie=now)) not in ("", now)


async def test_a_screen_that_was_removed_is_silent_at_once_and_shows_a_code(line: Line) -> None:
    """Its stream ends, does not open again, and its page leads to the code."""
    cookie, _, manager = await let_in(line)
    _, now = await stream_of(line, cookie)
    await act(line, manager, "remove")
    assert await ended(line)
    answers = [await line.get(path, cookie=now) for path in ("/wall", "/wall/sales", "/live?v=x", "/pair")]
    assert [(answer.status, answer.headers.get("location")) for answer in answers] == [
        (303, "/pair"), (303, "/pair"), (401, None), (200, None)]
    assert code_on(answers[-1]) != ""


async def test_what_was_changed_meanwhile_is_shown_and_not_overwritten(line: Line) -> None:
    """The second of two is told."""
    _, screen_id, manager = await let_in(line)
    await act(line, manager, "save", name="Office", **{"board:technology": "yes"})
    late = await send(line, "/screens", manager, act="remove", screen=screen_id, version="1")
    assert (late.status, "Somebody else has changed this screen meanwhile" in late.text, "Office" in late.text) == (
        409, True, True)


@pytest.mark.parametrize("what", ["", "sell", "approve"])
async def test_what_cannot_be_done_is_said(line: Line, what: str) -> None:
    """In the words of whoever asked."""
    _, _, manager = await let_in(line)
    assert (await act(line, manager, what)).status == 400


async def test_a_screen_that_is_not_there_is_said_to_be_gone(line: Line) -> None:
    """Whoever removed it was quicker."""
    manager = await signed_in(line.store, "manager", NOW_MS)
    answer = await send(line, "/screens", manager, act="reload", screen="nothing", version="1")
    assert (answer.status, "This screen was removed meanwhile." in answer.text) == (404, True)


async def test_money_is_shown_where_it_was_allowed(line: Line) -> None:
    """Ticked when the screen is let in, or later."""
    cookie, _, manager = await let_in(line)
    before = "kpi-revenue-today" in (await line.get("/wall", cookie=cookie)).text
    await act(line, manager, "save", name="Hall", money="yes", **{"board:sales": "yes"})
    assert (before, "kpi-revenue-today" in (await line.get("/wall", cookie=cookie)).text) == (False, True)


@pytest.mark.parametrize("fields", [{"money": "yes"}, {"name": "Office"}])
async def test_a_screen_that_may_see_something_else_loads_its_page_at_once(line: Line, fields: dict[str, str]) -> None:
    """It is another one to opsmon now, and yet not shut out."""
    cookie, _, manager = await let_in(line)
    stream, _ = await stream_of(line, cookie)
    await act(line, manager, "save", **(FIELDS | fields))
    assert await said(stream, "reload") != ""


async def test_names_are_escaped_wherever_they_are_shown(line: Line) -> None:
    """On the list and on the wall."""
    cookie, _, manager = await let_in(line, name="<b>&\"hall'")
    pages = [(await line.get("/screens", cookie=manager)).text, (await line.get("/wall", cookie=cookie)).text]
    assert [("<b>&" in text, "&lt;b&gt;&amp;" in text) for text in pages] == [(False, True)] * 2

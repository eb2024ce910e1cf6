"""/profile and the menu of who is signed in: what one likes, one's password, where one is signed in."""

import re
from dataclasses import asdict

import pytest

from opsmon.clock import ManualClock
from tests.conftest import NOW_MS
from tests.line import Line
from tests.waiting import wait_until_async
from tests.web.accounts.accounts import KEYS
from tests.web.accounts.people import PASSWORD, deeds, errors, said, someone

pytestmark = pytest.mark.anyio

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
LIKED = {"act": "profile", "version": "1", "name": "Ana Silva", "locale": "de", "theme": "light", "clock": "h12",
         "quiet_from": "22:00", "quiet_until": "06:00", "notify-silent": "on"}


async def test_what_somebody_likes_is_kept(line: Line) -> None:
    """All of it, and shown again."""
    ana = await someone(line, "viewer")
    answer = await ana.send("/profile", **LIKED)
    kept = asdict(await ana.person())
    assert (answer.status, answer.headers["location"]) == (303, "/profile?did=saved")
    assert {name: kept[name] for name in ("name", "locale", "theme", "clock", "quiet_from", "notify", "version")} == {
        "name": "Ana Silva", "locale": "de", "theme": "light", "clock": "h12", "quiet_from": "22:00",
        "notify": ("silent",), "version": 2}
    assert said(await ana.get("/profile?did=saved")) == "Saved."


async def test_the_theme_and_the_time_of_day_are_those_of_who_looks(line: Line) -> None:
    """On every page; an address that names a theme is stronger."""
    ana = await someone(line, "viewer")
    before = await ana.get("/")
    await ana.send("/profile", **LIKED)
    html = (await ana.get("/")).text
    again = await line.get("/", cookie=ana.cookie, if_none_match=before.headers["etag"])
    assert ('data-theme="light"' in html, 'data-clock="h12"' in html, again.status) == (True, True, 200)
    assert 'data-theme="dark"' in (await ana.get("/?theme=dark")).text


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"name": ""}, "Give a name of 1 to 60 characters."), ({"theme": "pink"}, "Choose one of the list."),
    ({"locale": "../x"}, "Choose one of the list."),
    ({"quiet_until": ""}, "Give both times, from and until, or neither: 22:00 and 06:00."),
    ({"quiet_from": "24:00"}, "Give both times, from and until, or neither: 22:00 and 06:00."),
])
async def test_what_cannot_be_is_told_and_nothing_is_kept(line: Line, fields: dict[str, str], wrong: str) -> None:
    """Beside its field, with the rest as it was typed."""
    ana = await someone(line, "viewer")
    answer = await ana.send("/profile", **{**LIKED, **fields})
    assert (answer.status, errors(answer), (await ana.person()).version) == (422, [wrong], 1)


async def test_two_windows_that_save_are_told(line: Line) -> None:
    """The second one of them."""
    ana = await someone(line, "viewer")
    answers = [await ana.send("/profile", **{**LIKED, "name": name}) for name in ("Ana", "Anna")]
    assert ([one.status for one in answers], (await ana.person()).name) == ([303, 409], "Ana")


async def test_nobody_gives_themselves_another_role(line: Line) -> None:
    """Fields that the form does not have change nothing."""
    ana = await someone(line, "viewer")
    await ana.send("/profile", **LIKED, role="admin", teams="x", is_off="", password="x")
    kept = await ana.person()
    assert (kept.role, kept.teams, kept.is_off) == ("viewer", (), False)


# The password


async def test_a_new_password_ends_the_other_sessions(line: Line) -> None:
    """Whoever had the old one is out; one's own goes on."""
    here, there = await someone(line, "viewer"), await someone(line, "viewer")
    answer = await here.send("/profile", act="password", old=PASSWORD, password="four even herons")
    assert (answer.status, (await here.get("/")).status, (await there.get("/")).status) == (303, 200, 303)


@pytest.mark.parametrize(("old", "new", "status", "wrong"), [
    ("wrong", "four even herons", 403, "This is not your password."),
    (PASSWORD, "short", 422, "Use at least 10 characters: three words that do not belong together are good."),
])
async def test_a_password_is_not_changed_without_the_old_one_or_to_a_weak_one(
        line: Line, old: str, new: str, status: int, wrong: str) -> None:
    """It stays as it is."""
    ana = await someone(line, "viewer")
    before = await ana.person()
    answer = await ana.send("/profile", act="password", old=old, password=new)
    assert (answer.status, errors(answer), await ana.person()) == (status, [wrong], before)


# Sessions


async def test_the_sessions_say_where_and_with_what(line: Line) -> None:
    """One's own is named; the others can be ended."""
    here = await someone(line, "viewer", agent=PHONE)
    await someone(line, "viewer", agent="curl/8.9")
    html = (await here.get("/profile")).text
    assert (html.count("This one"), html.count('value="end"')) == (1, 1)
    assert sorted(re.findall(r'people__name">(.*?)</p>', html)) == ["Safari on iPhone", "curl"]


async def test_another_session_is_ended_by_its_button(line: Line) -> None:
    """And the one in hand stays."""
    here, there = await someone(line, "viewer"), await someone(line, "viewer")
    await here.send("/profile", act="end", session=there.session)
    assert ((await here.get("/")).status, (await there.get("/")).status) == (200, 303)


async def test_a_session_of_somebody_else_is_not_ended(line: Line) -> None:
    """Its hash is of no use to another."""
    ana, ben = await someone(line, "viewer"), await someone(line, "viewer", "ben")
    answer = await ana.send("/profile", act="end", session=ben.session)
    assert (answer.status, (await ben.get("/")).status, await deeds(line)) == (303, 200, [])


async def test_everywhere_else_is_ended_at_once(line: Line) -> None:
    """One line of the audit."""
    here, *others = [await someone(line, "viewer") for _ in range(3)]
    await here.send("/profile", act="others")
    assert ([(await one.get("/")).status for one in (here, *others)], len(await deeds(line))) == ([200, 303, 303], 1)


async def test_a_session_that_is_used_lives_on(line: Line, clock: ManualClock) -> None:
    """Noted at most once a minute; an open page that nobody asks for anything counts too (Touching)."""
    ana = await someone(line, "viewer")
    place = KEYS.session(ana.session)
    await line.store.pexpire(place, 60_000)
    await ana.get("/")

    async def lives_on() -> bool:
        return int(await line.store.pttl(place)) > 3_600_000

    await wait_until_async(lives_on, "a longer life")
    assert await line.store.zscore(KEYS.used, "person viewer") == NOW_MS


# The menu


async def test_the_menu_says_who_is_signed_in_and_what_is_theirs(line: Line) -> None:
    """People, tokens and the audit are an admin's."""
    pages = [(await (await someone(line, role)).get("/")).text for role in ("viewer", "admin")]
    assert ["Ana viewer" in pages[0], "Ana admin" in pages[1]] == [True, True]
    assert [[one for one in ("/profile", "/people", "/tokens", "/audit") if f'href="{one}"' in html] for html in pages
            ] == [["/profile"], ["/profile", "/people", "/tokens", "/audit"]]


async def test_without_accounts_there_is_no_menu_and_no_profile(line: Line) -> None:
    """The first five minutes are as they were."""
    html, answer = (await line.get("/")).text, await line.get("/profile")
    assert ('class="me"' in html, "me.css" in html, answer.status) == (False, False, 404)


async def test_signing_out_takes_along_what_the_device_keeps(line: Line) -> None:
    """Boards kept for when there is no connection too."""
    ana = await someone(line, "viewer")
    answer = await ana.send("/logout")
    assert (answer.headers["location"], answer.headers["clear-site-data"], (await ana.get("/")).status) == (
        "/login", '"cache", "storage"', 303)

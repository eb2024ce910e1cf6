"""/people: who has an account, and what admins do about it."""

import asyncio
import re

import pytest

from opsmon.store.accounts.sessions import PROVEN_MS
from tests.conftest import NOW_MS
from tests.line import Line
from tests.web.accounts.people import PASSWORD, deeds, errors, once, said, someone

pytestmark = pytest.mark.anyio

LAST = "Nobody could let others in afterwards: make another admin first."
LONG_AGO = NOW_MS - PROVEN_MS - 1


# Invited


async def test_an_invitation_shows_its_link_once_and_the_link_lets_in(line: Line) -> None:
    """To be copied; a second look at the page has it no more."""
    ana = await someone(line)
    answer = await ana.send("/people", name="Ben", email="ben@shop.example", role="operator", teams="Packing, Returns")
    link = once(answer)
    path = "/invite/" + link.rpartition("/")[2]
    assert (answer.status, link.startswith("http://127.0.0.1")) == (200, True)
    assert ("/invite/" in (await ana.get("/people")).text, (await line.get(path)).status) == (False, 200)


async def test_the_list_says_who_is_invited_active_or_shut_out(line: Line) -> None:
    """With role, teams, and when each was last here."""
    ana, ben = await someone(line), await someone(line, "viewer", "ben")
    await ana.send("/people", name="Cem", email="cem@shop.example", role="manager", teams="Packing, Returns")
    await ana.send("/people/ben", act="off", version="1")
    html = (await ana.get("/people")).text
    assert re.findall(r'data-state="(\w+)"', html) == ["active", "out", "invited"]
    assert ("Packing, Returns" in html, "Here just now" in html, "Never here" in html, bool(ben)) == (
        True, True, True, True)


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"email": "ben"}, "This is no e-mail address: write it like ana@shop.example."),
    ({"name": ""}, "Give a name of 1 to 60 characters."),
    ({"role": "boss"}, "Choose a role: viewer, operator, manager or admin."),
    ({"teams": ",".join(map(str, range(11)))}, "Give at most 10 teams of up to 40 characters each, with commas "
                                               "between."),
    ({"email": "admin@shop.example"}, "Somebody has this e-mail address already."),
])
async def test_what_cannot_be_is_told_beside_its_field(line: Line, fields: dict[str, str], wrong: str) -> None:
    """And nobody is made."""
    ana = await someone(line)
    typed = {"name": "Ben", "email": "ben@shop.example", "role": "viewer", "teams": "", **fields}
    answer = await ana.send("/people", **typed)
    assert (errors(answer), len(await deeds(line))) == ([wrong], 0)


# Changed


async def test_a_role_and_teams_are_changed_at_once(line: Line) -> None:
    """With the next request of theirs."""
    ana, ben = await someone(line), await someone(line, "viewer", "ben")
    answer = await ana.send("/people/ben", act="change", version="1", role="manager", teams="Packing,  Packing, Gate 2")
    assert (answer.status, answer.headers["location"]) == (303, "/people?did=changed&who=ben#person-ben")
    assert ((await ben.person()).teams, (await ben.get("/status")).status) == (("Packing", "Gate 2"), 200)


async def test_shut_out_is_out_at_once_and_signs_in_anew_when_let_in(line: Line) -> None:
    """The sessions of before are over."""
    ana, ben = await someone(line), await someone(line, "viewer", "ben")
    await ana.send("/people/ben", act="off", version="1")
    shut_out = (await ben.get("/")).status
    await ana.send("/people/ben", act="on", version="2")
    assert (shut_out, (await ben.get("/")).status, (await ben.person()).is_off) == (303, 303, False)


async def test_all_sessions_of_somebody_are_ended(line: Line) -> None:
    """A phone that was lost."""
    ana = await someone(line)
    here, there = await someone(line, "viewer", "ben"), await someone(line, "viewer", "ben")
    await ana.send("/people/ben", act="end", version="1")
    assert [(await one.get("/")).status for one in (here, there, ana)] == [303, 303, 200]


async def test_a_link_for_a_new_password_is_shown_once(line: Line) -> None:
    """The old password is good until it is used."""
    ana = await someone(line)
    await someone(line, "viewer", "ben")
    answer = await ana.send("/people/ben", act="link", version="1")
    path = "/invite/" + once(answer).rpartition("/")[2]
    assert ((await line.get(path)).status, "within the hour" in answer.text) == (200, True)


async def test_a_link_is_worth_nothing_after_the_password_was_changed(line: Line) -> None:
    """Whoever finds an old one cannot take the account back."""
    ana = await someone(line)
    ben = await someone(line, "viewer", "ben")
    path = "/invite/" + once(await ana.send("/people/ben", act="link", version="1")).rpartition("/")[2]
    await ben.send("/profile", act="password", old=PASSWORD, password="four even herons")
    assert (await line.get(path)).status == 410


# Together


async def test_what_another_changed_meanwhile_is_shown_and_kept(line: Line) -> None:
    """What one typed stays in the form."""
    ana = await someone(line)
    ben = await someone(line, "viewer", "ben")
    await ana.send("/people/ben", act="change", version="1", role="manager", teams="Packing")
    answer = await ana.send("/people/ben", act="change", version="1", role="operator", teams="Returns")
    assert (answer.status, said(answer)) == (409, (
        "Ana ben was changed meanwhile and is now: Manager, Packing. Nothing was saved: look at it, then press again."))
    assert ((await ben.person()).role, 'value="Returns"' in answer.text) == ("manager", True)


async def test_of_two_at_once_one_is_told(line: Line) -> None:
    """The script decides; the audit has one line."""
    ana = await someone(line)
    await someone(line, "viewer", "ben")
    answers = await asyncio.gather(*(ana.send("/people/ben", act="change", version="1", role=role, teams="")
                                     for role in ("operator", "manager")))
    assert (sorted(one.status for one in answers), len(await deeds(line))) == ([303, 409], 1)


@pytest.mark.parametrize("fields", [{"act": "off"}, {"act": "change", "role": "viewer", "teams": ""}])
async def test_the_last_admin_stays_one(line: Line, fields: dict[str, str]) -> None:
    """Whoever it is."""
    ana = await someone(line)
    answer = await ana.send("/people/admin", version="1", **fields)
    assert (answer.status, said(answer), (await ana.get("/people")).status) == (409, LAST, 200)


# The password again


@pytest.mark.parametrize(("path", "fields"), [
    ("/people", {"name": "Ben", "email": "ben@shop.example", "role": "viewer", "teams": ""}),
    ("/people/viewer", {"act": "change", "role": "admin", "teams": "", "version": "1"}),
    ("/people/viewer", {"act": "off", "version": "1"}), ("/people/viewer", {"act": "link", "version": "1"}),
    ("/people/viewer", {"act": "end", "version": "1"}),
    ("/tokens", {"act": "make", "name": "Sheet", "life": "90", "scope-numbers": "on"}),
])
async def test_after_half_an_hour_the_password_is_asked_and_then_it_goes_on(
        line: Line, path: str, fields: dict[str, str]) -> None:
    """Nothing is done before; what was typed is not typed again."""
    ana = await someone(line, proven_ms=LONG_AGO)
    await someone(line, "viewer")
    asked = await ana.send(path, **fields)
    kept = dict(re.findall(r'type="hidden" autocomplete="off" name="([\w-]+)" value="(.*?)"', asked.text))
    kept.pop("csrf")
    assert (asked.status, kept, f'action="{path}"' in asked.text, await deeds(line)) == (403, fields, True, [])
    answer = await ana.send(path, **kept, proof=PASSWORD)
    again = await ana.send("/tokens", act="make", name="Other", life="30", **{"scope-numbers": "on"})
    assert (answer.status in (200, 303), again.status, len(await deeds(line))) == (True, 200, 2)


async def test_a_wrong_password_goes_on_to_nothing(line: Line) -> None:
    """And tries are bounded, with those of signing in."""
    ana = await someone(line, proven_ms=LONG_AGO)
    answers = [await ana.send("/people", name="Ben", email="ben@shop.example", role="viewer", teams="", proof="wrong")
               for _ in range(6)]
    assert [errors(one)[0] for one in answers[4:]] == [
        "This is not your password.", "Too many tries. Try again in 4 min."]
    assert ([one.status for one in answers], "wrong" in answers[0].text, await deeds(line)) == ([403] * 6, False, [])


async def test_every_change_is_one_line_of_the_audit(line: Line) -> None:
    """As many lines as changes, with who, from where, and what it was before."""
    ana = await someone(line)
    await someone(line, "viewer", "ben")
    for at, fields in enumerate([{"act": "change", "role": "manager", "teams": ""}, {"act": "off"}, {"act": "on"}]):
        assert (await ana.send("/people/ben", version=str(at + 1), **fields)).status == 303
    await ana.send("/people/ben", act="change", version="4", role="manager", teams="")
    await ana.send("/people/ben", act="link", version="4")
    await ana.send("/people/ben", act="end", version="4")
    lines = await deeds(line)
    assert [one.what for one in lines] == ["person.sessions_ended", "person.reset_link", "person.on", "person.off",
                                           "person.changed"]
    assert (lines[-1].who, lines[-1].address, lines[-1].changes) == (
        "Ana admin", "127.0.0.1", (("role", "viewer", "manager"),))


async def test_nobody_unknown_is_changed(line: Line) -> None:
    """A person who is gone, a deed there is none of."""
    ana = await someone(line)
    assert [(await ana.send(path, act=act, version="1")).status
            for path, act in (("/people/nobody", "off"), ("/people/admin", "promote"))] == [404, 400]

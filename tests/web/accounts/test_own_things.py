"""Whoever is signed in and asks by an id that is not theirs: refused as if it were not there, and nothing changed.

Threat: an id in a request that is believed (IDOR, CWE-639; OWASP API Security 2023, API1). opsmon has one site and one
set of boards: what belongs to somebody alone is a profile, a session, a link and a token.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from opsmon.core.access import Role
from opsmon.store.accounts.secrets import hashed
from tests.conftest import NOW_MS
from tests.line import Line
from tests.store.dump import dump, without_idle
from tests.web.accounts.accounts import KEYS, paired, program, signed_in
from tests.web.accounts.people import PASSWORD, someone

pytestmark = pytest.mark.anyio

# Beside the id of another: what forms of a profile send.
DEEDS: Sequence[dict[str, str]] = (
    {"act": "profile", "name": "Eve", "locale": "", "theme": "", "clock": "", "version": "1"},
    {"act": "password", "old": PASSWORD, "password": "four even herons"}, {"act": "others"}, {"act": "end"},
)
IDS = ("id", "person", "who", "person_id", "email")


async def kept(line: Line, *but: str) -> dict[str, Any]:
    """All that the store holds but these kinds, and what counts tries and visits."""
    left = tuple(f"{{main}}:{kind}" for kind in ("tries", "used", "note", *but))
    return {name.decode(): found for name, found in without_idle(await dump(line.store)).items()
            if not name.decode().startswith(left)}


async def test_nobody_ends_the_session_of_another(line: Line) -> None:
    """By the id that a list would show, or the secret itself."""
    eve, ana = await someone(line, "viewer", "eve"), await someone(line, "admin", "ana")
    before = await kept(line)
    for one in (ana.session, ana.cookie.partition("=")[2], ana.session[:12], f"ana {ana.session}", "*", ""):
        assert (await eve.send("/profile", act="end", session=one)).status == 303
    assert await kept(line) == before
    assert (await ana.get("/people")).status == 200


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed["act"])
async def test_nobody_changes_the_profile_of_another(line: Line, deed: dict[str, str]) -> None:
    """Whatever a form says whose it is: it is that of whoever sends it."""
    eve, ana = await someone(line, "viewer", "eve"), await someone(line, "admin", "ana")
    before = await ana.person()
    answer = await eve.send("/profile", **deed, **dict.fromkeys(IDS, "ana"))
    assert (answer.status, await ana.person(), (await ana.get("/people")).status) == (303, before, 200)


@pytest.mark.parametrize("role", ["viewer", "operator", "manager"])
@pytest.mark.parametrize("act", ["change", "off", "on", "link", "end"])
async def test_who_is_no_admin_touches_no_account(line: Line, role: Role, act: str) -> None:
    """Not another's, not the own: nobody gives themselves a role, by whichever form."""
    eve, _ = await someone(line, role, "eve"), await someone(line, "admin", "ana")
    before = await kept(line)
    for person in ("eve", "ana", "nobody"):
        answer = await eve.send(f"/people/{person}", act=act, role="admin", teams="", version="1")
        assert answer.status == 403
    assert await kept(line) == before


async def test_a_profile_gives_no_role(line: Line) -> None:
    """Fields that are none of the form's are left alone."""
    eve = await someone(line, "viewer", "eve")
    await eve.send("/profile", **DEEDS[0], role="admin", email="ana@shop.example", teams="Packing", is_off="",
                   password="x", id="ana", notify="silent", made_ms="0")
    now = await eve.person()
    assert (now.name, now.role, now.email, now.teams, now.id) == ("Eve", "viewer", "eve@shop.example", (), "eve")


@pytest.mark.parametrize("role", ["viewer", "operator", "manager"])
async def test_who_is_no_admin_revokes_and_makes_no_token(line: Line, role: Role) -> None:
    """Though they know its id."""
    secret = (await program(line.store, NOW_MS, ["numbers"])).partition(" ")[2]
    eve = await someone(line, role, "eve")
    before = await kept(line)
    for fields in ({"act": "revoke", "id": hashed(secret)[:12]}, {"act": "make", "name": "x", "scope-money": "on"}):
        assert (await eve.send("/tokens", **fields)).status == 403
    assert await kept(line) == before


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_who_looks_after_no_screens_changes_none(line: Line, role: Role) -> None:
    """Nor do screens themselves, their own or others."""
    hall, eve = await paired(line.store, NOW_MS), await someone(line, role, "eve")
    yard = await paired(line.store, NOW_MS, screen_id="yard")
    before = await kept(line)
    for act in ("save", "reload", "identify", "remove"):
        answer = await eve.send("/screens", act=act, screen="hall", version="1", name="Mine", **{"board:sales": "yes"})
        assert answer.status == 403
    for screen in (hall, yard):
        assert (await line.get("/screens", cookie=screen)).status == 403
    assert await kept(line) == before


async def test_a_link_opens_the_account_it_was_made_for(line: Line) -> None:
    """Whatever the form says; and the session that somebody else has in this browser is not another's by it."""
    eve, ana = await someone(line, "viewer", "eve"), await someone(line, "admin", "ana")
    page = await ana.send("/people/eve", act="link", version="1")
    path = page.text.partition("/invite/")[2].partition("<")[0].partition('"')[0]
    before = await ana.person()
    answer = await ana.send(f"/invite/{path}", password="four even herons", **dict.fromkeys(IDS, "ana"))
    assert (answer.status, await ana.person() == before, (await eve.person()).password != "") == (303, True, True)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert "eve@shop.example" in (await line.get("/profile", cookie=cookie)).text


async def test_another_site_of_the_same_store_is_not_there(line: Line) -> None:
    """Its people and sessions have keys of their own: nobody is known twice."""
    cookie = await signed_in(line.store, "admin", NOW_MS)
    secret = cookie.partition("=")[2]
    await line.store.rename(KEYS.session(hashed(secret)), f"{{other}}:session:{hashed(secret)}")
    assert (await line.get("/people", cookie=cookie)).status == 303
    await line.store.delete(f"{{other}}:session:{hashed(secret)}")

"""opsmon people: the way in when nobody can sign in, for whoever owns the machine."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from opsmon.__main__ import main
from opsmon.core.access import LOCAL
from opsmon.store.accounts.audit import read_audit
from opsmon.store.accounts.people import People
from opsmon.store.connection import Reader, worker_client
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys

KEYS = Keys("main")
Opsmon = Callable[..., tuple[int, str]]


def on(server: EmbeddedStore, act: Callable[[Redis], Any]) -> Any:
    """Do something on the store: a command has an event loop of its own."""
    async def run() -> Any:
        client = worker_client(server.url)
        try:
            return await act(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


@pytest.fixture
def opsmon(server: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
           capsys: pytest.CaptureFixture[str]) -> Opsmon:
    """Run `opsmon people …` on an empty store: its exit code, and what it printed."""
    on(server, lambda client: client.flushall())

    def run(*words: str) -> tuple[int, str]:
        code = main(["people", *words, "--store", server.url, "--data", str(tmp_path)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def accept(server: EmbeddedStore, email: str) -> None:
    """They choose a password."""
    async def act(client: Redis) -> None:
        people = People(client, Reader(client), KEYS)
        found = await people.by_email(email)
        assert found is not None
        await people.change(LOCAL, "", found, replace(found, password="$argon2id$…"), "person.accepted")

    on(server, act)


def test_who_is_added_gets_a_link_that_is_theirs(opsmon: Opsmon, server: EmbeddedStore) -> None:
    """Good for seven days, and once."""
    code, said = opsmon("add", "Ana@Shop.example", "--name", "Ana")
    first, link = said.strip().split("\n")
    assert (code, first) == (0, "ana@shop.example can choose a password within 7 days at")
    secret = link.removeprefix("http://127.0.0.1:8000/invite/")
    found = on(server, lambda client: People(client, Reader(client), KEYS).linked(secret))
    assert (found[0].kind, found[1].email, found[1].role) == ("invite", "ana@shop.example", "admin")


def test_the_list_says_who_has_an_account_and_how_it_stands(opsmon: Opsmon, server: EmbeddedStore) -> None:
    """Without one, how the first is made."""
    assert opsmon("list")[1] == (
        "Nobody has an account. Boards are shown on this machine only. opsmon people add EMAIL makes the first.\n")
    opsmon("add", "ana@shop.example")
    assert opsmon("add", "ben@shop.example", "--role", "viewer", "--name", "Ben Beck")[0] == 0
    accept(server, "ana@shop.example")
    opsmon("off", "ben@shop.example")
    assert opsmon("list") == (0, "ana@shop.example  admin  ana\nben@shop.example  viewer  Ben Beck  shut out\n")


@pytest.mark.parametrize(("words", "said"), [
    (("add", "ana"), "This is no e-mail address: write it like ana@shop.example."),
    (("add", "a@b.example", "--role", "boss"), "Choose a role: viewer, operator, manager or admin."),
    (("add", "ana@shop.example"), "ana@shop.example: somebody has this e-mail address already; see opsmon people list"),
    (("reset", "x@y.example"), "x@y.example: nobody has this e-mail address here; see opsmon people list"),
    (("off", "ana@shop.example"), "ana@shop.example: nobody could let others in afterwards: make another admin first"),
    (("role", "ana@shop.example", "viewer"),
     "ana@shop.example: nobody could let others in afterwards: make another admin first"),
])
def test_what_cannot_be_done_is_said(opsmon: Opsmon, server: EmbeddedStore, words: tuple[str, ...], said: str) -> None:
    """In a sentence, with what to do; nothing is changed."""
    opsmon("add", "ana@shop.example")
    accept(server, "ana@shop.example")
    assert opsmon(*words) == (1, f"opsmon: {said}\n")
    assert opsmon("list") == (0, "ana@shop.example  admin  ana\n")


def test_what_was_done_is_in_the_audit(opsmon: Opsmon, server: EmbeddedStore) -> None:
    """As done at this machine."""
    opsmon("add", "ana@shop.example")
    opsmon("role", "ana@shop.example", "manager")
    lines = on(server, lambda client: read_audit(Reader(client), KEYS, 10))
    assert [(one.who, one.what, one.name) for one in lines] == [
        ("opsmon people", "person.changed", "ana"), ("opsmon people", "person.invited", "ana")]
    assert re.fullmatch(r"viewer|manager|admin", lines[0].changes[0][2])

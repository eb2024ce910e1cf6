"""/tokens: made, shown once, used, revoked."""

import pytest

from tests.conftest import NOW_MS
from tests.line import Line
from tests.waiting import wait_until_async
from tests.web.accounts.accounts import KEYS
from tests.web.accounts.people import deeds, errors, once, someone

pytestmark = pytest.mark.anyio

SHEET = {"act": "make", "name": "Sheet", "life": "90", "scope-numbers": "on"}


async def test_a_token_is_shown_once_and_opens_what_it_may(line: Line) -> None:
    """Numbers, and nothing else."""
    ana = await someone(line)
    secret = once(await ana.send("/tokens", **SHEET))
    headers = {"authorization": f"Bearer {secret}"}
    opened = [(await line.get(path, **headers)).status for path in ("/api/kpis", "/metrics", "/")]
    assert (len(secret), opened, secret in (await ana.get("/tokens")).text) == (43, [200, 403, 403], False)


async def test_a_token_for_rules_opens_rules(line: Line) -> None:
    """And no numbers."""
    ana = await someone(line)
    secret = once(await ana.send("/tokens", act="make", name="Terraform", life="30", **{"scope-rules": "on"}))
    opened = [(await line.get(path, authorization=f"Bearer {secret}")).status for path in ("/api/rules", "/api/kpis")]
    assert (opened, "<p class=\"people__quiet\">rules</p>" in (await ana.get("/tokens")).text) == ([200, 403], True)


async def test_the_store_never_has_the_secret(line: Line) -> None:
    """Neither with the tokens nor in the audit."""
    ana = await someone(line)
    secret = once(await ana.send("/tokens", **SHEET)).encode()
    kept = [await line.store.hgetall(KEYS.tokens), await line.store.xrange(KEYS.audit)]
    assert (secret in repr(kept).encode(), len(kept[0])) == (False, 1)


async def test_a_revoked_token_opens_nothing(line: Line) -> None:
    """With the next request; pressed again nothing happens."""
    ana = await someone(line)
    secret = once(await ana.send("/tokens", **SHEET))
    (token,) = await line.store.hkeys(KEYS.tokens)
    answers = [await ana.send("/tokens", act="revoke", id=token.decode()[:12]) for _ in range(2)]
    asked = await line.get("/api/kpis", authorization=f"Bearer {secret}")
    assert ([one.status for one in answers], asked.status) == ([303, 303], 401)
    assert [one.what for one in await deeds(line)] == ["token.revoked", "token.made"]


async def test_the_list_says_when_it_was_used(line: Line) -> None:
    """To the minute: a token nobody uses can go."""
    ana = await someone(line)
    secret = once(await ana.send("/tokens", **SHEET))
    never = "Never used" in (await ana.get("/tokens")).text
    await line.get("/api/kpis", authorization=f"Bearer {secret}")
    (token,) = await line.store.hkeys(KEYS.tokens)

    async def noted() -> bool:
        return await line.store.zscore(KEYS.used, f"program {token.decode()[:12]}") == NOW_MS

    await wait_until_async(noted, "its use")
    assert (never, "Used just now" in (await ana.get("/tokens")).text) == (True, True)


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"name": ""}, "Give a name of 1 to 60 characters."), ({"life": "9999"}, "Choose one of the list."),
    ({"scope-numbers": ""}, "Choose what it may: numbers, metrics or rules."),
    ({"scope-numbers": "", "scope-money": "on"}, "Choose what it may: numbers, metrics or rules."),
])
async def test_what_cannot_be_is_told_and_no_token_is_made(line: Line, fields: dict[str, str], wrong: str) -> None:
    """Beside its field."""
    ana = await someone(line)
    answer = await ana.send("/tokens", **{**SHEET, **fields})
    assert (answer.status, errors(answer), await deeds(line)) == (422, [wrong], [])


async def test_a_form_sent_twice_makes_one_token(line: Line) -> None:
    """A name tells them apart."""
    ana = await someone(line)
    answers = [await ana.send("/tokens", **SHEET) for _ in range(2)]
    assert ([one.status for one in answers], await line.store.hlen(KEYS.tokens)) == ([200, 422], 1)

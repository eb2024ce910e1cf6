"""/a/{token}: one alert from a message, on a phone: GET shows, POST answers."""

import re
from dataclasses import replace
from html import unescape

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.alerting.life import Alert
from opsmon.core.calendar import DAY_MS
from opsmon.store.alerts.alert_store import read_stored
from opsmon.store.alerts.links import LIFE_MS, Link, link_secret, link_token, read_link
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line
from tests.web.accounts.accounts import with_admin
from tests.web.naughty import NAUGHTY
from tests.workers.alerting.outbox import ANA, KEYS, LATE, fires, keep, put

pytestmark = pytest.mark.anyio


async def the_link(store: Redis, row: str = "DHL") -> tuple[str, Alert]:
    """An alert that fires, and the address in the message that told Ana."""
    await keep(store, ANA, LATE)
    alert = await fires(store, NOW_MS, row)
    token = link_token(await link_secret(store, KEYS), Link(alert.id, "ana", NOW_MS + LIFE_MS))
    return f"/a/{token}", alert


async def kept(store: Redis, alert: Alert) -> Alert:
    """The alert as it is now."""
    record = await store.hget(KEYS.alerts, alert.fingerprint)
    assert isinstance(record, bytes)
    return read_stored(record).alert


async def press(line: Line, path: str, body: str) -> Answer:
    """Send a form of the page."""
    return await request(line.port, "POST", path, body.encode(), {
        "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"})


async def test_the_link_shows_the_alert(line: Line, store: Redis) -> None:
    """To whoever has it, without signing in: what, how far, since when, what to do."""
    path, _ = await the_link(store)
    await with_admin(store)
    page = await line.get(path)
    text = unescape(re.sub(r"<[^>]+>", " ", page.text))
    assert (page.status, [one in text for one in ("Orders are late: DHL", "34, limit 2", "Since 14:03", "Pack them.",
                                                  "Nobody sees to it yet.", "I see to it")]) == (200, [True] * 6)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_only_opens_it_changes_nothing(method: str, line: Line, store: Redis) -> None:
    """Programs that look through mail open every link, again and again."""
    path, alert = await the_link(store)
    for query in ("", "?act=acknowledge", "?did=acknowledged"):
        await request(line.port, method, path + query, b"", {})
    assert (await kept(store, alert), await store.xlen(KEYS.alert_log)) == (alert, 0)


async def test_a_press_acknowledges(line: Line, store: Redis) -> None:
    """And it is known by whose link."""
    path, alert = await the_link(store)
    answer = await press(line, path, "act=acknowledge")
    assert (answer.status, answer.headers["location"], (await kept(store, alert)).acknowledged_by) == (
        303, f"{path}?did=acknowledged", "Ana, by a link")


async def test_a_press_closes_with_what_it_was(line: Line, store: Redis) -> None:
    """A code and a note, in the log."""
    path, alert = await the_link(store)
    await press(line, path, "act=close&code=fixed&note=restarted")
    ((_, logged),) = await store.xrange(KEYS.alert_log)
    assert ((await kept(store, alert)).state, logged[b"code"], logged[b"note"]) == ("resolved", b"fixed", b"restarted")


async def ended(store: Redis, alert: Alert) -> Alert:
    """The alert is over by itself."""
    over = replace(alert, state="resolved", ended_ms=NOW_MS, version=2)
    await put(store, over)
    return over


async def test_what_is_over_is_asked_about(line: Line, store: Redis) -> None:
    """One tap says what it was worth; another one says otherwise, and the same twice is once."""
    path, alert = await the_link(store)
    before = (await line.get(path)).text
    await ended(store, alert)
    for verdict in ("other", "false-positive", "false-positive"):
        answer = await press(line, path, f"act=judge&verdict={verdict}")
        assert answer.headers["location"] == f"{path}?did=judged"
    text = (await line.get(path)).text
    lines = [(told[b"reason"], told[b"note"], told[b"by"]) for _, told in await store.xrange(KEYS.alert_log)]
    assert (lines, (await kept(store, alert)).verdict) == (
        [(b"judged", b"other", b"Ana, by a link"), (b"judged", b"false-positive", b"Ana, by a link")], "false-positive")
    assert re.findall(r'value="([\w-]+)" aria-pressed="true"', text) == ["false-positive"]
    assert ("Was it worth it?" in before, "Was it worth it?" in text) == (False, True)


async def test_nothing_but_a_verdict_is_taken_for_one(line: Line, store: Redis) -> None:
    """Nor is one of what is still open."""
    path, alert = await the_link(store)
    await press(line, path, "act=judge&verdict=acted")
    assert (await kept(store, alert)).verdict is None
    await ended(store, alert)
    assert (await press(line, path, "act=judge&verdict=nice")).status == 400


async def test_of_an_earlier_run_nothing_is_asked(line: Line, store: Redis) -> None:
    """It fires anew, and is over again: the link in the old message is about the old one."""
    path, _ = await the_link(store)
    again = await ended(store, await fires(store, NOW_MS + 1))
    await press(line, path, "act=judge&verdict=acted")
    assert ("Was it worth it?" in (await line.get(path)).text, (await kept(store, again)).verdict) == (False, None)


async def test_the_second_of_two_hears_that_somebody_was_quicker(line: Line, store: Redis) -> None:
    """Nothing is written twice."""
    path, _ = await the_link(store)
    await press(line, path, "act=acknowledge")
    second = await press(line, path, "act=acknowledge")
    assert (second.headers["location"], await store.xlen(KEYS.alert_log)) == (f"{path}?did=late", 1)


async def test_a_link_of_an_earlier_run_answers_nothing(line: Line, store: Redis) -> None:
    """The alert was over and fires anew: that is another message, and another link."""
    path, _ = await the_link(store)
    again = await fires(store, NOW_MS + 1)
    await press(line, path, "act=acknowledge")
    assert ("It is over." in (await line.get(path)).text, (await kept(store, again)).acknowledged_by) == (True, "")


async def test_after_a_day_a_link_is_over(line: Line, store: Redis, clock: ManualClock) -> None:
    """Messages are kept for years."""
    path, _ = await the_link(store)
    clock.advance(DAY_MS)
    assert (await line.get(path)).status == 410


async def test_who_is_told_no_more_answers_no_more(line: Line, store: Redis) -> None:
    """Whoever left the team still has the message."""
    path, alert = await the_link(store)
    await store.delete(KEYS.receivers)
    answer = await press(line, path, "act=acknowledge")
    assert (answer.status, (await kept(store, alert)).acknowledged_by) == (410, "")


@pytest.mark.parametrize("change", [lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
                                    lambda token: "B" + token[1:], lambda token: token.partition(".")[0],
                                    lambda token: "a" * 20, lambda token: token + "A", lambda token: "%00"])
async def test_a_token_that_was_changed_opens_nothing(line: Line, store: Redis, change: object) -> None:
    """One sentence for all of them."""
    path, _ = await the_link(store)
    assert callable(change)
    assert (await line.get("/a/" + change(path[3:]))).status in (400, 410)


async def test_without_the_token_of_its_page_a_form_is_refused(line: Line, store: Redis) -> None:
    """Another page cannot answer for whoever has the link open."""
    path, alert = await the_link(store)
    answer = await request(line.port, "POST", path, b"act=acknowledge",
                           {"content-type": "application/x-www-form-urlencoded"})
    assert (answer.status, (await kept(store, alert)).acknowledged_by) == (403, "")


async def test_who_tries_many_is_asked_to_wait(line: Line, store: Redis) -> None:
    """Thirty at once, from one address."""
    statuses = [(await line.get("/a/" + "x" * 60)).status for _ in range(31)]
    assert (statuses[0], statuses[-1]) == (410, 429)


async def test_no_page_elsewhere_is_told_the_link(line: Line, store: Redis) -> None:
    """Nor does anybody keep or list it."""
    path, _ = await the_link(store)
    headers = (await line.get(path)).headers
    assert (headers["referrer-policy"], headers["cache-control"], headers["x-robots-tag"]) == (
        "no-referrer", "no-store", "noindex")


@pytest.mark.parametrize("text", NAUGHTY.values(), ids=NAUGHTY.keys())
async def test_a_row_of_any_name_is_text(text: str, line: Line, store: Redis) -> None:
    """Whatever a carrier or a product is called."""
    path, _ = await the_link(store, text)
    page = (await line.get(path)).text
    assert "<script>alert" not in page and "<img src=x" not in page and "<svg/onload" not in page


def test_a_link_says_what_was_put_into_it() -> None:
    """To whoever has the secret, and to nobody else."""
    link = Link("f-late-DHL-1795179802000", "ana", NOW_MS + 1)
    token = link_token(b"one", link)
    assert (read_link(b"one", token, NOW_MS), read_link(b"two", token, NOW_MS), read_link(b"one", token, NOW_MS + 1)
            ) == (link, None, None)

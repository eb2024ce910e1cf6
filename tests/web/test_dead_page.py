"""Dead letters in the browser: found by reason, looked at without harm, replayed, corrected, discarded; no script
needed, and nobody else's page can press a button."""

import dataclasses
import html
import re
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.store.keys import MOST_HELD
from opsmon.store.scripts import Taken
from opsmon.web import dead_page, dead_views
from tests.http import Answer, request
from tests.line import SHOP, Line
from tests.orders import order
from tests.store.dead import headers, keep, letter
from tests.web.wire import Elements

pytestmark = pytest.mark.anyio

SAME = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
NOT_JSON = f"orders/create from {SHOP}: not JSON"
HOSTILE = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>", "</pre><script>",
    "</textarea><script>alert(1)</script>", "<!--", "--><b>", "]]>", "&lt;b&gt;", "<a href=javascript:alert(1)>",
    "{{ 7*7 }}{% raw %}", "\u2028<b>\u202e", "<b style=color:red hx-get=/x>", "</title></head><body>",
    "\x00<b>\x1f", "<textarea autofocus onfocus=alert(1)>", "<style>*{display:none}</style>", "\r\n\r\n<b>",
    "<b\n", "javascript:alert(1)",
]


async def send(line: Line, path: str, headers: dict[str, str] | None = None, **fields: str) -> Answer:
    """Press a button of a form."""
    return await request(line.port, "POST", path, urlencode(fields).encode(), SAME if headers is None else headers)


def shape(answer: Answer) -> list[tuple[str, list[str]]]:
    """The elements of a page and the names of their attributes, in order."""
    return [(element.tag, sorted(element.attributes)) for element in Elements(answer.text).found]


def said(answer: Answer) -> str:
    """What a reader of a page reads."""
    body = re.sub(r"<(head|script)\b.*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


async def reason(line: Line) -> str:
    """The short name of the first reason on the page."""
    found = re.search(r'name="reason" value="(\w+)"', (await line.get("/dead-letters")).text)
    assert found
    return found[1]


async def left(store: Redis) -> tuple[int, int]:
    """Events and dead letters that there are."""
    return await store.xlen("{main}:events"), await store.xlen("{main}:dead")


# Looking


async def test_without_any_the_page_says_so(line: Line) -> None:
    """Nothing is held, and nothing was done."""
    text = said(await line.get("/dead-letters"))
    assert ("Nothing is held: all that came could be used" in text, "Nothing yet." in text) == (True, True)


async def test_the_status_page_leads_there(line: Line) -> None:
    """Whoever reads that there are some can look at them."""
    await line.post("orders/create", b"{")
    assert '<a href="/dead-letters">' in (await line.get("/status")).text


async def test_letters_are_listed_by_source_and_reason(line: Line) -> None:
    """The most frequent first; details make no reason of their own."""
    await keep(line.store, *(letter(n, reason=f"line {n}") for n in range(1, 4)), letter(9))
    found = re.findall(r'<b>([\d,]+)</b> letters?</p>.*?dead__reason" href="[^"]+">([^<]+)</a>',
                       (await line.get("/dead-letters")).text, re.DOTALL)
    assert found == [("3", f"orders/create from {SHOP}: line …"), ("1", NOT_JSON)]


async def test_a_reason_leads_to_its_letters_and_they_to_their_payload(line: Line) -> None:
    """Two clicks."""
    await keep(line.store, letter(1, b'{"id":18446744073709551617,"total":1.10}'), letter(2, reason="other"))
    page = await line.get("/dead-letters")
    (href,) = re.findall(r'href="([^"]+)">[^<]*not JSON</a>', page.text)
    listed = (await line.get(html.unescape(href))).text
    (one,) = re.findall(r'class="dead__reason" href="(/dead-letters/[^"]+)"', listed)
    text = html.unescape((await line.get(one)).text)
    assert '{\n  "id": 18446744073709551617,\n  "total": 1.10\n}</pre>' in text


async def test_headers_are_shown_and_secrets_are_not(line: Line) -> None:
    """The topic helps; a signature is nobody's business."""
    about = '{"x-shopify-topic":"orders/create","authorization":"Bearer s3cret-token"}'
    (one,) = await keep(line.store, Taken("dead", "shopify", "s", b"{", f"x: y\n{about}"))
    text = (await line.get(f"/dead-letters/{one}")).text
    assert ("orders/create" in text, "s3cret-token" in text, "19 characters" in text) == (True, False, True)


@pytest.mark.parametrize("path", ["1-1", "x", "99999999999999999999999-0", "%01", "*"])
async def test_a_letter_that_is_not_there_is_a_404_with_a_sentence(line: Line, path: str) -> None:
    """It may have been replayed by somebody else."""
    answer = await line.get(f"/dead-letters/{path}")
    assert (answer.status, "no such dead letter" in answer.text) == (404, True)


async def test_a_reason_nothing_is_held_for_says_so(line: Line) -> None:
    """After the last one is gone, or by an old link."""
    answer = await line.get("/dead-letters?source=shopify&reason=00000000")
    assert (answer.status, "No letter is held for this reason any more" in answer.text) == (200, True)


async def test_a_stopped_source_is_told_everywhere(line: Line) -> None:
    """On the page, in the status and for programs."""
    await line.store.hset("{main}:counts", mapping={"shopify:held": MOST_HELD, "shopify:held_bytes": 5})
    sentence = "Shopify is stopped: 10,000 dead letters"
    assert [sentence in said(await line.get(path)) for path in ("/dead-letters", "/status")] == [True, True]
    assert (await line.get("/status.json")).json["dead_letters"]["stopped"] == {"shopify": [MOST_HELD, 5]}


# Hostile text


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_changes_no_page(line: Line, text: str) -> None:
    """Payload, reason, headers, why it was discarded: the page has the elements it has for AAAA."""
    pages = []
    for one in ("AAAA", text):
        await line.store.flushall()
        about = orjson.dumps(orjson.loads(headers(1)) | {"x-shopify-triggered-at": one}).decode()
        ids = await keep(line.store, Taken("dead", "shopify", "1", one.encode(), f"{one}\n{about}"),
                         Taken("dead", "shopify", "2", orjson.dumps([one]), f"x\n{about}"))
        await send(line, f"/dead-letters/{ids[1]}", act="discard", because=one)
        group = await reason(line)
        corrected = await send(line, f"/dead-letters/{ids[0]}", act="edit", payload=one)
        asked = [await line.get(path) for path in (
            "/dead-letters", f"/dead-letters?source=shopify&reason={group}", f"/dead-letters/{ids[0]}")]
        pages.append([shape(answer) for answer in (*asked, corrected)])
    assert pages[1] == pages[0]


async def test_a_hostile_payload_can_be_read_as_it_came(line: Line) -> None:
    """Escaped, not removed."""
    (one,) = await keep(line.store, letter(1, b"</pre><script>alert('x')</script>"))
    assert "</pre><script>alert('x')</script></pre>" in html.unescape((await line.get(f"/dead-letters/{one}")).text)


@pytest.mark.parametrize(("payload", "shown"), [(b"\xff\x00x", "It is no text"), (b"x" * 70_000, "It is too large")])
async def test_what_cannot_be_corrected_in_a_form_says_how_it_can(line: Line, payload: bytes, shown: str) -> None:
    """It is shown as far as it goes."""
    (one,) = await keep(line.store, letter(1, payload))
    answer = await line.get(f"/dead-letters/{one}")
    assert (shown in answer.text, "<textarea" in answer.text, len(answer.text) < 100_000) == (True, False, True)


# Pressing


async def test_replay_puts_a_letter_back_and_it_counts(line: Line) -> None:
    """To the board in the end; the page one lands on says what was done."""
    (one,) = await keep(line.store, letter(1))
    answer = await send(line, f"/dead-letters/{one}", act="replay")
    assert (answer.status, await left(line.store)) == (303, (1, 0))
    assert "Replayed 1 letter." in said(await line.get(answer.headers["location"]))
    await line.work()
    assert (await line.kpis())["orders-today"]["value"] == 1


async def test_pressing_replay_again_is_harmless(line: Line) -> None:
    """A page that was loaded long ago still has the button."""
    (one,) = await keep(line.store, letter(1))
    answers = [await send(line, f"/dead-letters/{one}", act="replay") for _ in range(2)]
    assert ([answer.status for answer in answers], await left(line.store)) == ([303, 404], (1, 0))


async def test_a_letter_still_unusable_says_why_in_its_place(line: Line) -> None:
    """The page stays, with the sentence of the source."""
    (one,) = await keep(line.store, letter(1, b"{"))
    answer = await send(line, f"/dead-letters/{one}", act="replay")
    assert (answer.status, "It still cannot be used: the body is not JSON" in said(answer)) == (422, True)


async def test_a_correction_is_read_first_and_kept_when_it_is_wrong(line: Line) -> None:
    """What was typed stays in its field, with the place of the fault above it."""
    (one,) = await keep(line.store, letter(1, b"{"))
    typed = '{"id": 1,\n  "half": }'
    answer = await send(line, f"/dead-letters/{one}", act="edit", payload=typed)
    assert (answer.status, "this is not JSON, line 2, column 11" in said(answer)) == (422, True)
    assert f'aria-describedby="payload-error">\n{typed}</textarea>' in html.unescape(answer.text)
    assert await left(line.store) == (0, 1)


async def test_a_correction_that_is_right_counts(line: Line) -> None:
    """Lines end as browsers send them."""
    (one,) = await keep(line.store, letter(1, b"{"))
    typed = orjson.dumps(order(1), option=orjson.OPT_INDENT_2).decode().replace("\n", "\r\n")
    answer = await send(line, f"/dead-letters/{one}", act="edit", payload=typed)
    assert (answer.status, await left(line.store)) == (303, (1, 0))
    assert "Corrected and replayed 1 letter; what came had 1 byte, BLAKE2b" in said(
        await line.get(answer.headers["location"]))


async def test_all_of_a_reason_are_replayed(line: Line) -> None:
    """Of this source and this reason only."""
    await keep(line.store, *(letter(n) for n in range(1, 301)), letter(900, reason="other"))
    answer = await send(line, "/dead-letters", act="replay", source="shopify", reason=await reason(line))
    assert (answer.status, await left(line.store)) == (303, (300, 1))
    assert "Replayed 300 letters." in said(await line.get(answer.headers["location"]))


async def test_replaying_all_stops_early_and_says_so(line: Line) -> None:
    """Back at the reason, with the first failure's sentence."""
    await keep(line.store, *(letter(n, b"{") for n in range(1, 151)))
    answer = await send(line, "/dead-letters", act="replay", source="shopify", reason=await reason(line))
    text = said(await line.get(answer.headers["location"]))
    assert "Replayed 0 letters; 100 still cannot be used, and the others were left alone: the body is not JSON" in text


async def test_who_has_more_than_there_is_time_for_presses_again(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request ends within seconds; the page says that there are more."""
    monkeypatch.setattr(dead_page, "_PATIENCE_S", 0)
    await keep(line.store, *(letter(n) for n in range(1, 301)))
    fields = {"act": "replay", "source": "shopify", "reason": await reason(line)}
    answer = await send(line, "/dead-letters", **fields)
    assert "There are more: press again to go on." in said(await line.get(answer.headers["location"]))
    await send(line, "/dead-letters", **fields)
    assert await left(line.store) == (300, 0)


@pytest.mark.parametrize("is_one", [True, False])
async def test_discarding_wants_a_word_of_why(line: Line, is_one: bool) -> None:
    """Nothing goes for good by a slip of the finger."""
    (one,) = await keep(line.store, letter(1))
    path, fields = (f"/dead-letters/{one}", {}) if is_one else (
        "/dead-letters", {"source": "shopify", "reason": await reason(line)})
    empty = await send(line, path, act="discard", because="  ", **fields)
    assert (empty.status, "Say why, in a few words" in said(empty), await left(line.store)) == (422, True, (0, 1))
    answer = await send(line, path, act="discard", because="a test", **fields)
    assert (answer.status, await left(line.store)) == (303, (0, 0))
    assert "Discarded 1 letter, because: a test." in said(await line.get(answer.headers["location"]))


async def test_the_journal_says_who_did_what(line: Line) -> None:
    """The newest first; local until there are accounts."""
    ids = await keep(line.store, letter(1), letter(2))
    await send(line, f"/dead-letters/{ids[0]}", act="replay")
    await send(line, f"/dead-letters/{ids[1]}", act="discard", because="noise")
    text = said(await line.get("/dead-letters")).partition("What was done")[2]
    assert re.sub(r"\w+ \d+, [\d:]+", "AT", text).strip() == (
        f"AT local Discarded 1 letter, because: noise Shopify: {NOT_JSON} "
        f"AT local Replayed 1 letter Shopify: {NOT_JSON}")


# Not pressing


@pytest.mark.parametrize("strange", [
    {}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "null"},
    {"origin": "http://evil.example"},
], ids=str)
async def test_a_page_from_elsewhere_presses_nothing(line: Line, strange: dict[str, str]) -> None:
    """No letter moves, whatever the form looks like (HARDENING T8)."""
    (one,) = await keep(line.store, letter(1))
    group = await reason(line)
    for content_type in ("application/x-www-form-urlencoded", "text/plain"):
        given = {**strange, "content-type": content_type}
        answers = [await send(line, f"/dead-letters/{one}", given, act="replay"),
                   await send(line, "/dead-letters", given, act="replay", source="shopify", reason=group)]
        assert [answer.status for answer in answers] == [403, 403]
    assert await left(line.store) == (0, 1)


@pytest.mark.parametrize("path", ["/dead-letters?act=replay", "/dead-letters/{}?act=replay&because=x"])
async def test_looking_changes_nothing(line: Line, path: str) -> None:
    """A link, a preview or a crawler asks with GET."""
    (one,) = await keep(line.store, letter(1))
    assert ((await line.get(path.format(one))).status, await left(line.store)) == (200, (0, 1))


@pytest.mark.parametrize(("fields", "status"), [
    ({}, 400), ({"act": "replay"}, 400), ({"act": "burn", "source": "shopify", "reason": "x"}, 400),
    ({f"f{n}": "" for n in range(60)}, 400),
])
async def test_a_form_that_is_none_is_refused_with_a_sentence(line: Line, fields: dict[str, str], status: int) -> None:
    """Never a 500, never a traceback."""
    answer = await send(line, "/dead-letters", **fields)
    assert (answer.status, "See the log" in answer.text) == (status, False)


@pytest.mark.parametrize(("body", "headers", "status"), [
    (b"a=1", {"content-type": "text/plain"}, 415), (b"a=1", {"content-type": "multipart/form-data; boundary=x"}, 415),
    (b"a=" + b"x" * 65_536, {}, 413), (b"\xff\xfe", {}, 400), (b"%ff=%00&act=%fe", {}, 400), (b"", {}, 400),
])
async def test_a_body_that_is_no_form_is_refused(
    line: Line, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Too large, of another type, no text."""
    answer = await request(line.port, "POST", "/dead-letters", body, SAME | headers)
    assert (answer.status, "Traceback" in answer.text) == (status, False)


# The door


async def test_a_source_gone_wrong_is_told_to_come_later(line: Line) -> None:
    """503, when to come again, and what has to happen before; what can be used is taken."""
    await line.store.hset("{main}:counts", "shopify:held", MOST_HELD)
    answer = await line.post("orders/create", b"{")
    assert (answer.status, answer.headers["retry-after"], "somebody has looked" in answer.text) == (503, "3600", True)
    assert (await line.post("orders/create", order(1))).status == 200
    totals = (await line.get("/status.json")).json["sources"]["shopify"]["totals"]
    assert (totals["stopped"], totals["accepted"], totals.get("dead")) == (1, 1, None)


async def test_a_letter_keeps_the_headers_it_is_read_by(line: Line) -> None:
    """And none that is a secret."""
    await line.post("orders/create", b"{", x_shopify_webhook_id="b1e2")
    ((_, fields),) = await line.store.xrange("{main}:dead")
    assert (orjson.loads(fields[b"headers"]), fields[b"seen"].decode()) == (
        orjson.loads(headers("x")) | {"x-shopify-webhook-id": "b1e2"}, f"{{main}}:seen:shopify:{SHOP}:b1e2")


async def test_from_the_door_to_the_board(line: Line) -> None:
    """Unusable when it came, corrected by a person, counted once; the vendor's own repetition is a duplicate."""
    await line.post("orders/create", b'{"id": 1}', x_shopify_webhook_id="b1e2")
    ((entry_id, _),) = await line.store.xrange("{main}:dead")
    await send(line, f"/dead-letters/{entry_id.decode()}", act="edit", payload=orjson.dumps(order(1)).decode())
    await line.post("orders/create", b'{"id": 1}', x_shopify_webhook_id="b1e2")
    await line.work()
    assert ((await line.kpis())["orders-today"]["value"], await left(line.store)) == (1, (1, 0))


async def test_what_the_worker_gives_up_is_held_and_counted(line: Line) -> None:
    """Its count is right from the first letter on."""
    await line.store.xadd("{main}:events", {"e": "spoilt", "c": "0"})
    await line.work()
    counts: dict[bytes, bytes] = await line.store.hgetall("{main}:counts")
    assert (counts[b"stream:held"], counts[b"stream:held_bytes"]) == (b"1", b"6")
    assert "A worker" in said(await line.get("/dead-letters"))


@pytest.mark.parametrize("view", [value for value in vars(dead_views).values() if dataclasses.is_dataclass(value)
                                  and value.__module__ == dead_views.__name__], ids=lambda view: view.__name__)
def test_each_field_of_a_view_says_what_it_is(view: Any) -> None:
    """Whoever writes a template reads it there."""
    assert [field.name for field in dataclasses.fields(view) if not field.metadata.get("help")] == []

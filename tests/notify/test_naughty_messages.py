"""Whatever rows, rules, receivers and people are called: one message, the headers that are expected, signed, one line.

Texts that would like to be more go into every place of every template, and the messages into a real mail server and a
real https address (HARDENING T16).
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from opsmon.app.telling import notice_words
from opsmon.core.alerting.digests import Digest
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.messages import Bundle, Item, Message, Queued
from opsmon.core.alerting.receivers import Receiver
from opsmon.core.alerting.rules import Limit, Rule
from opsmon.notify.apprise import AppriseNotifier, calm
from opsmon.notify.egress import Egress
from opsmon.notify.webhook import WebhookNotifier
from opsmon.settings import Settings
from opsmon.sources.base import Secret, SourceSettings
from opsmon.sources.standard_webhooks import StandardWebhooks
from tests.conftest import NOW_MS
from tests.fakes.sinks import Mailbox, https_sink, mail_server
from tests.notify.test_channels import ANA, HEADERS, MAILED, Instance, mailer, read
from tests.web.naughty import NAUGHTY

pytestmark = pytest.mark.anyio
SECRET = "whsec_" + b64encode(b"a" * 32).decode()
# What the store can hold: half a character (a lone surrogate) is refused by JSON at the door.
CALLS = "@everyone @here <!channel|x> <@U1>"
TEXTS = [text for text in (*NAUGHTY.values(), *MAILED, CALLS, "%", "%(what)s %n", "a" * 5000) if "\ud800" not in text]
POSTED = ["connection", "content-length", "content-type", "host", "user-agent", "webhook-id", "webhook-signature",
          "webhook-timestamp"]


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    """A mail server."""
    async with mail_server() as made:
        yield made


def messages(settings: Settings, text: str) -> Iterator[Message]:
    """Every template there is, with the text in every place of it."""
    words = notice_words(settings, b"secret")
    rule = Rule("late", text, "orders-today", Limit(2), "high", owner=text, action=text)
    for word in ("fired", "repeat", "resolved"):
        for many in (1, 3, 30):
            yield words.message(Bundle(f"key-{word}-{many}", word, text, tuple(_items(rule, text, word, many))), NOW_MS)
    found = Digest(NOW_MS - 1000, NOW_MS, 3, 2, 1, (text, text), (text,), ((text, 3),))
    for word in ("daily", "weekly"):
        yield words.message(Bundle(f"key-{word}", word, text, (), {"digest": found}), NOW_MS)
    yield words.message(Bundle("key-test", "test", text), NOW_MS)


def _items(rule: Rule, text: str, word: Any, many: int) -> Iterator[Item]:
    state: Any = "resolved" if word == "resolved" else "firing"
    for at in range(many):
        alert = Alert("f", rule.id, (("row", text), (text, text)), state, NOW_MS, 1, f"f-{at}", NOW_MS - 60_000,
                      NOW_MS, value=34.0, limit=2.0, peak=40.0, acknowledged_by=text, assigned_to=text)
        yield Item(Queued(f"1-{at}", f"key-{at}", word, "ana", NOW_MS, "f", alert.id, rule.id), alert, rule)


@pytest.mark.parametrize("text", TEXTS)
async def test_a_mail_stays_one_mail(text: str, settings: Settings, box: Mailbox) -> None:
    """One for each message, to one recipient, with the headers of any other, each in one line; nothing of it HTML."""
    said = list(messages(settings, text))
    for one in said:
        await mailer(box).send(ANA, one, NOW_MS)
    mails = [read(mail) for mail in box.mails]
    assert [sorted(mail.keys()) for mail in mails] == [HEADERS] * len(said)
    assert {(mail.get_content_type(), mail.is_multipart()) for mail in mails} == {("text/plain", False)}
    assert {(mail["To"], mail["From"]) for mail in mails} == {("ana@shop.example", "opsmon@shop.example")}
    assert not [mail["Subject"] for mail in mails if any(ord(one) < 32 for one in str(mail["Subject"]))]
    assert [one for one in box.commands if one.upper().startswith((b"RCPT", b"MAIL"))] == [
        one for _ in said for one in (box.commands[1], b"rcpt TO:<ana@shop.example>")]


async def test_a_webhook_stays_one_and_signed(settings: Settings, tmp_path: Path) -> None:
    """One request for each message, with the headers of any other; its text says what was to be said."""
    verifier = StandardWebhooks(SourceSettings("x", "standard-webhooks", (Secret(SECRET.encode()),)), "main")
    said = [one for text in TEXTS for one in messages(settings, text)]
    async with https_sink(tmp_path) as (sink, context):
        hook = WebhookNotifier(Egress(("127.0.0.1/32",), context))
        for one in said:
            await hook.send(Receiver("hook", "Hook", "webhook", sink.url, SECRET), one, NOW_MS)
    assert [first for first, _, _ in sink.asked] == ["POST /hook HTTP/1.1"] * len(said)
    assert {tuple(sorted(headers)) for _, headers, _ in sink.asked} == {tuple(POSTED)}
    for one, (_, headers, body) in zip(said, sink.asked, strict=True):
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        signed = f"{one.key}.{NOW_MS // 1000}.".encode() + body
        expected = b64encode(hmac.digest(b64decode(SECRET[6:]), signed, "sha256")).decode()
        assert (verifier.verify(encoded, body), headers["webhook-signature"]) == (None, f"v1,{expected}")
        assert orjson.loads(body)["data"] == {**one.data, "subject": one.subject, "text": one.text}


@pytest.mark.parametrize("text", TEXTS)
async def test_no_text_makes_a_line_of_its_own(text: str, settings: Settings) -> None:
    """A template has as many lines as with any other text, and its subject is one of at most 120 characters."""
    plain = list(messages(settings, "Plain words" if text.strip("\x00\x08 \u200b\u3164\u00a0\ufeff") else text))
    for one, other in zip(messages(settings, text), plain, strict=True):
        assert (len(one.text.splitlines()), len(one.subject.splitlines())) == (len(other.text.splitlines()), 1)
        assert len(one.subject) <= 120


@pytest.mark.parametrize("text", TEXTS)
async def test_a_chat_calls_nobody(text: str, settings: Settings) -> None:
    """Nothing that Slack or Discord would take for everybody, for somebody, or for a link with another name."""
    made = Instance()
    for one in messages(settings, text):
        await AppriseNotifier(lambda: made).send(Receiver("c", "C", "apprise", "slack://a/b/c"), one, NOW_MS)
        said = f"{made.said[1]}\n{made.said[2]}".lower()
        assert not [mark for mark in ("<", ">", "@everyone", "@here", "@channel") if mark in said]


def test_what_calls_nobody_can_still_be_read() -> None:
    """Angles look the same, and addresses of people stay whole."""
    assert calm("<!here> @Everyone ana@shop.example https://x/a?b=1") == (
        "‹!here› @ Everyone ana@shop.example https://x/a?b=1")

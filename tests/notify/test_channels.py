"""How each way of telling people delivers: mail, signed webhooks, Apprise."""

import email
import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import apprise
import orjson
import pytest
import requests

from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import SCHEMAS, Receiver, parse_receiver
from opsmon.notify.apprise import AppriseNotifier
from opsmon.notify.egress import Egress
from opsmon.notify.email import EmailNotifier, server_of
from opsmon.notify.ports import DeliveryFailed
from opsmon.notify.webhook import WebhookNotifier
from opsmon.sources.base import Secret, SourceSettings
from opsmon.sources.standard_webhooks import StandardWebhooks
from tests.conftest import NOW_MS
from tests.fakes.sinks import Mailbox, https_sink, mail_server
from tests.web.naughty import NAUGHTY

pytestmark = pytest.mark.anyio
SECRET = "whsec_" + b64encode(b"a" * 32).decode()
ANA = Receiver("ana", "Ana", "email", "ana@shop.example")
CHAT = Receiver("chat", "Chat", "apprise", "slack://a/b/c")
# Of the shape that Slack's own tokens have.
VENDORS_OWN = Receiver("chat", "Chat", "apprise", f"slack://T0AAAAAAA/B0BBBBBBB/{'c' * 24}/#floor")
SAID = Message("key-1", "High: Orders are late", "Orders are late.\nTo do: pack them.", {"word": "fired"})
# What would be more than text in a mail, beside what would in a page.
MAILED = ["a\r\nBcc: eve@example.com", "a\nSubject: b\n\nbody", "a\rBcc: eve@example.com", "\x00\x08\x1b[31m",
          "a\u2028b", "=?utf-8?q?a=0d=0aBcc:_eve=40example.com?=", "\ud800", "a\r\n.\r\nMAIL FROM:<eve@example.com>",
          "é" * 900, "\u202egnp.exe", "<!everyone> <@U1> *b*", "田中さんに😀", ""]
HEADERS = ["Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "MIME-Version", "Message-ID",
           "Subject", "To"]


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    """A mail server."""
    async with mail_server() as made:
        yield made


def mailer(box: Mailbox) -> EmailNotifier:
    """What mails by it."""
    return EmailNotifier(server_of(f"smtp://127.0.0.1:{box.port}"), "opsmon@shop.example")


def read(mail: bytes) -> EmailMessage:
    """A mail as programs read it."""
    found = email.message_from_bytes(mail, policy=default)
    assert isinstance(found, EmailMessage)
    return found


async def test_a_mail_says_it(box: Mailbox) -> None:
    """From whom, to whom, what."""
    await mailer(box).send(ANA, SAID, NOW_MS)
    mail = read(box.mails[0])
    assert (mail["From"], mail["To"], mail["Subject"], mail.get_content().split("\r\n")[:2]) == (
        "opsmon@shop.example", "ana@shop.example", "High: Orders are late", ["Orders are late.", "To do: pack them."])


async def test_the_same_message_has_the_same_id(box: Mailbox) -> None:
    """Who is careful shows it once."""
    for _ in range(2):
        await mailer(box).send(ANA, SAID, NOW_MS)
    assert len({read(mail)["Message-ID"] for mail in box.mails}) == 1


@pytest.mark.parametrize("text", [*NAUGHTY.values(), *MAILED])
async def test_no_text_adds_a_header_or_a_mail(text: str, box: Mailbox) -> None:
    """Whatever a row, a rule or a person is called: one message, the headers that are expected, one recipient."""
    await mailer(box).send(ANA, Message("key-1", text, text, {}), NOW_MS)
    (mail,) = box.mails
    recipients = [one for one in box.commands if one.upper().startswith(b"RCPT")]
    assert (sorted(read(mail).keys()), len(recipients)) == (HEADERS, 1)


async def test_a_line_of_one_dot_does_not_end_a_mail(box: Mailbox) -> None:
    """What follows it is text."""
    await mailer(box).send(ANA, Message("k", "s", "a\n.\nRCPT TO:<eve@example.com>\nb", {}), NOW_MS)
    assert (len(box.mails), read(box.mails[0]).get_content().splitlines()[-1]) == (1, "b")


@pytest.mark.parametrize("says, is_permanent", [("550 no such user", True), ("452 later", False)])
async def test_a_refused_address_is_permanent_or_not(says: str, is_permanent: bool, box: Mailbox) -> None:
    """As the server says."""
    box.says = says
    with pytest.raises(DeliveryFailed) as failed:
        await mailer(box).send(ANA, SAID, NOW_MS)
    assert failed.value.is_permanent is is_permanent


async def test_a_mail_that_is_cut_off_is_sent_again(box: Mailbox) -> None:
    """Nobody knows whether it arrived."""
    box.is_cut = True
    with pytest.raises(DeliveryFailed) as failed:
        await mailer(box).send(ANA, SAID, NOW_MS)
    assert not failed.value.is_permanent


async def test_without_a_server_it_says_which_settings() -> None:
    """And is not tried again."""
    with pytest.raises(DeliveryFailed, match="OPSMON_SMTP_URL"):
        await EmailNotifier(None, "").send(ANA, SAID, NOW_MS)


async def test_a_password_is_in_no_text(box: Mailbox) -> None:
    """Nor in a log, by accident."""
    assert "hunter2" not in repr(server_of("smtps://opsmon:hunter2@mail.example"))


async def test_a_webhook_is_signed_as_standard_webhooks_are(tmp_path: Path) -> None:
    """opsmon's own verifier takes it."""
    async with https_sink(tmp_path) as (sink, context):
        hook = Receiver("hook", "Hook", "webhook", sink.url, SECRET)
        await WebhookNotifier(Egress(("127.0.0.1/32",), context)).send(hook, SAID, NOW_MS)
    ((_, headers, body),) = sink.asked
    verifier = StandardWebhooks(SourceSettings("x", "standard-webhooks", (Secret(SECRET.encode()),)), "main")
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    assert (verifier.verify(encoded, body), headers["webhook-id"], orjson.loads(body)["type"]) == (
        None, "key-1", "alert.fired")
    signed = f"key-1.{NOW_MS // 1000}.".encode() + body
    expected = b64encode(hmac.digest(b64decode(SECRET[6:]), signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("status, headers, is_permanent, after_s", [
    ("500 Oh", "", False, None), ("503 Later", "Retry-After: 120\r\n", False, 120),
    ("429 Too many", "Retry-After: 7\r\n", False, 7), ("410 Gone", "", True, None), ("404 No", "", True, None),
    ("302 Found", "Location: http://127.0.0.1/\r\n", True, None)])
async def test_a_webhook_is_tried_again_or_not(
        status: str, headers: str, is_permanent: bool, after_s: int | None, tmp_path: Path) -> None:
    """By what was answered."""
    async with https_sink(tmp_path) as (sink, context):
        sink.status, sink.headers = status, headers
        hook = Receiver("hook", "Hook", "webhook", sink.url, SECRET)
        with pytest.raises(DeliveryFailed) as failed:
            await WebhookNotifier(Egress(("127.0.0.1/32",), context)).send(hook, SAID, NOW_MS)
    assert (failed.value.is_permanent, failed.value.after_s) == (is_permanent, after_s)


class Instance:
    """What Apprise makes, as far as opsmon uses it: https://github.com/caronc/apprise."""

    def __init__(self, is_known: bool = True, answer: object = True, services: int = 1) -> None:
        self.is_known, self.answer, self.services, self.said = is_known, answer, services, ("", "", "")

    def add(self, url: str) -> bool:
        self.said = (url, "", "")
        return self.is_known

    def __len__(self) -> int:
        return self.services

    def notify(self, *, title: str, body: str, body_format: str) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        self.said = (self.said[0], title, body)
        return self.answer


async def test_a_chat_is_told_by_an_instance_of_its_own() -> None:
    """Title and text."""
    made: list[Instance] = []
    sender = AppriseNotifier(lambda: made.append(Instance()) or made[-1])
    for _ in range(2):
        await sender.send(CHAT, SAID, NOW_MS)
    assert [one.said for one in made] == [(f"{CHAT.to}?redirect=no", SAID.subject, SAID.text)] * 2


@pytest.mark.parametrize("instance, is_permanent", [
    (Instance(is_known=False), True), (Instance(services=2), True), (Instance(answer=False), False),
    (Instance(answer=None), False), (Instance(answer=RuntimeError("slack://a/b/c")), False)])
async def test_a_chat_that_cannot_be_told_is_said_without_its_address(instance: Instance, is_permanent: bool) -> None:
    """It holds the token."""
    with pytest.raises(DeliveryFailed) as failed:
        await AppriseNotifier(lambda: instance).send(CHAT, SAID, NOW_MS)
    assert (failed.value.is_permanent, "a/b/c" in str(failed.value)) == (is_permanent, False)


@pytest.mark.parametrize("scheme", ["json", "jsons", "xml", "form", "apprise", "syslog", "dbus", "file", "gotify",
                                    "mailto", "ntfy", "exec", "windows", "JSON"])
async def test_a_service_of_any_host_is_never_asked(scheme: str) -> None:
    """However the record came to be."""
    made: list[object] = []
    target = Receiver("x", "X", "apprise", f"{scheme}://127.0.0.1/")
    with pytest.raises(DeliveryFailed):
        await AppriseNotifier(lambda: made.append(1)).send(target, SAID, NOW_MS)
    assert made == []


@pytest.mark.parametrize("to", [
    "slack://a/b/c,json://127.0.0.1:6379/", "slack://a/b/c,,xml://127.0.0.1/", "tgram://1:a/2/syslog://127.0.0.1",
    "slack://a/b/c?template=/etc/passwd", "slack://a/b/c?template=http://127.0.0.1/", "discord://a/b?%74emplate=/x",
    "discord://a/b?to=x;template=/x", "tgram://1:a/2?to=x?template=/x", "slack://a/b/c?TEMPLATE=/x",
    "slack://a/b/c?verify=no", "slack://a/b/c?redirect=yes", "slack://a/b/c?retry=9&wait=9", "slack://a/b/c?:x=1",
    "slack://a/b/c json://127.0.0.1/", "slack://a/b/c\njson://127.0.0.1/", "slack:/a/b", "slack://"])
async def test_no_address_holds_another_or_a_file(to: str) -> None:
    """Apprise makes several services of one text, and reads templates from where it is told."""
    made: list[object] = []
    with pytest.raises(DeliveryFailed) as failed:
        await AppriseNotifier(lambda: made.append(1)).send(Receiver("x", "X", "apprise", to), SAID, NOW_MS)
    assert (made, failed.value.is_permanent, parse_receiver(
        {"id": "x", "name": "X", "kind": "apprise", "to": to})[0]) == ([], True, None)


@pytest.mark.parametrize("to", ["slack://a/b/c", "tgram://123:a-B_c/-100", "twilio://AC1:tok@15551234/15559876",
                                "twilio://AC1:tok@15551234/15559876?method=call", "pover://u@t?priority=1&sound=none",
                                "sinch://a:b@+4912/+4913?region=eu&to=+4914,+4915"])
async def test_an_address_of_a_vendor_is_sent_to(to: str) -> None:
    """With what it may say of whom and how."""
    made: list[Instance] = []
    await AppriseNotifier(lambda: made.append(Instance()) or made[-1]).send(
        Receiver("x", "X", "apprise", to), SAID, NOW_MS)
    assert made[0].said[0].startswith(to)


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not tried again."""
    monkeypatch.setattr("opsmon.notify.apprise.find_spec", lambda name: None)
    with pytest.raises(DeliveryFailed, match=r"opsmon\[notify\]"):
        await AppriseNotifier().send(CHAT, SAID, NOW_MS)


# What Apprise imports warns, and only the first who imports it is warned.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_service_that_opsmon_offers_is_one_of_apprise() -> None:
    """By the name it has there."""
    services = apprise.Apprise().details()["schemas"]
    known = {name for one in services for part in ("protocols", "secure_protocols") for name in one[part] or ()}
    assert known >= SCHEMAS


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("answer, failure", [(200, ""), (500, "did not take"), (302, "did not take")])
async def test_apprise_itself_sends_a_message_once_and_follows_nobody(
        answer: int, failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the vendor's own host, and nowhere else if that one says so. Only the wire is another's here."""
    asked: list[tuple[str, str, bool]] = []

    def send(session: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        asked.append((str(request.url), str(request.body), how["allow_redirects"]))
        found = requests.Response()
        found.status_code, found._content, found.url = answer, b"ok", str(request.url)
        found.headers["Location"] = "http://127.0.0.1/"
        return found

    monkeypatch.setattr(requests.Session, "send", send)
    try:
        await AppriseNotifier().send(VENDORS_OWN, SAID, NOW_MS)
        said = ""
    except DeliveryFailed as failed:
        said = str(failed)
    assert [(url.partition("/services/")[0], "To do: pack them." in body, follows) for url, body, follows in asked] == [
        ("https://hooks.slack.com", True, False)]
    assert (failure in said, bool(said)) == (True, bool(failure))

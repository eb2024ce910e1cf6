"""Invitations and links for a new password by mail: in the mail alone, and what is said when it does not go."""

import email
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default

import pytest

from opsmon.settings import Settings
from tests.fakes.sinks import Mailbox, mail_server
from tests.http import Answer
from tests.line import Line
from tests.web.accounts.people import Someone, deeds, once, said, someone

pytestmark = pytest.mark.anyio
LINK = re.compile(r"http://127\.0\.0\.1:\d+(/invite/[\w-]{40,})")


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    """A mail server."""
    async with mail_server() as made:
        yield made


@pytest.fixture
def settings(settings: Settings, box: Mailbox) -> Settings:
    """A site that has one."""
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{box.port}", mail_from="opsmon@shop.example")


def read(box: Mailbox) -> EmailMessage:
    """The only mail that came."""
    (raw,) = box.mails
    found = email.message_from_bytes(raw, policy=default)
    assert isinstance(found, EmailMessage)
    return found


async def invited(who: Someone, name: str = "Ben") -> Answer:
    """Somebody is invited."""
    return await who.send("/people", name=name, email="ben@shop.example", role="viewer", teams="")


async def test_an_invitation_goes_by_mail_and_is_on_no_page(line: Line, box: Mailbox) -> None:
    """Whoever looks over a shoulder sees no link; whoever gets the mail gets in."""
    ana = await someone(line)
    answer = await invited(ana)
    mail = read(box)
    found = LINK.search(mail.get_content())
    assert found is not None
    assert said(answer) == "The invitation is on its way to ben@shop.example: good once, within 7 days."
    assert ("/invite/" in answer.text, (await line.get(found[1])).status) == (False, 200)
    assert (mail["To"], mail["Subject"]) == ("ben@shop.example", "Your invitation to opsmon")


async def test_a_link_for_a_new_password_goes_by_mail(line: Line, box: Mailbox) -> None:
    """The mail names who made it, and what to do when nobody asked."""
    ana, _ = await someone(line), await someone(line, "viewer", "ben")
    answer = await ana.send("/people/ben", act="link", version="1")
    text = read(box).get_content()
    assert said(answer) == "The link for a new password is on its way to ben@shop.example: good once, within the hour."
    assert ("/invite/" in answer.text, LINK.search(text) is not None) == (False, True)
    assert ("Ana admin made this link for you." in text, "If you asked nobody for it" in text) == (True, True)


async def test_a_mail_that_is_not_taken_is_told_and_the_link_is_shown(line: Line, box: Mailbox) -> None:
    """Nobody is locked out by a mail server; what it said is in the sentence."""
    box.says = "550 no such user"
    ana = await someone(line)
    answer = await invited(ana)
    assert said(answer) == ("The mail to ben@shop.example was not taken: the mail server refuses this address (550). "
                            "Give them the link below instead.")
    assert (await line.get("/invite/" + once(answer).rpartition("/")[2])).status == 200


async def test_the_audit_tells_that_a_link_was_mailed_and_never_the_link(line: Line, box: Mailbox) -> None:
    """To whom; and when it was not, why."""
    ana = await someone(line)
    await invited(ana)
    box.says = "550 no such user"
    await ana.send(f"/people/{(await deeds(line))[0].about}", act="link", version="1")
    lines = await deeds(line)
    assert [one.what for one in lines] == ["person.invite_not_mailed", "person.invite_link", "person.invite_mailed",
                                           "person.invited"]
    assert re.findall(r"[\w-]{40,}", repr(lines)) == []


async def test_a_name_adds_no_header_and_no_recipient(line: Line, box: Mailbox) -> None:
    """Whatever somebody is called."""
    await invited(await someone(line), 'Ben" <eve@example.com>, "B')
    recipients = [one for one in box.commands if one.upper().startswith(b"RCPT")]
    assert (read(box)["To"].addresses[0].addr_spec, recipients) == (
        "ben@shop.example", [b"rcpt TO:<ben@shop.example>"])


async def test_the_buttons_say_that_they_mail(line: Line) -> None:
    """Before they are pressed."""
    html = (await (await someone(line)).get("/people")).text
    assert ("Mail them an invitation" in html, "Mail a link for a new password" in html) == (True, True)

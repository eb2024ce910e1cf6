"""E-mail by a server of the shop's, with what Python has: a base install can tell people without anything more."""

import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver
from opsmon.core.said import Said
from opsmon.notify.ports import DeliveryFailed
from opsmon.threads import in_thread

WITHIN_S = 5.0
_LOCAL = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `is_tls` from the first byte (smtps://); else STARTTLS, which only a server on this
    machine may lack."""

    host: str
    port: int
    user: str
    password: str
    is_tls: bool

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"


def server_of(url: str) -> MailServer:
    """The server that OPSMON_SMTP_URL names; the settings checked how it is written."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "smtps"
    return MailServer(parts.hostname or "", parts.port or (465 if is_tls else 587), unquote(parts.username or ""),
                      unquote(parts.password or ""), is_tls)


class EmailNotifier:
    """Hands messages to a mail server. `server` None: none is set."""

    def __init__(self, server: MailServer | None, sender: str, context: ssl.SSLContext | None = None) -> None:
        self._server, self._sender = server, sender
        self._context = context or ssl.create_default_context()

    async def send(self, receiver: Receiver, message: Message, now_ms: int) -> None:
        """Mail a message. Raises DeliveryFailed. May be repeated: Message-ID is the same, and who is careful shows it
        once."""
        server = self._server
        if server is None or not self._sender:
            raise DeliveryFailed(Said("no mail server is set: OPSMON_SMTP_URL and OPSMON_MAIL_FROM say which"),
                                 is_permanent=True)
        mail = mail_of(self._sender, receiver, message, now_ms)
        await in_thread(lambda: _hand_over(server, mail, self._sender, receiver.to, self._context))


def mail_of(sender: str, receiver: Receiver, message: Message, now_ms: int) -> EmailMessage:
    """A message as mail: plain text, headers that nothing in it can add to.

    Threat: header injection (CWE-93; HARDENING T16).
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender)
    mail["To"] = _address(receiver.to)
    mail["Subject"] = in_one_line(message.subject)[:200]
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    domain = parseaddr(sender)[1].rpartition("@")[2]
    mail["Message-ID"] = f"<{sha256(message.key.encode()).hexdigest()[:40]}@{domain}>"
    # No vacation replies, no filing among newsletters (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_lines(message.text), cte="quoted-printable")
    return mail


def in_one_line(text: str) -> str:
    """A text without line ends and other control characters, blanks in their place; nor does an encoded word (RFC 2047)
    stay one: Python's e-mail package decodes those it is given, line ends in them and all."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", text).replace("=?", "= ?").split())


def _lines(text: str) -> str:
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", " ", text) + "\n"


def _address(text: str) -> Address:
    name, address = parseaddr(in_one_line(text))
    user, _, domain = address.rpartition("@")
    return Address(in_one_line(name), user, domain)


def _hand_over(server: MailServer, mail: EmailMessage, sender: str, to: str, context: ssl.SSLContext) -> None:
    """In a thread: smtplib blocks."""
    try:
        with _opened(server, context) as smtp:
            smtp.send_message(mail, parseaddr(sender)[1], [to])
    except smtplib.SMTPRecipientsRefused as error:
        code, _ = next(iter(error.recipients.values()), (550, b""))
        raise DeliveryFailed(Said("the mail server refuses this address (%(code)s)", code=code),
                             is_permanent=code >= 500) from None
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryFailed(Said("the mail server refuses user and password (%(code)s)",
                                  code=error.smtp_code)) from None
    except smtplib.SMTPResponseException as error:
        raise DeliveryFailed(Said("the mail server answered %(code)s", code=error.smtp_code),
                             is_permanent=500 <= error.smtp_code < 600) from None
    except ssl.SSLError:
        raise DeliveryFailed(Said("no secure connection to the mail server %(host)s", host=server.host)) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise DeliveryFailed(Said("the mail server %(host)s cannot be reached (%(why)s)", host=server.host,
                                  why=str(why))) from None


def _opened(server: MailServer, context: ssl.SSLContext) -> smtplib.SMTP:
    """A connection that is safe for a password.

    Threat: a password in the clear (CWE-319).
    """
    if server.is_tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=WITHIN_S, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=WITHIN_S)
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=context)
        elif server.host not in _LOCAL:
            smtp.close()
            raise DeliveryFailed(Said("the mail server %(host)s offers no encryption (STARTTLS)", host=server.host),
                                 is_permanent=True)
    if server.user:
        smtp.login(server.user, server.password)
    return smtp

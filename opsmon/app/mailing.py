"""How the pages mail links to people. Loaded only where a mail server is set: others carry no mail."""

from opsmon.clock import Clock
from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver
from opsmon.notify.email import EmailNotifier, server_of
from opsmon.notify.ports import DeliveryFailed
from opsmon.settings import Settings
from opsmon.web.accounts.mailing import Letter, Post


def post_of(settings: Settings, clock: Clock) -> Post:
    """What hands letters to the site's mail server, beside the loop."""
    mailer = EmailNotifier(server_of(settings.smtp_url), settings.mail_from)

    async def post(letter: Letter) -> str:
        receiver = Receiver(letter.to, letter.name, "email", letter.to)
        try:
            await mailer.send(receiver, Message(letter.key, letter.subject, letter.text, {}), clock.now_ms())
        except DeliveryFailed as error:
            return str(error)
        return ""

    return post

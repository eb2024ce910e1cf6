"""Chats, text messages and calls, by Apprise of the extra `notify`: one instance per address, off the event loop.

Only services of one vendor each (receivers.SCHEMAS): Apprise asks addresses of its own, past the guard of egress.py,
and so none may be chosen whose host somebody can type in (threat: SSRF, CWE-918; ALERTING D7). What remains: it asks
this machine's resolver for the vendor's name, and goes by the proxy that the environment names.
"""

import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver, apprise_fault
from opsmon.core.said import Said
from opsmon.notify.ports import DeliveryFailed
from opsmon.threads import in_thread

_ANGLES = {ord("<"): "‹", ord(">"): "›"}
_MISSING = Said("chats and text messages need Apprise: install opsmon[notify]")


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec("apprise") is not None


class AppriseNotifier:
    """Sends by Apprise. `make` gives an instance; Apprise's own where none is given."""

    def __init__(self, make: Callable[[], Any] | None = None) -> None:
        self._make = make

    async def send(self, receiver: Receiver, message: Message, now_ms: int) -> None:
        """Send a message. Raises DeliveryFailed. Repeated it arrives again: chats know no keys."""
        if apprise_fault(receiver.to):
            raise DeliveryFailed(Said("this address is none that opsmon sends to"), is_permanent=True)
        make = self._make or _own()
        # An instance sleeps between its calls, each address has one of its own and none waits for another.
        await in_thread(lambda: _send(make(), receiver.to, message))


def calm(text: str) -> str:
    """A text that calls nobody in a chat: Slack reads <!everyone> and <@U1>, Discord @everyone, wherever it stands.

    Threat: mark-up injection (CWE-93; HARDENING T16): names of rows come from customers.
    """
    return re.sub(r"@(?=everyone|here|channel)", "@ ", text.translate(_ANGLES), flags=re.IGNORECASE)


def _own() -> Callable[[], Any]:
    if not is_installed():
        raise DeliveryFailed(_MISSING, is_permanent=True)
    made: Callable[[], Any] = import_module("apprise").Apprise
    return made


def _send(instance: Any, url: str, message: Message) -> None:
    """In a thread. What Apprise raises may hold the address: only its kind is told."""
    try:
        # Whoever answers for the vendor leads nowhere else. Of one address nothing but one service may come.
        is_known = instance.add(f"{url}{'&' if '?' in url else '?'}redirect=no") and len(instance) == 1
        is_sent = is_known and instance.notify(title=calm(message.subject), body=calm(message.text), body_format="text")
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises
        raise DeliveryFailed(Said("the service failed (%(why)s)", why=type(error).__name__)) from None
    if not is_known:
        raise DeliveryFailed(Said("Apprise cannot read this address"), is_permanent=True)
    if not is_sent:
        raise DeliveryFailed(Said("the service did not take the message"))

"""What every way of telling people has in common."""

from typing import Protocol

from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver
from opsmon.core.errors import OpsmonError


class DeliveryFailed(OpsmonError):
    """A message did not arrive, or nobody knows whether it did. `is_permanent`: trying again is no use. `after_s`: the
    other side said when to come again; None: it did not. The sentence holds no secret; it is a Said, so that whoever
    reads it later reads it in their language."""

    def __init__(self, sentence: str, *, is_permanent: bool = False, after_s: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.is_permanent, self.after_s = is_permanent, after_s


class Notifier(Protocol):
    """One way of telling people."""

    async def send(self, receiver: Receiver, message: Message, now_ms: int) -> None:
        """Deliver a message. Raises DeliveryFailed. May be repeated: the message's key tells it is the same."""
        ...

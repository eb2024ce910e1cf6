"""Signed webhooks, as Standard Webhooks describes them (standardwebhooks.com): who gets one can tell that it is ours,
that it is new, and that it is the same one again."""

import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import orjson

from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver
from opsmon.core.said import Said
from opsmon.notify.egress import Answer, Egress
from opsmon.notify.ports import DeliveryFailed

# Gone, not found, not allowed, wrong in itself: the same again would be answered the same.
_AGAIN = frozenset({408, 409, 423, 425, 429})


class WebhookNotifier:
    """Posts messages as JSON."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def send(self, receiver: Receiver, message: Message, now_ms: int) -> None:
        """Post a message. Any 2xx is taken for delivered. Raises DeliveryFailed. May be repeated: webhook-id is the
        same.

        Threat: a forged or repeated message at the other side (CWE-345, CWE-294).
        """
        body = orjson.dumps({"type": f"alert.{message.data.get('word', 'test')}", "timestamp": _iso(now_ms),
                             "data": {**message.data, "subject": message.subject, "text": message.text}})
        seconds = str(now_ms // 1000)
        signed = f"{message.key}.{seconds}.".encode() + body
        signature = b64encode(hmac.digest(key_of(receiver.secret), signed, "sha256")).decode()
        headers = {"Content-Type": "application/json", "webhook-id": message.key, "webhook-timestamp": seconds,
                   "webhook-signature": f"v1,{signature}"}
        _check(await self._egress.post(receiver.to, headers, body))


def key_of(secret: str) -> bytes:
    """The key in a whsec_ secret. Raises DeliveryFailed."""
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise DeliveryFailed(Said("the secret of this receiver cannot be read: make a new one"),
                             is_permanent=True) from None


def _check(answer: Answer) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise DeliveryFailed(Said("the address answered %(status)s, a redirect, which is not followed", status=status),
                             is_permanent=True)
    is_permanent = 400 <= status < 500 and status not in _AGAIN
    raise DeliveryFailed(Said("the address answered %(status)s", status=status), is_permanent=is_permanent,
                         after_s=answer.after_s)


def _iso(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

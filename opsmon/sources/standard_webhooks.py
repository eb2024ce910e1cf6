"""Standard Webhooks (standardwebhooks.com), which Svix and many others send: an own, strict verifier.

The reference verifier raises what it should not on seven malformed inputs, and takes timestamps such as
`123_456` and junk inside base64. Here there is one way to write each, and anything else is a 401.
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from opsmon.sources.base import Accepted, Outcome, Rejected, SourceSettings, Unusable
from opsmon.sources.own_shape import flat, read_event, type_name
from opsmon.sources.reading import BadBody, parse_object
from opsmon.sources.tokens import check_unbound

TOLERANCE_MS = 5 * 60_000
MAX_SIGNATURES = 10
_ID, _TIMESTAMP, _SIGNATURE = b"webhook-id", b"webhook-timestamp", b"webhook-signature"
_IDS = re.compile(rb"[!-~]{1,128}")
_SECONDS = re.compile(rb"\d{1,12}")
# 32 bytes in base64, which has one way to write them if the texts are compared and not what they decode to.
_SHA256 = re.compile(rb"[A-Za-z0-9+/]{43}=")


class StandardWebhooks:
    """The adapter for one sender of Standard Webhooks. Holds the keys; remembers nothing else."""

    is_patient = True
    options: ClassVar[Mapping[str, str]] = {}
    steps: ClassVar[tuple[str, ...]] = (
        "Where the sender lets you add a webhook endpoint, give it this address: {url}",
        "It shows a signing secret that begins with whsec_. Give it to opsmon: in opsmon.toml write [[source]], and "
        'below it name = "{name}", kind = "standard-webhooks", secrets = ["whsec_…"]. Then start opsmon again.',
        "Send a test event from there. Its type is what your own KPIs count; the flat members of its data are fields.",
    )

    def __init__(self, settings: SourceSettings, site: str) -> None:
        """Raises ValueError for a secret that is not base64."""
        check_unbound(settings.secrets)
        self.name, self._site = settings.name, site
        self._keys = [read_key(secret.value) for secret in settings.secrets]

    def verify(self, headers: Mapping[bytes, bytes], body: bytes, token: bytes = b"") -> Rejected | None:
        """Who signed id, time and body? Whether the time is near is asked by `read`, which is told the time.

        Threats: a forged delivery (CWE-345), one sent again later (CWE-294).
        """
        if not self._keys:
            return Rejected(401, f"No secret is set: put one into secrets of the source {self.name}.\n", "no_secret")
        if not all(headers.get(name) for name in (_ID, _TIMESTAMP, _SIGNATURE)):
            return Rejected(401, "webhook-id, webhook-timestamp and webhook-signature are needed.\n", "unsigned")
        if not _IDS.fullmatch(headers[_ID]) or not _SECONDS.fullmatch(headers[_TIMESTAMP]) or not _is_text(body):
            return Rejected(401, "webhook-id is no short ASCII text, webhook-timestamp no whole seconds, or the body "
                                 "not UTF-8: nobody signs such.\n", "bad_signature")
        content = b"%b.%b.%b" % (headers[_ID], headers[_TIMESTAMP], body)
        return None if is_signed(headers[_SIGNATURE], content, self._keys) else Rejected(
            401, "The signature matches no secret: it was made with that of another endpoint, or something on the "
                 "way changed the body.\n", "bad_signature")

    def read(self, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int) -> Outcome:
        """What a signed delivery says; Rejected when it was signed over five minutes from now: it may be a replay.

        A dead letter that is read again comes without its timestamp, which `verify` asked for when it arrived.
        """
        said = headers.get(_TIMESTAMP)
        if not _IDS.fullmatch(headers.get(_ID, b"")) or not (said is None or _SECONDS.fullmatch(said)):
            return Rejected(400, "webhook-id or webhook-timestamp cannot be used.\n", "bad_headers")
        if said is not None and abs(int(said) * 1000 - arrived_ms) > TOLERANCE_MS:
            return Rejected(401, "webhook-timestamp is over 5 minutes from this machine's time: an old delivery sent "
                                 "again, or a clock that is wrong.\n", "stale")
        webhook_id = headers[_ID].decode()
        seen = f"{self.name}:{webhook_id}"
        try:
            event = self._said(parse_object(body), webhook_id, said, arrived_ms)
            return Accepted(seen, read_event(self.name, self._site, event, arrived_ms))
        except BadBody as error:
            return Unusable(seen, str(error), body, f"{webhook_id[:40]} of {self.name}", {"webhook-id": webhook_id})

    def _said(self, body: dict[str, Any], webhook_id: str, seconds: bytes | None, arrived_ms: int) -> dict[str, Any]:
        """`{type, timestamp, data}`; without a timestamp it happened when it was signed."""
        time = body.get("timestamp")
        signed_ms = arrived_ms if seconds is None else int(seconds) * 1000
        data = body.get("data")
        return {"id": webhook_id, "type": type_name(body.get("type"), self.name),
                "time": signed_ms if time is None else time, "data": flat(data) if type(data) is dict else data}


def read_key(secret: bytes) -> bytes:
    """The key a secret stands for: base64, with or without `whsec_` before it and = after it. Raises ValueError."""
    text = secret.removeprefix(b"whsec_").rstrip(b"=")
    try:
        key = b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("secrets of standard-webhooks are base64, such as whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    return key


def is_signed(signatures: bytes, content: bytes, keys: Sequence[bytes]) -> bool:
    """Whether one of `v1,<base64> v1,<base64> …` is by one of the keys. Other versions are passed over.

    False when any of them is malformed: there is one way to write a list. Constant time per signature and key.

    Threats: a forged delivery (CWE-345), told by how long a comparison takes (CWE-208).
    """
    listed = signatures.split(b" ", MAX_SIGNATURES)
    given = [_given(one) for one in listed]
    if None in given or len(listed) > MAX_SIGNATURES:
        return False
    expected = [b64encode(hmac.digest(key, content, "sha256")) for key in keys]
    matched = False
    for one in given:
        for right in expected:
            matched |= hmac.compare_digest(one or b"", right)
    return matched


def _given(signature: bytes) -> bytes | None:
    """The base64 of a signature; b'' for one of another version; None for what is no signature."""
    version, comma, value = signature.partition(b",")
    if not version.isalnum() or not comma or not value:
        return None
    if version != b"v1":
        return b""
    return value if _SHA256.fullmatch(value) else None


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True

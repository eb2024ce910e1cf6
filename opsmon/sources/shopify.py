"""Shopify webhooks: who sent it (HMAC over the raw body), what it is about (headers), what it says.

Facts: shopify.dev "Deliver webhooks through HTTPS" and "Verify deliveries". The signature covers the
body only, so a shop name counts for nothing unless the secret is bound to it.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from opsmon.core.events import Event, EventId
from opsmon.sources import shopify_bodies
from opsmon.sources.base import Accepted, NotUsed, Outcome, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.reading import BadBody, instant_ms, parse_object

_LONGEST_HEADER = 255

# "Events" deliveries (preview, 2026) drop the X-; the names are otherwise the same.
_TOPIC, _SHOP, _WEBHOOK_ID, _HMAC, _TRIGGERED_AT = (
    (b"x-shopify-" + name, b"shopify-" + name)
    for name in (b"topic", b"shop-domain", b"webhook-id", b"hmac-sha256", b"triggered-at")
)


class Headers(NamedTuple):
    """What the headers of a delivery say: `triggered_at` is as sent, unread."""

    topic: str
    shop: str
    webhook_id: str
    triggered_at: str


class Shopify:
    """The adapter for `POST /webhooks/shopify`. Holds the secrets; remembers nothing else."""

    is_patient = True
    options: ClassVar[Mapping[str, str]] = {}
    steps: ClassVar[tuple[str, ...]] = (
        "In the Shopify admin open Settings → Notifications → Webhooks.",
        "Create webhooks, format JSON, for order creation, update, payment, cancellation, fulfilment and deletion, "
        "refund creation, fulfilment creation and update. One is enough to begin: order creation. The URL is {url}",
        "Below the list Shopify shows the signing secret. Give it to opsmon: OPSMON_SHOPIFY_SECRETS=… Webhooks made "
        "by an app are signed with the app's client secret instead: list several, comma-separated, as for a rotation.",
        "Press Send test notification in the admin: it is taken and counted nowhere, because it is a test order.",
    )

    def __init__(self, settings: SourceSettings, site: str) -> None:
        self.name, self._secrets, self._site = settings.name, settings.secrets, site

    def verify(self, headers: Mapping[bytes, bytes], body: bytes, token: bytes = b"") -> Rejected | None:
        """Who signed the body's bytes?"""
        return None if self.is_signed(headers, body) else self._refuse(headers)

    def read(self, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int) -> Outcome:
        """What a signed delivery says."""
        about = read_headers(headers)
        if about is None:
            return Rejected(400, "X-Shopify-Topic, -Shop-Domain and -Webhook-Id are needed, as short ASCII "
                                 "text\n", "bad_headers")
        seen = f"shopify:{about.shop}:{about.webhook_id}"
        if about.topic not in shopify_bodies.READERS:
            return NotUsed(seen, about.topic)
        try:
            return Accepted(seen, read_event(about, body, arrived_ms, self._site))
        except BadBody as error:
            return Unusable(seen, str(error), body, f"{about.topic} from {about.shop}", _kept(about))

    def _refuse(self, headers: Mapping[bytes, bytes]) -> Rejected:
        return _why(headers, bool(self._good_for(headers)))

    def is_signed(self, headers: Mapping[bytes, bytes], body: bytes) -> bool:
        """Whether any secret that is good for this shop signed these bytes. Constant time per secret."""
        given = _header(headers, _HMAC)
        matched = False
        for secret in self._good_for(headers):
            expected = b64encode(hmac.digest(secret.value, body, "sha256"))
            matched |= hmac.compare_digest(expected, given)
        return matched

    def _good_for(self, headers: Mapping[bytes, bytes]) -> list[Secret]:
        shop = _header(headers, _SHOP).lower().decode("latin-1")
        return [secret for secret in self._secrets if secret.shop is None or secret.shop == shop]


def read_headers(headers: Mapping[bytes, bytes]) -> Headers | None:
    """Topic, shop, webhook id and trigger time; None when one that is needed is missing or odd."""
    topic, shop, webhook_id = (
        _header(headers, names).decode("latin-1") for names in (_TOPIC, _SHOP, _WEBHOOK_ID)
    )
    for value in (topic, shop, webhook_id):
        if not value or len(value) > _LONGEST_HEADER or not (value.isascii() and value.isprintable()):
            return None
    triggered_at = _header(headers, _TRIGGERED_AT).decode("latin-1")
    return Headers(topic, shop.lower(), webhook_id, triggered_at)


def read_event(about: Headers, body: bytes, arrived_ms: int, site: str) -> Event:
    """The canonical Event of a verified body. Raises BadBody with what is wrong in the user's words."""
    read = shopify_bodies.READERS[about.topic](parse_object(body), f"shopify:{about.shop}", about.topic)
    return Event(
        id=EventId(f"shopify:{about.shop}:{about.webhook_id}"),
        type=read.type,
        time_ms=_event_time(about.triggered_at, read.time_ms, arrived_ms),
        arrived_ms=arrived_ms,
        source="shopify",
        site=site,
        key=read.key,
        version=read.version,
        data=read.data,
    )


def _event_time(triggered_at: str, body_ms: int | None, arrived_ms: int) -> int:
    """When it happened: Shopify's trigger time (to the ms), else the body's, else its arrival."""
    try:
        return instant_ms(triggered_at, "triggered-at")
    except BadBody:
        return arrived_ms if body_ms is None else body_ms


def _kept(about: Headers) -> dict[str, str]:
    """The headers by which a body can be read again."""
    return {"x-shopify-topic": about.topic, "x-shopify-shop-domain": about.shop,
            "x-shopify-webhook-id": about.webhook_id, "x-shopify-triggered-at": about.triggered_at[:_LONGEST_HEADER]}


def _header(headers: Mapping[bytes, bytes], names: tuple[bytes, bytes]) -> bytes:
    value = headers.get(names[0])
    return headers.get(names[1], b"") if value is None else value


def _why(headers: Mapping[bytes, bytes], configured: bool) -> Rejected:
    if not configured:
        return Rejected(401, "No signing secret is set for this shop: put it into OPSMON_SHOPIFY_SECRETS.\n",
                        "no_secret")
    if not _header(headers, _HMAC):
        return Rejected(401, "X-Shopify-Hmac-Sha256 is missing.\n", "unsigned")
    return Rejected(401, "The signature matches no secret: it was made with another one (webhooks made in "
                         "the admin and by an app have different secrets), or something on the way changed "
                         "the body.\n", "bad_signature")

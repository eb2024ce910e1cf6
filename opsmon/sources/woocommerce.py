"""WooCommerce webhooks: who sent it (HMAC over the raw body), what it is about (headers), what it says.

Facts: class-wc-webhook.php of WooCommerce. It sends each once, waits 60 s, and disables a webhook after five
failures in a row. Delivery ids are a hash of webhook and *second*: two deliveries of one second share theirs,
so that an identity is the id and the hash of the body.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

from opsmon.core.events import Event, EventId
from opsmon.sources.base import Accepted, Answered, NotUsed, Outcome, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.fields import Read, id_text
from opsmon.sources.reading import BadBody, parse_object
from opsmon.sources.woocommerce_bodies import deletion, read_order

_LONGEST_HEADER = 255
_SIGNATURE = b"x-wc-webhook-signature"
_ORDERS = frozenset({"order.created", "order.updated", "order.restored"})
# What a new webhook is tried with: a form, unsigned.
_PING = re.compile(rb"webhook_id=\d{1,20}")


class Headers(NamedTuple):
    """What the headers of a delivery say: `shop` is host and path of the site, as two sites may share a host."""

    topic: str
    shop: str
    delivery_id: str


class WooCommerce:
    """The adapter for WooCommerce. Holds the secrets; remembers nothing else."""

    is_patient = False
    options: ClassVar[Mapping[str, str]] = {}
    steps: ClassVar[tuple[str, ...]] = (
        "Make up a secret of at least 20 letters and digits, and give it to opsmon: in opsmon.toml write [[source]], "
        'and below it name = "{name}", kind = "woocommerce", secrets = ["the secret"]. Then start opsmon again.',
        "In the WordPress admin open WooCommerce → Settings → Advanced → Webhooks and press Add webhook.",
        "Make four, one for each of the topics Order created, Order updated, Order deleted and Order restored. Each "
        "has the status Active, the secret from above, the newest API version, and as delivery URL {url}",
        "Saving one sends a ping, which is answered 200. Then change the status of an order: it is here within a "
        "minute or two, because WooCommerce sends when its own timetable says so.",
    )

    def __init__(self, settings: SourceSettings, site: str) -> None:
        self.name, self._secrets, self._site = settings.name, settings.secrets, site

    def verify(self, headers: Mapping[bytes, bytes], body: bytes, token: bytes = b"") -> Rejected | Answered | None:
        """Who signed the body's bytes? A ping is not signed and is told 200, or the webhook stays disabled."""
        if not headers.get(_SIGNATURE) and _PING.fullmatch(body):
            return Answered(200, "ping")
        return None if self.is_signed(headers, body) else self._refuse(headers)

    def read(self, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int) -> Outcome:
        """What a signed delivery says."""
        about = read_headers(headers)
        if about is None:
            return Rejected(400, "X-WC-Webhook-Topic, -Source and -Delivery-ID are needed, as short ASCII text.\n",
                            "bad_headers")
        seen = f"{self.name}:{about.delivery_id}:{sha256(body).hexdigest()}"
        try:
            read = self._read(about, body, arrived_ms)
        except BadBody as error:
            return Unusable(seen, str(error), body, f"{about.topic} from {about.shop}", _kept(headers))
        if read is None:
            return NotUsed(seen, about.topic)
        return Accepted(seen, Event(
            EventId(seen), read.type, arrived_ms if read.time_ms is None else read.time_ms, arrived_ms, self.name,
            self._site, read.key, read.version, read.data))

    def _read(self, about: Headers, body: bytes, arrived_ms: int) -> Read | None:
        prefix = f"{self.name}:{about.shop}"
        if about.topic in _ORDERS:
            return read_order(parse_object(body), prefix, about.topic)
        if about.topic == "order.deleted":
            return deletion(f"{prefix}:order:{id_text(parse_object(body), 'id')}", arrived_ms)
        return None

    def is_signed(self, headers: Mapping[bytes, bytes], body: bytes) -> bool:
        """Whether any secret that is good for this shop signed these bytes. Constant time per secret."""
        given = headers.get(_SIGNATURE, b"")
        matched = False
        for secret in self._good_for(headers):
            expected = b64encode(hmac.digest(secret.value, body, "sha256"))
            matched |= hmac.compare_digest(expected, given)
        return matched

    def _good_for(self, headers: Mapping[bytes, bytes]) -> list[Secret]:
        host = _shop(headers).partition("/")[0].partition(":")[0]
        return [secret for secret in self._secrets if secret.shop is None or secret.shop == host]

    def _refuse(self, headers: Mapping[bytes, bytes]) -> Rejected:
        if not self._good_for(headers):
            return Rejected(401, f"No secret is set for this shop: put it into secrets of the source {self.name}.\n",
                            "no_secret")
        if not headers.get(_SIGNATURE):
            return Rejected(401, "X-WC-Webhook-Signature is missing.\n", "unsigned")
        return Rejected(401, "The signature matches no secret: the webhook has another one in WooCommerce (each has "
                             "its own), or something on the way changed the body.\n", "bad_signature")


def read_headers(headers: Mapping[bytes, bytes]) -> Headers | None:
    """Topic, shop and delivery id; None when one is missing or odd."""
    topic, delivery_id = (headers.get(b"x-wc-webhook-" + name, b"").decode("latin-1")
                          for name in (b"topic", b"delivery-id"))
    about = Headers(topic, _shop(headers), delivery_id)
    good = all(0 < len(value) <= _LONGEST_HEADER and value.isascii() and value.isprintable() for value in about)
    return about if good else None


def _shop(headers: Mapping[bytes, bytes]) -> str:
    """Host, port and path of the site's address; '' for what is none."""
    try:
        address = urlsplit(headers.get(b"x-wc-webhook-source", b"").decode("ascii"))
    except ValueError:
        return ""
    return address.netloc.rpartition("@")[2].lower() + address.path.rstrip("/") if address.netloc else ""


def _kept(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The headers by which a body can be read again."""
    names = (b"x-wc-webhook-topic", b"x-wc-webhook-source", b"x-wc-webhook-delivery-id")
    return {name.decode(): headers[name].decode("latin-1") for name in names}

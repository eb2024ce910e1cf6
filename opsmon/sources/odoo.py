"""Odoo's "Send Webhook Notification" (17.0 and later): known by a token in its address, for it signs nothing.

Facts: odoo/addons/base/models/ir_actions.py. It waits one second, never sends again, and sends no header of its
own, so the address is the secret: long, kept as a SHA-256 hash, one of several, so that it can be changed.
"""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import ClassVar

from opsmon.core.money import is_currency
from opsmon.sources.base import Accepted, NotUsed, Outcome, Rejected, Secret, SourceSettings, Unusable
from opsmon.sources.odoo_bodies import MINUTE_MS, READERS, Database, read_record
from opsmon.sources.reading import BadBody, parse_object, short_text

SHORTEST_TOKEN = 16
_HASHED = re.compile(rb"sha256:([0-9a-f]{64})")
_CURRENCIES = re.compile(r"(?:(?:\d{1,9}=)?[A-Z]{3}(?:\s*,\s*|$))+", re.ASCII)


class Odoo:
    """The adapter for one Odoo database. Holds hashes of tokens; remembers nothing else."""

    is_patient = False
    options: ClassVar[Mapping[str, str]] = {
        "currency": "of amounts, as webhooks tell an id only: EUR, or by id, as 1=EUR,2=USD",
        "url": "where Odoo is, to ask it for what webhooks missed, e.g. https://shop.odoo.com",
        "database": "its database, to ask it",
        "key_file": "a file with the API key to ask with",
        "user": "login of the key's user, for Odoo 18 and older",
        "every": "how often it is asked, in seconds (30)",
    }
    steps: ClassVar[tuple[str, ...]] = (
        "Make a token and its hash: opsmon connect odoo prints both, with the address and the lines for opsmon.toml.",
        "In Odoo open Settings → Technical → Automation Rules, and make one for Sales Order, On save.",
        "Add the action Send Webhook Notification with the URL {url} and the fields state, write_date, create_date, "
        "date_order, amount_total, currency_id, partner_id, name, delivery_status.",
        "The same for Transfer, Manufacturing Order, Purchase Order and Quants, if you use them: state and write_date "
        "at least; of Quants product_id, location_id, quantity, reserved_quantity.",
        "Confirm a sales order: it appears here. Odoo sends nothing twice; with url, database and key_file below "
        "[[source]] opsmon asks for what was missed.",
    )

    def __init__(self, settings: SourceSettings, site: str) -> None:
        """Raises ValueError, saying why, for tokens and options that cannot be used."""
        self.name = settings.name
        self._hashes = tuple(map(_hash_of, settings.secrets))
        self._database = Database(settings.name, site, read_currencies(settings.options.get("currency", "")))

    def verify(self, headers: Mapping[bytes, bytes], body: bytes, token: bytes) -> Rejected | None:
        """Is the token one of ours? Constant time per token; a missing one takes as long as a wrong one."""
        given = sha256(token).digest()
        matched = False
        for known in self._hashes:
            matched |= hmac.compare_digest(known, given)
        if matched:
            return None
        if not self._hashes:
            return Rejected(401, f"No token is set: put one into secrets of the source {self.name}.\n", "no_secret")
        if not token:
            return Rejected(401, "The token is missing: it is the last part of the address.\n", "no_token")
        return Rejected(401, f"The token is not one of the secrets of the source {self.name}.\n", "bad_token")

    def read(self, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int) -> Outcome:
        """What a body says of its record. The same body is one event within a minute; see read_record."""
        seen = f"odoo:{self.name}:{sha256(body).hexdigest()[:32]}:{arrived_ms // MINUTE_MS}"
        about = "a body without _model"
        try:
            fields = parse_object(body)
            model, own_id = short_text(fields.get("_model")), fields.get("_id")
            about = model or about
            # What an action that was never saved sends when it is tried out.
            if "NewId_" in f"{fields.get('_action')} {own_id}":
                return NotUsed(seen, f"{about}: a try from a form that was not saved; save it, then try again")
            if not model:
                raise BadBody("it does not come from Send Webhook Notification")
            if model not in READERS:
                return NotUsed(seen, about)
            event = read_record(model, fields, own_id, self._database, arrived_ms)
        except BadBody as error:
            return Unusable(seen, str(error), body, about)
        return Accepted(event.id, event)


def hashed(token: str) -> str:
    """A token as it may stand in opsmon.toml."""
    return f"sha256:{sha256(token.encode()).hexdigest()}"


def read_currencies(text: str) -> dict[str, str]:
    """`EUR`, or `1=EUR,2=USD` by currency_id; '' names that of all others. Raises ValueError."""
    if text and not _CURRENCIES.fullmatch(text):
        raise ValueError(f"currency is {text!r:.40}: expected EUR, or by id, as 1=EUR,2=USD")
    pairs = (one.strip().rpartition("=") for one in text.split(",") if one.strip())
    return {bare: code for bare, _, code in pairs if is_currency(code)}


def _hash_of(secret: Secret) -> bytes:
    if secret.shop:
        raise ValueError("a token cannot be bound to a shop: expected none of the form shop.example=token")
    if found := _HASHED.fullmatch(secret.value):
        return bytes.fromhex(found[1].decode())
    if secret.value.startswith(b"sha256:") or len(secret.value) < SHORTEST_TOKEN:
        raise ValueError(f"secrets: expected tokens of at least {SHORTEST_TOKEN} characters, or sha256: and 64 small "
                         "hexadecimal digits, as opsmon connect odoo prints")
    return sha256(secret.value).digest()

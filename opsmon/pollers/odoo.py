"""Asks Odoo which records changed, and lets those in that no webhook told of.

What is found is read by the same adapter as webhooks and goes the same way, into the same entities: of what both
tell one counts. Records are asked for by (write_date, id). write_date is the start of a transaction, so that a
slow one appears behind what was read before it: each round asks again for the last five minutes. Not seen here:
records that were deleted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.core.errors import SettingsError
from opsmon.pollers.base import PollResult
from opsmon.pollers.http import HttpError
from opsmon.pollers.odoo_api import Domain, Json2, JsonRpc, OdooApi, OdooError, Record, fields_of, search_read
from opsmon.sources.base import Accepted, Source, SourceSettings, Unusable
from opsmon.sources.reading import BadBody, instant_ms
from opsmon.store.cursors import count_new, read_cursor, write_cursor
from opsmon.store.event_stream import checksum, encode
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, Taken

OVERLAP_MS = 5 * 60_000
PAGE = 200
EVERY_S, LEAST_EVERY_S = 30, 10
# What is asked for the first time: orders of so many days, and what is open, however old.
FIRST_DAYS_MS = 30 * 86_400_000
_ORDER = "write_date asc, id asc"
_UNDONE = (("state", "not in", ["done", "cancel"]),)


@dataclass(frozen=True, slots=True)
class Asked:
    """One model: the fields that are read, what is asked for always, and the first time; '{since}' is a date.
    `right` is what its reader needs in Odoo, by its name there."""

    fields: tuple[str, ...]
    right: str
    first: Domain = ()
    always: Domain = ()


MODELS: Mapping[str, Asked] = {
    "sale.order": Asked(
        ("state", "write_date", "create_date", "date_order", "amount_total", "currency_id", "partner_id", "name",
         "invoice_status", "delivery_status", "effective_date", "website_id"),
        "Sales: User, All Documents", first=(("date_order", ">=", "{since}"),)),
    "stock.picking": Asked(
        ("state", "write_date", "picking_type_code", "origin", "sale_id"), "Inventory: User", first=_UNDONE),
    "mrp.production": Asked(
        ("state", "write_date", "product_id", "product_qty"), "Manufacturing: User", first=_UNDONE),
    "purchase.order": Asked(
        ("state", "write_date", "amount_total", "currency_id", "partner_id"), "Purchase: User",
        first=(("date_order", ">=", "{since}"),)),
    "stock.quant": Asked(
        ("write_date", "product_id", "location_id", "quantity", "reserved_quantity"), "Inventory: User",
        always=(("location_id.usage", "=", "internal"),)),
}


class OdooPoller:
    """Asks one database. `source` is the adapter of its webhooks."""

    def __init__(self, source: Source, api: OdooApi, client: Redis, keys: Keys, scripts: Scripts,
                 every_ms: int = EVERY_S * 1000) -> None:
        self.name, self.every_ms = source.name, every_ms
        self._source, self._api = source, api
        self._client, self._keys, self._scripts = client, keys, scripts
        self._fields: dict[str, list[str]] = {}
        self._absent: set[str] = set()
        self._told: dict[str, set[bytes]] = {}

    async def poll(self, now_ms: int) -> PollResult:
        """Ask for each model once. Raises the store's errors only; what is stored by then is a duplicate next time."""
        found, new = 0, 0
        errors: list[str] = []
        for model in MODELS:
            if model in self._absent:
                continue
            try:
                found_here, new_here = await self._poll_model(model, now_ms)
                found, new = found + found_here, new + new_here
            except OdooError as error:
                if error.is_absent:
                    self._absent.add(model)
                elif error.is_denied:
                    errors.append(f"{error}: it needs {MODELS[model].right}")
                else:
                    errors.append(str(error))
            except HttpError as error:
                return PollResult(found, new, "; ".join([*errors, str(error)]))
        if len(self._absent) == len(MODELS):
            errors.append("this database has none of the models that are counted: is it the right one?")
        return PollResult(found, new, "; ".join(dict.fromkeys(errors)))

    async def _poll_model(self, model: str, now_ms: int) -> tuple[int, int]:
        if model not in self._fields:
            self._fields[model] = await fields_of(self._api, model, MODELS[model].fields)
        cursor = await read_cursor(self._client, self._keys, f"{self.name}:{model}")
        since = _text(instant_ms(cursor, "cursor") - OVERLAP_MS) if cursor else _text(0)
        domain = [*MODELS[model].always, *([] if cursor else _filled(MODELS[model].first, now_ms))]
        told, new, offset = set[bytes](), 0, 0
        while True:
            page = await search_read(self._api, model, [["write_date", ">=", since], *domain], self._fields[model],
                                     order=_ORDER, limit=PAGE, offset=offset)
            fresh = [record for record in page if _digest(record) not in told]
            told.update(map(_digest, fresh))
            # What the last round told is known; a process that has just started looks into the store.
            new += await self._append(model, [record for record in fresh if not self._is_told(model, record)], now_ms)
            last = _text(max((_written_ms(record) for record in page), default=0))
            if last > cursor and page:
                cursor = last
                await write_cursor(self._client, self._keys, f"{self.name}:{model}", cursor)
            if len(page) < PAGE:
                break
            # By place only within one second: before it, records that change meanwhile would shift the pages.
            since, offset = (last, 0) if last > since else (since, offset + PAGE)
        self._told[model] = told
        await count_new(self._client, self._keys, f"{self.name}:reconciled", new)
        return len(told), new

    def _is_told(self, model: str, record: Record) -> bool:
        return _digest(record) in self._told.get(model, ())

    async def _append(self, model: str, records: Sequence[Record], now_ms: int) -> int:
        deliveries = [one for record in records if (one := self._taken(model, record, now_ms)) is not None]
        unseen = await self._unseen(deliveries)
        outcomes = await self._scripts.append_events(unseen, now_ms) if unseen else []
        return outcomes.count(b"event")

    def _taken(self, model: str, record: Record, now_ms: int) -> Taken | None:
        """A record as its webhook would have told of it; None for one of no number."""
        body = orjson.dumps({"_model": model, "_id": record["id"], **record})
        outcome = self._source.read({}, body, now_ms)
        if isinstance(outcome, Accepted):
            payload = encode(outcome.event)
            return Taken("event", self.name, outcome.seen, payload, checksum(payload))
        if isinstance(outcome, Unusable):
            return Taken("dead", self.name, outcome.seen, body, f"{outcome.about}, asked for: {outcome.reason}")
        return None

    async def _unseen(self, deliveries: Sequence[Taken]) -> list[Taken]:
        """Without those that are in the stream already: they would be counted as duplicates that somebody sent."""
        pipe = self._client.pipeline(transaction=False)
        for delivery in deliveries:
            pipe.exists(self._keys.seen(delivery.seen))
        seen = await pipe.execute() if deliveries else []
        return [delivery for delivery, is_seen in zip(deliveries, seen, strict=True) if not is_seen]


def make_poller(settings: SourceSettings, source: Source, client: Redis, keys: Keys, scripts: Scripts
                ) -> OdooPoller | None:
    """The poller of a source of kind odoo; None when it says nowhere to ask. Raises SettingsError."""
    api = make_api(settings.name, settings.options)
    if api is None:
        return None
    every = settings.options.get("every", str(EVERY_S))
    if not every.isdecimal() or not LEAST_EVERY_S <= int(every) <= 86_400:
        raise SettingsError(f"source {settings.name}: every is {every!r:.20}: expected seconds from {LEAST_EVERY_S} up")
    return OdooPoller(source, api, client, keys, scripts, int(every) * 1000)


def make_api(name: str, options: Mapping[str, str]) -> OdooApi | None:
    """The API that options name; None when they name no url. Raises SettingsError."""
    url = options.get("url", "").rstrip("/")
    if not url:
        return None
    missing = [option for option in ("database", "key_file") if not options.get(option)]
    if missing or not url.startswith(("https://", "http://")):
        raise SettingsError(f"source {name}: to ask Odoo it needs url (https://…), database and key_file")
    try:
        key = Path(options["key_file"]).expanduser().read_text().strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"source {name}: key_file {options['key_file']} cannot be read ({why})") from None
    if not key or not key.isascii() or not key.isprintable():
        raise SettingsError(f"source {name}: key_file {options['key_file']} holds no API key")
    user = options.get("user", "")
    return JsonRpc(url, options["database"], user, key) if user else Json2(url, options["database"], key)


async def rights(api: OdooApi) -> dict[str, str]:
    """By model: '' when it can be read, else why not. Raises OpsmonError when nothing can be asked at all."""
    found: dict[str, str] = {}
    for model, asked in MODELS.items():
        try:
            await search_read(api, model, asked.always, ["id"], order="id asc", limit=1)
            found[model] = ""
        except OdooError as error:
            if not error.is_absent and not error.is_denied:
                raise
            found[model] = f"{error}: it needs {asked.right}" if error.is_denied else "its app is not installed"
    return found


async def currencies(api: OdooApi) -> str:
    """What the option `currency` should say: 'EUR' when there is one, else '1=EUR,2=USD'. Raises OpsmonError."""
    found = await search_read(api, "res.currency", [["active", "=", True]], ["name"], order="id asc", limit=50)
    if len(found) == 1:
        return str(found[0]["name"])
    return ",".join(f"{one['id']}={one['name']}" for one in found)


def _filled(domain: Domain, now_ms: int) -> list[list[Any]]:
    since = _text(now_ms - FIRST_DAYS_MS)
    return [[since if part == "{since}" else part for part in condition] for condition in domain]


def _written_ms(record: Record) -> int:
    try:
        return instant_ms(record.get("write_date"), "write_date")
    except BadBody:
        return 0


def _text(time_ms: int) -> str:
    """An instant as Odoo compares it: UTC, in whole seconds."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _digest(record: Record) -> bytes:
    return blake2b(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()

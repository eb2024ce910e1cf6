"""CloudEvents 1.0 over HTTP, with a token: binary, structured and batched, and the handshake by OPTIONS.

Facts: the CloudEvents HTTP protocol binding, its JSON format and its webhook specification. An event is
identified by `source` and `id` together. Its data are a JSON object; the flat members of it are kept.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b, sha256
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

from opsmon.core.showing import shown_or_missing
from opsmon.sources.base import Accepted, Answered, Many, Outcome, Rejected, SourceSettings, Unusable
from opsmon.sources.own_shape import flat, read_event, type_name
from opsmon.sources.reading import BadBody, elements, parse_object
from opsmon.sources.tokens import check_unbound, refuse_stranger

MAX_EVENTS = 1_000
# How many deliveries a minute a sender that asks is allowed.
RATE = 60_000
_LONGEST_ID, _LONGEST_SOURCE = 100, 2_000
_STRUCTURED, _BATCH = b"application/cloudevents+json", b"application/cloudevents-batch+json"
_ATTRIBUTES = ("specversion", "id", "source", "type", "time", "subject", "datacontenttype")
_JSON = re.compile(r"(application|text)/([^/]+\+)?json")
_ORIGIN = re.compile(rb"[A-Za-z0-9._:-]{1,255}")


class CloudEvents:
    """The adapter for senders of CloudEvents. Holds their tokens; remembers nothing else."""

    is_patient = True
    options: ClassVar[Mapping[str, str]] = {
        "origins": "host names, with commas between, of the senders that may ask before they send; all where not set",
    }
    steps: ClassVar[tuple[str, ...]] = (
        "Make up a token of at least 20 letters and digits, and give it to opsmon: in opsmon.toml write [[source]], "
        'and below it name = "{name}", kind = "cloudevents", secrets = ["the token"]. Then start opsmon again.',
        "Where the sender takes a webhook's address, give it this one: {url}",
        "Let it send the header Authorization: Bearer and the token; where it cannot, write ?access_token= and the "
        "token behind the address.",
        "Send an event. Its type is what your own KPIs count, its subject what it is about; the flat members of its "
        "data, which are JSON, are fields.",
    )

    def __init__(self, settings: SourceSettings, site: str) -> None:
        """Raises ValueError for a secret bound to a shop."""
        check_unbound(settings.secrets)
        self.name, self._tokens, self._site = settings.name, settings.secrets, site
        self._origins = settings.options.get("origins", "").lower().replace(",", " ").encode().split()

    def greet(self, headers: Mapping[bytes, bytes]) -> Answered | Rejected:
        """May a sender begin? It is told at once how often; that it must have a token it learns when it sends."""
        origin, asked = headers.get(b"webhook-request-origin", b""), headers.get(b"webhook-request-rate", b"")
        if not _ORIGIN.fullmatch(origin):
            return Rejected(400, "WebHook-Request-Origin is needed, the host name of the sender.\n", "bad_headers")
        if self._origins and origin.lower() not in self._origins:
            return Rejected(403, f"This sender is not one of the origins of the source {self.name}.\n", "bad_origin")
        rate = min(int(asked), RATE) if asked[:9].isdigit() and len(asked) < 10 and int(asked) else RATE
        return Answered(200, "handshake", headers=(
            (b"allow", b"POST"), (b"webhook-allowed-origin", origin), (b"webhook-allowed-rate", b"%d" % rate)))

    def verify(self, headers: Mapping[bytes, bytes], body: bytes, token: bytes = b"") -> Rejected | None:
        """Does the sender have a token?"""
        return refuse_stranger(self.name, self._tokens, headers, token)

    def read(self, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int) -> Outcome:
        """What a delivery says, in the mode its content type names; without one, ce- headers make it binary."""
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind == _BATCH:
            return self._many(body, arrived_ms)
        if kind == _STRUCTURED:
            return self._structured(body, arrived_ms)
        if kind.startswith(b"application/cloudevents") or not any(name.startswith(b"ce-") for name in headers):
            return Rejected(415, "This is no CloudEvent that is read here: expected application/cloudevents+json, "
                                 "application/cloudevents-batch+json, or ce- headers and JSON.\n", "content_type")
        return self._binary(headers, kind, body, arrived_ms)

    def _many(self, body: bytes, arrived_ms: int) -> Outcome:
        try:
            events = elements(body, MAX_EVENTS)
        except BadBody as error:
            return self._unusable(str(error), body, "a batch", {"content-type": _BATCH.decode()})
        if len(events) > MAX_EVENTS:
            return Rejected(413, f"The batch has over the limit of {MAX_EVENTS} events.\n", "too_many")
        if not events:
            return Answered(200, "empty")
        return Many(tuple(self._structured(event, arrived_ms) for event in events))

    def _structured(self, body: bytes, arrived_ms: int) -> Accepted | Unusable:
        try:
            said = parse_object(body)
            if said.get("data_base64") is not None:
                raise BadBody("data_base64 is not read: expected data, a JSON object")
            return self._accepted(said, said.get("data"), arrived_ms)
        except BadBody as error:
            return self._unusable(str(error), body, "an event", {"content-type": _STRUCTURED.decode()})

    def _binary(self, headers: Mapping[bytes, bytes], kind: bytes, body: bytes, arrived_ms: int
                ) -> Accepted | Unusable:
        raw = {name: value for name in _ATTRIBUTES[:-1] if (value := headers.get(b"ce-" + name.encode())) is not None}
        try:
            said = {name: decode(value, f"ce-{name}") for name, value in raw.items()}
            said["datacontenttype"] = kind.decode("latin-1")
            return self._accepted(said, _json(body, said["datacontenttype"]), arrived_ms)
        except BadBody as error:
            kept = {f"ce-{name}": value[:_LONGEST_SOURCE].decode("latin-1") for name, value in raw.items()}
            return self._unusable(str(error), body, "an event",
                                  kept | {"content-type": kind[:255].decode("latin-1")})

    def _accepted(self, said: Mapping[str, Any], data: object, arrived_ms: int) -> Accepted:
        """One event of attributes and data. Raises BadBody."""
        if said.get("specversion") != "1.0":
            raise BadBody(f"specversion is {shown_or_missing(said.get('specversion'))}: expected '1.0'")
        if data is not None and not _is_json(said.get("datacontenttype")):
            raise BadBody(f"the data are {shown_or_missing(said['datacontenttype'])}: expected application/json")
        identity = f"{_hash(_text(said, 'source', _LONGEST_SOURCE))}:{_text(said, 'id', _LONGEST_ID)}"
        event = {"id": identity, "type": type_name(said.get("type"), self.name), "time": said.get("time"),
                 "subject": said.get("subject"), "data": flat(data) if type(data) is dict else data}
        return Accepted(f"{self.name}:{identity}", read_event(self.name, self._site, event, arrived_ms))

    def _unusable(self, reason: str, body: bytes, what: str, headers: Mapping[str, str]) -> Unusable:
        """Known by its bytes and not by its id: once the sender has mended the event, that id is not taken yet."""
        return Unusable(f"{self.name}:sha256:{sha256(body).hexdigest()}", reason, body, f"{what} of {self.name}",
                        headers)


def decode(value: bytes, name: str) -> str:
    """A header's value: quotes taken off, percent-encoded UTF-8. Raises BadBody."""
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise BadBody(f"{name} is not UTF-8, percent-encoded") from None


def _json(body: bytes, kind: str) -> object:
    """The data of a binary event, None where there are none. Raises BadBody."""
    if not body or not _is_json(kind):
        return body or None
    if not body.lstrip().startswith(b"{"):
        raise BadBody("the data are no JSON object")
    return parse_object(body)


def _is_json(kind: object) -> bool:
    """Whether a content type is JSON, as data without one are."""
    if type(kind) is not str:
        return kind is None
    return not kind or _JSON.fullmatch(kind.partition(";")[0].strip().lower()) is not None


def _text(said: Mapping[str, Any], name: str, longest: int) -> str:
    value = said.get(name)
    if type(value) is not str or not 0 < len(value) <= longest:
        raise BadBody(f"{name} is {shown_or_missing(value)}: expected a text of 1 to {longest} characters")
    return value


def _hash(source: str) -> str:
    """Stands for the source in an identity: long ones stay short, and no id can look like part of one."""
    return blake2b(source.encode(), digest_size=8).hexdigest()

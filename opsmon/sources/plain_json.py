"""Plain JSON with a token: for whatever can POST an object and knows nothing of signatures or of opsmon.

The source's options say where in the body id, time and key are. Without any of them, each body that differs
from those of the last seven days is an event `<source>.received`, of now.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar

from opsmon.core.showing import shown_or_missing
from opsmon.sources.base import Accepted, BadOption, Outcome, Rejected, SourceSettings, Unusable
from opsmon.sources.json_events import LEAST_MS, JsonEvents, Refused
from opsmon.sources.own_shape import flat, read_event, type_name
from opsmon.sources.reading import BadBody, parse_object
from opsmon.sources.tokens import check_unbound, refuse_stranger


class PlainJson:
    """The adapter for one sender of JSON objects. Holds its tokens; remembers nothing else."""

    is_patient = False
    options: ClassVar[Mapping[str, str]] = {
        "type": "what its events are called, such as door.opened; <name>.received where it is not set",
        "id": "where in the body its id is, such as order.id; where it is not set, equal bodies are one event",
        "time": "where in the body its time is: a date with offset, epoch seconds or milliseconds; else its arrival",
        "key": "where in the body the name or number is of what it is about",
    }
    steps: ClassVar[tuple[str, ...]] = (
        "Make up a token of at least 20 letters and digits, and give it to opsmon: in opsmon.toml write [[source]], "
        'and below it name = "{name}", kind = "json", secrets = ["the token"].',
        'Where its bodies have an id, a time or a key, say where: id = "order.id", time = "created_at". And what its '
        'events are called: type = "order.packed". Then start opsmon again.',
        "Let the sender POST its JSON to {url} with the header Authorization: Bearer and the token; where it cannot, "
        "write / and the token behind the address.",
    )

    def __init__(self, settings: SourceSettings, site: str) -> None:
        """Raises BadOption for a type that cannot be counted, and ValueError for a secret bound to a shop."""
        check_unbound(settings.secrets)
        self.name, self._tokens, self._site = settings.name, settings.secrets, site
        self._paths = {name: path.split(".") for name in ("id", "time", "key") if (path := settings.options.get(name))}
        self._type = settings.options.get("type") or str(type_name("received", settings.name))
        tried = JsonEvents(site).take({"id": "1", "type": self._type}, 0)
        if isinstance(tried, Refused) and tried.counter in ("bad_type", "reserved_type"):
            raise BadOption("type", tried.reason)

    def verify(self, headers: Mapping[bytes, bytes], body: bytes, token: bytes = b"") -> Rejected | None:
        """Does the sender have a token?"""
        return refuse_stranger(self.name, self._tokens, headers, token)

    def read(self, headers: Mapping[bytes, bytes], body: bytes, arrived_ms: int) -> Outcome:
        """What a body says: its flat members are the event's data."""
        hashed = f"sha256:{sha256(body).hexdigest()}"
        try:
            said = self._said(parse_object(body), hashed)
            return Accepted(f"{self.name}:{said['id']}", read_event(self.name, self._site, said, arrived_ms))
        except BadBody as error:
            return Unusable(f"{self.name}:{hashed}", str(error), body, f"{self._type} of {self.name}")

    def _said(self, body: dict[str, Any], hashed: str) -> dict[str, Any]:
        return {
            "id": self._name(body, "id") if "id" in self._paths else hashed,
            "type": self._type,
            "time": _ms(self._at(body, "time")),
            "key": None if self._at(body, "key") is None else self._name(body, "key"),
            "data": flat(body),
        }

    def _name(self, body: dict[str, Any], option: str) -> str:
        """An id or a key: a text, or a whole number, exact up to 2^64. Raises BadBody."""
        value = self._at(body, option)
        if type(value) is int or (type(value) is str and value):
            return str(value)
        where = ".".join(self._paths[option])
        raise BadBody(f"{where} is {shown_or_missing(value)}: expected a text or a whole number below 2^64, as it is "
                      f"the {option}")

    def _at(self, body: dict[str, Any], option: str) -> object:
        """What an option points to; None where there is nothing, or no option."""
        value: Any = body if option in self._paths else None
        for step in self._paths.get(option, ()):
            value = value.get(step) if type(value) is dict else None
        return value


def _ms(time: object) -> object:
    """Epoch seconds as ms; anything else as it is, for those who check it."""
    return time * 1000 if type(time) is int and 0 < time < LEAST_MS else time

"""How people, sessions, screens and tokens are written down: one JSON text each."""

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import orjson

from opsmon.core.access import Role

T = TypeVar("T")
# The text a record was read from: what counts as changed is what is kept, not what this opsmon makes of it.
KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `password` is its argon2id hash, '' until the invitation was accepted; `version`
    counts the changes, so that two who change one person at a time are told apart."""

    id: str
    email: str
    name: str
    role: Role
    password: str = ""
    version: int = 1
    made_ms: int = 0
    locale: str = ""
    theme: str = ""
    clock: str = ""
    teams: tuple[str, ...] = ()
    quiet_from: str = ""
    quiet_until: str = ""
    notify: tuple[str, ...] = ()
    is_off: bool = False
    kept: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, somewhere. `proven_ms`: when the password was last typed; `ends_ms`: at the latest."""

    person: str
    begun_ms: int
    ends_ms: int
    proven_ms: int
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class PairedScreen:
    """A wall that was let in. `secret` is the hash of its token, `before` that of the one before its renewal, which
    is good until the screen has used the new one. `board`: what it shows, several joined by +; `version` counts what
    makes its page another one; `identify_ms`: when somebody last asked which of the screens it is."""

    id: str
    name: str
    secret: str
    board: str = "today"
    sees_money: bool = False
    paired_ms: int = 0
    paired_by: str = ""
    renewed_ms: int = 0
    before: str = ""
    version: int = 1
    identify_ms: int = 0
    kept: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pairing:
    """A wall that waits to be let in. `secret` is the hash of what will be its token."""

    secret: str
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows. `id` is the hash of its secret; scopes are numbers, metrics and money."""

    id: str
    name: str
    scopes: tuple[str, ...]
    made_ms: int
    made_by: str
    ends_ms: int
    kept: bytes = field(default=b"", compare=False, repr=False)


def told(record: Any) -> dict[str, Any]:
    """A record's fields, in their order; {} of none."""
    return {} if record is None else {one.name: getattr(record, one.name) for one in fields(record) if one.name != KEPT}


def written(record: Any) -> bytes:
    """A record as it is to be kept. Fields of a newer opsmon that it was read with go on being kept."""
    before = orjson.loads(record.kept) if getattr(record, KEPT, b"") else {}
    return orjson.dumps(before | told(record))


def believed(record: Any) -> bytes:
    """What the store has of a record, as far as whoever read it knows.

    Threat: a lost update (CWE-362). The bytes that were read are compared and not the record written again: after an
    upgrade that adds a field those two would never be the same, and nothing could be changed any more.
    """
    return record.kept or written(record)


def read(kind: type[T], text: bytes) -> T:
    """A record as it was kept. Fields of a newer opsmon are left out, fields of an older one have their defaults."""
    said = orjson.loads(text)
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    kept = {KEPT: bytes(text)} if KEPT in known else {}
    return kind(**{name: tuple(value) if isinstance(value, list) else value
                   for name, value in said.items() if name in known} | kept)

"""Every address with its methods, its audience, its side and what it takes: one table, printed by `opsmon routes`.

Threat: a door nobody thought of (CWE-1059). A test compares the table with what it was, and the doors with the table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opsmon.sources.pixel import MAX_BODY as PIXEL_BYTES
from opsmon.web.collect import PATH as COLLECT
from opsmon.web.collect import SCRIPTS
from opsmon.web.doors import HARMLESS, Door
from opsmon.web.ingest import MAX_BODY as EVENTS_BYTES
from opsmon.web.ingest import PATH as EVENTS
from opsmon.web.routes import PUBLIC_PATHS, board_doors
from opsmon.web.webhooks import MAX_BODY as WEBHOOK_BYTES


@dataclass(frozen=True, slots=True)
class Row:
    """One address. `side`: public is found on both ports, internal on that of the boards. `most_bytes` of a body, 0
    where none is read."""

    path: str
    methods: tuple[str, ...]
    audience: str
    side: str
    most_bytes: int


class _Anybody:
    """What a table of doors is made of while nobody has to answer."""

    def __getattr__(self, name: str) -> "_Anybody":
        return self


def route_table() -> list[Row]:
    """All of them, sorted by address."""
    nobody: Any = _Anybody()
    return sorted([*_machine_doors(), *_merged(board_doors(nobody))], key=lambda row: row.path)


def lines_of(rows: Sequence[Row]) -> Iterator[str]:
    """The table as text, a line each."""
    yield f"{'METHODS':<10} {'PATH':<28} {'AUDIENCE':<24} {'SIDE':<9} BODY"
    for row in rows:
        size = f"{row.most_bytes // 1024} KiB" if row.most_bytes else "-"
        yield f"{' '.join(row.methods):<10} {row.path:<28} {row.audience:<24} {row.side:<9} {size}"


def _machine_doors() -> Iterator[Row]:
    yield Row("/webhooks/{source}", ("POST",), "whoever signs", "public", WEBHOOK_BYTES)
    yield Row("/webhooks/{source}/{token}", ("POST",), "whoever has its token", "public", WEBHOOK_BYTES)
    yield Row("/ingest/{source}", ("POST",), "whoever signs", "public", WEBHOOK_BYTES)
    yield Row("/ingest/{source}/{token}", ("POST",), "whoever has its token", "public", WEBHOOK_BYTES)
    yield Row(EVENTS, ("POST",), "whoever has a token", "public", EVENTS_BYTES)
    yield Row(COLLECT, ("POST",), "anyone", "public", PIXEL_BYTES)
    for path in SCRIPTS:
        yield Row(path, ("GET",), "anyone", "public", 0)
    for path in ("/livez", "/readyz"):
        yield Row(path, ("GET",), "anyone", "public" if path in PUBLIC_PATHS else "internal", 0)
    yield Row("/static/{build}/{file}", ("GET",), "anyone", "public", 0)


def _merged(doors: Iterable[Door]) -> Iterator[Row]:
    """A row for each address and audience, whatever the number of its doors."""
    found: dict[tuple[str, str], list[Door]] = {}
    for door in doors:
        found.setdefault((door.path, door.audience), []).append(door)
    for (path, audience), same in found.items():
        methods = tuple(sorted({method for door in same for method in door.methods}))
        most = max((door.most_bytes for door in same if not HARMLESS.issuperset(door.methods)), default=0)
        yield Row(path, methods, audience, "public" if same[0].is_public else "internal", most)

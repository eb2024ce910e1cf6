"""Command: saving a board. Every save is a new version that follows on the one its author saw, and a line of the audit
written with it; undo is a save too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from opsmon.clock import Clock
from opsmon.core.access import LOCAL, Who
from opsmon.core.board_records import dump, parse
from opsmon.core.boards import Board
from opsmon.store import board_queries
from opsmon.store.accounts.audit import MOST_KEPT, Deed, fields_of
from opsmon.store.board_queries import NEVER, Saved
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

# A site's boards are read as a whole.
MOST_BOARDS = 100


@dataclass(frozen=True, slots=True)
class Author:
    """Who saves, and from where; `originals` are the boards that come with opsmon, to which one is put back. As it is,
    whoever has a terminal on this machine."""

    who: Who = LOCAL
    address: str = ""
    originals: Mapping[str, Board] = field(default_factory=dict)


class Conflict(Exception):
    """Somebody else saved the board meanwhile; `version` counts now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the board is at version {version}")
        self.version = version


class BoardStore:
    """Saves the boards of one site."""

    def __init__(self, reader: Reader, scripts: Scripts, keys: Keys, clock: Clock) -> None:
        self._reader, self._scripts, self._keys, self._clock = reader, scripts, keys, clock

    async def save(self, board_id: str, board: Board | None, version: int, author: Author = Author()) -> int:
        """Save a board as the version after `version` (0: it never was saved), None to delete it or to put back the
        original; its version. May be repeated. Raises Conflict.

        Threats: a lost update (CWE-362), a change that nobody can account for (CWE-778).
        """
        record = {"same_as": None, "board": dump(board) if board else None}
        kept = await board_queries.versions(self._reader, self._keys, board_id)
        return await self._save(board_id, record, version, kept.get(version, NEVER), author)

    async def undo(self, board_id: str, version: int, author: Author = Author()) -> int | None:
        """Save what was before `version` again; None when nothing is kept of it. Pressed again it goes further back.
        Raises Conflict."""
        kept = await board_queries.versions(self._reader, self._keys, board_id)
        now = kept.get(version, NEVER)
        earlier = _before(version if now.same_as is None else now.same_as, kept)
        if earlier is None:
            return None
        same_as = earlier.version if earlier.same_as is None else earlier.same_as
        return await self._save(board_id, {"same_as": same_as, "board": earlier.told}, version, now, author)

    async def _save(self, board_id: str, record: Mapping[str, Any], version: int, before: Saved, author: Author) -> int:
        # What it was before holds when it is kept: the script compares the version.
        line = fields_of(_deed(board_id, before, record["board"], author))
        done, counts = await self._scripts.save_board(board_id, version, orjson.dumps(record), self._clock.now_ms(),
                                                      line, MOST_KEPT)
        if not done:
            raise Conflict(counts)
        return counts


def _deed(board_id: str, before: Saved, told: dict[str, Any] | None, author: Author) -> Deed:
    """What somebody does to a board: the whole of it before and after; without an own one the original counts."""
    original = author.originals.get(board_id)
    origin = dump(original) if original else None
    was, will = before.told or origin, told or origin
    what = "board.saved" if told else "board.put_back" if origin else "board.deleted"
    title = str((will or was or {}).get("title", board_id))
    return Deed(author.who, what, board_id, title, was, will, author.address)


def _before(version: int, kept: Mapping[int, Saved]) -> Saved | None:
    """What was before a version; before the first it is what comes with opsmon, or nothing."""
    return NEVER if version == 1 else kept.get(version - 1)


def read_record(text: bytes) -> tuple[Board | None, list[str]]:
    """A board from the text of a file, or what is wrong with it and where."""
    try:
        return parse(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        return None, [f"line {error.lineno}, column {error.colno}: this is no JSON ({error.msg})"]


def write_record(board: Board) -> bytes:
    """A board as the text of a file."""
    return orjson.dumps(dump(board), option=orjson.OPT_INDENT_2) + b"\n"

"""Command: saving a board. Every save is a new version that follows on the one its author saw; undo is a save too."""

from collections.abc import Mapping
from typing import Any

import orjson

from opsmon.clock import Clock
from opsmon.core.board_records import dump, parse
from opsmon.core.boards import Board
from opsmon.store import board_queries
from opsmon.store.board_queries import NEVER, Saved
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

# A site's boards are read as a whole.
MOST_BOARDS = 100


class Conflict(Exception):
    """Somebody else saved the board meanwhile; `version` counts now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the board is at version {version}")
        self.version = version


class BoardStore:
    """Saves the boards of one site."""

    def __init__(self, reader: Reader, scripts: Scripts, keys: Keys, clock: Clock) -> None:
        self._reader, self._scripts, self._keys, self._clock = reader, scripts, keys, clock

    async def save(self, board_id: str, board: Board | None, version: int) -> int:
        """Save a board as the version after `version` (0: it never was saved), None to delete it or to put back the
        original; its version. May be repeated. Raises Conflict."""
        return await self._save(board_id, {"same_as": None, "board": dump(board) if board else None}, version)

    async def undo(self, board_id: str, version: int) -> int | None:
        """Save what was before `version` again; None when nothing is kept of it. Pressed again it goes further back.
        Raises Conflict."""
        kept = await board_queries.versions(self._reader, self._keys, board_id)
        now = kept.get(version, NEVER)
        earlier = _before(version if now.same_as is None else now.same_as, kept)
        if earlier is None:
            return None
        same_as = earlier.version if earlier.same_as is None else earlier.same_as
        return await self._save(board_id, {"same_as": same_as, "board": earlier.told}, version)

    async def _save(self, board_id: str, record: Mapping[str, Any], version: int) -> int:
        done, counts = await self._scripts.save_board(board_id, version, orjson.dumps(record), self._clock.now_ms())
        if not done:
            raise Conflict(counts)
        return counts


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

"""Query: the boards that were changed or made in the browser, and their earlier versions."""

from dataclasses import dataclass
from typing import Any

import orjson

from opsmon.core.board_records import known, parse
from opsmon.core.boards import Board, boards_of
from opsmon.core.catalogue import Catalogue
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved version. `told` is the board as plain data, None where it was deleted or put back to the original.
    `same_as` is the earlier version that undo gave it the content of, so that the next undo goes on from there."""

    version: int
    told: dict[str, Any] | None
    same_as: int | None = None
    at_ms: int = 0

    @property
    def board(self) -> Board | None:
        """The board as it was saved; None where there is none."""
        return parse(self.told)[0] if self.told is not None else None


NEVER = Saved(0, None)


async def saved_boards(reader: Reader, keys: Keys) -> dict[str, Saved]:
    """The last version of every board that was ever saved, by id."""
    found = {}
    for board_id, stored in sorted((await reader.hash(keys.boards)).items()):
        version, at_ms, record = stored.split(b" ", 2)
        found[board_id.decode()] = _saved(int(version), record, int(at_ms))
    return found


async def versions(reader: Reader, keys: Keys, board_id: str) -> dict[int, Saved]:
    """The versions of a board that are kept, oldest first."""
    found = await reader.hash(keys.board(board_id))
    return {version: _saved(version, found[b"%d" % version])
            for version in sorted(int(name) for name in found if name.isdigit())}


async def all_boards(reader: Reader, keys: Keys, catalogue: Catalogue) -> dict[str, Board]:
    """Every board of the site as it is shown: those that come with opsmon, changed or not, then the others."""
    return with_saved(await saved_boards(reader, keys), catalogue)


def with_saved(saved: dict[str, Saved], catalogue: Catalogue) -> dict[str, Board]:
    """The boards of a site with what was saved in their place, without what the site cannot show."""
    told = {board_id: board for board_id, one in saved.items() if (board := one.board) is not None}
    return {board_id: known(board, catalogue) for board_id, board in {**boards_of(catalogue), **told}.items()}


def _saved(version: int, record: bytes, at_ms: int = 0) -> Saved:
    told = orjson.loads(record)
    return Saved(version, told["board"], told["same_as"], at_ms)

"""boards: the boards of the site, from the command line: list them, write one to a file, take one from a file."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from opsmon.app.site import board_store, on_store
from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.access import EVERYTHING, Who
from opsmon.core.board_records import BUILT_IN_IDS, is_id, problems
from opsmon.core.boards import Board, boards_of
from opsmon.core.errors import OpsmonError
from opsmon.settings import Settings
from opsmon.store.board_queries import NEVER, Saved, saved_boards
from opsmon.store.board_store import MOST_BOARDS, Author, BoardStore, Conflict, read_record, write_record
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

T = TypeVar("T")
_COMMAND = Who("local", "command", "opsmon boards", frozenset({"admin"}), EVERYTHING)


def list_boards(args: argparse.Namespace) -> int:
    """Print every board: its id, how many tiles it has, whether it was changed, its title."""
    settings = settings_of(args)
    saved = _saved(settings)
    for board_id, board in _all(settings, saved).items():
        one = saved.get(board_id, NEVER)
        kind = "as it comes" if one.told is None else (
            f"changed, version {one.version}" if board_id in BUILT_IN_IDS else f"own, version {one.version}")
        print(f"{board_id:20} {len(board.slots):>3} tiles, {len(board.wall)} on the wall  {kind:22}  {board.title}")
    return 0


def export(args: argparse.Namespace) -> int:
    """Write a board as JSON, to a file or to standard output."""
    settings = settings_of(args)
    boards = _all(settings, _saved(settings))
    if args.id not in boards:
        raise OpsmonError(f"{args.id}: there is no such board; there are {', '.join(boards)}")
    text = write_record(boards[args.id])
    if not args.file or args.file == "-":
        sys.stdout.write(text.decode())
        return 0
    try:
        Path(args.file).write_bytes(text)
    except OSError as error:
        raise OpsmonError(f"{args.file} cannot be written: {error}") from None
    print(f"{boards[args.id].title} written to {args.file}")
    return 0


def import_board(args: argparse.Namespace) -> int:
    """Take a board from a file: screens that show it change at once. What was there is kept for undo."""
    settings = settings_of(args)
    board = _read(args.file)
    if args.id:
        if not is_id(args.id):
            raise OpsmonError(f"--id {args.id}: a to z, digits and hyphens, beginning with a letter")
        board = replace(board, id=args.id)
    wrong = problems(board, settings.catalogue)
    if wrong:
        raise OpsmonError("\n  ".join([f"{args.file} asks what this site cannot show:", *wrong]))
    version = _on(settings, partial(_save, board, Author(_COMMAND, "", boards_of(settings.catalogue))))
    print(f"{board.title}: saved as version {version}, at /b/{board.id}")
    return 0


async def _save(board: Board, author: Author, reader: Reader, keys: Keys, store: BoardStore) -> int:
    """Save over whatever is there, which undo brings back."""
    saved = await saved_boards(reader, keys)
    if board.id not in saved and len(saved) >= MOST_BOARDS:
        raise OpsmonError(f"there are {MOST_BOARDS} boards already: no more can be kept")
    try:
        return await store.save(board.id, board, saved.get(board.id, NEVER).version, author)
    except Conflict:
        raise OpsmonError(f"{board.id} was just changed by somebody else: look at it, then import again") from None


def _read(name: str) -> Board:
    try:
        text = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise OpsmonError(f"{name} cannot be read: {error}") from None
    board, wrong = read_record(text)
    if board is None:
        raise OpsmonError("\n  ".join([f"{name} is no board:", *wrong]))
    return board


def _all(settings: Settings, saved: dict[str, Saved]) -> dict[str, Board]:
    """Every board as it was saved, also what of it this site cannot show any more."""
    told = {board_id: board for board_id, one in saved.items() if (board := one.board) is not None}
    return {**boards_of(settings.catalogue), **told}


def _saved(settings: Settings) -> dict[str, Saved]:
    return _on(settings, lambda reader, keys, store: saved_boards(reader, keys))


def _on(settings: Settings, act: Callable[[Reader, Keys, BoardStore], Awaitable[T]]) -> T:
    keys = Keys(settings.site)
    return asyncio.run(on_store(settings, lambda client: act(
        Reader(client), keys, board_store(client, settings, SystemClock()))))

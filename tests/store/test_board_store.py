"""Boards in the store: versions that follow on each other, undo, and two people at once."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from opsmon.clock import ManualClock
from opsmon.core.access import person
from opsmon.core.boards import BOARDS, Board, Row
from opsmon.core.kpis import BUILT_IN
from opsmon.core.slots import Slot
from opsmon.store.accounts.audit import read_audit
from opsmon.store.board_queries import all_boards, saved_boards, versions
from opsmon.store.board_store import Author, BoardStore, Conflict, read_record, write_record
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts

pytestmark = pytest.mark.anyio
MINE = Board("mine", "Mine", (Row("near", (Slot("queues"),)),), (), is_of_orders=False)


@pytest.fixture
def boards(store: Redis, keys: Keys, clock: ManualClock) -> BoardStore:
    """What saves boards, on an empty store."""
    return BoardStore(Reader(store), Scripts(store, keys), keys, clock)


async def titles(store: Redis, keys: Keys) -> dict[str, str]:
    """What boards there are."""
    return {board.id: board.title for board in (await all_boards(Reader(store), keys, BUILT_IN)).values()}


async def test_what_is_saved_is_what_is_read(boards: BoardStore, store: Redis, keys: Keys) -> None:
    """Whole, and beside those that come with opsmon."""
    assert await boards.save("mine", MINE, 0) == 1
    found = await all_boards(Reader(store), keys, BUILT_IN)
    assert (found["mine"], list(found)) == (MINE, [*(board.id for board in BOARDS), "mine"])


async def test_every_screen_is_told_of_a_save(boards: BoardStore, store: Redis, keys: Keys, clock: ManualClock) -> None:
    """One change entry with the board's id, which every web process reads."""
    await boards.save("mine", MINE, 0)
    assert await store.xrange(keys.changes) == [
        (b"%d-0" % clock.now_ms(), {b"kpis": b"", b"arrived": b"", b"board": b"mine"})]


async def test_who_saves_second_loses_nothing_and_overwrites_nothing(boards: BoardStore, store: Redis, keys: Keys
                                                                     ) -> None:
    """Two people who opened version 1."""
    await boards.save("mine", MINE, 0)
    await boards.save("mine", replace(MINE, title="Hers"), 1)
    with pytest.raises(Conflict) as conflict:
        await boards.save("mine", replace(MINE, title="His"), 1)
    assert (conflict.value.version, (await titles(store, keys))["mine"]) == (2, "Hers")


async def test_a_button_pressed_twice_saves_once(boards: BoardStore, store: Redis, keys: Keys) -> None:
    """The second press finds just what it would have saved."""
    assert [await boards.save("mine", MINE, 0), await boards.save("mine", MINE, 0)] == [1, 1]
    assert (await store.xlen(keys.changes), list(await versions(Reader(store), keys, "mine"))) == (1, [1])


async def test_undo_goes_back_one_version_each_time(boards: BoardStore, store: Redis, keys: Keys) -> None:
    """To the first, then to what was before it; each time as a new version."""
    for version, title in enumerate(("One", "Two", "Three")):
        await boards.save("mine", replace(MINE, title=title), version)
    seen = []
    for version in (3, 4, 5):
        await boards.undo("mine", version)
        seen.append((await titles(store, keys)).get("mine"))
    assert (seen, await boards.undo("mine", 6)) == (["Two", "One", None], None)


async def test_after_undo_a_new_edit_can_be_undone_too(boards: BoardStore, store: Redis, keys: Keys) -> None:
    """It brings back what undo had brought back."""
    await boards.save("mine", MINE, 0)
    await boards.save("mine", replace(MINE, title="Two"), 1)
    await boards.undo("mine", 2)
    await boards.save("mine", replace(MINE, title="Four"), 3)
    await boards.undo("mine", 4)
    assert (await titles(store, keys))["mine"] == "Mine"


async def test_a_deleted_board_comes_back_with_undo(boards: BoardStore, store: Redis, keys: Keys) -> None:
    """Deleting is a version like any other."""
    await boards.save("mine", MINE, 0)
    await boards.save("mine", None, 1)
    gone = "mine" in await titles(store, keys)
    await boards.undo("mine", 2)
    assert (gone, (await titles(store, keys))["mine"]) == (False, "Mine")


async def test_a_built_in_board_can_be_put_back(boards: BoardStore, store: Redis, keys: Keys) -> None:
    """What comes with opsmon is never gone."""
    sales = next(board for board in BOARDS if board.id == "sales")
    await boards.save("sales", replace(sales, title="Shop"), 0)
    changed = (await titles(store, keys))["sales"]
    await boards.save("sales", None, 1)
    assert (changed, (await all_boards(Reader(store), keys, BUILT_IN))["sales"]) == ("Shop", sales)


async def test_twenty_versions_are_kept(boards: BoardStore, store: Redis, keys: Keys) -> None:
    """Undo does not go back for ever, and the store does not grow for ever."""
    for version in range(30):
        await boards.save("mine", replace(MINE, title=f"Version {version + 1}"), version)
    assert list(await versions(Reader(store), keys, "mine")) == list(range(11, 31))
    assert (await saved_boards(Reader(store), keys))["mine"].version == 30


def test_a_board_goes_through_a_file() -> None:
    """And a file that is none says where it breaks off."""
    assert read_record(write_record(MINE)) == (MINE, [])
    assert read_record(b'{"board": "mine",\n "title"}')[1][0].startswith("line 2, column 9: this is no JSON")


async def test_a_save_and_its_line_in_the_audit_are_one(boards: BoardStore, store: Redis, keys: Keys) -> None:
    """Pressed twice it is one line, saved second it is none, and where no line can be written nothing is saved."""
    hers, ben = replace(MINE, title="Hers"), Author(person("b", "Ben", "manager"), "10.0.0.7")
    for _ in range(2):
        await boards.save("mine", MINE, 0)
    await boards.save("mine", hers, 1, ben)
    with pytest.raises(Conflict):
        await boards.save("mine", replace(MINE, title="His"), 1, ben)
    lines = [(one.who, one.what, one.address, one.changes) for one in await read_audit(Reader(store), keys, 9)]
    assert lines[0] == ("Ben", "board.saved", "10.0.0.7", (("title", "Mine", "Hers"),))
    assert [who for who, *_ in lines] == ["Ben", "this machine"]
    await store.set(keys.audit, "not a stream")
    with pytest.raises(ResponseError):
        await boards.save("mine", None, 2, ben)
    assert (await titles(store, keys))["mine"] == "Hers"

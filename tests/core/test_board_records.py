"""A board as data: what is written is read again as it was, and what is wrong with a file is said with its place."""

from dataclasses import replace
from typing import Any

import pytest

from opsmon.core.board_records import MOST_TILES, dump, known, parse, problems
from opsmon.core.boards import BOARDS, Board, Row
from opsmon.core.kpis import BUILT_IN
from opsmon.core.slots import Options, Slot

POS = Slot("revenue-by-channel", "M", Options("At the till", (("channel", "pos"),), "week", "1000", "500", True))
LINE = Board("my-line", "My line", (Row("live", (Slot("orders-today", "L"), POS)), Row("near", (Slot("queues"),))),
             (POS, Slot("orders-today", "wide")), is_of_orders=False)


def told(**tile: Any) -> dict[str, Any]:
    """A file with one tile."""
    return {"board": "mine", "title": "Mine", "rows": [{"cadence": "live", "tiles": [{"kpi": "orders-today"} | tile]}]}


def wrong(data: object) -> list[str]:
    """What is wrong with a file."""
    return parse(data)[1]


@pytest.mark.parametrize("board", [*BOARDS, LINE], ids=lambda board: board.id)
def test_a_board_comes_back_as_it_was_written(board: Board) -> None:
    """Every tile, its place, its options, and the wall in its order."""
    assert parse(dump(board)) == (board, [])


def test_a_tile_says_only_what_is_not_usual() -> None:
    """So that a file can be read, and written by hand."""
    assert dump(LINE)["rows"][0]["tiles"] == [
        {"kpi": "orders-today", "size": "L", "wall": 2, "wall_size": "wide"},
        {"kpi": "revenue-by-channel", "size": "M", "title": "At the till", "only": {"channel": "pos"}, "warn": "1000",
         "critical": "500", "direction": "below", "wall": 1}]


@pytest.mark.parametrize("data, sentences", [
    ([], ["the file: {…} with board, title, rows is needed",
          'board: give it an id of a to z, digits and hyphens, beginning with a letter, like "my-line"',
          "title: give the board a name"]),
    (told() | {"title": " "}, ["title: give the board a name"]),
    (told() | {"board": "My Line"}, [
        'board: give it an id of a to z, digits and hyphens, beginning with a letter, like "my-line"']),
    (told() | {"rows": {}}, ["rows: a list of rows is needed, each with a cadence and its tiles"]),
    (told(size="XL"), ["row 1, tile 1: size is one of S, M, L, wide"]),
    (told(sizes="L"), ["row 1, tile 1: sizes is not known here; did you mean size?"]),
    (told(kpi=7), ["row 1, tile 1: kpi is a text, in quotes",
                   "row 1, tile 1: kpi is missing; `opsmon kpis` lists them"]),
    (told(title="x" * 61), ["row 1, tile 1: title is longer than 60 characters"]),
    (told(compare="last year"), ["row 1, tile 1: compare is one of week, yesterday, none"]),
    (told(only={"channel": 1}), ['row 1, tile 1: only says which, like {"channel": "pos"}']),
    (told(wall=10), ["row 1, tile 1: wall is its place there, 1 to 9"]),
    (told(wall=True), ["row 1, tile 1: wall is its place there, 1 to 9"]),
    (told() | {"rows": [{"cadence": "near", "tiles": []}, {"cadence": "live", "tiles": []}]}, [
        "row 2: rows go live, near, batch, each once"]),
    (told() | {"rows": [{"cadence": "live", "tiles": [{"kpi": "queues"}] * 2}]}, [
        "queues stands on the board twice: give one of them another title or filter"]),
    (told() | {"rows": [{"cadence": "live", "tiles": [{"kpi": f"k{n}"} for n in range(MOST_TILES + 1)]}]}, [
        "rows: 41 tiles are more than the 40 that a board may have"]),
    (told() | {"rows": [{"cadence": "live", "tiles": [{"kpi": f"k{n}", "wall": 1} for n in range(10)]}]}, [
        "wall: at most 9 tiles can be read from afar"]),
], ids=str)
def test_a_mistake_is_said_with_its_place(data: object, sentences: list[str]) -> None:
    """Whoever wrote the file by hand finds it."""
    assert wrong(data) == sentences


def board_with(kpi: str, **options: Any) -> Board:
    """A board with one tile."""
    slot = Slot(kpi, "M", Options(**options))
    return Board("mine", "Mine", (Row("live", (slot,)),), (slot,), is_of_orders=False)


@pytest.mark.parametrize("board, sentences", [
    (board_with("orders-todey"), ["tile 1 (orders-todey): there is no KPI of this id; did you mean orders-today?"]),
    (board_with("revenue-today", only=(("channel", "pos"),)), [
        "tile 1 (revenue-today), only: Revenue today is not counted by channel; it cannot be narrowed"]),
    (board_with("revenue-by-channel", only=(("country", "DE"),)), [
        "tile 1 (revenue-by-channel), only: Sales by channel is not counted by country; it can be narrowed by "
        "channel"]),
    (board_with("visitors-now", compare="none"), [
        "tile 1 (visitors-now), compare: Visitors now cannot be compared so"]),
    (board_with("customers-today", compare="yesterday"), [
        "tile 1 (customers-today), compare: Customers today cannot be compared so"]),
    (board_with("orders-per-hour", compare="yesterday"), []),
    (board_with("top-products", only=(("channel", "pos"),)), [
        "tile 1 (top-products), only: Top products today is not counted by channel; it can be narrowed by tag"]),
    (board_with("top-products", only=(("tag", "camp"),)), []),
    (board_with("oldest-order", warn="24"), [
        "tile 1 (oldest-order), warn: '24' is not a length of time with its unit, like 500 ms, 90 s, 15 min, 24 h "
        "or 2 d"]),
    (board_with("past-sla", warn="5", critical="3"), [
        "tile 1 (past-sla), critical: 3 has to be over 5, where it begins to warn"]),
    (board_with("orders-today", compare="yesterday", warn="100", critical="50", is_lowest=True), []),
], ids=lambda value: value.slots[0].kpi if isinstance(value, Board) else "")
def test_what_the_site_cannot_show_is_said(board: Board, sentences: list[str]) -> None:
    """Nothing is shown that was not asked for, and nothing asked for is left out in silence."""
    assert problems(board, BUILT_IN) == sentences


def test_a_tile_that_cannot_be_shown_is_left_out_of_the_board() -> None:
    """A KPI that is gone from opsmon.toml, or a filter that nothing counts by: no other number stands there."""
    gone = replace(LINE, rows=(Row("live", (Slot("was-once"), Slot("queues"))),), wall=(Slot("was-once"),))
    assert known(gone, BUILT_IN) == replace(LINE, rows=(Row("live", (Slot("queues"),)),), wall=())

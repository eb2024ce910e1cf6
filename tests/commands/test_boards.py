"""opsmon boards: list, export, import."""

import re
from pathlib import Path

import orjson
import pytest

from tests.commands.conftest import Opsmon

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMAND = "boards"


def one_tile(board: str, tile: str) -> str:
    """The file of a board with one tile."""
    return f'{{"board": "{board}", "title": "Mine", "rows": [{{"cadence": "live", "tiles": [{tile}]}}]}}'


def test_the_boards_that_come_with_opsmon_are_listed(opsmon: Opsmon) -> None:
    """One line each."""
    code, said = opsmon("list")
    assert (code, [line.split()[0] for line in said.splitlines()]) == (
        0, ["overview", "sales", "operations", "technology", "today"])


def test_a_board_is_copied_through_a_file(opsmon: Opsmon, tmp_path: Path) -> None:
    """Exported, changed by hand, imported under another id."""
    file = tmp_path / "sales.json"
    assert opsmon("export", "sales", str(file)) == (0, f"Sales written to {file}\n")
    told = orjson.loads(file.read_bytes())
    file.write_bytes(orjson.dumps(told | {"title": "Shop floor"}))
    assert opsmon("import", str(file), "--id", "shop") == (0, "Shop floor: saved as version 1, at /b/shop\n")
    assert opsmon("list")[1].splitlines()[-1] == (
        "shop                  23 tiles, 8 on the wall  own, version 1          Shop floor")


def test_importing_again_is_the_next_version(opsmon: Opsmon, tmp_path: Path) -> None:
    """Undo brings the former one back."""
    file = tmp_path / "sales.json"
    opsmon("export", "sales", str(file))
    said = [opsmon("import", str(file))[1] for _ in range(2)]
    assert said == [f"Sales: saved as version {number}, at /b/sales\n" for number in (1, 2)]


def test_a_file_that_is_no_board_says_what_is_wrong(opsmon: Opsmon, tmp_path: Path) -> None:
    """Every mistake, and nothing is saved."""
    file = tmp_path / "mine.json"
    file.write_text(one_tile("Mine", '{"kpi": "x", "size": 3}'))
    assert opsmon("import", str(file)) == (1, (
        f"opsmon: {file} is no board:\n"
        '  board: give it an id of a to z, digits and hyphens, beginning with a letter, like "my-line"\n'
        "  row 1, tile 1: size is one of S, M, L, wide\n"))


def test_a_board_that_asks_for_what_is_not_there_is_not_taken(opsmon: Opsmon, tmp_path: Path) -> None:
    """A KPI of another site's opsmon.toml."""
    file = tmp_path / "mine.json"
    file.write_text(one_tile("mine", '{"kpi": "order-today"}'))
    assert opsmon("import", str(file)) == (1, (
        f"opsmon: {file} asks what this site cannot show:\n"
        "  tile 1 (order-today): there is no KPI of this id; did you mean orders-today?\n"))


def test_a_board_that_is_not_there_cannot_be_exported(opsmon: Opsmon) -> None:
    """It says which there are."""
    assert opsmon("export", "shop") == (
        1, "opsmon: shop: there is no such board; there are overview, sales, operations, technology, today\n")


def test_the_commands_of_the_readme_do_what_it_says(opsmon: Opsmon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                    ) -> None:
    """In its order, as they are written there."""
    monkeypatch.chdir(tmp_path)
    section = README.partition("## Make your own board")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    said = [opsmon(*line.split()[2:]) for line in block.splitlines()]
    assert ([code for code, _ in said], said[-1][1]) == ([0, 0, 0], "Sales: saved as version 1, at /b/sales\n")

"""The map: the asset is what the grid says, its steps can be told apart, and a tile sends only which fill."""

import gzip
import math
import re
from collections.abc import Iterator

import pytest

from opsmon.core.world import CELLS
from opsmon.web import rendering
from opsmon.web.assets import sheet
from opsmon.web.tile_map import CELL, GAP
from opsmon.web.tile_shapes import MapView
from tests.web.test_css import CSS, STATIC, THEMES, contrast, lab, linear, rgb, seen_by
from tests.web.test_tiles import tile

TOKENS_MAP = CSS["tokens-map.css"]
ORDERS = (("DE", 212), ("AT", 41), ("CH", 40), ("NL", 31), ("MT", 1), ("SG", 1), ("", 3))


def drawn() -> str:
    """world.svg as the grid wants it: the land, and each country by its letters."""
    side = CELL - GAP
    places = {code: f"M{cell.x * CELL} {cell.y * CELL}h{side}v{side}h-{side}z" for code, cell in sorted(CELLS.items())}
    paths = [f'<path id="{code}" d="{place}"/>' for code, place in places.items()]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', f'<path id="land" d="{"".join(places.values())}"/>',
                      *paths, "</svg>", ""])


def ramp(theme: str) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Each step's fill and the letters on it, linear RGB."""
    start = TOKENS_MAP.index({"light": ':root, [data-theme="light"] {', "dark": '[data-theme="dark"] {'}[theme])
    said = dict(re.findall(r"--([\w-]+): oklch\(var\(--([\w-]+)\)\);", TOKENS_MAP[start:TOKENS_MAP.index("}", start)]))
    return [(linear(said[f"color-map-{step}"]), linear(said[f"color-on-map-{step}"])) for step in range(1, 6)]


def neighbours(theme: str) -> Iterator[tuple[tuple[float, ...], tuple[float, ...]]]:
    """The land and the steps, each with the next."""
    seen = [rgb(theme, "hair"), *(fill for fill, _ in ramp(theme))]
    return zip(seen, seen[1:], strict=False)


def test_the_asset_is_what_the_grid_says() -> None:
    """Whoever edits the grid writes the asset anew: static/world.svg is drawn() and nothing else."""
    assert (STATIC / "world.svg").read_text() == drawn()


def test_the_map_costs_little_once_and_less_each_time() -> None:
    """25 KB at most for asset and sheet; a tile's own bytes are which fill a country has."""
    once = gzip.compress((STATIC / "world.svg").read_bytes(), 9) + gzip.compress(sheet("css/map.css").encode(), 9)
    assert len(once) < 4_000
    html = str(rendering.slot(tile("orders-by-country", *ORDERS), 1)).encode()
    assert len(gzip.compress(html, 9)) < 1_500


@THEMES
def test_neighbouring_steps_can_be_told_apart(theme: str) -> None:
    """At least 15 ΔE from step to step (UX C6), and the first from land without orders."""
    assert min(math.dist(lab(one), lab(other)) for one, other in neighbours(theme)) >= 15


@THEMES
@pytest.mark.parametrize("kind", ["deutan", "protan"])
def test_steps_can_be_told_apart_by_colour_blind_eyes(theme: str, kind: str) -> None:
    """They differ in lightness, whatever the eyes."""
    assert min(math.dist(lab(seen_by(kind, one)), lab(seen_by(kind, other)))
               for one, other in neighbours(theme)) >= 12


@THEMES
def test_letters_can_be_read_on_every_step(theme: str) -> None:
    """A country is told by its letters, not by its colour."""
    assert min(contrast(fill, letters) for fill, letters in ramp(theme)) >= 4.5


def test_the_ramp_is_the_same_whether_dark_is_chosen_or_preferred() -> None:
    """The dark steps are written twice, for the button and for the device."""
    blocks = [re.findall(r"(--[\w-]+): ([^;]+);", TOKENS_MAP[TOKENS_MAP.index(begins):].partition("}")[0])
              for begins in ('[data-theme="dark"] {', ':root[data-theme="auto"] {')]
    assert blocks[0] == blocks[1] != []


def test_the_map_shows_where_the_orders_are_and_says_what_it_leaves_out() -> None:
    """Nearly all are around home: Malta and Singapore are on the list, not on this part of the map."""
    view = tile("orders-by-country", *ORDERS)
    assert isinstance(view, MapView)
    assert (view.box, view.is_named) == ("120 10 90 60", True)
    assert view.note == "329 today, 0.6% beyond this part of the map, 3 without a country"
    assert view.sentence == "Germany comes first with 212"


def test_the_list_has_the_largest_and_the_table_all() -> None:
    """Eight beside the map; for who cannot see it, every country."""
    many = [(code, 100 - at) for at, code in enumerate(("DE", "AT", "CH", "NL", "FR", "BE", "GB", "IT", "PL", "DK"))]
    view = tile("orders-by-country", *many)
    assert ([row.name for row in view.listed][-1], len(view.listed)) == ("Italy", 8)
    assert [name for name, _ in view.rows][-2:] == ["Poland", "Denmark"]


def test_the_legend_says_what_each_fill_stands_for() -> None:
    """In counts, from the least."""
    view = tile("orders-by-country", *ORDERS)
    assert [(one.step, one.text) for one in view.legend] == [
        (1, "1"), (2, "31"), (3, "40"), (4, "41"), (5, "212")]


def test_orders_without_a_country_are_on_the_list_only() -> None:
    """Nobody can say where they stand."""
    view = tile("orders-by-country", ("", 4))
    assert view.note == "4 today, 4 without a country"
    assert (view.cells, [row.name for row in view.listed]) == ((), ["Not told"])


def test_only_boards_with_a_map_ask_for_its_sheet() -> None:
    """A phone that shows the overview does not pay for it."""
    assert "map" not in (STATIC / "css" / "tiles.css").read_text()

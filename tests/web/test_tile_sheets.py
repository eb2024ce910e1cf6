"""The style sheets of the tiles with rows, judged as text: their weight, and that lengths are no style."""

import gzip
import re
from pathlib import Path

from opsmon.web.assets import sheet

CSS = Path(__file__).parents[2] / "static" / "css"


def test_the_tiles_with_rows_are_a_small_sheet_of_their_own() -> None:
    """What only some pages show is no part of every first load."""
    assert len(gzip.compress(sheet("css/tiles.css").encode(), 9)) < 2_050


def test_no_sheet_of_a_tile_says_how_long_a_bar_is() -> None:
    """Lengths are data: they are in the SVG, so that a page needs no style of its own."""
    names = re.findall(r'@import url\("(.+?)"\);', (CSS / "tiles.css").read_text())
    said = {name: re.findall(r"rect[^{]*\{[^}]*(?<![-\w])width:", (CSS / name).read_text()) for name in names}
    assert [name for name, found in said.items() if found] == []

"""What the address of a board narrows it to: `/b/sales?channel=pos`."""

from collections.abc import Mapping
from dataclasses import replace

from opsmon.core.board_records import MOST_VALUE, cleaned
from opsmon.core.catalogue import Catalogue
from opsmon.core.kpis import BUILT_IN
from opsmon.core.narrowing import Only
from opsmon.web.tile_words import field_name, row_name
from opsmon.web.wording import Wording

# What else a page and its stream are asked by.
_TAKEN = frozenset({"v", "view", "board", "shape", "since", "theme", "fit", "inches", "metres", "money",
                    "turn"})
_ANY = BUILT_IN.rollup("deliveries")


def filters_of(asked: Mapping[str, str], catalogue: Catalogue) -> Only:
    """The fields of an address that anything is counted by, with their values; () for none."""
    fields = {field for rollup in catalogue.rollups for field in rollup.by} - _TAKEN
    return tuple(sorted((field, cleaned(asked[field], MOST_VALUE)) for field in asked if field in fields))


def field_words(field: str, wording: Wording) -> str:
    """A field as people say it, at the beginning of a line: 'waits_for' is 'What it waits for'."""
    said = field_name(field, wording)
    return said[:1].upper() + said[1:]


def filter_words(field: str, value: str, wording: Wording) -> str:
    """'Channel: Point of sale'."""
    return f"{field_words(field, wording)}: {row_name(replace(_ANY, by=(field,)), value, wording)[0]}"

"""Query: which rows a dimension has, to choose from: stations, persons, counters that were told of before."""

from collections.abc import Mapping, Sequence

from opsmon.core.catalogue import TAGS
from opsmon.core.panes import NOW_SPAN, OTHER, Hash
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys
from opsmon.store.meta import Meta

MOST = 50


async def rows_of(reader: Reader, keys: Keys, meta: Meta, rollups: Mapping[str, Sequence[str]], month: str
                  ) -> dict[str, list[str]]:
    """By name the rows of some rollups, those of a month and those that hold now: sorted, at most 50, in one trip."""
    asked = [(name, keys.rows(abs(meta.generation), rollup, span))
             for name, found in rollups.items() for rollup in found for span in (month, NOW_SPAN)]
    answers = await reader.many([Read("smembers", (key,)) for _, key in asked])
    rows: dict[str, set[str]] = {name: set() for name in rollups}
    for (name, _), members in zip(asked, answers, strict=True):
        rows[name].update(member.decode() for member in members)
    return {name: sorted(found - {""})[:MOST] for name, found in rows.items()}


async def tags_of(reader: Reader, keys: Keys, meta: Meta) -> list[str]:
    """The tags that products carry now: sorted, at most 50."""
    (told,) = await reader.many([Read("hkeys", (keys.panes(abs(meta.generation), Hash(TAGS, "n", NOW_SPAN), "pane"),))])
    rows = {name.decode().rpartition(".")[0] for name in told} - {OTHER}
    return sorted({row.partition("|")[2] for row in rows})[:MOST]

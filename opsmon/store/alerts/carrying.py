"""The archived history of alerts in a backup, and back: its lines as records beside the keys of the store.

A record of this kind is no key: its name is its first line's id under `alert-history`, what it holds is JSON. Lines
that the store has too are in the backup twice, and are one again by their ids.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing

import orjson

from opsmon.core.errors import OpsmonError
from opsmon.store.alerts.alert_queries import SoughtLines
from opsmon.store.alerts.archive import ARCHIVE_ERRORS, Archive
from opsmon.store.alerts.month_file import Entry
from opsmon.store.backup_file import Record, kind_of
from opsmon.store.keys import Keys

KIND = "alert-history"
_AT_ONCE = 500
_EVER = 2**62


async def with_history(records: AsyncGenerator[Record, None], archive: Archive, keys: Keys
                       ) -> AsyncGenerator[Record, None]:
    """The records of a site, and behind them its archive. Close it, as copy_site. Raises OpsmonError for an archive
    that cannot be read: a backup without it would look whole."""
    async with aclosing(records):
        async for record in records:
            yield record
    try:
        async for lines in _archived(archive):
            yield Record(f"{keys.tag}:{KIND}:{lines[0][0]}".encode(), 0, orjson.dumps(lines))
    except ARCHIVE_ERRORS as error:
        raise OpsmonError(f"The history of alerts in {archive.folder} cannot be read: {error}. Move the file that is "
                          "damaged away to make a backup without it.") from error


async def _archived(archive: Archive) -> AsyncIterator[list[Entry]]:
    for month in await archive.months():
        after = (0, -1, 0)
        while found := await archive.between(month, SoughtLines(), after, _EVER, _AT_ONCE):
            after = found[-1][0]
            yield [entry for _, entry in found]


def without_history(records: Iterable[Record]) -> Iterator[Record]:
    """The records that are keys of the store."""
    return (record for record in records if kind_of(record.name) != KIND)


async def restore_history(records: Iterable[Record], archive: Archive) -> None:
    """Have what a backup holds, and nothing else. May be repeated, and has to be when it was interrupted. Raises
    ARCHIVE_ERRORS."""
    await archive.clear()
    for record in records:
        if kind_of(record.name) == KIND:
            lines: list[Entry] = [(entry_id, told) for entry_id, told in orjson.loads(record.dump)]
            await archive.keep(lines)

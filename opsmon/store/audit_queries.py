"""Queries: what was done, by whom and about what, a page at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from opsmon.store.accounts.audit import AuditLine, read_audit
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

_AT_A_TIME = 1_000
# A page looks through so many lines; whoever wants to look further goes on from where it ended.
MOST_READ = 20_000


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines are meant: parts of who did it, of what was done, and of the thing it was about; '' is any."""

    who: str = ""
    what: str = ""
    about: str = ""

    def has(self, line: AuditLine) -> bool:
        """Whether a line is one of them, whatever its case."""
        return (_in(self.who, line.who, line.who_id) and _in(self.what, line.what)
                and _in(self.about, line.about, line.name))


async def page(reader: Reader, keys: Keys, sought: Sought, count: int, before: str = "+"
               ) -> tuple[list[AuditLine], str]:
    """At most `count` lines, newest first, and the id to go on from, '' at the end."""
    found: list[AuditLine] = []
    for _ in range(MOST_READ // _AT_A_TIME):
        lines = await read_audit(reader, keys, _AT_A_TIME, before)
        for line in lines:
            before = line.id
            found += [line] if sought.has(line) else []
            if len(found) == count:
                return found, before
        if len(lines) < _AT_A_TIME:
            return found, ""
    return found, before


async def everything(reader: Reader, keys: Keys, sought: Sought) -> AsyncIterator[list[AuditLine]]:
    """All of them, newest first, in pieces."""
    before = "+"
    while lines := await read_audit(reader, keys, _AT_A_TIME, before):
        yield [line for line in lines if sought.has(line)]
        before = lines[-1].id


def _in(part: str, *texts: str) -> bool:
    return any(part.casefold() in text.casefold() for text in texts)

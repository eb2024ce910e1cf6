"""What of the numbers a request may see: roles choose among slots, they never draw one anew.

Threat: money or people's names that leave the server for somebody who may not see them, in a page, its stream, a
program's answer or a file (OWASP ASVS 5, 8.2.3: access to fields). What is hidden is not sent.
"""

from collections.abc import Callable
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.types import Scope

from opsmon.core.access import Sight, Who, needs
from opsmon.core.boards import Board, Row
from opsmon.core.catalogue import Catalogue, Kpi
from opsmon.core.parts import PARTS
from opsmon.web.doors import WHO
from opsmon.web.languages import N_

_HIDDEN = {
    "money": N_("This number counts in money, which you may not see here. Managers and admins may."),
    "names": N_("This number names people, which you may not see here. Operators, managers and admins may."),
}


def sees(scope: Scope) -> frozenset[Sight]:
    """What whoever sent a request may see beyond plain numbers."""
    who: Who | None = scope.get(WHO)
    return who.sees if who is not None else frozenset()


def marks(scope: Scope) -> str:
    """What tells pages apart that were made for others: part of their ETag."""
    who: Who | None = scope.get(WHO)
    return who.tag if who is not None else ""


def is_seen(seen: frozenset[Sight], catalogue: Catalogue) -> Callable[[str], bool]:
    """Whether a KPI, by its id, or a tile without a number, which names no amount and nobody, may be seen by somebody
    who sees this.

    Threat: numbers shown to a role without them (CWE-863; OWASP API Security 2023, API3).
    """
    def may_see(kpi_id: str) -> bool:
        if kpi_id in PARTS:
            return True
        kpi = catalogue.kpi_by_id[kpi_id]
        return needs(kpi, catalogue.rollup(kpi.rollup)) <= seen

    return may_see


def seen_board(board: Board, may_see: Callable[[str], bool]) -> Board:
    """A board without what may not be seen; rows that are empty then go too.

    Threat: numbers shown to a role without them (CWE-863).
    """
    rows = tuple(Row(row.cadence, tuple(slot for slot in row.slots if may_see(slot.kpi))) for row in board.rows)
    return replace(board, rows=tuple(row for row in rows if row.slots),
                   wall=tuple(slot for slot in board.wall if may_see(slot.kpi)))


def check_seen(scope: Scope, kpi: Kpi, catalogue: Catalogue) -> None:
    """Raise HTTPException 403, with the reason, when this number may not be seen.

    Threat: a number asked for by its address (CWE-639).
    """
    lacking = needs(kpi, catalogue.rollup(kpi.rollup)) - sees(scope)
    if lacking:
        raise HTTPException(403, _HIDDEN[min(lacking)])

"""/audit and /audit.csv: who did what, when, from where; newest first, a page at a time, and all of it as a file."""

import csv
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from io import StringIO
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from opsmon.core.calendar import SiteCalendar
from opsmon.store import audit_queries
from opsmon.store.accounts.audit import AuditLine
from opsmon.store.audit_queries import Sought
from opsmon.store.dead_queries import is_id
from opsmon.web.accounts.office import NO_STORE, Office
from opsmon.web.history_csv import text_cell
from opsmon.web.languages import N_
from opsmon.web.views import shown
from opsmon.web.wording import Wording

A_PAGE = 50
HEAD = ("time", "kind", "who", "who_id", "what", "about", "name", "address", "changes")


# `shown` is a field() call, which is what dataclass defaults are for.
@dataclass(frozen=True, slots=True)
class AuditLineView:
    """A line of the audit."""

    id: str = shown("its id in the stream")
    at: str = shown("when, in words")
    who: str = shown("who did it")
    what: str = shown("what was done, in opsmon's word for it: 'person.invited'")
    about: str = shown("what it was done to: its name, else its id")
    address: str = shown("from where")
    changes: tuple[tuple[str, str, str], ...] = shown("(field, before, after) of what differs")


@dataclass(frozen=True, slots=True)
class AuditView:
    """A page of the audit."""

    lines: tuple[AuditLineView, ...] = shown("newest first")
    sought: Sought = shown("what was asked for")  # noqa: RUF009
    more: str = shown("address of what is older, '' at the end")
    file: str = shown("address of all of it as a file")
    is_first: bool = shown("whether nothing newer is left out")
    newest: str = shown("address of the newest with the same filters")


class AuditPage:
    """The page and the file."""

    def __init__(self, office: Office, calendar: SiteCalendar) -> None:
        self._office, self._calendar = office, calendar

    async def show(self, request: Request) -> Response:
        """A page of lines, as they are now."""
        sought, before = _sought(request), request.query_params.get("before", "")
        before = before if is_id(before) else "+"
        office = self._office
        lines, last = await audit_queries.page(office.reader, office.keys, sought, A_PAGE, before)
        asked = {name: value for name, value in (("who", sought.who), ("what", sought.what), ("about", sought.about))
                 if value}
        view = AuditView(tuple(line_view(one, office.wording) for one in lines), sought,
                         _address("/audit", {**asked, "before": last}) if last else "",
                         _address("/audit.csv", asked), before == "+", _address("/audit", asked))
        return office.html(request, "audit", N_("Audit"), audit=view)

    async def csv(self, request: Request) -> Response:
        """All lines that were asked for, as CSV; cells of text are no formulas (threat: CSV injection, CWE-1236)."""
        headers = {**NO_STORE, "content-disposition": 'attachment; filename="audit.csv"'}
        return StreamingResponse(self._pieces(_sought(request)), media_type="text/csv; charset=utf-8", headers=headers)

    async def _pieces(self, sought: Sought) -> AsyncIterator[str]:
        yield written([HEAD])
        async for lines in audit_queries.everything(self._office.reader, self._office.keys, sought):
            yield written(self._cells(one) for one in lines)

    def _cells(self, line: AuditLine) -> tuple[str, ...]:
        changes = "; ".join(f"{name}: {before} → {after}" for name, before, after in line.changes)
        told = (line.kind, line.who, line.who_id, line.what, line.about, line.name, line.address, changes)
        return (self._calendar.wall(line.at_ms).isoformat(), *map(text_cell, told))


def line_view(line: AuditLine, wording: Wording) -> AuditLineView:
    """A line in words."""
    return AuditLineView(line.id, wording.moment(line.at_ms), line.who, line.what, line.name or line.about,
                         line.address, tuple((name, _told(name, before, wording), _told(name, after, wording))
                                             for name, before, after in line.changes))


def _told(name: str, value: str, wording: Wording) -> str:
    """A value as people read it: an instant on the site's clock, and one that never was is none."""
    if not (name.endswith("_ms") and value.isdecimal() and len(value) <= 14):
        return value
    return wording.moment(int(value)) if int(value) else ""


def written(lines: Iterable[tuple[str, ...]]) -> str:
    """Lines as CSV (RFC 4180)."""
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue()


def _sought(request: Request) -> Sought:
    asked = request.query_params
    return Sought(*(asked.get(name, "").strip()[:100] for name in ("who", "what", "about")))


def _address(path: str, asked: dict[str, str]) -> str:
    return f"{path}?{urlencode(asked)}" if asked else path

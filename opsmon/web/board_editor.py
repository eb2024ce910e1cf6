"""/boards and /b/{board}/edit: boards of one's own, and those that come with opsmon as one likes them.

Plain pages and forms that need no script. Each form carries the version its page was made of; a deed is done to just
that version, or nothing is saved and a page (409) shows both what the other changed and what was about to be.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from opsmon.clock import Clock
from opsmon.core.board_edits import CannotEdit, changes
from opsmon.core.board_records import BUILT_IN_IDS, cleaned, is_id, known, problems
from opsmon.core.boards import USUAL, Board, Placed, boards_of, size_of
from opsmon.core.catalogue import TAG, Kpi
from opsmon.core.kpis import BUILT_IN
from opsmon.core.parts import PARTS
from opsmon.core.said import Said
from opsmon.core.slots import Slot
from opsmon.store.board_queries import NEVER, Saved, saved_boards, versions
from opsmon.store.board_store import MOST_BOARDS, Author, BoardStore, Conflict, read_record, write_record
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.meta import read_meta
from opsmon.store.row_queries import rows_of, tags_of
from opsmon.web import rendering
from opsmon.web.accounts.noting import address_of, who_of
from opsmon.web.board_deeds import Form, done
from opsmon.web.board_words import AREAS, NO_NUMBER, OWN, BoardWords
from opsmon.web.edit_views import BoardsView, ConflictView, EditView, GalleryGroupView, GalleryView, OfferedView
from opsmon.web.feed import Feed
from opsmon.web.forms import read_file, read_form
from opsmon.web.languages import N_
from opsmon.web.pages import Pages

_NO_STORE = {"cache-control": "no-store"}
_FULL = Said("There are %(most)s boards already. Delete one first.", most=MOST_BOARDS)
_NOTHING_BEFORE = N_("Nothing earlier is kept of this board.")
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
# A board as a file.
BOARD_BYTES = 256 * 1024


class BoardEditor:
    """The pages boards are made with, and what their forms do."""

    def __init__(self, pages: Pages, feed: Feed, reader: Reader, keys: Keys, kpis: KpiQueries, store: BoardStore,
                 clock: Clock) -> None:
        self._pages, self._feed, self._reader, self._keys = pages, feed, reader, keys
        self._kpis, self._store, self._clock = kpis, store, clock
        self._catalogue = kpis.catalogue
        self._say = feed.board.wording.say
        self._words = BoardWords(kpis.catalogue, feed.board.wording)

    async def list(self, request: Request) -> Response:
        """Every board, and a form for a new one."""
        return await self._listed(request)

    async def act(self, request: Request) -> Response:
        """Make, copy, delete a board, or bring one back."""
        form = await read_form(request)
        board_id = form.get("board", "")
        match form.get("act"):
            case "new":
                title = cleaned(form.get("title", ""))
                if not title:
                    return await self._listed(request, (N_("Give the new board a name."),))
                return await self._made(request, Board("", title, (), (), is_of_orders=False))
            case "copy":
                board, _ = await self._board(board_id)
                return await self._made(request, replace(board, title=f"{board.title} (2)", is_of_orders=False))
            case "delete" if board_id not in BUILT_IN_IDS:
                return await self._saved(request, board_id, None, form, "/boards")
            case "undo":
                return await self._undone(request, board_id, form, "/boards")
        raise HTTPException(400, N_("A board can be made, copied, deleted or brought back."))

    async def take(self, request: Request) -> Response:
        """A board from a file, as a new one or in the place of one that is there, which undo brings back."""
        text = await read_file(request, "file")
        board, wrong = read_record(text)
        if board is not None:
            wrong = problems(board, self._catalogue)
        if board is None or wrong:
            return await self._listed(request, tuple(wrong))
        saved = await saved_boards(self._reader, self._keys)
        if board.id not in saved and len(saved) >= MOST_BOARDS:
            return await self._listed(request, (_FULL,))
        form = {"act": "import", "version": str(saved.get(board.id, NEVER).version)}
        return await self._saved(request, board.id, board, form, f"/b/{board.id}/edit")

    async def give(self, request: Request) -> Response:
        """A board as a file."""
        board, _ = await self._board(request.path_params["board"])
        name = f'attachment; filename="{board.id}.json"'
        return Response(write_record(board), media_type="application/json",
                        headers={"content-disposition": name, **_NO_STORE})

    async def show(self, request: Request) -> Response:
        """The editor."""
        board, saved = await self._board(request.path_params["board"])
        asked = request.query_params
        return await self._editor(request, board, saved, focus=(asked.get("at", ""), asked.get("did", "")))

    async def edit(self, request: Request) -> Response:
        """One deed on a board."""
        form = await read_form(request)
        board_id = request.path_params["board"]
        address = f"/b/{board_id}/edit"
        if form.get("act") == "undo":
            return await self._undone(request, board_id, form, address)
        if form.get("act") == "original" and board_id in BUILT_IN_IDS:
            return await self._saved(request, board_id, None, form, address)
        board, saved = await self._board(board_id)
        if saved.version != _version(form):
            return await self._conflict(request, board_id, form, saved.version)
        try:
            after, at = done(board, form, self._catalogue)
        except CannotEdit as error:
            return await self._editor(request, board, saved, trouble=(form.get("tile", ""), self._why(error)))
        if after == board:
            return RedirectResponse(_back(address, at, form), 303)
        return await self._saved(request, board_id, after, form, _back(address, at, form))

    async def gallery(self, request: Request) -> Response:
        """Every KPI with its present number, to be added."""
        board, saved = await self._board(request.path_params["board"])
        kpis = (*self._catalogue.kpis, *(part.kpi for part in PARTS.values()))
        slots = {kpi.id: Placed(Slot(kpi.id, size_of(kpi, self._catalogue)), USUAL.get(kpi.id, "near"))
                 for kpi in kpis}
        views = await self._feed.preview(slots.values())
        there, say = {slot.kpi for slot in board.slots}, self._say
        groups: dict[str, list[OfferedView]] = {}
        for kpi in kpis:
            offered = OfferedView(kpi.id, say(kpi.label), views[slots[kpi.id].id], kpi.id in there)
            groups.setdefault(self._area(kpi), []).append(offered)
        view = GalleryView(board.id, say(board.title), saved.version, tuple(
            GalleryGroupView(say(area), tuple(found)) for area, found in groups.items()))
        return self._html(request, "gallery", say("Add a tile"), gallery=view)

    async def _made(self, request: Request, board: Board) -> Response:
        """Save a new board under an id that is free, and go on editing it."""
        saved = await saved_boards(self._reader, self._keys)
        if len(saved) >= MOST_BOARDS:
            return await self._listed(request, (_FULL,))
        board_id = _free_id(board.title, {*saved, *boards_of(self._catalogue), *BUILT_IN_IDS})
        made = replace(board, id=board_id)
        return await self._saved(request, board_id, made, {"version": "0"}, f"/b/{board_id}/edit")

    async def _saved(self, request: Request, board_id: str, board: Board | None, form: Form, then: str) -> Response:
        try:
            await self._store.save(board_id, board, _version(form), self._author(request))
        except Conflict as conflict:
            return await self._conflict(request, board_id, form, conflict.version)
        # Whoever saved it looks at it next: this process must know by then.
        await self._feed.take_boards()
        return RedirectResponse(then, 303)

    async def _undone(self, request: Request, board_id: str, form: Form, then: str) -> Response:
        try:
            version = await self._store.undo(board_id, _version(form), self._author(request))
        except Conflict as conflict:
            return await self._conflict(request, board_id, form, conflict.version)
        if version is None:
            return await self._listed(request, (_NOTHING_BEFORE,))
        await self._feed.take_boards()
        is_there = board_id in self._feed.boards
        return RedirectResponse(then if is_there else "/boards", 303)

    def _author(self, request: Request) -> Author:
        return Author(who_of(request), address_of(request), boards_of(self._catalogue))

    async def _conflict(self, request: Request, board_id: str, form: Form, version: int) -> Response:
        """Both changes side by side; nothing was saved."""
        kept = await versions(self._reader, self._keys, board_id)
        now, before = (self._of(board_id, kept.get(one, NEVER)) for one in (version, _version(form)))
        say = self._say
        theirs = map(say, changes(before, now, self._words.name)) if before and now else ()
        view = ConflictView(board_id, say(now.title if now else before.title if before else board_id), version,
                            tuple(theirs) or (self._said_of(now),), self._mine(before, form),
                            tuple((name, value) for name, value in form.items() if name != "version"))
        return self._html(request, "conflict", self._say("Changed meanwhile"), 409, conflict=view)

    def _said_of(self, now: Board | None) -> str:
        say = self._say
        return say("The board was saved in between.") if now else say("The board was deleted.")

    def _mine(self, before: Board | None, form: Form) -> tuple[str, ...]:
        """What a form was about to do, in words."""
        say = self._say
        named = {"undo": say("Undo"), "original": say("Put back the original"), "delete": say("Delete the board")}
        if before is None or form.get("act", "") in named:
            return (named.get(form.get("act", ""), say("Your change")),)
        try:
            after, _ = done(before, form, self._catalogue)
        except CannotEdit as error:
            return (self._why(error),)
        return tuple(map(say, changes(before, after, self._words.name))) or (say("Nothing"),)

    def _why(self, error: CannotEdit) -> str:
        said = self._say(error.sentence)
        return said[:1].upper() + said[1:]

    async def _board(self, board_id: str) -> tuple[Board, Saved]:
        """A board as it is saved, with what the site cannot show, and its version. Raises HTTPException."""
        saved = (await saved_boards(self._reader, self._keys)).get(board_id, NEVER)
        board = self._of(board_id, saved)
        if board is None:
            raise HTTPException(404)
        return board, saved

    def _of(self, board_id: str, saved: Saved) -> Board | None:
        return saved.board or boards_of(self._catalogue).get(board_id)

    async def _listed(self, request: Request, troubles: tuple[str, ...] = ()) -> Response:
        saved = await saved_boards(self._reader, self._keys)
        ids = dict.fromkeys([*boards_of(self._catalogue), *saved])
        found = {board_id: self._of(board_id, saved.get(board_id, NEVER)) for board_id in ids}
        listed = tuple(self._words.listed(board, saved.get(board_id, NEVER)) for board_id, board in found.items()
                       if board)
        gone = [board_id for board_id, board in found.items() if board is None]
        deleted = []
        for board_id in gone:
            kept = await versions(self._reader, self._keys, board_id)
            last = next((one.board for _, one in sorted(kept.items(), reverse=True) if one.board), None)
            deleted += [replace(self._words.listed(last, saved[board_id]), version=saved[board_id].version)
                        ] if last else []
        view = BoardsView(listed, tuple(deleted), tuple(map(self._say, troubles)))
        title = self._say("Boards")
        return self._html(request, "boards", title, 422 if troubles else 200, boards=view)

    async def _editor(self, request: Request, board: Board, saved: Saved, *, focus: tuple[str, str] = ("", ""),
                      trouble: tuple[str, str] = ("", "")) -> Response:
        fields = self._words.fields(board.slots)
        values = await self._values(fields)
        views = await self._previews(board)
        rows = self._words.rows(board, views, values, focus)
        if trouble[0]:
            rows = tuple(replace(row, tiles=tuple(
                replace(tile, trouble=trouble[1], is_open=True) if tile.key == trouble[0] else tile
                for tile in row.tiles)) for row in rows)
        is_own, say = board.id not in BUILT_IN_IDS, self._say
        view = EditView(board.id, say(board.title), saved.version, rows, "", trouble[1], is_own,
                        saved.version > 0, saved.told is not None and not is_own, self._words.filters(board, values))
        title = say("Edit %(board)s", board=say(board.title))
        return self._html(request, "edit", title, 422 if trouble[1] else 200, edit=view)

    async def _previews(self, board: Board) -> dict[str, object]:
        """The tiles of a board as they are now, by key; without those the site cannot show."""
        placed = known(board, self._catalogue).placed("board")
        views = await self._feed.preview(placed)
        return {one.slot.key: views[one.id] for one in placed}

    async def _values(self, fields: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """What was seen this month of fields; without it a form can still be filled in."""
        rollups = {field: [one.id for one in self._catalogue.rollups if one.by == (field,)] for field in fields}
        try:
            meta = await read_meta(self._reader, self._keys)
            month = self._kpis.calendar.place(self._clock.now_ms()).day.span
            told = await rows_of(self._reader, self._keys, meta, rollups, month)
            if TAG in fields:
                told[TAG] = told[TAG] or await tags_of(self._reader, self._keys, meta)
            return told
        except STORE_ERRORS:
            return {}

    def _area(self, kpi: Kpi) -> str:
        if kpi.id in PARTS:
            return NO_NUMBER
        return AREAS[kpi.area] if kpi.id in BUILT_IN.kpi_by_id else OWN

    def _html(self, request: Request, template: str, title: str, status: int = 200, **context: object) -> Response:
        page = self._pages.view(title, "board", request)
        return HTMLResponse(rendering.page(template, page=page, **context), status, _NO_STORE)


def _version(form: Form) -> int:
    """The version a page was made of. Raises HTTPException."""
    text = form.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(400, N_("This form does not say of which version it is. Load the page again."))
    return int(text)


def _back(address: str, at: str, form: Form) -> str:
    """Where to look after a deed: at the tile it was about, and at the button that was pressed, if it is pressed again.

    A browser gives no focus by itself where the address has a fragment.
    """
    act = form.get("act", "")
    place = "" if act in ("up", "down") else f"#tile-{at}"
    return f"{address}?{urlencode({'at': at, 'did': act})}{place}" if at else address


def _free_id(title: str, taken: set[str]) -> str:
    """An id for a board, made of its title: 'my-line', or 'my-line-2' where that is taken."""
    slug = _NOT_LETTERS.sub("-", title.lower()).strip("-")[:30].strip("-")
    slug = slug if is_id(slug) else f"board-{slug}".strip("-")
    numbered = (f"{slug}-{number}" for number in range(2, MOST_BOARDS + 20))
    return slug if slug not in taken else next(one for one in numbered if one not in taken)

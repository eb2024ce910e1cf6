"""/dead-letters: what could not be used, by source and reason; to be replayed, corrected or discarded.

Plain pages and forms. A form changes something and answers with the address to look at next (303), so that
loading a page again repeats nothing; repeated all the same, it finds nothing left to do.
"""

from collections.abc import AsyncIterator
from time import monotonic

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from opsmon.store import dead_queries, health_queries
from opsmon.store.connection import Reader
from opsmon.store.dead_letters import DeadLetters, Done
from opsmon.store.dead_queries import Group, Letter, Wanted
from opsmon.store.keys import Keys
from opsmon.web import rendering
from opsmon.web.accounts.noting import Noting, who_of
from opsmon.web.dead_views import (
    MOST_SHOWN,
    DeadReasonView,
    DeadView,
    NoticeView,
    WholeLetterView,
    address,
    dead_view,
    deed_text,
    letter_view,
    reason_view,
)
from opsmon.web.forms import read_form
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.wording import Wording

LISTED = 100
LINES = 20
# A request works on so long; whoever has more presses again.
_PATIENCE_S = 2.0
# A correction in a form: every byte of it may take three.
LETTER_BYTES = 4 * MOST_SHOWN
_NO_WORDS = N_("Say why, in a few words: they stay in the journal.")


class DeadPage:
    """The pages of dead letters, and what their forms do."""

    def __init__(self, pages: Pages, reader: Reader, keys: Keys, dead: DeadLetters, wording: Wording, noting: Noting
                 ) -> None:
        self._noting = noting
        self._pages, self._reader, self._keys, self._dead, self._wording = pages, reader, keys, dead, wording

    async def list(self, request: Request) -> Response:
        """All reasons, or the letters of one (`?source=&reason=`)."""
        wanted = _wanted(request.query_params.get("source", ""), request.query_params.get("reason", ""))
        if wanted.reason:
            return await self._reason(request, wanted)
        lines = await dead_queries.journal(self._reader, self._keys)
        groups = await dead_queries.groups(self._reader, self._keys, wanted)
        stopped = dead_queries.stopped(await health_queries.totals(self._reader, self._keys))
        return self._html(request, dead_view(groups, lines[:LINES], stopped, await self._notice(request),
                                             self._wording))

    async def one(self, request: Request) -> Response:
        """One letter."""
        letter = await self._letter(request)
        if letter is None:
            return await self._gone(request)
        return self._html(request, letter_view(letter, self._wording))

    async def act(self, request: Request) -> Response:
        """Replay or discard all letters of a reason."""
        form = await read_form(request)
        wanted = _wanted(form.get("source", ""), form.get("reason", ""))
        if not (wanted.source and wanted.reason):
            raise HTTPException(400, N_("Of which source and reason? Open one of those at /dead-letters."))
        because = form.get("because", "").strip()
        if form.get("act") == "replay":
            return await self._steps(request, wanted, self._dead.replay_all(wanted, by(request)))
        if form.get("act") != "discard":
            raise HTTPException(400, N_("Letters can be replayed or discarded."))
        if not because:
            return await self._reason(request, wanted, self._wording.say(_NO_WORDS))
        return await self._steps(request, wanted, self._dead.discard_all(wanted, because, by(request)))

    async def act_on_one(self, request: Request) -> Response:
        """Replay, correct or discard one letter."""
        form = await read_form(request)
        letter = await self._letter(request)
        if letter is None:
            return await self._gone(request)
        act, because = form.get("act"), form.get("because", "").strip()
        text = form.get("payload", "") if act == "edit" else None
        if act == "replay":
            done = await self._dead.replay([letter.id], by(request))
        elif text is not None:
            done = await self._dead.correct(letter.id, text, by(request))
        elif act != "discard":
            raise HTTPException(400, N_("A letter can be replayed, corrected or discarded."))
        elif because:
            done = await self._dead.discard([letter.id], because, by(request))
        else:
            view = letter_view(letter, self._wording, because_error=self._wording.say(_NO_WORDS))
            return self._html(request, view, 422)
        if done.failed:
            return self._html(request, letter_view(letter, self._wording, text=text, error=done.failed[0][1]), 422)
        await self._note(request, done, letter.id)
        return RedirectResponse(address(Wanted(), did=done.action), 303)

    async def _steps(self, request: Request, wanted: Wanted, steps: AsyncIterator[Done]) -> Response:
        """Work off as many as there is time for, and say where to look."""
        done: Done | None = None
        end_s, has_more = monotonic() + _PATIENCE_S, False
        async for step in steps:
            done = step
            if monotonic() > end_s:
                has_more = True
                break
        if done is not None:
            await self._note(request, done, f"{wanted.source} {wanted.reason}")
        is_over = done is None or not (done.failed or has_more)
        action = done.action if done else "none"
        return RedirectResponse(address(Wanted() if is_over else wanted, did=action, more="1" if has_more else ""), 303)

    async def _note(self, request: Request, done: Done, about: str) -> None:
        """One line of the audit for what the journal of dead letters tells in full."""
        line = next((one for one in await dead_queries.journal(self._reader, self._keys) if one.action == done.action),
                    None)
        if line is not None:
            await self._noting.note(request, f"letters.{line.what}", about, after={
                "letters": line.settled, "because": line.because, "journal": line.action})

    async def _reason(self, request: Request, wanted: Wanted, error: str = "") -> Response:
        found = await dead_queries.groups(self._reader, self._keys, wanted)
        group: Group | None = found[0] if found else None
        letters = await dead_queries.newest(self._reader, self._keys, wanted, LISTED) if group else []
        view = reason_view(group, letters, await self._notice(request), error, self._wording)
        return self._html(request, view, 422 if error else 200)

    async def _notice(self, request: Request) -> NoticeView | None:
        action = request.query_params.get("did", "")
        if not action:
            return None
        lines = await dead_queries.journal(self._reader, self._keys)
        line = next((line for line in lines if line.action == action), None)
        if line is None:
            return NoticeView("ok", self._wording.say("Nothing was left to do: it had been done before."))
        more = (" " + self._wording.say("There are more: press again to go on.")
                ) if request.query_params.get("more") else ""
        return NoticeView("warn" if line.failed or more else "ok", f"{deed_text(line, self._wording)}.{more}")

    async def _letter(self, request: Request) -> Letter | None:
        return await dead_queries.letter(self._reader, self._keys, request.path_params["id"])

    async def _gone(self, request: Request) -> Response:
        return await self._pages.error(request, 404, N_("There is no such dead letter, or it has been replayed or "
                                                        "discarded: /dead-letters says what was done."))

    def _html(self, request: Request, view: DeadView | DeadReasonView | WholeLetterView, status: int = 200) -> Response:
        page = self._pages.view(N_("Dead letters"), "board", request)
        return HTMLResponse(rendering.page(_TEMPLATES[type(view)], page=page, dead=view), status)


_TEMPLATES: dict[type, str] = {DeadView: "dead", DeadReasonView: "dead_reason", WholeLetterView: "dead_letter"}


def by(request: Request) -> str:
    """Who did something, as the journal names them."""
    who = who_of(request)
    return who.kind if who.kind == "local" else who.name


def _wanted(source: str, reason: str) -> Wanted:
    return Wanted(source[:64], reason[:200])

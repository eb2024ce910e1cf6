"""/search and /keys: what makes a desk quick. Plain pages that work without scripts; desk.js only shortens the way."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opsmon.core.access import Audience, may
from opsmon.core.boards import Board
from opsmon.core.catalogue import Kpi
from opsmon.core.finding import LONGEST, Findable, Kind, alike, find
from opsmon.web import rendering
from opsmon.web.desk_views import KEYS, FoundView, SearchView
from opsmon.web.doors import WHO
from opsmon.web.feed import Feed
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.seeing import is_seen, sees
from opsmon.web.source_cards import SourceInfo
from opsmon.web.source_words import title
from opsmon.web.wording import Wording

Say = Callable[..., str]

MOST_FOUND = 30
_ALIKE = 5
_WORDS: dict[Kind, str] = {"board": N_("Board"), "number": N_("Number"), "source": N_("Source"), "page": N_("Page")}
# Whom a page lets in, where that is not everybody who reads boards.
_FOR: dict[str, Audience] = {"rules": "managers", "silences": "managers", "receivers": "admins", "sources": "managers",
                             "status": "managers", "dead-letters": "admins", "enter": "floor"}
_PAGES = (
    Findable("page", "alerts", N_("Alerts"), "/alerts", N_("What is wrong now, and what was. History")),
    Findable("page", "rules", N_("Rules"), "/rules", N_("When an alert fires. Limits, thresholds")),
    Findable("page", "silences", N_("Silences"), "/silences", N_("What is muted, until when and why. Mute")),
    Findable("page", "receivers", N_("Receivers"), "/receivers", N_("Who is told of alerts, how and when. Mail")),
    Findable("page", "sources", N_("Sources"), "/sources", N_("Are they well, how one is connected. Webhooks")),
    Findable("page", "status", N_("Status"), "/status", N_("What waits, what was refused, versions. Health")),
    Findable("page", "dead-letters", N_("Dead letters"), "/dead-letters", N_("What could not be used and why. Errors")),
    Findable("page", "enter", N_("Enter by hand"), "/enter", N_("Orders, counts, gauges, moves and scans")),
    Findable("page", "keys", N_("Keys"), "/keys", N_("What the keyboard can do, and how to turn that off. Help")),
    Findable("page", "components", N_("Components"), "/components", N_("Every component in every state")),
)


class Desk:
    """Finds things, and lists the keys. Queries only; nothing of it asks the store."""

    def __init__(self, pages: Pages, feed: Feed, kpis: Sequence[Kpi], sources: Sequence[SourceInfo]) -> None:
        self._pages, self._feed = pages, feed
        self._say = feed.board.wording.say
        named = (_source(one.name, feed.board.wording) for one in sources)
        self._known = (*(_said(one, self._say) for one in (*_PAGES, *map(_number, kpis))), *named)

    async def search(self, request: Request) -> Response:
        """GET /search?q="""
        question = request.query_params.get("q", "")[:LONGEST].strip()
        view = searched(question, (*self._boards(), *self._known_to(request)), self._feed.board.wording)
        page = self._pages.view(self._say("Search"), "board", request)
        return HTMLResponse(rendering.page("search", page=page, search=view))

    async def keys(self, request: Request) -> Response:
        """GET /keys"""
        page = self._pages.view(self._say("Keys"), "board", request)
        return HTMLResponse(rendering.page("keys", page=page, keys=KEYS))

    def _known_to(self, request: Request) -> list[Findable]:
        """What may not be seen is not found either; its name is no secret, but leads nowhere."""
        may_see, who = is_seen(sees(request.scope), self._feed.catalogue), request.scope.get(WHO)

        def is_theirs(one: Findable) -> bool:
            if one.kind == "number":
                return may_see(one.id)
            return may(who, "managers" if one.kind == "source" else _FOR.get(one.id, "readers"))

        return list(filter(is_theirs, self._known))

    def _boards(self) -> list[Findable]:
        """As they are now: boards come and go while opsmon runs."""
        boards = list(self._feed.boards.values())
        found = [*map(_board, boards), *(_wall(board, self._say) for board in boards)]
        return [_said(one, self._say) for one in found]


def searched(question: str, among: Sequence[Findable], wording: Wording) -> SearchView:
    """What fits a question, worded; before anything was asked, what there is to choose from."""
    say = wording.say
    if not question:
        shown = [one for one in among if one.kind in ("board", "page") and "wall" not in one.id]
        return SearchView("", say("Type the beginning of one or more words."), _views(shown, say))
    found = find(question, among, MOST_FOUND + 1)
    if not found:
        near = alike(question, among, _ALIKE)
        said = say("Nothing is called so. Spelt alike:") if near else (
            say("Nothing is called so. Try one word of its name, such as orders or stock."))
        return SearchView(question, said, _views(near, say))
    return SearchView(question, _count(len(found), wording), _views(found[:MOST_FOUND], say))


def _count(count: int, wording: Wording) -> str:
    if count > MOST_FOUND:
        return wording.say("More than %(count)s fit: the best of them. Another word would tell them apart.",
                           count=wording.number(MOST_FOUND))
    return wording.many("%(num)s fits.", "%(num)s fit.", count)


def _views(found: Sequence[Findable], say: Say) -> tuple[FoundView, ...]:
    return tuple(FoundView(say(_WORDS[one.kind]), one.title, one.url, one.about.partition(". ")[0]) for one in found)


def _said(one: Findable, say: Say) -> Findable:
    """In the site's language; its id stays, and is found as well."""
    return replace(one, title=say(one.title), about=say(one.about))


def _board(board: Board) -> Findable:
    return Findable("board", board.id, board.title, f"/b/{board.id}", "")


def _wall(board: Board, say: Say) -> Findable:
    return Findable("board", f"wall-{board.id}", say("%(board)s: wall", board=say(board.title)), f"/wall/{board.id}",
                    N_("For a large screen"))


def _source(name: str, wording: Wording) -> Findable:
    return Findable("source", name, title(name, wording), f"/sources#source-{name}")


def _number(kpi: Kpi) -> Findable:
    return Findable("number", kpi.id, kpi.label, f"/kpi/{kpi.id}", kpi.definition)

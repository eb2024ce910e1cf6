"""/wall and /wall/{boards}: what a wall shows, drawn once; from then on only the stream moves it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from opsmon.clock import Clock
from opsmon.core import walls
from opsmon.core.access import Who
from opsmon.core.boards import HOME
from opsmon.core.narrowing import Only
from opsmon.store.accounts.records import PairedScreen
from opsmon.store.accounts.screens import TOKEN_MS, Screens
from opsmon.store.connection import STORE_ERRORS
from opsmon.web.accounts.noting import address_of
from opsmon.web.doors import WHO
from opsmon.web.feed import Feed
from opsmon.web.filters import filters_of
from opsmon.web.hub import Slot
from opsmon.web.identity import SCREEN_COOKIE, cookie_header
from opsmon.web.pages import SIZES, Pages, every, has_marks, is_still, is_whole, part_sheets
from opsmon.web.seeing import sees
from opsmon.web.views import CellView, PageView, RowView, WallPageView, WallView
from opsmon.web.walls import Screen, WallAsked, live_query, read_wall, says_too_small, shape_now, shown_on, slots_on
from opsmon.web.wording import Wording


class WallPage:
    """One screen for a room. `screen` and `night` ('22:00-06:00', '' for never) are what the site says of its walls."""

    def __init__(self, pages: Pages, feed: Feed, screen: Screen, night: str, screens: Screens, clock: Clock) -> None:
        self._pages, self._feed, self._screen, self._night = pages, feed, screen, night
        self._screens, self._clock = screens, clock

    async def show(self, request: Request) -> Response:
        """The wall of the boards that the address names, joined by +; that of the first hour when it names none. A
        paired screen shows its own, whatever the address says."""
        paired, token = await self._paired(request)
        name = paired.board if paired else request.path_params.get("board", HOME)
        try:
            asked = read_wall(name, request.query_params, self._screen)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        shape = shape_now(asked.boards, self._feed)
        if shape is None:
            raise HTTPException(404)
        only = filters_of(request.query_params, self._feed.catalogue)
        narrow = {one: self._feed.narrow(self._feed.boards[one], only) for one in asked.boards}
        wall = shown_on(asked, narrow, self._feed.catalogue, sees(request.scope))
        shell = await self._pages.opened(slots_on(wall), lambda: self._shell(asked, shape, only, request, paired))
        marks = any(has_marks(board, only) for board in narrow.values())
        view = replace(self._view(asked, wall, only), screen=paired.name if paired else "")
        answer = self._pages.answer(request, shell, wall=view, has_marks=marks,
                                    parts=part_sheets(place.slot for page in wall.pages for place in page.places))
        if token:
            answer.headers.append(*cookie_header(SCREEN_COOKIE, token, request.scope, TOKEN_MS // 1000))
        return answer

    async def _paired(self, request: Request) -> tuple[PairedScreen | None, str]:
        """The paired screen that asks, which answers by that; and its new token, where it is time for one."""
        who: Who | None = request.scope.get(WHO)
        if who is None or who.kind != "screen":
            return None, ""
        screen, now_ms = await self._screens.one(who.id), self._clock.now_ms()
        with suppress(*STORE_ERRORS):  # it goes on showing what this process has at hand
            await self._screens.note((who.id,), now_ms)
            token = await self._screens.renew(who, address_of(request), screen, now_ms) if screen else ""
            return await self._screens.one(who.id) if token else screen, token
        return screen, ""

    def _shell(self, asked: WallAsked, shape: str, only: Only, request: Request, paired: PairedScreen | None
               ) -> PageView:
        say = self._feed.board.wording.say
        titles = dict.fromkeys(say(self._feed.boards[name].title) for name in asked.boards)
        page = self._pages.view(" · ".join(titles), "wall", request)
        more = urlencode({"since": page.revision, "shape": shape, **({"made": paired.version} if paired else {}),
                          **dict(only)})
        url = f"/live?v={page.build}&view=wall{live_query(asked)}&{more}"
        # Part of the ETag: a page that is to be another one is never taken for the one the screen has.
        made = f"{shape}.{paired.version}.{paired.renewed_ms}" if paired else shape
        return replace(page, name=asked.boards[0], shape=made, live_url=url)

    def _view(self, asked: WallAsked, wall: walls.Wall, only: Only) -> WallView:
        letters, slots, wording = asked.screen.letters, self._feed.hub.slots, self._feed.board.wording
        left = wording.many("%(num)s number has no room", "%(num)s numbers have no room", wall.left_out,
                            num=wall.left_out) if wall.left_out else ""
        notes = tuple(filter(None, (says_too_small(asked.screen, wording), left)))
        return WallView(letters.tenths, letters.fit, asked.turn_s, self._night, notes,
                        tuple(_page(page, only, slots, wording) for page in wall.pages))


def _page(page: walls.WallPage, only: Only, slots: Mapping[str, Slot], wording: Wording) -> WallPageView:
    """Places in order: a row for each stretch of tiles that change equally often."""
    cells = [(place.placed.cadence,
              CellView(SIZES[place.slot.size], slots[place.placed.id].view, place.columns, place.placed.id,
                       is_whole(place.slot, only), is_still(place.slot)))
             for place in page.places]
    rows = tuple(RowView(kind, *every(kind, wording), tuple(cell for _, cell in found))
                 for kind, found in groupby(cells, key=itemgetter(0)))
    name = page.board.id if page.is_as_made else ""
    return WallPageView(wording.say(page.board.title), name, page.board.is_of_orders, rows)

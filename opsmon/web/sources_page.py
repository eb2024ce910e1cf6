"""/sources: how each source is doing, how it is set up, and a button that tries the way to it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from opsmon.web import rendering
from opsmon.web.accounts.noting import Noting
from opsmon.web.languages import N_
from opsmon.web.pages import READY_WITHIN_S, Pages
from opsmon.web.source_feed import SourceFeed
from opsmon.web.trials import Trials
from opsmon.web.views import KindView

VIEW = "sources"


class SourcesPage:
    """The page and its button. `kinds` are those that no source of the site is of."""

    def __init__(self, pages: Pages, feed: SourceFeed, trials: Trials, kinds: Sequence[KindView],
                 noting: Noting) -> None:
        self._noting = noting
        self._pages, self._feed, self._trials, self._kinds = pages, feed, trials, kinds

    async def show(self, request: Request) -> Response:
        """The page as of now; what moves later comes by its stream."""
        async with asyncio.timeout(READY_WITHIN_S):  # its TimeoutError is told as a store that is away
            await self._feed.show_newest()
        hub = self._feed.hub
        page = self._pages.view(N_("Sources"), "board", request)
        page = replace(page, revision=hub.id, live_url=f"/live?v={page.build}&view={VIEW}&since={hub.id}")
        html = rendering.page(
            VIEW, page=page, slots={slot_id: (slot.view, slot.revision) for slot_id, slot in hub.slots.items()},
            names=[info.name for info in self._feed.infos], kinds=self._kinds,
        )
        return HTMLResponse(html, headers={"cache-control": "no-store"})

    async def test(self, request: Request) -> Response:
        """Send a test event and go back to the card, where its outcome stands. Raises HTTPException 404."""
        name = request.path_params["name"]
        if not self._trials.knows(name):
            raise HTTPException(404)
        await self._trials.run(name)
        await self._noting.note(request, "source.tested", name)
        return RedirectResponse(f"/sources#source-{name}", 303)

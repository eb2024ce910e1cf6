"""What /sources shows, kept up to date in a hub of its own: a slot per source, one for all, and the board's health.

Looked at when something was counted, and with every heartbeat, because refusals are brought to the store every
few seconds and say nothing by themselves; and only while somebody looks.
"""

import asyncio
import logging
from collections.abc import Sequence

from opsmon.clock import Clock
from opsmon.store.connection import STORE_ERRORS, Reader
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.source_queries import read_sources
from opsmon.web import feed as board
from opsmon.web.hub import Hub, event
from opsmon.web.source_cards import SourceInfo, card, whole

log = logging.getLogger("opsmon.web")

# Numbers of a page for people, not a ticker: at most so often.
CADENCE_S = 1.0


class SourceFeed:
    """Keeps the sources' hub up to date. `run` and `beat` are its loops, `look` is one round."""

    def __init__(self, hub: Hub, feed: board.Feed, reader: Reader, keys: Keys, kpis: KpiQueries,
                 infos: Sequence[SourceInfo], clock: Clock) -> None:
        self.hub, self.infos = hub, infos
        self._feed, self._reader, self._keys, self._kpis, self._clock = feed, reader, keys, kpis, clock
        self._news = asyncio.Event()
        feed.listeners.append(self._news.set)

    async def run(self) -> None:
        """Look again and again, for ever; outlives the store's restarts."""
        while True:
            await self._wait()
            if self.hub.screens:
                try:
                    await self.look()
                except STORE_ERRORS:
                    self._show_health()
                except Exception:  # as of the board: a loop that ended would leave old words that look live
                    log.exception("the sources cannot be told")
            await asyncio.sleep(CADENCE_S)

    async def beat(self) -> None:
        """Heartbeats, by which a screen knows that it is connected."""
        while True:
            await asyncio.sleep(board.HEARTBEAT_S)
            self.hub.broadcast(event("hb", str(self._clock.now_ms())))

    async def show_newest(self) -> None:
        """What a page is made of: read now or, while the store is away, as it was last. Raises STORE_ERRORS when
        nothing was ever read."""
        await self._feed.ready.wait()
        try:
            await self.look()
        except STORE_ERRORS:
            if not self.hub.slots:
                raise
            self._show_health()

    async def look(self) -> None:
        """Read all that is known of the sources, and show what changed. Raises STORE_ERRORS."""
        now_ms = self._clock.now_ms()
        names = [info.name for info in self.infos if info.kind or info.testable]
        found = {one.heard.name: one for one in
                 await read_sources(self._reader, self._keys, self._kpis, names, now_ms)}
        wording = self._feed.board.wording
        cards = [card(info, found.get(info.name), wording, now_ms) for info in self.infos]
        slots: list[tuple[str, object]] = [(f"source-{one.name}", one) for one in cards]
        self._show([*slots, ("sources", whole(cards, wording, await self._kpis.at_odds()))])

    def _show(self, views: list[tuple[str, object]]) -> None:
        self.hub.update([*views, *self._health()], 0)
        self.hub.publish()

    def _show_health(self) -> None:
        self._show([])

    def _health(self) -> list[tuple[str, object]]:
        slot = self._feed.hub.slots.get("health")
        return [("health", slot.view)] if slot else []

    async def _wait(self) -> None:
        """For news, or for the time of a heartbeat."""
        waiting = asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait({waiting}, timeout=board.HEARTBEAT_S)
        finally:
            waiting.cancel()
        self._news.clear()

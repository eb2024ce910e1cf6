"""Query: the KPIs of a site, all as of one instant, in one round trip."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import orjson

from opsmon.core.calendar import DAY_MS, HOUR_MS, SiteCalendar
from opsmon.core.catalogue import Catalogue, Kpi, Rollup, Tumbling
from opsmon.core.panes import Hash, Retention
from opsmon.core.ranges import WindowReading, plan_range, read_range
from opsmon.core.readings import Reading, Site, plan, read
from opsmon.core.requests import Answers, Request, hashes_of, now_hash, parse
from opsmon.core.shops import at_odds
from opsmon.core.states import State, from_plain
from opsmon.core.windows import Bounds
from opsmon.store.connection import STORE_ERRORS, Read, Reader, is_of_one_key
from opsmon.store.event_stream import GROUP
from opsmon.store.keys import Keys
from opsmon.store.meta import Meta, meta_of

_READ_AGAIN = 5
_A_MONTH_MS = 28 * DAY_MS
# What opsmon knows of itself, by what the KPI shows.
_OWN = {
    "waiting": lambda keys: [Read("xinfo_groups", (stream,)) for stream in keys.streams],
    "dead": lambda keys: [Read("xlen", (keys.dead,))],
}


class KpiQueries:
    """Reads KPIs. Remembers which generation of panes counts, and asks again when it moved."""

    def __init__(self, reader: Reader, keys: Keys, catalogue: Catalogue, calendar: SiteCalendar,
                 currency: str | None, grace_ms: int, kept: Retention) -> None:
        self._reader, self._keys, self.catalogue, self.calendar = reader, keys, catalogue, calendar
        self._currency, self._grace_ms, self.kept = currency, grace_ms, kept
        self._generation = 0
        self._known_currency: str | None = currency

    async def read(self, kpis: Iterable[Kpi], now_ms: int, caught_up_ms: int) -> list[Reading]:
        """Read KPIs as of `now_ms`; all that arrived by `caught_up_ms` is known to be counted."""
        asked = list(kpis)
        site = self._site(now_ms, caught_up_ms, None)
        plans = [plan(kpi, self.catalogue, site) for kpi in asked]
        answers, meta = await self.ask(request for planned in plans for request in planned.requests(self.calendar))
        if meta.currency and self._known_currency is None:
            # What is ranked is ranked in one currency: the site's, which is known from now on.
            self._known_currency = meta.currency
            return await self.read(asked, now_ms, caught_up_ms)
        site = self._site(now_ms, caught_up_ms, meta)
        return await self._with_corrections([read(planned, answers, site) for planned in plans])

    async def windows(self, kpi: Kpi, bounds: Iterable[Bounds], now_ms: int, caught_up_ms: int
                      ) -> tuple[list[WindowReading], Site]:
        """Any windows of a KPI, each folded from the fewest panes. Raises TooMuch."""
        rollup = self.catalogue.rollup(kpi.rollup)
        _, meta = await self.ask([])
        site = self._site(now_ms, caught_up_ms, meta)
        planned = plan_range(kpi, rollup, bounds, site, self.kept)
        answers, _ = await self.ask(planned.requests)
        return read_range(planned, answers, site), site

    async def ask(self, requests: Iterable[Request]) -> tuple[Answers, Meta]:
        """The answers to requests, all of one generation, and the site's facts, in one round trip."""
        asked = list(dict.fromkeys(requests))
        for _ in range(_READ_AGAIN):
            reads = [one for request in asked for one in self._reads(request)]
            found = await self._reader.many([Read("hgetall", (self._keys.meta,)), *reads])
            meta = meta_of(found[0])
            if abs(meta.generation) == self._generation:
                return self._answers(asked, found[1:]), meta
            self._generation = abs(meta.generation)
        raise TimeoutError("the site is being counted anew again and again")

    async def at_odds(self) -> list[str]:
        """A sentence for each thing in which the site counts otherwise than a shop does."""
        _, meta = await self.ask([])
        return at_odds(meta.shops, self.calendar.zone.key, self._currency or meta.currency)

    @property
    def currency(self) -> str | None:
        """What money is counted in: the site's, or that of the first order, once it was read."""
        return self._currency or self._known_currency

    async def learn_currency(self) -> None:
        """Look what money is counted in, where that is not known yet. Raises STORE_ERRORS."""
        if self.currency is None:
            _, meta = await self.ask([])
            self._known_currency = meta.currency

    @property
    def generation(self) -> int:
        """Which way of counting the numbers were last read from; another one means that all may differ."""
        return self._generation

    async def told(self, rollups: Iterable[Rollup], now_ms: int) -> set[str]:
        """The ids of those that hold something now, or have counted anything this month or last. After a `read`."""
        asked = [(rollup.id, one) for rollup in rollups for one in self._traces(rollup, now_ms)]
        found = await self._reader.many([one for _, one in asked])
        return {rollup for (rollup, _), one in zip(asked, found, strict=True) if one}

    def site(self, now_ms: int, caught_up_ms: int, meta: Meta) -> Site:
        """What readings depend on besides the panes."""
        return self._site(now_ms, caught_up_ms, meta)

    async def corrected(self, rollups: Sequence[str]) -> list[dict[int, int]]:
        """Of each rollup the closed hours that late events changed: their starts, and when that was last."""
        asked = [Read("zrevrange", (self._keys.corrected(rollup), 0, -1), {"withscores": True}) for rollup in rollups]
        try:
            answers = await self._reader.many(asked)
        except STORE_ERRORS as error:
            if not is_of_one_key(error):
                raise
            return [{} for _ in rollups]  # a number without its notes is worth more than none
        return [{int(start): int(at_ms) for start, at_ms in found} for found in answers]

    async def _with_corrections(self, readings: list[Reading]) -> list[Reading]:
        """Series of hours with the marks of those that were corrected."""
        charts = sorted({one.kpi.rollup for one in readings
                         if isinstance(one.kpi.window, Tumbling) and one.kpi.window.size_ms == HOUR_MS})
        if not charts:
            return readings
        marks = dict(zip(charts, await self.corrected(charts), strict=True))
        return [_marked(reading, marks.get(reading.kpi.rollup, {})) for reading in readings]

    async def open_since(self, rollup: str, until_ms: int, most: int) -> list[tuple[str, int]]:
        """What of a rollup is open since `until_ms` or longer, and since when: the `most` oldest, oldest first."""
        await self.ask([])  # which generation counts
        (found,) = await self._reader.many([Read("zrangebyscore", (
            self._keys.open(self._generation, rollup), "-inf", until_ms),
            {"withscores": True, "start": 0, "num": most})])
        return [(member.decode(), int(since_ms)) for member, since_ms in found]

    async def states_of(self, entities: Sequence[str]) -> dict[str, State]:
        """What is remembered of entities; those of which nothing is are left out."""
        found = await self._reader.many([Read("get", (self._keys.entity(name),)) for name in entities])
        return {name: from_plain(orjson.loads(stored)) for name, stored in zip(entities, found, strict=True) if stored}

    async def rows_by_hour(self, rollup: str, hours: Iterable[int]) -> list[dict[str, int]]:
        """Counts of each row of a rollup in the local hours that contain these instants."""
        spans = [str(self.calendar.place(time_ms).hour.start_ms // 1000) for time_ms in hours]
        requests = [Request("hash", (Hash(rollup, "h", span),)) for span in spans]
        answers, _ = await self.ask(requests)
        return [{row: found.get("n", 0) for row, found in answers.hashes.get(request.hashes[0], {}).get("", {}).items()}
                for request in requests]

    def _traces(self, rollup: Rollup, now_ms: int) -> list[Read]:
        """Reads of little that find something where a rollup ever counted; what is ranked leaves it to others."""
        if rollup.measure == "open":
            return [Read("zcount", (self._keys.open(self._generation, rollup.id), "-inf", "+inf"))]
        days = [self.calendar.place(time_ms).day for time_ms in (now_ms, now_ms - _A_MONTH_MS)]
        if rollup.has_rows and rollup.levels != "n":
            return [Read("smembers", (self._keys.rows(self._generation, rollup.id, day.span),)) for day in days]
        found = [now_hash(rollup)] if "n" in rollup.levels else []
        if "d" in rollup.levels and not rollup.is_whole:
            found += hashes_of(rollup, days, self.calendar)
        return [Read("hlen", (self._key(one, "pane"),)) for one in found]

    def _reads(self, request: Request) -> list[Read]:
        panes = [self._key(found, "pane") for found in request.hashes]
        match request.kind:
            case "hash":
                return [Read("hgetall", (panes[0],))]
            case "unique":
                return [Read("pfcount", tuple(self._key(found, "unique") for found in request.hashes))]
            case "distinct" if len(panes) == 1:
                return [Read("hlen", (panes[0],))]
            case "distinct":
                return [Read("hkeys", (key,)) for key in panes]
            case "top":
                last = request.most - 1 if len(panes) == 1 else -1
                return [Read("zrevrange", (self._key(found, "top"), 0, last), {"withscores": True})
                        for found in request.hashes]
            case "own":
                return _OWN[request.hashes[0].rollup](self._keys)
            case "ages":
                key = self._keys.open(self._generation, request.hashes[0].rollup)
                return [Read("zcount", (key, f"({low}", high)) for low, high in pairwise(request.edges)]
            case "open":
                stretch = (self._keys.open(self._generation, request.hashes[0].rollup), f"({request.low}", request.high)
                return [Read("zcount", stretch),
                        Read("zrangebyscore", stretch, {"withscores": True, "start": 0, "num": 1})]

    def _key(self, found: Hash, kind: str) -> str:
        return self._keys.panes(self._generation, found, kind)

    def _answers(self, asked: Sequence[Request], found: Sequence[Any]) -> Answers:
        hashes, others, at = {}, {}, 0
        for request in asked:
            taken = found[at : at + len(self._reads(request))]
            at += len(taken)
            if request.kind == "hash":
                rollup = self.catalogue.rollup(request.hashes[0].rollup)
                hashes[request.hashes[0]] = parse(taken[0], rollup, request.hashes[0].level)
            else:
                others[request] = _answer(request, taken)
        return Answers(hashes, others)

    def _site(self, now_ms: int, caught_up_ms: int, meta: Meta | None) -> Site:
        return Site(
            now_ms=now_ms, calendar=self.calendar, grace_ms=self._grace_ms, caught_up_ms=caught_up_ms,
            currency=self._currency or (meta.currency if meta else self._known_currency),
            since_ms=meta.since_ms if meta else None,
        )


def _marked(reading: Reading, marks: Mapping[int, int]) -> Reading:
    """A reading with the closed hours of its series that were corrected."""
    if not marks:
        return reading
    return replace(reading, corrected=tuple(point.start_ms for point in reading.series
                                            if marks.get(point.start_ms, 0) >= point.end_ms))


def _waiting(groups: Sequence[dict[str, Any]]) -> int:
    """Events not counted yet: not read, or read and not acknowledged."""
    group = next((group for group in groups if group["name"] == GROUP.encode()), None)
    return int(group["lag"] or 0) + int(group["pending"]) if group else 0


def _answer(request: Request, taken: Sequence[Any]) -> Any:
    match request.kind:
        case "own":
            return sum(_waiting(one) if isinstance(one, list) else one for one in taken)
        case "top":
            return _best(taken, request.most)
        case "ages":
            return tuple(map(int, taken))
        case "open":
            return taken[0], int(taken[1][0][1]) if taken[1] else None
        case "distinct" if len(request.hashes) > 1:
            return len({member for members in taken for member in members})
        case _:
            return taken[0]


def _best(ranked: Sequence[Any], most: int) -> list[tuple[str, int]]:
    totals: dict[str, int] = {}
    for members in ranked:
        for member, score in members:
            totals[member.decode()] = totals.get(member.decode(), 0) + int(score)
    return sorted(totals.items(), key=lambda row: (-row[1], row[0]))[:most]

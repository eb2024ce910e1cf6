"""What tiles without a number show now, read once for all of them, however many screens and boards show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsmon.core.alerting.rules import Rule
from opsmon.core.health import Backlog
from opsmon.core.parts import ACTIVITY, ALERTS, CLOCK, SOURCES, TEXT
from opsmon.core.slots import Options
from opsmon.core.source_health import SourceFacts
from opsmon.store.accounts.people import everybody
from opsmon.store.activity_queries import happenings
from opsmon.store.alerts.alert_queries import AlertBook, alert_book
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.source_queries import read_sources
from opsmon.web.alerts.drawing import alerts_view, band_view, count_view, open_view
from opsmon.web.alerts.shapes import AlertView
from opsmon.web.alerts.sparks import AlertSpark, alert_sparks, seen_sparks
from opsmon.web.alerts.words import AlertWords
from opsmon.web.part_shapes import AnyPart
from opsmon.web.part_views import activity_view, clock_view, sources_view, text_view
from opsmon.web.planning import BAND, COUNT, OPEN, OPEN_SLOTS
from opsmon.web.wording import Wording

_OF_ALERTS = frozenset({ALERTS, BAND, OPEN, COUNT})


@dataclass(frozen=True, slots=True)
class AskedPart:
    """A slot without a number: its id, which tile, and what its place says of it."""

    slot_id: str
    part: str
    options: Options


class Parts:
    """Reads and words them for one site; `sources` are those that are set up."""

    def __init__(self, reader: Reader, keys: Keys, kpis: KpiQueries, wording: Wording, zone: str,
                 sources: tuple[str, ...], rules: tuple[Rule, ...] = ()) -> None:
        self._reader, self._keys, self._kpis = reader, keys, kpis
        self._wording, self._zone, self._sources, self._rules = wording, zone, sources, rules

    async def views(self, asked: Sequence[AskedPart], waiting: Backlog, now_ms: int) -> list[tuple[str, object]]:
        """A view for each slot. Raises STORE_ERRORS; a text and a clock need no store."""
        kinds, of_alerts = {one.part for one in asked}, [one for one in asked if one.part in _OF_ALERTS]
        asked = [one for one in asked if one.part not in _OF_ALERTS]
        facts = await self._facts(now_ms) if kinds & {SOURCES, ACTIVITY} else []
        found = [self._view(one, facts, waiting, now_ms) for one in asked if one.part != ACTIVITY]
        shown: list[tuple[str, object]] = list(
            zip((one.slot_id for one in asked if one.part != ACTIVITY), found, strict=True))
        if ACTIVITY in kinds:
            told = await happenings(self._reader, self._keys, [one.heard for one in facts], now_ms)
            shown += [(one.slot_id, activity_view(one.options, told, self._wording, self._zone, now_ms))
                      for one in asked if one.part == ACTIVITY]
        return shown + (await self._alerts(of_alerts, now_ms) if of_alerts else [])

    async def _alerts(self, asked: Sequence[AskedPart], now_ms: int) -> list[tuple[str, object]]:
        """What is wrong, read once for all places that say so."""
        book = await alert_book(self._reader, self._keys, self._rules)
        is_listed = any(one.part == OPEN for one in asked)
        sparks = await alert_sparks(self._kpis, book, now_ms) if is_listed else {}
        found = await everybody(self._reader, self._keys) if is_listed else []
        people = [person.name for person in found if not person.is_off]
        return [(one.slot_id, self._alert_view(one, book, sparks, people, now_ms)) for one in asked]

    def _alert_view(self, one: AskedPart, book: AlertBook, sparks: Mapping[str, AlertSpark], people: Sequence[str],
                    now_ms: int) -> AlertView:
        """What boards and walls say is for everybody: without amounts and names."""
        seen = OPEN_SLOTS.get(one.slot_id, frozenset())
        words = AlertWords(self._wording, self._kpis.catalogue, self._kpis.currency, seen)
        if one.part == OPEN:
            return open_view(book, words, seen_sparks(sparks, words, book), now_ms, people)
        if one.part == COUNT:
            return count_view(book, words)
        return band_view(book, words, now_ms) if one.part == BAND else (
            alerts_view(one.options, book, words, self._zone, now_ms))

    async def _facts(self, now_ms: int) -> list[SourceFacts]:
        return await read_sources(self._reader, self._keys, self._kpis, self._sources, now_ms)

    def _view(self, one: AskedPart, facts: Sequence[SourceFacts], waiting: Backlog, now_ms: int) -> AnyPart:
        calendar, wording = self._kpis.calendar, self._wording
        if one.part == TEXT:
            return text_view(one.options, calendar, wording, now_ms)
        if one.part == CLOCK:
            return clock_view(one.options, calendar, wording, now_ms)
        return sources_view(one.options, facts, waiting, wording, self._zone, now_ms)

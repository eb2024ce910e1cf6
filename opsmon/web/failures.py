"""What happens to a tile that cannot be computed: it keeps its last value, says of when that is, and the others go on.

One pane of another type, one field that is no number, or one mistake of ours in one tile must not stop a board. What
is wrong with the store as a whole is told by whoever reads it, as before.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any, Protocol, TypeVar

from opsmon.core.catalogue import Kpi
from opsmon.store.connection import STORE_ERRORS, is_of_one_key
from opsmon.web.alerts.shapes import NO_BAND, NO_COUNT, NO_LIST
from opsmon.web.hub import Slot
from opsmon.web.planning import BAND, COUNT, OPEN
from opsmon.web.views import KpiView
from opsmon.web.wording import Wording

log = logging.getLogger("opsmon.web")

# What fails fails again: no need to look four times a second.
RETRY_MS = 5_000


class Planned(Protocol):
    """A slot that is to be read; `postpone` has it read again after so long, at the earliest."""

    @property
    def slot_id(self) -> str: ...

    @property
    def kpi(self) -> Kpi: ...

    def postpone(self, wait_ms: int) -> None: ...


_NEVER_READ = {BAND: NO_BAND, OPEN: NO_LIST, COUNT: NO_COUNT}
P = TypeVar("P", bound=Planned)
Views = list[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Failure:
    """Since when a tile cannot be computed, and what to look for in the log."""

    since_ms: int
    id: str


class Failures:
    """Reads slots together, and one by one where one of them fails; remembers which fail, and when each was well."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._failing: dict[str, Failure] = {}
        self._well_ms: dict[str, int] = {}

    async def views(self, due: list[P], read: Callable[[list[P]], Awaitable[Views]], shown: Mapping[str, Slot],
                    now_ms: int) -> Views:
        """A view for each that is due. Raises STORE_ERRORS when the store is away."""
        try:
            return self._note_well(await read(due), now_ms)
        except Exception as error:
            if not _is_local(error):
                raise
            if len(due) == 1:
                return [(due[0].slot_id, self._failed(due[0], error, shown, now_ms))]
        return [one for planned in due for one in await self.views([planned], read, shown, now_ms)]

    def forget(self, slot_ids: Iterable[str]) -> None:
        """Let go what is known of slots that are gone."""
        for slot_id in slot_ids:
            self._well_ms.pop(slot_id, None)
            self._failing.pop(slot_id, None)

    def _note_well(self, views: Views, now_ms: int) -> Views:
        for slot_id, _ in views:
            self._well_ms[slot_id] = now_ms
            self._failing.pop(slot_id, None)
        return views

    def _failed(self, planned: Planned, error: Exception, shown: Mapping[str, Slot], now_ms: int) -> object:
        planned.postpone(RETRY_MS)
        slot_id = planned.slot_id
        if slot_id not in self._failing:
            self._failing[slot_id] = Failure(now_ms, token_hex(3))
            log.error("%s cannot be computed (%s)", planned.kpi.id, self._failing[slot_id].id, exc_info=error)
        note = self._note(self._failing[slot_id], self._well_ms.get(slot_id))
        last = shown.get(slot_id)
        return failed_view(last.view if last else None, planned.kpi, note, self._wording)

    def _note(self, failure: Failure, well_ms: int | None) -> str:
        wording = self._wording
        since = wording.say("Could not be computed since %(time)s (%(id)s)", time=wording.time(failure.since_ms),
                            id=failure.id)
        return since if well_ms is None else f"{wording.say('As of %(time)s.', time=wording.clock(well_ms))} {since}"


def failed_view(last: Any, kpi: Kpi, note: str, wording: Wording) -> object:
    """The tile as it was last, marked; a dash where there never was one."""
    last = last or _NEVER_READ.get(kpi.id)
    if last is None:
        label, definition = wording.say(kpi.label), wording.say(kpi.definition)
        return KpiView(kpi.id, label, "–", 1, "", "error", note, definition, None, None, None)
    if getattr(last, "empty", ""):
        return replace(last, state="error", empty=note)
    return replace(last, state="error", note=note)


def _is_local(error: Exception) -> bool:
    return not isinstance(error, STORE_ERRORS) or is_of_one_key(error)


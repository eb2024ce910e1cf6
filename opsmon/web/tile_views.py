"""Which tile shows a reading: one table of choices, the number of old for everything it does not name."""

from opsmon.core.readings import Reading
from opsmon.web.presenting import kpi_view
from opsmon.web.views import KpiView
from opsmon.web.wording import Wording

TileView = KpiView


def tile_view(reading: Reading, wording: Wording, zone: str, *, is_behind: bool) -> TileView:
    """A reading as the tile that fits it; `is_behind`: events wait that it does not hold yet."""
    return kpi_view(reading, wording, zone, is_behind=is_behind)

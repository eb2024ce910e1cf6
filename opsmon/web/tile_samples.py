"""Samples of the tiles with rows, made of readings as the board makes them: every state, many rows and few."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from opsmon.core.calendar import SiteCalendar
from opsmon.core.goods import PACE_DAYS, Stock, Supply
from opsmon.core.kpis import BUILT_IN
from opsmon.core.outlook import Outlook
from opsmon.core.panes import OTHER
from opsmon.core.readings import Point, Reading, Row
from opsmon.web.tile_shown import Limit
from opsmon.web.tile_views import TileView, tile_view
from opsmon.web.wording import Wording

ZONE = "Europe/Berlin"
NOW_MS = 1_763_730_202_000  # Fri 2025-11-21 14:03:22 in Berlin
_WORDING = {tag: Wording(tag, SiteCalendar(ZoneInfo(ZONE))) for tag in ("en_GB", "de")}
_LONG = "Hand-thrown stoneware mug, 350 ml, speckled grey"

_PRODUCTS = (("Ceramic mug, blue", 418_240), ("Tea towel, linen", 312_000), ("Oak board", 198_050),
             ("Coffee, 1 kg", 171_310), ("Moka pot", 96_400), ("Kettle", 74_000), ("Apron", 40_120), ("Salt", 12_080),
             ("Pepper", 11_150), ("Twine", 4_200), (OTHER, 302_190))
_COUNTRIES = (("DE", 1_284_930), ("AT", 402_110), ("CH", 211_000), ("FR", 84_000), ("GB", 61_050), ("NL", 40_080),
              ("", 2_900))
_ORDERS = (("DE", 212), ("AT", 41), ("CH", 40), ("NL", 31), ("FR", 22), ("BE", 14), ("GB", 12), ("IT", 9), ("PL", 7),
           ("DK", 4), ("MT", 2), ("SG", 1), ("", 3))
_STAGES = (("picking", 12), ("packing", 34), ("packed", 5), ("shipped", 128))
_PARCELS = (("in_transit", 212), ("out_for_delivery", 41), ("label_printed", 38), ("ready_for_pickup", 9),
            ("attempted_delivery", 6), ("delayed", 3), ("failure", 1))
_CUSTOM = (("new", 124), ("returning", 201))
_CHANNELS = (("web", 1_284_000), ("pos", 402_000), ("marketplace", 211_000), ("phone", 12_000), ("b2b", 9_000),
             ("fax", 800))
_ENDPOINTS = (("/checkout", 0.083, 1_204), ("/cart", 0.012, 8_431), ("/search", 0.0007, 41_022), ("/login", 0.0, 980),
              ("/admin/export", None, 7))
_QUEUES = (("emails", 1_240), ("labels", 12), ("exports", 0))
_STOCK = (Supply("KETTLE", "Kettle", ("Berlin",), 0, 9), Supply("MUG-BLUE", "Ceramic mug, blue", ("Berlin",), 3, 41),
          Supply("TOWEL-LIN", "Tea towel, linen", ("Berlin", "Wien"), 41, 96),
          Supply("BOARD", "Oak board", ("Berlin", "Graz", "Wien"), 1_240, 14),
          Supply("49148385", "", ("61001",), 12, None), Supply("TWINE", "", ("Wien",), 60, 0))
_FUNNEL = (("page.viewed", 4_812), ("cart.updated", 803), ("checkout.started", 402), ("checkout.completed", 311))
_ONE_HOUR = (("Ana", 41), ("Bo", 38), ("Chidi", 22))
_TIMES = (("picking", 8_040_000), ("packing", 1_500_000), ("shipped", 212_000_000))


def tiles() -> Iterator[tuple[str, TileView]]:
    """(what it shows, the tile), kind by kind."""
    yield from _ranked()
    yield from _states("top-products", _PRODUCTS)
    yield from _others()
    for kpi_id, rows in (("funnel-today", _FUNNEL), ("pipeline", _STAGES), ("orders-by-custom", _CUSTOM),
                         ("queues", _QUEUES)):
        yield from _states(kpi_id, rows)
    yield from _strips()
    yield from _bullets()
    yield from _maps()
    yield from _ages()


def sample(kpi_id: str, rows: Sequence[tuple[str, float | None]] = (), *, locale: str = "en_GB",
           limits: Mapping[str, Limit] | None = None, is_behind: bool = False, samples: Sequence[int] = (),
           **more: Any) -> TileView:
    """A built-in KPI with these rows, as the board would show it."""
    seen: list[int | None] = [*samples, *[None] * (len(rows) - len(samples))]
    told = tuple(Row(name, value, count) for (name, value), count in zip(rows, seen, strict=True))
    return tile_view(_reading(kpi_id, rows=told, **more), _WORDING[locale], ZONE, is_behind=is_behind, limits=limits)


def _reading(kpi_id: str, **more: Any) -> Reading:
    return Reading(**{"kpi": BUILT_IN.kpi_by_id[kpi_id], "value": None, "currency": "EUR", "start_ms": NOW_MS,
                      "end_ms": NOW_MS, "complete": False} | more)


def _states(kpi_id: str, rows: Sequence[tuple[str, float | None]]) -> Iterator[tuple[str, TileView]]:
    yield f"{kpi_id}, empty", sample(kpi_id)
    yield f"{kpi_id}, catching up", sample(kpi_id, rows, is_behind=True)
    yield f"{kpi_id}, error", replace(sample(kpi_id, rows), state="error", note="as of 13:58")


def _ranked() -> Iterator[tuple[str, TileView]]:
    yield "top-products, many rows", sample("top-products", _PRODUCTS)
    yield "revenue-by-country, live", sample("revenue-by-country", _COUNTRIES)
    yield "revenue-by-country, German, 9 digits", sample(
        "revenue-by-country", [(name, value * 98_765) for name, value in _COUNTRIES], locale="de")
    yield "top-products, few rows", sample("top-products", _PRODUCTS[:2])
    yield "top-products, one row", sample("top-products", _PRODUCTS[:1])
    yield "top-products, long names", sample("top-products", [(_LONG, 41_824_000), ("x" * 48, 31_200_000)])
    yield "output-by-person, live", sample(
        "output-by-person", _ONE_HOUR, series=(Point(0, 1, 240), Point(1, 2, 101)))
    yield "stage-times, live", sample("stage-times", _TIMES, limits={"": Limit(86_400_000)})


def _others() -> Iterator[tuple[str, TileView]]:
    yield "funnel-today, live", sample("funnel-today", _FUNNEL)
    yield "funnel-today, 9 digits", sample("funnel-today", [(name, value * 123_457) for name, value in _FUNNEL])
    one_visit = [("page.viewed", 1), *((step, 0) for step, _ in _FUNNEL[1:])]
    yield "funnel-today, one visit", sample("funnel-today", one_visit)
    yield "pipeline, live", sample("pipeline", _STAGES, limits={"packing": Limit(30)})
    yield "parcels, many states", sample("parcels", _PARCELS)
    yield "parcels, one state, 9 digits", sample("parcels", [("in_transit", 123_456_789)])
    yield "orders-by-custom, live", sample("orders-by-custom", _CUSTOM)
    yield "revenue-by-channel, more than fit", sample("revenue-by-channel", _CHANNELS)
    yield "revenue-by-channel, one, 9 digits", sample("revenue-by-channel", [("web", 12_345_678_900)])
    yield "api-errors, live", sample("api-errors", [(name, value) for name, value, _ in _ENDPOINTS],
                                     samples=[count for *_, count in _ENDPOINTS], limits={"": Limit(0.05)})
    yield "api-errors, one, long name", sample("api-errors", [("/" + "v" * 47, 0.25)], samples=[123_456_789])
    yield "api-errors, empty", sample("api-errors")
    yield "queues, live", sample("queues", _QUEUES, limits={"": Limit(1_000)})
    yield "stock, live", _shelves(*_STOCK, limits={"": Limit(5, is_lowest=True)})
    yield "stock, no pace yet", _shelves(*_STOCK, days=0)
    yield "stock, long names, 9 digits", _shelves(
        Supply("x" * 24, _LONG, ("Außenlager Süd", "Innenlager"), 123_456_789, 9), locale="de")


def _shelves(*supplies: Supply, days: int = PACE_DAYS, **more: Any) -> TileView:
    return sample("stock", stock=Stock(supplies, days), **more)


def _strips() -> Iterator[tuple[str, TileView]]:
    yield "api, live", _strip((84, 410.5, 1_284), 12_403)
    yield "api, sample too small for the last", _strip((84, 410.5, None), 44)
    yield "api, empty", _strip((None, None, None), 0)
    yield "api, slow", _strip((12_400, 91_000, 8_040_000), 123_456_789)
    yield "conversion, live", sample("conversion-30m", value=0.024, count=1_204)
    yield "conversion, too early", sample("conversion-30m", count=12)
    yield "conversion, empty", sample("conversion-30m", count=0)
    yield "oldest order", sample("oldest-order", value=8_040_000)
    yield "time to fulfil", sample("fulfilment-time", value=97_200_000, count=412)
    yield "visitors today", sample("visitors-today", value=123_456_789)


def _ages() -> Iterator[tuple[str, TileView]]:
    hours = ("1", "4", "8", "24", "48", "")
    ages = tuple(zip(hours, (12, 31, 44, 101, 9, 2), strict=True))
    yield "order-ages, live", sample("order-ages", ages)
    huge = [(hour, 123_456_789 if hour == "4" else 0) for hour in hours]
    yield "order-ages, none late, 9 digits", sample("order-ages", huge)
    yield from _states("order-ages", ages)


def _maps() -> Iterator[tuple[str, TileView]]:
    yield "orders-by-country, live", sample("orders-by-country", _ORDERS)
    yield "orders-by-country, the world", sample("orders-by-country", [("US", 410), ("JP", 390), ("AU", 377), *_ORDERS])
    yield "orders-by-country, one country, 9 digits", sample("orders-by-country", [("SG", 123_456_789)])
    yield "orders-by-country, not told", sample("orders-by-country", [("", 4), (OTHER, 2)])
    yield from _states("orders-by-country", _ORDERS)


def _bullets() -> Iterator[tuple[str, TileView]]:
    coming = Outlook(NOW_MS, 1_240_000, 2_130_000, 2_050_000, 2_230_000, 4)
    huge = Outlook(NOW_MS, 123_456_789_00, 234_567_891_00, 223_456_789_00, 245_678_912_00, 4)
    yield "revenue-outlook, live", sample("revenue-outlook", value=coming.likely, outlook=coming)
    yield "revenue-outlook, 9 digits", sample("revenue-outlook", value=huge.likely, outlook=huge, locale="de")
    yield "orders-outlook, one Friday", sample("orders-outlook", value=31, outlook=Outlook(NOW_MS, 12, 31, 31, 31, 1))
    yield "orders-outlook, first week", sample("orders-outlook")
    yield "revenue-outlook, catching up", sample("revenue-outlook", value=1, outlook=coming, is_behind=True)
    yield "completed-1h, enough", _needed(41, 38)
    yield "completed-1h, too few", _needed(12, 38)
    yield "completed-1h, 9 digits", _needed(123_456_789, 223_456_789)
    yield "completed-1h, empty", _needed(0, 0)
    yield "completed-1h, error", replace(_needed(41, 38), state="error", note="as of 13:58")


def _needed(done: int, needed: int) -> TileView:
    return tile_view(_reading("completed-1h", value=done), _WORDING["en_GB"], ZONE, is_behind=False,
                     beside=[_reading("due-1h", value=needed)])


def _strip(values: Sequence[float | None], count: int) -> TileView:
    found = [_reading(f"api-p{show}", value=value, count=count)
             for show, value in zip((50, 95, 99), values, strict=True)]
    return tile_view(found[0], _WORDING["en_GB"], ZONE, is_behind=False, beside=found[1:])

"""The numbers for programs: which, over which stretch, in which steps, by what; and each of them explained."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.calendar import HOUR_MS, MINUTE_MS, SiteCalendar
from opsmon.core.catalogue import Kpi
from opsmon.core.kpis import BUILT_IN, KPIS
from opsmon.core.panes import Retention
from opsmon.core.windows import CalendarUnit, Every, windows
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order

pytestmark = pytest.mark.anyio

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))

MIDNIGHT_MS = NOW_MS - (14 * 3600 + 3 * 60 + 22) * 1000


@pytest.fixture
async def shop(line: Line) -> Line:
    """Three orders: two from Germany an hour apart, one from France yesterday."""
    await line.post("orders/create", order(1, "10.00", placed_ms=NOW_MS, shipping_address={"country_code": "DE"}))
    await line.post("orders/create", order(2, "20.00", placed_ms=NOW_MS - HOUR_MS, updated_ms=NOW_MS,
                                           shipping_address={"country_code": "DE"}))
    await line.post("orders/create", order(3, "40.00", placed_ms=NOW_MS - 24 * HOUR_MS, updated_ms=NOW_MS,
                                           shipping_address={"country_code": "FR"}))
    await line.work()
    return line


async def asked(line: Line, path: str, status: int = 200) -> Any:
    answer = await line.get(f"/api/kpis{path}")
    assert answer.status == status
    return answer.json


async def points(line: Line, path: str) -> list[tuple[int, Any]]:
    """The points of a history: when each begins, and its value."""
    return [(point["start_ms"], point["value"]) for point in (await asked(line, path))["points"]]


async def test_all_numbers_are_told_when_none_is_named(shop: Line) -> None:
    """In the order of the catalogue."""
    assert list((await asked(shop, ""))["kpis"]) == [kpi.id for kpi in KPIS]


async def test_some_numbers_are_told_when_they_are_named(shop: Line) -> None:
    """A program with a small screen asks for what it shows."""
    assert list((await asked(shop, "?ids=revenue-today,orders-today"))["kpis"]) == ["revenue-today", "orders-today"]


async def test_a_name_nobody_knows_is_a_404_that_says_so(shop: Line) -> None:
    """With the way to the list."""
    assert await asked(shop, "?ids=orders-today,profit", 404) == {
        "error": "No such number: profit. GET /api/kpis lists them all."}
    assert await asked(shop, "/profit", 404) == {"error": "No such number: profit. GET /api/kpis lists them all."}


async def test_a_breakdown_has_its_rows_largest_first(shop: Line) -> None:
    """Two orders went to Germany today."""
    kpi = (await asked(shop, "?ids=revenue-by-country"))["kpis"]["revenue-by-country"]
    assert (kpi["value"], kpi["rows"]) == (3000, [{"name": "DE", "value": 3000, "sample": 2}])


async def test_an_estimate_states_its_error(shop: Line) -> None:
    """Visitors are told to within 1 %."""
    assert (await asked(shop, "?ids=visitors-today"))["kpis"]["visitors-today"]["error"] == 0.0081


async def test_a_history_is_told_window_by_window(shop: Line) -> None:
    """Hours of the site; the last one still moves."""
    answer = await asked(shop, f"/revenue-today?from={NOW_MS - 2 * HOUR_MS}&to={NOW_MS + 1}&step=hour")
    noon_ms = MIDNIGHT_MS + 12 * HOUR_MS
    assert [(p["start_ms"], p["end_ms"], p["value"], p["complete"]) for p in answer["points"]] == [
        (noon_ms, noon_ms + HOUR_MS, 0, True), (noon_ms + HOUR_MS, noon_ms + 2 * HOUR_MS, 2000, True),
        (noon_ms + 2 * HOUR_MS, noon_ms + 3 * HOUR_MS, 1000, False)]
    assert (answer["currency"], answer["exponent"], answer["zone"], answer["step"]) == (
        "EUR", 2, "Europe/Berlin", "hour")


async def test_days_begin_when_the_sites_days_do(shop: Line) -> None:
    """An instant without an offset is the site's wall clock."""
    assert await points(shop, "/orders-today?from=2026-11-19&to=2026-11-21&step=day") == [
        (MIDNIGHT_MS - 24 * HOUR_MS, 1), (MIDNIGHT_MS, 2)]


async def test_instants_may_be_said_in_three_ways(shop: Line) -> None:
    """With an offset, without one, in milliseconds: the same stretch."""
    ways = ("from=2026-11-20T12:00&to=2026-11-20T15:00", "from=2026-11-20T11:00Z&to=2026-11-20T14:00Z",
            f"from={MIDNIGHT_MS + 12 * HOUR_MS}&to={MIDNIGHT_MS + 15 * HOUR_MS}")
    found = [await points(shop, f"/orders-today?{way}&step=hour") for way in ways]
    assert found == [found[0]] * 3
    assert [value for _, value in found[0]] == [0, 1, 1]


async def test_a_step_may_be_a_duration(shop: Line) -> None:
    """Quarters of an hour stand at :00, :15, :30 and :45."""
    found = await points(shop, f"/orders-today?from={NOW_MS - 1800_000}&to={NOW_MS + 1}&step=15m")
    assert [(start_ms - MIDNIGHT_MS) % 900_000 for start_ms, _ in found] == [0, 0, 0]
    assert [value for _, value in found] == [0, 0, 1]


async def test_days_of_days_and_blocks_of_hours_stand_where_the_days_do(line: Line) -> None:
    """Across the autumn change of clocks too: four hours begin at 00:00, 04:00, 08:00, whatever the season."""
    found = await points(line, "/orders-today?from=2026-10-24&to=2026-10-27&step=4h")
    assert [BERLIN.wall(start_ms).hour for start_ms, _ in found] == [0, 4, 8, 12, 16, 20] * 3
    found = await points(line, "/customers-today?from=2026-10-24&to=2026-10-28&step=2d")
    assert [f"{BERLIN.wall(start_ms):%d %H:%M}" for start_ms, _ in found] == ["24 00:00", "26 00:00"]


async def test_a_plus_that_was_not_escaped_is_a_plus(line: Line) -> None:
    """In a query string it stands for a space, which not everybody knows."""
    answer = await asked(line, "/orders-today?from=2026-11-20T12:00+01:00&to=2026-11-20T15:00%2B0100")
    assert (answer["from_ms"], answer["to_ms"]) == (MIDNIGHT_MS + 12 * HOUR_MS, MIDNIGHT_MS + 15 * HOUR_MS)


async def test_without_a_step_it_is_one_that_is_still_kept(line: Line) -> None:
    """An hour of three weeks ago is told whole: its minutes are gone."""
    steps = [(await asked(line, f"/orders-today?from={from_ms}&to={from_ms + HOUR_MS}"))["step"]
             for from_ms in (NOW_MS - 21 * 24 * HOUR_MS, NOW_MS - 24 * HOUR_MS)]
    assert steps == ["hour", "minute"]


async def test_without_a_stretch_it_is_the_last_day(shop: Line) -> None:
    """By the hour: 25 of them overlap 24 hours that begin at three minutes past."""
    answer = await asked(shop, "/orders-today")
    assert (answer["from_ms"], answer["to_ms"], answer["step"], len(answer["points"])) == (
        NOW_MS - 24 * HOUR_MS, NOW_MS, "hour", 25)


async def test_a_history_by_its_dimension_has_rows(shop: Line) -> None:
    """Where the orders went, day by day."""
    answer = await asked(shop, "/orders-by-country?from=2026-11-19&to=2026-11-21&step=day&by=country")
    assert [[(row["name"], row["value"]) for row in point["rows"]] for point in answer["points"]] == [
        [("FR", 1)], [("DE", 2)]]


async def test_one_row_may_be_asked_for(shop: Line) -> None:
    """France only; a day without it is nought."""
    assert [value for _, value in await points(
        shop, "/orders-by-country?from=2026-11-19&to=2026-11-21&step=day&by=country&row=FR")] == [1, 0]


async def test_a_row_that_is_not_among_the_best_can_be_asked_for_too(line: Line) -> None:
    """Of twelve products ten are shown; the twelfth has a history all the same."""
    sold = [{"id": n, "sku": f"SKU-{n:02}", "title": f"Paper {n:02}", "quantity": 1, "price": f"{n}.00"}
            for n in range(1, 13)]
    await line.post("orders/create", order(1, "78.00", line_items=sold))
    await line.work()
    question = "/top-products?from=2026-11-20&to=2026-11-21&step=day"
    (point,) = (await asked(line, f"{question}&by=product"))["points"]
    assert (len(point["rows"]), point["rows"][-1]) == (10, {"name": "Paper 03", "value": 300})
    assert await points(line, f"{question}&row=Paper%2001") == [(MIDNIGHT_MS, 100)]


@pytest.mark.parametrize(("question", "sentence"), [
    ("/orders-today?from=yesterday", "from=yesterday: expected an instant such as 2026-11-20T14:00 (the site's "
                                     "time), 2026-11-20T13:00Z or epoch milliseconds."),
    ("/orders-today?from=2026-11-21&to=2026-11-20", "from must be before to."),
    ("/orders-today?step=fortnight", "step=fortnight: expected minute, hour, day, week, month, year, or a duration "
                                     "such as 15m or 4h."),
    ("/orders-by-country?step=minute", "step=minute: this number is kept by hours, no finer."),
    ("/orders-today?by=country", "orders-today is not kept by anything: leave by and row out."),
    ("/orders-by-country?by=city", "by=city: orders-by-country is kept by country."),
    ("/stock", "stock is what holds now: it has no history."),
    ("/active-orders", "active-orders is what holds now: it has no history."),
    ("/orders-today?size=3", "size: no such parameter; known are from, to, step, by, row."),
    ("/orders-today?from=2026-09-01&step=hour", "over 1500 windows: ask for a larger step or a shorter time."),
    ("/orders-today?from=0999-09-01&step=day", "over 1500 windows: ask for a larger step or a shorter time."),
    ("/orders-today?from=2020-01-01&step=hour", "step=hour: so far back this number is kept by days, no finer."),
    ("/orders-today?from=2026-11-01&step=15m", "step=15m: so far back this number is kept by hours, no finer."),
    ("/orders-by-country?step=90m", "step=90m: this number is kept by hours, no finer."),
    ("/function-p95?from=2020-01-01", "from: this number is kept for 400d."),
    ("/visitors-now?step=hour", "visitors-now is what holds now: it has no history."),
    ("/orders-today?to=9999-01-01", "to=9999-01-01: expected an instant such as 2026-11-20T14:00 (the site's time), "
     "2026-11-20T13:00Z or epoch milliseconds."),
    ("/orders-today?from=99999999999999999&to=3", "from=99999999999999999: expected an instant such as "
     "2026-11-20T14:00 (the site's time), 2026-11-20T13:00Z or epoch milliseconds."),
])
async def test_a_question_that_cannot_be_answered_says_what_can_be_asked(
    shop: Line, question: str, sentence: str
) -> None:
    """A 400 with one sentence, in the words of who asked."""
    assert await asked(shop, question, 400) == {"error": sentence}


async def test_an_answer_that_has_not_changed_is_not_sent_again(shop: Line) -> None:
    """Whoever asks every second gets 304s, until an order comes."""
    first = await shop.get("/api/kpis/orders-today")
    etag = first.headers["etag"]
    assert (await shop.get("/api/kpis/orders-today", if_none_match=etag)).status == 304
    await shop.post("orders/create", order(9))
    await shop.work()
    assert (await shop.get("/api/kpis/orders-today", if_none_match=etag)).status == 200


async def test_a_number_is_explained(shop: Line) -> None:
    """What it counts, over which window, how exact, how fresh."""
    told = await asked(shop, "/revenue-today/explain")
    assert told["counts"] == "The sum of amount of order.placed or order.cancelled or refund.given."
    assert told["exactness"] == "Exact. Corrections are subtracted where they were added."
    assert (told["value"], told["zone"], told["window"]["words"]) == (3000, "Europe/Berlin", "the business day so far")
    last_ms = int((await shop.store.xinfo_groups("{main}:events"))[0]["last-delivered-id"].partition(b"-")[0])
    assert told["fresh"] == {"as_of_ms": NOW_MS, "caught_up_ms": NOW_MS, "waiting": 0, "last_counted_ms": last_ms}
    assert (told["window"]["start"], told["window"]["end"]) == (
        "2026-11-20T00:00:00+01:00", "2026-11-21T00:00:00+01:00")
    assert told["kept_ms"] == {"minutes": 691_200_000, "hours": 34_560_000_000, "days": None}


async def test_the_last_events_of_a_number_are_named(shop: Line) -> None:
    """Newest first, each with what it added; yesterday's order is none of today's."""
    events = (await asked(shop, "/orders-today/explain"))["last_events"]
    assert [event["key"].rpartition(":")[2] for event in events] == ["2", "1"]
    assert events[1]["adds"] == [{"fact": "order.placed", "time_ms": NOW_MS}]


async def test_an_event_that_waits_has_added_nothing_yet(shop: Line) -> None:
    """It is no event of the number before a worker has read it."""
    await shop.post("orders/create", order(4))
    told = await asked(shop, "/orders-today/explain")
    assert (told["fresh"]["waiting"], [event["key"].rpartition(":")[2] for event in told["last_events"]]) == (
        1, ["2", "1"])


async def test_every_number_can_be_explained_and_has_a_history_or_says_that_it_has_none(
    shop: Line, clock: ManualClock
) -> None:
    """No 500 for any of them, by any step."""
    statuses = set()
    for kpi in KPIS:
        await asked(shop, f"/{kpi.id}/explain")
        statuses |= {(await shop.get(f"/api/kpis/{kpi.id}?step={step}")).status for step in ("minute", "hour", "day")}
    assert statuses == {200, 400}


class Counting(Reader):
    """A reader that remembers how often it went to the store."""

    trips = 0

    async def many(self, reads: Sequence[Read]) -> list[Any]:
        self.trips += 1
        return await super().many(reads)


async def commands(store: Redis) -> Counter[str]:
    """How often the server was given each command so far, by its own count."""
    told = await store.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): stats["calls"] for name, stats in told.items()
                    if name != "cmdstat_info"})


def queries_of(reader: Reader, keys: Keys) -> KpiQueries:
    """What reads the numbers of a shop in Berlin."""
    return KpiQueries(reader, keys, BUILT_IN, BERLIN, "EUR", 0, Retention())


@pytest.mark.parametrize(("kpi", "kind", "most"), [
    ("orders-today", CalendarUnit("hour"), 2), ("orders-today", Every(MINUTE_MS), 25),
    ("revenue-by-country", CalendarUnit("hour"), 25),
])
async def test_a_chart_of_a_day_takes_few_reads(store: Redis, keys: Keys, kpi: str, kind: Any, most: int) -> None:
    """One hash per day of hours, per hour of minutes, per hour of rows; and the site's facts, twice."""
    reader = Counting(store)
    before = await commands(store)
    day = windows(kind, NOW_MS - 24 * HOUR_MS, NOW_MS, BERLIN)
    await queries_of(reader, keys).windows(BUILT_IN.kpi_by_id[kpi], day, NOW_MS, NOW_MS)
    made = await commands(store) - before
    assert (reader.trips, list(made), made["hgetall"] - 2 <= most) == (2, ["hgetall"], True)


async def test_a_board_of_twelve_tiles_is_read_in_two_round_trips(store: Redis, keys: Keys) -> None:
    """At most six reads each, and the site's facts, all at once; then the hours of charts that were corrected late."""
    reader = Counting(store)
    before = await commands(store)
    await queries_of(reader, keys).read(KPIS[:12], NOW_MS, NOW_MS)
    made = await commands(store) - before
    assert (reader.trips, made.total() - 1 <= 6 * 12) == (2, True)


# Hour by hour with its rows: one hash an hour, for a chart of 24, and the hours that were corrected.
CHARTS_OF_ROWS = dict.fromkeys(("output-by-line", "output-by-station", "output-by-person", "scans-by-person",
                                "scans-by-station"), 25)
CHARTS_OF_ROWS |= dict.fromkeys(("channels-30d", "countries-30d", "custom-30d"), 30)
# Beside stock the products, and what was sold on each of two weeks' days.
CHARTS_OF_ROWS["stock"] = 1 + 1 + 14


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.id)
async def test_a_tile_takes_at_most_six_reads(store: Redis, keys: Keys, kpi: Kpi) -> None:
    """Beside the site's facts; with last week and the bars, whatever the hour."""
    before = await commands(store)
    await queries_of(Reader(store), keys).read([kpi], NOW_MS, NOW_MS)
    made = await commands(store) - before
    assert made.total() - 1 <= CHARTS_OF_ROWS.get(kpi.id, 6)

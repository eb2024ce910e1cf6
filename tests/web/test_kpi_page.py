"""The page of one number: its history over a day, week, month or year, and the number explained."""

import re
from datetime import datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opsmon.clock import ManualClock, SystemClock
from opsmon.core.kpis import KPIS
from opsmon.core.spans import SPANS
from opsmon.web import rendering
from tests.conftest import NOW_MS
from tests.http import Answer
from tests.line import Line
from tests.orders import order
from tests.web.wire import Elements

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MIDNIGHT_MS = NOW_MS - (14 * 3600 + 3 * 60 + 22) * 1000
TABLE_ROW = re.compile(r'<tr data-state="(\w+)"><th scope="row">(.*?)</th><td>(.*?)</td>', re.DOTALL)
HOSTILE = "<b>=1+1</b>\" onclick=\"x"


def at(day: str, hour: int, minute: int = 30, fold: int = 0) -> int:
    """An instant by the clocks of Berlin."""
    wall = datetime.fromisoformat(day).replace(hour=hour, minute=minute, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)
    return round(wall.timestamp() * 1000)


async def sold(line: Line, *orders: tuple[str, int, str]) -> None:
    """Orders of (total, placed, country), counted."""
    for number, (total, placed_ms, country) in enumerate(orders, 1):
        await line.post("orders/create", order(number, total, placed_ms=placed_ms,
                                               shipping_address={"country_code": country}))
    await line.work()


@pytest.fixture
async def shop(line: Line) -> Line:
    """Four orders: two from Germany today, an hour apart; one from France yesterday; one a week and a day ago."""
    await sold(line, ("10.00", NOW_MS, "DE"), ("20.00", NOW_MS - HOUR_MS, "DE"), ("40.00", NOW_MS - DAY_MS, "FR"),
               ("5.00", NOW_MS - 8 * DAY_MS, "DE"))
    return line


async def page(line: Line, path: str, status: int = 200) -> str:
    answer = await line.get(f"/kpi/{path}")
    assert answer.status == status
    return answer.text


async def told(line: Line, path: str) -> list[tuple[str, str, str]]:
    """The table: (state, name, value) of each window that has begun."""
    return [(state, unescape(name), unescape(text)) for state, name, text in TABLE_ROW.findall(await page(line, path))]


async def cells(line: Line, path: str) -> list[list[str]]:
    """The lines of the CSV, without its header; no cell of these tests has a comma."""
    answer = await line.get(f"/kpi/{path}")
    head, *lines = answer.text.split("\r\n")
    assert (answer.status, head, lines.pop()) == (200, "start,end,row,value,unit,currency,sample,state", "")
    return [line.split(",") for line in lines]


def text_of(html: str, css_class: str) -> str:
    """The words of the first element of this class."""
    found = re.search(rf'class="{css_class}"[^>]*>(.*?)</(?:p|h2|li|data|section)>', html, re.DOTALL)
    assert found is not None
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


# All of them


@pytest.mark.parametrize("span", SPANS)
async def test_every_number_has_a_page_before_anything_came(line: Line, span: str) -> None:
    """A new site has nothing to show, and says so."""
    answers = {kpi.id: await line.get(f"/kpi/{kpi.id}?span={span}") for kpi in KPIS}
    assert {kpi_id: answer.status for kpi_id, answer in answers.items() if answer.status != 200} == {}


@pytest.mark.parametrize("span", SPANS)
async def test_every_number_has_a_page_of_what_came(shop: Line, span: str) -> None:
    """No number and no span is left out."""
    answers = {kpi.id: await shop.get(f"/kpi/{kpi.id}?span={span}") for kpi in KPIS}
    assert {kpi_id: answer.status for kpi_id, answer in answers.items() if answer.status != 200} == {}


@pytest.mark.parametrize("span", SPANS)
async def test_every_number_has_a_file_or_a_sentence_why_not(shop: Line, span: str) -> None:
    """A year of what is kept by the hour only is more than one answer holds."""
    answers = {kpi.id: await shop.get(f"/kpi/{kpi.id}.csv?span={span}") for kpi in KPIS}
    refused = {kpi_id: answer.status for kpi_id, answer in answers.items() if answer.status != 200}
    hourly = ("queues", "gauges", "function-p95", "lag-by-source")
    assert refused == ({} if span != "year" else dict.fromkeys(hourly, 400))


# What it says of a span


async def test_a_day_is_told_by_the_hour(shop: Line) -> None:
    """From midnight to the present hour, which is not over."""
    rows = await told(shop, "revenue-today")
    assert (len(rows), rows[:1], rows[-2:]) == (15, [("whole", "00:00", "€0.00")], [
        ("whole", "13:00", "€20.00"), ("moving", "14:00", "€10.00")])


async def test_a_day_can_be_told_by_quarters_of_an_hour(shop: Line) -> None:
    """As long as minutes are kept."""
    rows = await told(shop, "orders-today?step=15m")
    assert (len(rows), rows[-1]) == (57, ("moving", "14:00", "1"))
    assert [name for _, name, text in rows if text == "1"] == ["13:00", "14:00"]


async def test_a_week_and_a_month_are_told_by_days_and_a_year_by_months(shop: Line) -> None:
    """Weeks begin on Monday; what is still to come is not in the table."""
    found = {span: await told(shop, f"orders-today?span={span}") for span in ("week", "month", "year")}
    assert [row[1:] for row in found["week"]] == [
        ("Mon, Nov 16", "0"), ("Tue, Nov 17", "0"), ("Wed, Nov 18", "0"), ("Thu, Nov 19", "1"), ("Fri, Nov 20", "2")]
    assert [len(rows) for rows in found.values()] == [5, 20, 11]
    assert found["year"][-1] == ("moving", "November 2026", "4")


async def test_what_was_over_before_counting_began_is_a_gap_and_no_nought(shop: Line) -> None:
    """In the table, in the chart, and in a sentence."""
    rows = await told(shop, "orders-today?span=month")
    assert [row for row in rows if row[1] in ("Wed, Nov 11", "Thu, Nov 12", "Fri, Nov 13")] == [
        ("uncounted", "Wed, Nov 11", "–"), ("part", "Thu, Nov 12", "1"), ("whole", "Fri, Nov 13", "0")]
    html = await page(shop, "orders-today?span=month")
    assert re.findall(r'<p class="history__note">(.*?)</p>', html) == [
        "Gaps: 11 days not counted yet.", "Counting begins with Thu, Nov 12, 2026, 14:03."]
    assert re.findall(r'<text x="(?!100%)[\d.]+%" y="50%">(.*?)</text>', html) == ["not counted yet"]


async def test_a_mean_of_nothing_is_a_gap(shop: Line) -> None:
    """A line with holes, never a line down to nought."""
    rows = await told(shop, "aov-1h")
    assert {name: text for _, name, text in rows if text != "–"} == {"13:00": "€20.00", "14:00": "€10.00"}
    html = await page(shop, "aov-1h?span=week")
    assert (html.count('<polyline class="history__curve"'), html.count('class="history__dot"')) == (1, 2)
    assert "Gaps: 3 days without data." in html


async def test_before_counting_began_there_is_no_chart_but_a_sentence(shop: Line) -> None:
    """And the same on a site to which nothing has come."""
    html = await page(shop, "orders-today?span=day&at=2025-01-01")
    assert (text_of(html, "history__finding"), "<figure" in html) == (
        "Not counted yet: counting begins with Thu, Nov 12, 2026, 14:03.", False)


async def test_an_empty_site_says_that_nothing_was_counted(line: Line) -> None:
    """No bars of nought."""
    html = await page(line, "revenue-today")
    assert (text_of(html, "history__finding"), "<figure" in html) == ("Nothing has been counted yet.", False)


async def test_the_finding_is_one_sentence_and_the_label_of_the_chart(shop: Line) -> None:
    """Who does not see the bars hears the same."""
    html = await page(shop, "revenue-today?span=week")
    (image,) = [e.attributes for e in Elements(html).found if e.attributes.get("role") == "img"]
    assert text_of(html, "history__finding") == "€70.00 so far, most on Thu, Nov 19: €40.00."
    assert image["aria-label"] == ("Revenue today, Nov 16\u2009–\u200922, 2026: "
                                   "€70.00 so far, most on Thu, Nov 19: €40.00.")


async def test_what_is_not_over_is_drawn_as_not_whole(shop: Line) -> None:
    """Dashed, with a key that says so; and there is a place for what is to come, without a mark."""
    html = await page(shop, "orders-today?span=week")
    bars = re.findall(r'<rect class="history__bar" data-state="(\w+)" x="[\d.]+" y="[\d.]+" width="15.2"', html)
    labels = re.findall(r"<li>(.*?)</li>", html)
    assert (bars, labels, "not over yet" in html) == (
        ["whole"] * 4 + ["moving"], ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], True)


async def test_grid_lines_are_at_most_four(shop: Line) -> None:
    """And at round values."""
    html = await page(shop, "revenue-today?span=week")
    assert re.findall(r'<text x="100%" y="([\d.]+)%">(.*?)</text>', html) == [
        ("0", "€40"), ("25", "€30"), ("50", "€20"), ("75", "€10"), ("100", "€0")]


# Compared


async def test_a_day_is_compared_with_the_same_weekday_a_week_before_to_the_same_minute(line: Line) -> None:
    """Friday by 14:03 with Friday by 14:03; what came later that day does not count."""
    await sold(line, ("30.00", NOW_MS - HOUR_MS, "DE"), ("20.00", NOW_MS - 7 * DAY_MS - HOUR_MS, "DE"),
               ("99.00", NOW_MS - 7 * DAY_MS + HOUR_MS, "DE"), ("1.00", NOW_MS - 9 * DAY_MS, "DE"))
    html = await page(line, "revenue-today")
    assert text_of(html, "comparison__change") == "+50% €30.00 against €20.00 on Fri, Nov 13 by 14:03"
    assert re.findall(r'class="comparison" data-direction="(\w+)"', html) == ["good"]
    assert "13:00: €30.00, before: €20.00" in html


async def test_a_week_and_a_day_of_the_past_are_compared_whole(line: Line) -> None:
    """The week before; the weekday before."""
    await sold(line, *(("10.00", NOW_MS - days * DAY_MS, "DE") for days in (3, 10, 11, 18, 40)))
    week = await page(line, "orders-today?span=week&at=2026-11-10")
    day = await page(line, "orders-today?at=2026-11-10")
    assert text_of(week, "comparison__text") == "2 against 1 in Nov 2 – 8, 2026"
    assert text_of(day, "comparison__text") == "1 against 0 on Tue, Nov 3"


async def test_what_was_not_counted_is_not_compared(shop: Line) -> None:
    """Never +∞ %, never 0 %: a sentence."""
    assert text_of(await page(shop, "orders-today?span=week"), "comparison__text") == (
        "No comparison yet: Nov 9 – 15, 2026 was not counted")


async def test_what_is_kept_by_hours_is_compared_up_to_the_hour(line: Line) -> None:
    """The minutes of a broken hour of last week are not known."""
    await sold(line, ("30.00", NOW_MS - HOUR_MS, "DE"), ("20.00", NOW_MS - 7 * DAY_MS, "DE"),
               ("10.00", NOW_MS - 7 * DAY_MS - HOUR_MS, "DE"), ("1.00", NOW_MS - 20 * DAY_MS, "DE"))
    html = await page(line, "revenue-by-country")
    assert text_of(html, "comparison__change") == "+200% €30.00 against €10.00 on Fri, Nov 13 by 14:00"


# The same as programs read


@pytest.mark.parametrize(("kpi", "span", "stretch"), [
    ("orders-today", "day", "from=2026-11-20&to=2026-11-20T15:00&step=hour"),
    ("orders-today", "day&step=15m", "from=2026-11-20&to=2026-11-20T14:15&step=15m"),
    ("orders-today", "week", "from=2026-11-16&to=2026-11-21&step=day"),
    ("revenue-today", "month", "from=2026-11-01&to=2026-11-21&step=day"),
    ("revenue-today", "year", "from=2026-01-01&to=2026-12-01&step=month"),
    ("aov-1h", "week", "from=2026-11-16&to=2026-11-21&step=day"),
    ("top-products", "week", "from=2026-11-16&to=2026-11-21&step=day"),
    ("customers-today", "week", "from=2026-11-16&to=2026-11-21&step=day"),
    ("orders-by-country", "week&row=DE", "from=2026-11-16&to=2026-11-21&step=day&row=DE"),
    ("orders-per-hour", "day&at=2026-10-25", "from=2026-10-25&to=2026-10-26&step=hour"),
])
async def test_windows_and_values_are_those_of_the_api(line: Line, kpi: str, span: str, stretch: str) -> None:
    """A person and a program never see two numbers for one hour. Counting began long before."""
    await sold(line, ("10.00", NOW_MS, "DE"), ("20.00", NOW_MS - HOUR_MS, "DE"), ("40.00", NOW_MS - DAY_MS, "FR"),
               ("5.00", at("2025-12-31", 12), "DE"), ("7.00", at("2026-10-25", 2), "DE"),
               ("8.00", at("2026-10-25", 2, fold=1), "DE"))
    answer = (await line.get(f"/api/kpis/{kpi}?{stretch}")).json

    def plain(value: Any) -> str:
        return "" if value is None else f"{value / 100:.2f}" if answer["unit"] == "money" else str(value)

    def instant(text: str) -> int:
        return round(datetime.fromisoformat(text).timestamp() * 1000)

    found = await cells(line, f"{kpi}.csv?span={span}")
    assert [(instant(start), instant(end), value) for start, end, _, value, *_ in found] == [
        (point["start_ms"], point["end_ms"], plain(point["value"])) for point in answer["points"]]
    rows = await told(line, f"{kpi}?span={span}")
    assert [text.strip("€").replace("–", "") for _, _, text in rows] == [plain(p["value"]) for p in answer["points"]]


async def test_the_day_of_25_hours_has_25_bars_and_the_repeated_hour_twice(line: Line) -> None:
    """Berlin, 25 October 2026: from 02:00 to 03:00 twice, told apart by their zone."""
    await sold(line, ("1.00", at("2026-10-20", 9), "DE"), ("7.00", at("2026-10-25", 2), "DE"),
               ("8.00", at("2026-10-25", 2, fold=1), "DE"), ("9.00", at("2026-10-25", 2, fold=1), "DE"))
    html = await page(line, "orders-per-hour?at=2026-10-25")
    rows = [(name, text) for _, name, text in TABLE_ROW.findall(html)]
    assert (len(rows), html.count('<g class="history__slot">')) == (25, 25)
    assert rows[1:5] == [("01:00", "0"), ("02:00 CEST", "1"), ("02:00 CET", "2"), ("03:00", "0")]
    assert "This day has 25 hours: the clocks are changed." in html
    starts = [line[0] for line in await cells(line, "orders-per-hour.csv?at=2026-10-25")]
    assert starts[2:4] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]


async def test_the_day_of_23_hours_has_23_bars(line: Line) -> None:
    """Berlin, 29 March 2026: no 02:00."""
    await sold(line, ("1.00", at("2026-03-20", 9), "DE"), ("7.00", at("2026-03-29", 3), "DE"))
    names = [name for _, name, _ in await told(line, "orders-today?at=2026-03-29")]
    assert (len(names), names[1:3]) == (23, ["01:00", "03:00"])


# Ways


async def hrefs(line: Line, path: str, css_class: str) -> list[str]:
    """Where the links in this part of the page lead."""
    html = await page(line, path)
    part = re.search(rf'<\w+ class="{css_class}".*?</(?:nav|section|p|table)>', html, re.DOTALL)
    return [unescape(href) for href in re.findall(r'href="(.*?)"', part[0])] if part else []


async def test_time_is_walked_by_addresses_that_can_be_shared(shop: Line) -> None:
    """Back always; onwards as far as the present."""
    assert await hrefs(shop, "orders-today", "history__ways") == ["/kpi/orders-today?span=day&at=2026-11-19"]
    assert await hrefs(shop, "orders-today?span=month&at=2026-10-07", "history__ways") == [
        "/kpi/orders-today?span=month&at=2026-09-01", "/kpi/orders-today?span=month&at=2026-11-01"]


async def test_another_length_of_time_keeps_the_day(shop: Line) -> None:
    """From a day to its week."""
    assert await hrefs(shop, "orders-today?at=2026-11-19", "history__spans") == [
        f"/kpi/orders-today?span={span}&at=2026-11-19" for span in ("week", "month", "year")]


async def test_every_tile_leads_to_its_page(shop: Line) -> None:
    """From the words that say what counts."""
    html = (await shop.get("/")).text
    tiles = re.findall(r'<article id="kpi-([a-z][\w-]*)"', html)
    assert (re.findall(r'href="/kpi/([\w-]+)#explained"', html), len(tiles) > 1) == (tiles, True)


async def test_a_page_that_did_not_change_is_not_sent_again(shop: Line, clock: ManualClock) -> None:
    """304 as long as nothing was counted and the minute is the same."""
    etag = (await shop.get("/kpi/orders-today")).headers["etag"]
    again = await shop.get("/kpi/orders-today", if_none_match=etag)
    assert (again.status, again.body, rendering.build() in etag) == (304, b"", True)
    clock.advance(60_000)
    assert (await shop.get("/kpi/orders-today", if_none_match=etag)).status == 200


async def test_an_order_makes_the_old_page_worthless(shop: Line) -> None:
    """Whatever the minute."""
    etag = (await shop.get("/kpi/orders-today")).headers["etag"]
    await shop.post("orders/create", order(77, "1.00"))
    await shop.work()
    answer = await shop.get("/kpi/orders-today", if_none_match=etag)
    assert (answer.status, text_of(answer.text, "kpi-now__value")) == (200, "3")


# Rows


async def test_rows_are_told_over_the_span_and_lead_to_their_own_history(shop: Line) -> None:
    """Largest first, with how many each rests on."""
    html = await page(shop, "revenue-by-country?span=week&by=country")
    rows = re.findall(r'<th scope="row"><a href="(.*?)">(.*?)</a></th>.*?<td class="rows__value">(.*?)</td>.*?'
                      r'<td class="rows__sample">(.*?)</td>', html, re.DOTALL)
    assert [(unescape(href), *rest) for href, *rest in rows] == [
        ("/kpi/revenue-by-country?span=week&row=FR", "France", "€40.00", "1"),
        ("/kpi/revenue-by-country?span=week&row=DE", "Germany", "€30.00", "2")]


async def test_one_row_has_a_history_of_its_own(shop: Line) -> None:
    """With a way back to all."""
    html = await page(shop, "revenue-by-country?span=week&row=FR")
    assert [text for _, _, text in TABLE_ROW.findall(html)] == ["€0.00", "€0.00", "€0.00", "€40.00", "€0.00"]
    assert ('<h1 class="bar__title">Sales by country: France</h1>' in html,
            'href="/kpi/revenue-by-country?span=week"' in html, 'class="rows"' in html) == (True, True, False)


async def test_rows_are_in_the_csv_window_by_window(shop: Line) -> None:
    """One line for each row of each window."""
    found = await cells(shop, "orders-by-country.csv?span=week&by=country")
    assert [line[2:4] + line[6:] for line in found] == [["FR", "1", "1", "whole"], ["DE", "2", "2", "moving"]]


async def test_a_hostile_name_is_a_text_and_no_more(line: Line) -> None:
    """In the page, in links, and in a spreadsheet."""
    await line.post("orders/create", order(1, "9.00", line_items=[
        {"id": 1, "sku": "A", "title": HOSTILE, "quantity": 1, "price": "9.00"},
        {"id": 2, "sku": "B", "title": "=HYPERLINK(1)", "quantity": 1, "price": "8.00"}]))
    await line.work()
    html = await page(line, "top-products")
    inside = Elements(html.partition("<main")[2]).found
    assert [e.tag for e in inside if e.tag == "b" and e.attributes] == []
    assert [name for e in inside for name in e.attributes if name.startswith("on")] == []
    names = [row for *_, row, _, _, _, _, _ in await cells(line, "top-products.csv?by=product")]
    assert names[-1] == "'=HYPERLINK(1)"
    (way,) = [href for href in await hrefs(line, "top-products", "rows") if "HYPER" in href]
    assert (await line.get(way)).status == 200


# What holds now


async def test_what_holds_now_has_no_history_and_says_so(shop: Line) -> None:
    """Its rows are shown as they stand."""
    html = await page(shop, "waiting?span=year")
    assert text_of(html, "kpi-now__without") == (
        "This number is what holds now: opsmon keeps no history of it. Download as CSV")
    assert (text_of(html, "rows__title"), "history__spans" in html) == ("By what it waits for, now", False)
    assert [line[3] for line in await cells(shop, "active-orders.csv")] == ["4"]


# Explained


async def test_the_number_is_explained_in_words(shop: Line) -> None:
    """The same facts as programs get."""
    html = await page(shop, "revenue-today")
    facts = {unescape(name): " ".join(unescape(text).split()) for name, text in
             re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html, re.DOTALL)}
    assert facts == {
        "Counts": "The sum of amount of order.placed, order.cancelled, or refund.given.",
        "Window": "The business day so far: from Fri, Nov 20, 2026, 00:00 to before Sat, Nov 21, 2026, 00:00, "
                  "Europe/Berlin; still moving",
        "Time zone": "Europe/Berlin; days begin at 00:00",
        "Exactness": "Exact. Corrections are subtracted where they were added.",
        "Kept": "Days for ever, hours for 400 days, minutes for 8 days",
        "Freshness": facts["Freshness"],
    }
    assert facts["Freshness"].startswith("As of Nov 20, 14:03:22; the newest event that was counted came ")


async def test_the_last_events_are_those_of_the_api(shop: Line) -> None:
    """Time, type, key, and what each of them added."""
    explained = (await shop.get("/api/kpis/revenue-today/explain")).json
    html = await page(shop, "revenue-today")
    keys = re.findall(r'<span class="explained__key">(.*?)</span>', html)
    assert keys == [event["key"] for event in explained["last_events"]]
    assert text_of(html, "explained__event").startswith("Nov 20, 13:03:22 order.updated shopify:paper-boat.")
    assert re.findall(r'<p class="explained__adds">(.*?)</p>', html) == [
        "order.placed amount €20.00", "order.placed amount €10.00"]


async def test_the_number_is_said_with_its_window_and_its_age(shop: Line) -> None:
    """Also as a line to be copied."""
    html = await page(shop, "revenue-today")
    (field,) = [e.attributes for e in Elements(html).found if e.attributes.get("id") == "copied"]
    assert (text_of(html, "kpi-now__value"), text_of(html, "kpi-now__window"), text_of(html, "kpi-now__fresh")) == (
        "€30.00", "the business day so far", "As of Nov 20, 14:03:22: all that has arrived is counted.")
    assert ("readonly" in field, field["value"]) == (True, (
        "Revenue today: €30.00 (the business day so far), as of Fri, Nov 20, 2026, 14:03, Europe/Berlin"))


async def test_events_that_wait_are_told(shop: Line, clock: ManualClock) -> None:
    """The number may be old, and says since when. The store's own clock says when events came."""
    await shop.post("orders/create", order(99, "1.00"))
    clock.set(SystemClock().now_ms() + 90_000)
    html = await page(shop, "revenue-today")
    assert re.search(r"catching up: 1 event waits to be counted; all that arrived by .{10,20} is\.", html)


# The file


async def test_the_file_is_csv_as_spreadsheets_read_it(shop: Line) -> None:
    """RFC 4180: a header, lines that end with CR and LF; times with their offset, money in its unit."""
    answer: Answer = await shop.get("/kpi/revenue-today.csv?span=week")
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == (
        "text/csv; charset=utf-8; header=present", 'attachment; filename="revenue-today-week-2026-11-16.csv"')
    assert answer.text.split("\r\n")[-2] == (
        "2026-11-20T00:00:00+01:00,2026-11-21T00:00:00+01:00,,30.00,money,EUR,,moving")


async def test_what_is_not_known_is_an_empty_cell(shop: Line) -> None:
    """Never a nought."""
    found = await cells(shop, "orders-today.csv?span=month")
    assert [line[3:] for line in found[10:13]] == [
        ["", "orders", "", "", "uncounted"], ["1", "orders", "", "", "part"], ["0", "orders", "", "", "whole"]]


# What cannot be shown


async def test_a_number_that_is_not_there_names_those_that_may_be_meant(line: Line) -> None:
    """With links to them."""
    html = await page(line, "revenue-todya", 404)
    assert text_of(html, "error__sentence").startswith("There is no number revenue-todya. Similar: revenue-today, ")
    assert 'href="/kpi/revenue-today"' in html
    answer = await line.get("/kpi/zzz.csv")
    assert (answer.status, answer.text) == (404, "There is no number zzz. GET /api/kpis lists them all.\n")


@pytest.mark.parametrize(("question", "sentence"), [
    ("span=fortnight", "span=fortnight: expected day, week, month, year."),
    ("at=yesterday", "at=yesterday: expected a day such as 2026-11-20."),
    ("at=2026-02-30", "at=2026-02-30: expected a day such as 2026-11-20."),
    ("at=9999-12-31", "at=9999-12-31: expected a day such as 2026-11-20."),
    ("by=country", "orders-today is not kept by anything: leave by and row out."),
])
async def test_a_question_that_cannot_be_answered_says_what_can_be_asked(
    line: Line, question: str, sentence: str
) -> None:
    """A page with one sentence."""
    assert text_of(await page(line, f"orders-today?{question}", 400), "error__sentence") == sentence


@pytest.mark.parametrize("day", ["1000-01-01", "2030-05-05", "8999-12-31"])
async def test_a_day_long_gone_or_still_to_come_is_no_mistake(shop: Line, day: str) -> None:
    """It has a page that says so, for every number."""
    assert {(await shop.get(f"/kpi/{kpi.id}?span={span}&at={day}")).status
            for kpi in KPIS for span in ("day", "year")} == {200}

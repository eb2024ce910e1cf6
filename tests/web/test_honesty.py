"""What a number may not claim: silence, lag, parts, guesses and gaps are said in words (UX C2)."""

import re
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from opsmon.clock import ManualClock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.health import Backlog, Heard, judge
from opsmon.web.presenting import health_view
from opsmon.web.wording import Wording
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order

pytestmark = pytest.mark.anyio

WEEK_MS = 7 * 86_400_000


async def tile(line: Line, kpi: str, path: str = "/") -> str:
    """A tile of a board."""
    html = (await line.get(path)).text
    return unescape(html.partition(f'<article id="kpi-{kpi}"')[2].partition("</article>")[0])


async def test_a_day_without_an_order_says_so_beside_what_there_was_by_now(line: Line, clock: ManualClock) -> None:
    """Never a blank, never only a nought: 'No orders yet today. Last Friday by 14:03: 1'."""
    await line.post("orders/create", order(1, "10.00", placed_ms=clock.now_ms() - WEEK_MS - 3_600_000))
    await line.post("orders/create", order(2, "10.00", placed_ms=clock.now_ms() - 2 * WEEK_MS))
    await line.work()
    words = re.sub(r"<[^>]+>|\s+", " ", await tile(line, "orders-today"))
    words = " ".join(words.split())
    assert ("No orders yet today." in words, "Last Friday by 14:03: 1" in words, "%" in words) == (True, True, False)
    assert "Nothing yet today." in await tile(line, "revenue-today")


async def test_the_minute_that_is_not_over_is_drawn_as_not_whole(line: Line) -> None:
    """A line of its own, dashed, to the last point; the area ends before it."""
    await line.post("orders/create", order(1))
    await line.work()
    html = await tile(line, "orders-per-minute")
    whole, moving = re.findall(r'<polyline class="spark__line" points="(.*?)"', html)
    (area,) = re.findall(r'<polygon class="spark__area" points="(.*?)"', html)
    assert (len(whole.split()), len(moving.split()), moving.split()[0] == whole.split()[-1]) == (59, 2, True)
    assert area.endswith(" 580,100")


async def test_a_count_that_is_an_estimate_says_by_how_much(line: Line) -> None:
    """± on its page, with the reason among the explanations."""
    assert "± 0.8%" in (await line.get("/kpi/visitors-today")).text
    assert "±" not in (await line.get("/kpi/orders-today")).text


async def test_the_line_to_be_copied_says_what_the_number_is_compared_with(line: Line, clock: ManualClock) -> None:
    """As one would tell it in a chat; rows stand below it."""
    for number, ago_ms in ((1, 0), (2, 0), (3, WEEK_MS + 120_000), (4, 2 * WEEK_MS)):
        await line.post("orders/create", order(number, "10.00", placed_ms=clock.now_ms() - ago_ms,
                                               shipping_address={"country_code": "DE"}))
    await line.work()
    html = (await line.get("/kpi/orders-today")).text
    assert ('value="Orders today: 2 orders (the business day so far, 100% more than last Friday by 14:03), '
            'as of Fri, Nov 20, 2026, 14:03, Europe/Berlin"') in html
    rows = unescape((await line.get("/kpi/orders-by-country")).text).partition("<textarea")[2].partition("</text")[0]
    assert rows.split("\n")[1:] == ["Germany: 2"]


def test_trouble_with_the_data_is_said_with_what_is_usual() -> None:
    """How many events wait, and since when; who is silent, and within what time one hears of it as a rule."""
    wording = Wording("en", SiteCalendar(ZoneInfo("Europe/Berlin")))
    heard = (Heard("shopify", NOW_MS - 18 * 60_000, 6 * 60_000), Heard("odoo", NOW_MS - 60_000, 6 * 60_000))
    verdict = judge(Backlog(1_200, 40, NOW_MS - 20_000), {"worker-1": (NOW_MS, "")}, heard, NOW_MS)
    view = health_view(verdict, heard, NOW_MS, "", wording, NOW_MS)
    assert (view.state, view.text) == ("late", "Catching up, 1,240 events behind (20 sec)")
    assert [source.text for source in view.sources] == ["No Shopify event since 13:45 (usually within 6 min)", ""]


def test_a_lag_of_two_seconds_is_none() -> None:
    """Below that nothing is said: it would flicker with every order."""
    verdict = judge(Backlog(3, 0, NOW_MS - 2_000), {"worker-1": (NOW_MS, "")}, (), NOW_MS)
    assert (verdict.state, verdict.waiting) == ("ok", 3)

"""No money and nobody's name leaves for a role that may not see it: pages, streams, numbers for programs, files."""

import re
from dataclasses import replace

import pytest

from opsmon.clock import ManualClock
from opsmon.core.access import Role
from opsmon.core.kpis import BUILT_IN
from opsmon.store.accounts.people import People
from opsmon.store.accounts.recognising import Recogniser
from opsmon.store.accounts.records import written
from opsmon.store.connection import Reader
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.waiting import wait_until_async
from tests.web.accounts.accounts import KEYS, paired, program, signed_in

pytestmark = pytest.mark.anyio

# 41,234.56 in any writing: nothing else on a page is this number.
AMOUNT = re.compile(r"41[.,  ]?234")
MONEY = {kpi.id for kpi in BUILT_IN.kpis if kpi.unit == "money"}
NAMES = {"output-by-person", "scans-by-person"}


async def counted(line: Line) -> None:
    """One order with a sum that is easy to find."""
    await line.post("orders/create", order(1, "41234.56"))
    await line.work()


def slots(html: str) -> set[str]:
    return set(re.findall(r'<article id="kpi-([\w-]+?)"', html))


async def look(line: Line) -> int:
    """What happens with a heartbeat; how many streams are open then."""
    live = next(door.answer for door in line.web.doors if door.path == "/live")
    await live.look(Recogniser(Reader(line.store), KEYS, ManualClock(NOW_MS)).gone)
    assert line.web.hub is not None
    await wait_until_async(lambda: all(not one.ended for one in line.web.hub.screens), "the end of the stream")
    return len(line.web.hub.screens)


PLACES = ("/", "/b/sales", "/b/operations", "/wall", "/wall/sales", "/wall/sales+operations", "/search?q=revenue")


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_pages_hold_no_money_for_who_may_not_see_it(line: Line, role: Role) -> None:
    """Neither the tile nor the amount anywhere in the bytes."""
    await counted(line)
    cookie = await signed_in(line.store, role, NOW_MS)
    pages = {path: (await line.get(path, cookie=cookie)).text for path in PLACES}
    assert {path: slots(html) & MONEY for path, html in pages.items()} == {path: set() for path in PLACES}
    assert [path for path, html in pages.items() if AMOUNT.search(html)] == []


async def test_a_manager_sees_it(line: Line) -> None:
    """The control: it is there to be seen."""
    await counted(line)
    cookie = await signed_in(line.store, "manager", NOW_MS)
    html = (await line.get("/b/sales", cookie=cookie)).text
    assert ("revenue-today" in slots(html), bool(AMOUNT.search(html))) == (True, True)


async def test_names_are_for_those_who_work_with_them(line: Line) -> None:
    """Operators and above; never on a wall."""
    await counted(line)
    seen = {role: slots((await line.get("/b/operations", cookie=await signed_in(line.store, role, NOW_MS))).text)
            & NAMES for role in ("viewer", "operator")}
    assert seen == {"viewer": set(), "operator": {"output-by-person"}}


async def test_a_stream_sends_nothing_that_the_page_may_not_show(line: Line) -> None:
    """Not with the first frame, nor with what comes after it."""
    await counted(line)
    cookie = await signed_in(line.store, "viewer", NOW_MS)
    stream = await line.open(board="sales", view="board", cookie=cookie)
    first = (await stream.next_frame()).data
    await line.post("orders/create", order(2, "41234.56"))
    await line.work()
    after = (await stream.next_frame()).data
    assert (slots(first + after) & MONEY, bool(AMOUNT.search(first + after)), "kpi-orders-today" in after) == (
        set(), False, True)


async def test_a_screen_shows_money_only_when_it_was_let(line: Line) -> None:
    """What whoever paired it decided."""
    await counted(line)
    without = await paired(line.store, NOW_MS, screen_id="hall")
    let = await paired(line.store, NOW_MS, sees_money=True, screen_id="office")
    shown = [bool(AMOUNT.search((await line.get("/wall/sales", cookie=one)).text)) for one in (without, let)]
    assert shown == [False, True]


@pytest.mark.parametrize("path", ["/kpi/revenue-today", "/kpi/revenue-today.csv", "/kpi/output-by-person",
                                  "/api/kpis?ids=revenue-today", "/api/kpis/revenue-today",
                                  "/api/kpis/revenue-today/explain"])
async def test_a_hidden_number_is_refused_by_its_address_too(line: Line, path: str) -> None:
    """With the reason, and without the number."""
    await counted(line)
    answer = await line.get(path, cookie=await signed_in(line.store, "viewer", NOW_MS))
    assert (answer.status, "which you may not see here" in answer.text, bool(AMOUNT.search(answer.text))) == (
        403, True, False)


async def test_a_program_reads_money_only_with_its_scope(line: Line) -> None:
    """A list has what it may read; the rest is not named."""
    await counted(line)
    plain, rich = [await program(line.store, NOW_MS, scopes) for scopes in (["numbers"], ["numbers", "money"])]
    found = [set((await line.get("/api/kpis", authorization=one)).json["kpis"]) for one in (plain, rich)]
    assert (found[0] & (MONEY | NAMES), MONEY - found[1], NAMES & found[1]) == (set(), set(), set())


async def test_a_page_kept_for_one_is_not_taken_for_another(line: Line) -> None:
    """The same address, another role: another tag."""
    await counted(line)
    manager, viewer = [await signed_in(line.store, role, NOW_MS) for role in ("manager", "viewer")]
    kept = await line.get("/b/sales", cookie=manager)
    again = await line.get("/b/sales", cookie=viewer, if_none_match=kept.headers["etag"])
    assert (again.status, kept.headers["vary"], kept.headers["cache-control"]) == (
        200, "cookie, Accept-Encoding", "private, no-cache")


# Revoked


async def test_a_stream_ends_when_its_session_is_revoked(line: Line) -> None:
    """With the next heartbeat; and it does not open again."""
    await counted(line)
    cookie = await signed_in(line.store, "viewer", NOW_MS)
    stream = await line.open(board="operations", view="board", cookie=cookie)
    await stream.next_frame()
    keys = [key async for key in line.store.scan_iter("{main}:session:*")]
    await line.store.delete(*keys)
    assert await look(line) == 0
    assert (await line.get("/live?v=x", cookie=cookie)).status == 401


async def test_a_stream_ends_when_its_person_gets_another_role(line: Line) -> None:
    """A manager who is a viewer now sees no more money."""
    await counted(line)
    cookie = await signed_in(line.store, "manager", NOW_MS)
    await (await line.open(board="sales", view="board", cookie=cookie)).next_frame()
    people = People(line.store, Reader(line.store), KEYS)
    before = await people.one("manager")
    assert before is not None
    assert await look(line) == 1
    await line.store.hset(KEYS.people, "manager", written(replace(before, role="viewer")))
    assert await look(line) == 0


async def test_a_screen_that_was_removed_goes_dark(line: Line) -> None:
    """With the next heartbeat."""
    await counted(line)
    cookie = await paired(line.store, NOW_MS)
    await (await line.open(cookie=cookie)).next_frame()
    await line.store.hdel(KEYS.screens, "hall")
    assert await look(line) == 0


@pytest.mark.parametrize(("role", "ways"), [
    ("viewer", ["/search"]), ("operator", ["/enter", "/search"]),
    ("manager", ["/b/sales/edit", "/boards", "/sources", "/status", "/enter", "/search"])])
async def test_no_way_leads_to_a_page_that_turns_them_away(line: Line, role: Role, ways: list[str]) -> None:
    """At the foot of a board stands what its reader may open."""
    html = (await line.get("/b/sales", cookie=await signed_in(line.store, role, NOW_MS))).text
    (foot,) = re.findall(r'<nav class="foot__links".*?</nav>', html, re.DOTALL)
    assert re.findall(r'href="([^"]+)"', foot) == ["/alerts", "/wall/sales", *ways]

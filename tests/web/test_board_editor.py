"""Boards made in the browser: plain forms, versions, undo, two people at once, and what screens learn of it."""

from html import unescape
from urllib.parse import urlencode

import orjson
import pytest

from opsmon.core.kpis import BUILT_IN
from opsmon.core.parts import PARTS
from tests.http import Answer, request
from tests.line import Line
from tests.orders import order
from tests.waiting import wait_until_async
from tests.web.wire import Elements

pytestmark = pytest.mark.anyio
_FORM = "application/x-www-form-urlencoded"
_BOUNDARY = "a-line-that-is-in-no-file"


async def press(line: Line, path: str, **fields: str | int) -> Answer:
    """Send a form as a page of this opsmon does."""
    return await request(line.port, "POST", path, urlencode(fields).encode(),
                         {"content-type": _FORM, "sec-fetch-site": "same-origin"})


async def upload(line: Line, text: bytes) -> Answer:
    """Send a file as the form on /boards does."""
    head = (f"--{_BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b.json\"\r\n"
            "content-type: application/json\r\n\r\n").encode()
    body = head + text + f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return await request(line.port, "POST", "/boards/import", body,
                         {"content-type": kind, "sec-fetch-site": "same-origin"})


async def tiles(line: Line, board: str, view: str = "b") -> list[str]:
    """The tiles that a board shows, in order."""
    html = (await line.get(f"/{view}/{board}")).text
    return [found.attributes["id"] for found in Elements(html).found
            if found.tag == "article" and "tile" in (found.attributes.get("class") or "")]


async def stored(line: Line, board: str) -> dict:
    """A board as its file tells it."""
    return orjson.loads((await line.get(f"/b/{board}.json")).body)


async def mine(line: Line, *kpis: str) -> int:
    """A board called Mine with these tiles; its version."""
    await press(line, "/boards", act="new", title="Mine")
    for version, kpi in enumerate(kpis, 1):
        await press(line, "/b/mine/edit", act="add", kpi=kpi, version=version)
    return len(kpis) + 1


async def test_a_board_is_made_and_filled(line: Line) -> None:
    """A name, two tiles from the gallery, and there it is: on the desk and on the wall."""
    made = await press(line, "/boards", act="new", title="My line!")
    assert (made.status, made.headers["location"]) == (303, "/b/my-line/edit")
    for version, kpi in enumerate(("orders-today", "queues"), 1):
        added = await press(line, "/b/my-line/edit", act="add", kpi=kpi, version=version)
        assert (added.status, added.headers["location"]) == (303, f"/b/my-line/edit?at={kpi}&did=add#tile-{kpi}")
    shown = ["kpi-orders-today", "kpi-queues"]
    assert [await tiles(line, "my-line"), await tiles(line, "my-line", "wall")] == [shown, shown]


async def test_a_name_in_another_script_gives_an_address_too(line: Line) -> None:
    """Addresses are of a to z."""
    found = [(await press(line, "/boards", act="new", title=title)).headers["location"]
             for title in ("倉庫", "倉庫", "3. Etage", "Overview")]
    assert found == ["/b/board/edit", "/b/board-2/edit", "/b/board-3-etage/edit", "/b/overview-2/edit"]


async def test_the_gallery_offers_every_number_with_what_it_shows_now(line: Line) -> None:
    """Also what is empty, with the source that would fill it."""
    await line.post("orders/create", order(1001))
    await line.work()
    html = unescape((await line.get("/b/overview/add")).text)
    offered = [e.attributes["value"] for e in Elements(html).found if e.attributes.get("name") == "kpi"]
    assert offered == [*(kpi.id for kpi in BUILT_IN.kpis), *PARTS]
    assert html.count("Filled by your shop's pages. Connect them at /sources.") > 3
    assert "€49.90" in html


async def test_a_tile_moves_and_goes(line: Line) -> None:
    """Up, down, away; each deed is a version."""
    version = await mine(line, "orders-today", "revenue-today", "aov-1h")
    seen = []
    for act, tile in (("down", "orders-today"), ("up", "aov-1h"), ("remove", "revenue-today")):
        await press(line, "/b/mine/edit", act=act, tile=tile, version=version)
        version += 1
        seen.append([slot.removeprefix("kpi-") for slot in await tiles(line, "mine")])
    assert seen == [["revenue-today", "orders-today", "aov-1h"], ["revenue-today", "aov-1h", "orders-today"],
                    ["aov-1h", "orders-today"]]


async def test_a_tile_gets_title_size_place_and_limits(line: Line) -> None:
    """What it was called by its KPI it is called by its place now, here and nowhere else."""
    await line.post("orders/create", order(1001))
    await line.work()
    version = await mine(line, "orders-today")
    answer = await press(line, "/b/mine/edit", act="tile", tile="orders-today", version=version, title="So far",
                         size="wide", row="live", wall="1", wall_size="L", compare="none", warn="0", critical="5")
    assert answer.status == 303
    html = (await line.get("/b/mine")).text
    (slot,) = await tiles(line, "mine")
    assert (slot.startswith("kpi-orders-today_"), 'data-mark="warn"' in html, "over 0" in html, ">So far<" in html,
            "first week" in html) == (True, True, True, True, False)
    assert ">So far<" not in (await line.get("/b/overview")).text


async def test_a_limit_that_is_none_is_refused_with_an_example(line: Line) -> None:
    """And the form stays open with it."""
    version = await mine(line, "oldest-order")
    answer = await press(line, "/b/mine/edit", act="tile", tile="oldest-order", version=version, size="M", row="near",
                         wall="1", wall_size="M", warn="soon")
    assert answer.status == 422
    assert "Warn: 'soon' is not a length of time with its unit, like 500 ms" in unescape(answer.text)


async def test_undo_brings_back_what_was_before(line: Line) -> None:
    """Press it twice, and two deeds are gone."""
    version = await mine(line, "orders-today", "queues")
    seen = []
    for number in (version, version + 1):
        assert (await press(line, "/b/mine/edit", act="undo", version=number)).status == 303
        seen.append([tile["kpi"] for row in (await stored(line, "mine"))["rows"] for tile in row["tiles"]])
    assert seen == [["orders-today"], []]


async def test_two_people_at_once_lose_nothing(line: Line) -> None:
    """Whoever is second sees both changes, and can have theirs done on top of the other."""
    version = await mine(line, "orders-today", "queues")
    await press(line, "/b/mine/edit", act="remove", tile="queues", version=version)
    second = await press(line, "/b/mine/edit", act="add", kpi="aov-1h", version=version)
    said = [e for e in ("Removed: Queue depths", "Added: Average order, last hour", "Do mine as well")
            if e in unescape(second.text)]
    assert (second.status, len(said)) == (409, 3)
    assert await tiles(line, "mine") == ["kpi-orders-today"]
    fields = {e.attributes["name"]: e.attributes["value"] for e in Elements(second.text).found
              if e.tag == "input" and e.attributes.get("type") == "hidden" and e.attributes["name"] != "csrf"}
    assert (await press(line, "/b/mine/edit", act="add", kpi="aov-1h", version=fields["version"])).status == 303
    assert (fields, await tiles(line, "mine")) == (
        {"version": "4", "act": "add", "kpi": "aov-1h"}, ["kpi-orders-today", "kpi-aov-1h"])


async def test_a_board_that_comes_with_opsmon_is_changed_and_put_back(line: Line) -> None:
    """The original is never gone."""
    before = await tiles(line, "technology")
    await press(line, "/b/technology/edit", act="remove", tile="queues", version=0)
    changed = await tiles(line, "technology")
    await press(line, "/b/technology/edit", act="original", version=1)
    assert (len(before) - len(changed), await tiles(line, "technology")) == (1, before)


async def test_a_board_is_copied_deleted_and_brought_back(line: Line) -> None:
    """The list offers undo for as long as the versions are kept."""
    assert (await press(line, "/boards", act="copy", board="sales")).headers["location"] == "/b/sales-2/edit"
    await press(line, "/boards", act="delete", board="sales-2", version=1)
    gone = (await line.get("/b/sales-2")).status
    assert "Deleted: Sales (2)" in (await line.get("/boards")).text
    await press(line, "/boards", act="undo", board="sales-2", version=2)
    assert (gone, (await stored(line, "sales-2"))["rows"]) == (404, (await stored(line, "sales"))["rows"])


async def test_a_board_that_comes_with_opsmon_cannot_be_deleted(line: Line) -> None:
    """Only put back."""
    assert (await press(line, "/boards", act="delete", board="sales", version=0)).status == 400


async def test_a_board_goes_through_a_file(line: Line) -> None:
    """Downloaded, changed, uploaded: in the place of what was there, which undo brings back."""
    told = await stored(line, "sales")
    answer = await upload(line, orjson.dumps(told | {"title": "Shop"}))
    assert (answer.status, answer.headers["location"], (await stored(line, "sales"))["title"]) == (
        303, "/b/sales/edit", "Shop")


async def test_a_file_that_is_no_board_says_what_is_wrong(line: Line) -> None:
    """With its place, and nothing is saved."""
    answer = await upload(line, b'{"board": "mine", "title": "Mine",'
                                b' "rows": [{"cadence": "live", "tiles": [{"kpi": 3}]}]}')
    assert (answer.status, "row 1, tile 1: kpi is a text, in quotes" in unescape(answer.text)) == (422, True)


async def test_every_screen_of_a_board_is_told_to_load_it_again(line: Line) -> None:
    """And no other screen."""
    await mine(line, "orders-today")
    streams = [await line.open(view="board", board=board) for board in ("mine", "sales")]
    await press(line, "/b/mine/edit", act="add", kpi="queues", version=2)
    heard = [message.event async for message in ended(streams[0])]
    assert (heard[-1], line.web.hub and len(line.web.hub.screens)) == ("reload", 1)


async def test_a_screen_that_missed_it_is_told_when_it_comes_back(line: Line) -> None:
    """Its page says which version of the board it is of."""
    await mine(line, "orders-today")
    address = next(e.attributes["hx-sse:connect"] for e in Elements((await line.get("/b/mine")).text).found
                   if "hx-sse:connect" in e.attributes)
    await press(line, "/b/mine/edit", act="title", title="Ours", version=2)
    assert (await line.get(unescape(address or ""))).text.startswith("event: reload\n")


async def test_a_page_of_a_former_version_is_not_taken_from_a_browsers_copy(line: Line) -> None:
    """Nothing was counted meanwhile, and still it is another page."""
    await mine(line, "orders-today")
    etag = (await line.get("/b/mine")).headers["etag"]
    await press(line, "/b/mine/edit", act="title", title="Ours", version=2)
    assert (await line.get("/b/mine", if_none_match=etag)).status == 200


async def test_another_web_process_learns_of_it(line: Line) -> None:
    """By the change stream, as of everything."""
    await line.store.delete("{main}:boards")
    assert line.web.feed is not None
    await mine(line, "orders-today")
    feed = line.web.feed
    feed.boards = {board_id: board for board_id, board in feed.boards.items() if board_id != "mine"}
    await press(line, "/b/sales/edit", act="title", title="Shop", version=0)
    await wait_until_async(lambda: "mine" in feed.boards, "the board")


async def test_an_address_narrows_what_can_be_narrowed(line: Line) -> None:
    """Orders of one channel; what is not counted by channel says so."""
    await line.post("orders/create", order(1001) | {"source_name": "pos"})
    await line.post("orders/create", order(1002) | {"source_name": "web"})
    await line.work()
    version = await mine(line, "orders-today", "revenue-today")
    html = (await line.get("/b/mine?channel=pos")).text
    values = [e.attributes["value"] for e in Elements(html).found if e.tag == "data"]
    assert (version, values[0], html.count("Not narrowed: counted as a whole"), "Channel: Point of sale" in html) == (
        3, "1", 1, True)


async def test_a_narrowed_tile_follows_the_orders_of_its_channel(line: Line) -> None:
    """It is a slot of its own, drawn once for all screens that show it."""
    version = await mine(line, "orders-today")
    await press(line, "/b/mine/edit", act="tile", tile="orders-today", version=version, size="L", row="live", wall="1",
                wall_size="L", **{"only-channel": "pos"})
    (slot,) = await tiles(line, "mine")
    for number, channel in ((1001, "pos"), (1002, "web"), (1003, "pos")):
        await line.post("orders/create", order(number) | {"source_name": channel})
    await line.work()
    hub = line.web.hub
    assert hub is not None
    await line.get("/b/mine")
    await wait_until_async(lambda: getattr(hub.slots[slot].view, "value", "") == "2", "two orders")
    assert getattr(hub.slots[slot].view, "label", "") == "Orders today: Point of sale"


@pytest.mark.parametrize("path, fields", [
    ("/b/sales/edit", {"act": "dance", "version": 0}), ("/b/sales/edit", {"act": "up", "tile": "x", "version": 0}),
    ("/b/sales/edit", {"act": "tile", "tile": "carts-today", "row": "x", "wall": "1", "version": 0}),
    ("/b/sales/edit", {"act": "tile", "tile": "carts-today", "row": "live", "wall": "x", "version": 0}),
    ("/b/sales/edit", {"act": "up"}), ("/b/sales/edit", {"act": "up", "version": "x"}),
    ("/b/none/edit", {"version": 0}),
    ("/boards", {"act": "new", "title": " "}), ("/boards", {"act": "copy", "board": "none"}), ("/boards", {}),
    ("/boards", {"act": "undo", "board": "sales", "version": 0}),
])
async def test_a_form_that_makes_no_sense_is_refused_with_a_sentence(line: Line, path: str, fields: dict) -> None:
    """Never with a traceback, and nothing is saved."""
    answer = await press(line, path, **fields)
    assert (400 <= answer.status < 500, await line.store.exists("{main}:boards")) == (True, 0)


async def ended(stream):
    """The messages of a stream until it ends."""
    while message := await stream.next():
        yield message


async def test_values_that_nobody_asks_for_any_more_are_let_go(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any address can be typed; none of them fills the memory."""
    feed = line.web.feed
    assert feed is not None
    monkeypatch.setattr("opsmon.web.feed.LEASE_MS", 0)
    before = len(feed._plans)
    for number in range(3):
        assert (await line.get(f"/b/sales?channel=number-{number}")).status == 200
    await line.post("orders/create", order(1001))
    await line.work()
    await wait_until_async(lambda: len(feed._plans) == before, "the plans to go")

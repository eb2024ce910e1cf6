"""What is wrong, on screens: pushed with the change that tells of it, seen to by one, told to all others."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from opsmon.clock import ManualClock
from opsmon.core.access import Role
from opsmon.core.alerting.built_in import BUILT_IN
from opsmon.core.calendar import MINUTE_MS
from opsmon.settings import Settings
from opsmon.store.accounts.audit import read_audit
from opsmon.store.connection import Reader
from tests.http import Answer, Stream
from tests.line import Line
from tests.waiting import wait_until_async
from tests.web.accounts.people import Someone, someone
from tests.web.alerts.site import KEYS, MANY, RICH, fired, keep, the_alert

pytestmark = pytest.mark.anyio

# On a machine that does many things at once.
PATIENCE_S = 60.0


def words(html: str) -> str:
    """What is read of a piece of a page."""
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", html, flags=re.DOTALL).split())


def part(html: str, slot_id: str) -> str:
    """The place of a slot on a page or in a frame."""
    found = re.search(rf'<(\w+) id="{slot_id}".*?</\1>', html, re.DOTALL)
    assert found is not None
    return found[0]


async def frame_with(stream: Stream, text: str) -> str:
    """The first frame that says this. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while text not in (frame := await stream.next_frame(PATIENCE_S)).data:
            pass
    return frame.data


async def slot_of(get: Callable[[str], Awaitable[Answer]], path: str, slot_id: str, is_it: Callable[[str], bool]
                  ) -> str:
    """What is read of a slot of a page when it is that: what is on screens follows the store by itself."""
    async def ask() -> list[str]:
        said = words(part((await get(path)).text, slot_id))
        return [said] if is_it(said) else []

    return (await wait_until_async(ask, f"the {slot_id} of {path}", PATIENCE_S))[0]


async def acted(who: Someone, line: Line, **fields: str) -> Answer:
    """Somebody does something about the alert."""
    return await who.send(f"/alerts/{(await the_alert(line)).fingerprint}", **fields)


async def test_nothing_wrong_is_one_quiet_line(line: Line) -> None:
    """How many rules look, and no band."""
    html = (await line.get("/b/operations")).text
    assert words(part(html, "band")) == ""
    assert f"Nothing is wrong: {len(BUILT_IN)} rules look." in words(html)


@pytest.mark.parametrize("path", ["/", "/b/sales", "/b/operations", "/wall", "/wall/technology",
                                  "/wall/sales+operations"])
async def test_every_board_and_wall_has_a_band_while_something_is_wrong(
        line: Line, settings: Settings, clock: ManualClock, path: str) -> None:
    """How bad in a word, what, how far, who sees to it."""
    await fired(line, settings, clock)
    stream = await line.open(view="wall", board="today")
    await stream.next_frame()
    band = await slot_of(line.get, path, "band", bool)
    assert band == "Critical Many orders 3, over 2 nobody sees to it yet 14:03"


async def test_an_alert_is_pushed_with_the_change_that_tells_of_it(
        line: Line, settings: Settings, clock: ManualClock) -> None:
    """Panel and band in one frame, without anybody asking."""
    await keep(line.store, MANY)
    await line.get("/b/operations")
    stream = await line.open(since=line.since, view="board", board="operations")
    await fired(line, settings, clock)
    data = await frame_with(stream, 'id="band"')
    assert "kpi-_alerts" in data
    assert 'data-loud="yes"' in data


async def test_the_navigation_of_a_board_says_how_many_are_open(
        line: Line, settings: Settings, clock: ManualClock) -> None:
    """Pushed as they fire and end, also to boards without a panel; part of the name of its link."""
    await keep(line.store, MANY)
    quiet = words(part((await line.get("/b/sales")).text, "alerts"))
    stream = await line.open(since=line.since, view="board", board="sales")
    looking = await fired(line, settings, clock, MANY, RICH)
    data = await frame_with(stream, "Alerts: 2 open")
    clock.advance(MINUTE_MS)
    await keep(line.store)
    await looking.round()
    # They end one after the other, and may be told so.
    while (after := words(part((await frame_with(stream, 'id="alerts"')), "alerts"))) == "Alerts: 1 open":
        pass
    assert (quiet, words(part(data, "alerts")), after) == ("Alerts", "Alerts: 2 open", "Alerts")


async def test_who_sees_to_it_stands_on_every_screen(line: Line, settings: Settings, clock: ManualClock) -> None:
    """From a phone; the wall calms down, and names them."""
    await fired(line, settings, clock)
    ana = await someone(line, "operator", "ana")
    stream = await line.open(since=line.since, view="wall", board="today", cookie=ana.cookie)
    answer = await acted(ana, line, act="acknowledge")
    data = await frame_with(stream, f"{(await ana.person()).name} sees to it")
    assert (answer.status, answer.headers["location"].partition("?")[2]) == (303, "did=acknowledge")
    assert "data-loud" not in data


async def test_the_second_of_two_reads_who_was_first(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Nothing is written over."""
    await fired(line, settings, clock)
    ana, ben = await someone(line, "operator", "ana"), await someone(line, "manager", "ben")
    await acted(ana, line, act="acknowledge")
    answer = await acted(ben, line, act="acknowledge")
    assert answer.status == 409
    assert f"{(await ana.person()).name} was first, and sees to it since 14:03." in answer.text
    assert (await the_alert(line)).acknowledged_by == (await ana.person()).name


async def test_of_many_at_once_one_is_first(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Twelve people press at the same time."""
    await fired(line, settings, clock)
    people = [await someone(line, "operator", f"person-{at}") for at in range(12)]
    answers = await asyncio.gather(*(acted(one, line, act="acknowledge") for one in people))
    assert sorted(answer.status for answer in answers) == [303, *[409] * 11]


@pytest.mark.parametrize(("role", "act", "status"), [
    ("operator", {"act": "assign", "to": "Ana operator"}, 403), ("operator", {"act": "close", "code": "fixed"}, 403),
    ("operator", {"act": "snooze", "minutes": "30"}, 403), ("viewer", {"act": "acknowledge"}, 403),
    ("operator", {"act": "note", "note": "Boxes are out"}, 303), ("manager", {"act": "snooze", "minutes": "120"}, 303),
    ("manager", {"act": "close", "code": "known", "note": "Sale"}, 303), ("manager", {"act": "close"}, 422),
    ("manager", {"act": "snooze", "minutes": "9"}, 422), ("manager", {"act": "assign", "to": "Nobody"}, 422),
    ("manager", {"act": "note", "note": "  "}, 422), ("manager", {"act": "explode"}, 400)])
async def test_each_act_has_its_people(line: Line, settings: Settings, clock: ManualClock, role: Role,
                                       act: dict[str, str], status: int) -> None:
    """The floor sees to things and writes; managers say what becomes of them."""
    await fired(line, settings, clock)
    assert (await acted(await someone(line, role), line, **act)).status == status


async def test_every_act_is_in_the_log_and_in_the_audit(line: Line, settings: Settings, clock: ManualClock) -> None:
    """The alert's page tells all of it in the order of time."""
    await fired(line, settings, clock)
    ana = await someone(line, "manager", "ana")
    name = (await ana.person()).name
    for fields in ({"act": "acknowledge"}, {"act": "note", "note": "Boxes are out"}, {"act": "assign", "to": name},
                   {"act": "snooze", "minutes": "30"}, {"act": "close", "code": "fixed", "note": "Found more"}):
        assert (await acted(ana, line, **fields)).status == 303
    told = re.findall(r'<span class="log__text">(.*?)</span>(?: <q class="log__note">(.*?)</q>)?',
                      (await ana.get(f"/alerts/{(await the_alert(line)).fingerprint}")).text)
    assert told == [("Fired: beyond its limit: 3, over 2", ""), (f"{name} sees to it", ""),
                    (f"{name} wrote", "Boxes are out"), (f"{name} gave it to {name}", ""),
                    (f"{name} wants to hear of it again in 30 min", ""), (f"{name} closed it: Fixed", "Found more")]
    audit = await read_audit(Reader(line.store), KEYS, 10)
    assert [one.what for one in audit if one.what.startswith("alert.")] == [
        "alert.close", "alert.snooze", "alert.assign", "alert.note", "alert.acknowledge"]


async def test_what_was_closed_offers_nothing_more_than_what_it_was_worth_and_a_note(
        line: Line, settings: Settings, clock: ManualClock) -> None:
    """And says so to whoever presses an old button."""
    await fired(line, settings, clock)
    ana = await someone(line, "manager", "ana")
    await acted(ana, line, act="close", code="false")
    late = await acted(ana, line, act="acknowledge")
    assert (late.status, "This alert is over" in late.text) == (409, True)
    assert re.findall(r'name="act" value="([\w-]+)"', late.text) == ["judge", "note"]


async def test_amounts_are_left_out_for_who_may_not_see_them(
        line: Line, settings: Settings, clock: ManualClock) -> None:
    """On boards for everybody, on the page of alerts for each by their role."""
    await fired(line, settings, clock, RICH)
    manager, operator = await someone(line, "manager"), await someone(line, "operator")
    pages = [await one.get(path) for one, path in (
        (manager, "/alerts"), (operator, "/alerts"), (manager, "/wall"),
        (operator, f"/alerts/{(await the_alert(line, 'rich')).fingerprint}"))]
    assert ["10.00" in answer.text for answer in pages] == [True, False, False, False]


async def test_the_live_list_is_pushed_too(line: Line, settings: Settings, clock: ManualClock) -> None:
    """The worst first, with its last hour, what to do and whose rule it is."""
    await keep(line.store, MANY)
    await line.get("/alerts")
    stream = await line.open(since=line.since, view="alerts")
    await fired(line, settings, clock)
    told = words(await frame_with(stream, "Many orders"))
    assert "1 alert is open" in told
    assert "Open a second line." in told
    assert "Owner: Ana" in told
    assert "In the last 60 minutes between 0 and 3, now 3" in told


async def test_the_history_is_told_page_by_page(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Newest first; what is older has an address; filters stay in it."""
    await fired(line, settings, clock)
    ana = await someone(line, "manager", "ana")
    for at in range(40):
        await acted(ana, line, act="note", note=f"note {at}")
    first = await ana.get("/alerts?rule=many")
    older = re.search(r'href="(/alerts\?[^"]*before[^"]*)"', first.text)
    assert older is not None
    second = await ana.get(older[1].replace("&amp;", "&").partition("#")[0])
    notes = [re.findall(r'<q class="log__note">note (\d+)</q>', answer.text) for answer in (first, second)]
    assert [int(one) for one in [*notes[0], *notes[1]]] == [*range(39, -1, -1)]
    assert (await ana.get("/alerts?rule=other")).text.count("log__line") == 0


async def test_an_unknown_alert_is_said_to_be_none(line: Line) -> None:
    """Whatever stands in the address."""
    for name in ("nothing", "0123456789abcdef", "%2e%2e", "<b>"):
        assert (await line.get(f"/alerts/{name}")).status == 404


async def test_the_band_goes_when_it_is_over(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Recovered on the next day, and stayed so."""
    looking = await fired(line, settings, clock)
    await line.open()
    before = await slot_of(line.get, "/wall", "band", bool)
    clock.advance(11 * 60 * MINUTE_MS)
    await looking.round()
    clock.advance(MINUTE_MS)
    await looking.round()
    assert "Many orders" in before
    assert await slot_of(line.get, "/wall", "band", lambda said: not said) == ""


async def test_a_naughty_text_is_a_text(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Notes, names and rules are what somebody typed."""
    await fired(line, settings, clock)
    ana = await someone(line, "manager", "ana")
    await acted(ana, line, act="note", note="<script>alert(1)</script>")
    html = (await ana.get("/alerts")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert" not in html


async def over(line: Line, settings: Settings, clock: ManualClock) -> str:
    """The alert fired and is over; the run of it."""
    looking = await fired(line, settings, clock)
    await keep(line.store, replace(MANY, off_reason="too loud"))
    await looking.round()
    return (await the_alert(line)).id


async def test_what_is_over_is_asked_about(line: Line, settings: Settings, clock: ManualClock) -> None:
    """Whoever works on the floor says with one tap what it was worth; it stands in the time line."""
    await fired(line, settings, clock)
    viewer, operator = await someone(line, "viewer"), await someone(line, "operator")
    address = f"/alerts/{(await the_alert(line)).fingerprint}"
    assert "Was it worth it?" not in (await operator.get(address)).text
    run = await over(line, settings, clock)
    assert ["Was it worth it?" in (await one.get(address)).text for one in (viewer, operator)] == [False, True]
    for _ in range(2):
        answer = await acted(operator, line, act="judge", run=run, verdict="poor-details")
        assert answer.status == 303
    page = (await operator.get(answer.headers["location"])).text
    assert re.findall(r'value="([\w-]+)" aria-pressed="true"', page) == ["poor-details"]
    assert words(page).count("Ana operator said of it: Poor details") == 1
    assert "Thank you. It counts where rules are reviewed." in page


@pytest.mark.parametrize(("fields", "status"), [
    ({"verdict": "nice"}, 400), ({"verdict": "acted", "run": "another"}, 409)])
async def test_only_the_run_that_was_shown_is_judged(
        line: Line, settings: Settings, clock: ManualClock, fields: dict[str, str], status: int) -> None:
    """And only with what there is to say."""
    run = await over(line, settings, clock)
    answer = await acted(await someone(line, "operator"), line, **{"act": "judge", "run": run, **fields})
    assert (answer.status, (await the_alert(line)).verdict) == (status, None)

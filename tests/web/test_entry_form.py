"""/enter over real HTTP, without scripts: what is entered is counted once, and what is wrong is said in its place."""

import re
from urllib.parse import urlencode

import pytest

from opsmon.clock import ManualClock
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line

pytestmark = pytest.mark.anyio

STALL = {"what": "order", "amount": "49,90", "currency": "EUR", "name": "Market stall"}


async def send(line: Line, said: dict[str, str] | bytes, **headers: str) -> Answer:
    """POST a form as a page of ours does; `headers` replace or, when empty, remove the usual ones."""
    usual = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"} | {
        name.replace("_", "-"): value for name, value in headers.items()}
    body = said if isinstance(said, bytes) else urlencode(said).encode()
    return await request(line.port, "POST", "/enter", body, {name: value for name, value in usual.items() if value})


async def entered(line: Line, said: dict[str, str]) -> Answer:
    """Open a form, fill it in, send it, and let it be counted."""
    page = await line.get(f"/enter?what={said['what']}")
    answer = await send(line, {"form": hidden(page)["form"]} | said)
    await line.work()
    return answer


def hidden(page: Answer, part: str = "form") -> dict[str, str]:
    """The hidden fields of the page's form, or of its undo."""
    html = page.text.partition('class="done"')[2].partition('class="form"')[0] if part == "undo" else (
        page.text.partition('class="form"')[2])
    return dict(re.findall(r'<input type="hidden" autocomplete="off" name="(\w+)" value="([^"]*)">', html))


def said_of(answer: Answer) -> str:
    """What the page says was entered, or taken back."""
    found = re.search(r'<p class="done__text">.*?</svg> (.*?)</p>', answer.text, re.DOTALL)
    return found[1] if found else ""


def errors(answer: Answer) -> dict[str, str]:
    """What the page says is wrong, by field."""
    return dict(re.findall(r'id="error-(\w+)">.*?</svg> (.*?)</p>', answer.text))


def values(answer: Answer) -> dict[str, str]:
    """What stands in the fields."""
    return dict(re.findall(r'id="field-(\w+)" name="\w+" type="[\w-]+" value="([^"]*)"', answer.text))


async def value(line: Line, kpi: str) -> object:
    """A number."""
    return (await line.kpis())[kpi]["value"]


# --- what is entered --------------------------------------------------------------------------------------------


async def test_an_order_is_counted_and_said_back(line: Line) -> None:
    """From the form to the board."""
    answer = await entered(line, STALL)
    assert (answer.status, said_of(answer)) == (200, "Entered: order Market stall, €49.90")
    assert (await value(line, "orders-today"), await value(line, "revenue-today")) == (1, 4990)


@pytest.mark.parametrize("said, kpi, rows, text", [
    ({"what": "count", "name": "parcels", "value": "12"}, "counters", {"parcels": 12}, "Entered: +12 parcels"),
    ({"what": "gauge", "name": "cold room", "value": "-18,5"}, "gauges", {"cold room": -18.5},
     "Entered: cold room shows −18.5"),
    ({"what": "move", "order": "1001", "stage": "packing", "person": "Mara", "station": "A1"}, "pipeline",
     {"packing": 1}, "Entered: order 1001 to packing at A1 by Mara"),
    ({"what": "scan", "sku": "KITE", "quantity": "2", "person": "Mara", "line": "3"}, "scans-by-person", {"Mara": 1},
     "Entered: 2 × KITE on line 3 by Mara"),
], ids=lambda value: value.get("what", "") if isinstance(value, dict) else "")
async def test_whatever_is_entered_moves_its_number(line: Line, said: dict[str, str], kpi: str,
                                                    rows: dict[str, object], text: str) -> None:
    """And is said back as it was understood."""
    answer = await entered(line, said)
    found = (await line.kpis())[kpi]["rows"]
    assert (said_of(answer), {row["name"]: row["value"] for row in found}) == (text, rows)


async def test_an_earlier_time_is_said_back(line: Line) -> None:
    """By the site's clock."""
    answer = await entered(line, STALL | {"time": "2026-11-20T09:15"})
    assert said_of(answer) == "Entered: order Market stall, €49.90, Fri 09:15"


async def test_two_taps_count_once(line: Line) -> None:
    """The second is told so, and may undo as the first."""
    form = hidden(await line.get("/enter"))["form"]
    first, second = [await send(line, {"form": form} | STALL) for _ in range(2)]
    await line.work()
    assert (said_of(second), hidden(second, "undo"), await value(line, "orders-today")) == (
        "Entered once, sent twice: order Market stall, €49.90", hidden(first, "undo"), 1)


async def test_what_the_next_entry_shares_stands_there_again(line: Line) -> None:
    """A person scans many things at one station."""
    answer = await entered(line, {"what": "scan", "sku": "KITE", "quantity": "2", "person": "Mara", "station": "A1"})
    assert values(answer) == {"sku": "", "quantity": "", "person": "Mara", "station": "A1", "line": ""}


async def test_after_an_entry_the_first_empty_field_has_the_focus(line: Line) -> None:
    """A scanner types into it; before the first, no keyboard covers the page."""
    before = await line.get("/enter?what=scan")
    after = await entered(line, {"what": "scan", "sku": "KITE", "person": "Mara"})
    assert ("autofocus" in before.text, re.findall(r'id="field-(\w+)"[^>]*autofocus', after.text)) == (False, ["sku"])


# --- taking back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said, kpi, text", [
    (STALL, "orders-today", "Taken back: order Market stall, €49.90"),
    ({"what": "count", "name": "parcels", "value": "12"}, "counters", "Taken back: +12 parcels"),
], ids=["order", "count"])
async def test_undo_takes_the_last_entry_back(line: Line, said: dict[str, str], kpi: str, text: str) -> None:
    """However often it is tapped."""
    answer = await entered(line, said)
    undone = [await send(line, hidden(answer, "undo")) for _ in range(2)]
    await line.work()
    assert ([said_of(one) for one in undone], await value(line, kpi) or 0) == ([text, text], 0)


async def test_no_undo_is_offered_for_what_the_next_one_puts_right(line: Line) -> None:
    """A gauge is set again."""
    answer = await entered(line, {"what": "gauge", "name": "hall", "value": "21"})
    assert hidden(answer, "undo") == {}


async def test_an_undo_of_nothing_is_refused(line: Line) -> None:
    """Whoever made it up."""
    answer = await send(line, {"of": "order", "entry": "x"})
    assert (answer.status, "cannot be taken back here" in answer.text) == (422, True)


# --- what is wrong ----------------------------------------------------------------------------------------------


async def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(line: Line) -> None:
    """Nothing is typed twice, and the form is the same one."""
    page = await line.get("/enter")
    answer = await send(line, STALL | {"form": hidden(page)["form"], "amount": "1,234", "country": "Atlantis"})
    assert (answer.status, set(errors(answer)), hidden(answer)["form"]) == (
        422, {"amount", "country"}, hidden(page)["form"])
    assert values(answer) == {"amount": "1,234", "currency": "EUR", "name": "Market stall", "time": "",
                              "country": "Atlantis", "channel": ""}


async def test_a_fault_in_a_folded_field_unfolds_it(line: Line) -> None:
    """An error that nobody sees is none."""
    page = await line.get("/enter")
    answer = await send(line, STALL | {"form": hidden(page)["form"], "country": "Atlantis"})
    assert ('<details class="form__more">' in page.text, '<details class="form__more" open>' in answer.text) == (
        True, True)


async def test_each_error_is_tied_to_its_field_for_screen_readers(line: Line) -> None:
    """And the first one has the focus."""
    answer = await send(line, {"what": "count", "form": hidden(await line.get("/enter"))["form"]})
    assert re.findall(r'id="field-(\w+)"[^>]*?( autofocus)? aria-invalid="true" aria-describedby="error-(\w+)"',
                      answer.text) == [("name", " autofocus", "name"), ("value", "", "value")]


async def test_an_old_form_is_not_entered_and_gives_a_new_one(line: Line, clock: ManualClock) -> None:
    """With all that was typed."""
    form = f"{NOW_MS - 2 * 86_400_000:x}-00112233445566aa"
    answer = await send(line, STALL | {"form": form})
    assert (answer.status, "older than a day" in answer.text, hidden(answer)["form"] == form) == (422, True, False)
    assert (await send(line, STALL | {"form": hidden(answer)["form"]})).status == 200


async def test_what_is_typed_is_text(line: Line) -> None:
    """And never markup."""
    answer = await entered(line, STALL | {"name": "<b onclick=x>\"'"})
    assert ("<b onclick" in answer.text, said_of(answer)) == (
        False, "Entered: order &lt;b onclick=x&gt;&#34;&#39;, €49.90")


@pytest.mark.parametrize("body", [b"", b"what=order&form=%ff%00", b"a=1&" * 25, b"what[]=x&form=1",
                                  b"{}", b"what=count&value=%0d%0a", b"of=", b"of=count&entry=x&name=&value=-&at=--1"])
async def test_rubbish_is_a_form_with_errors(line: Line, body: bytes) -> None:
    """Never a fault."""
    assert (await send(line, body)).status == 422


@pytest.mark.parametrize(("body", "status"), [(b"x" * 20_000, 413), (b"a=1&" * 60, 400), (b"\xff\xfe\x00", 400)],
                         ids=["too long", "too many", "no text"])
async def test_what_no_form_of_ours_sends_is_refused(line: Line, body: bytes, status: int) -> None:
    """Before it is read."""
    assert (await send(line, body)).status == status


async def test_a_page_elsewhere_cannot_enter_anything(line: Line) -> None:
    """Nor with a form that it got hold of."""
    said = STALL | {"form": hidden(await line.get("/enter"))["form"]}
    answers = [await send(line, said, sec_fetch_site="cross-site"),
               await send(line, said, sec_fetch_site="", origin="http://evil.example")]
    await line.work()
    assert ([answer.status for answer in answers], await value(line, "orders-today")) == ([403, 403], 0)


async def test_it_is_asked_for_and_sent_and_nothing_else(line: Line) -> None:
    """405 with what would be right."""
    answer = await request(line.port, "PUT", "/enter", b"", {"sec-fetch-site": "same-origin"})
    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})


# --- the page ---------------------------------------------------------------------------------------------------


async def test_the_form_knows_the_currency_of_the_site(line: Line) -> None:
    """That of the first order, where none is set."""
    before = values(await line.get("/enter"))["currency"]
    await entered(line, STALL | {"currency": "chf"})
    assert (before, values(await line.get("/enter"))["currency"]) == ("", "CHF")


async def test_what_was_told_before_can_be_chosen(line: Line) -> None:
    """By scans and by moves, by whoever told it; typed anew it would be spelt in three ways."""
    await entered(line, {"what": "scan", "sku": "KITE", "person": "Mara", "station": "A1"})
    await entered(line, {"what": "move", "order": "1001", "stage": "packing", "person": "Jo"})
    page = await line.get("/enter?what=move")
    lists = re.findall(r'<datalist id="choices-(\w+)">(.*?)</datalist>', page.text)
    assert {name: re.findall('value="(.*?)"', options) for name, options in lists} == {
        "stage": ["packing"], "person": ["Jo", "Mara"], "station": ["A1"]}


async def test_each_form_is_another_and_no_browser_keeps_one(line: Line) -> None:
    """Coming back gives a new one."""
    pages = [await line.get("/enter") for _ in range(2)]
    assert (len({hidden(page)["form"] for page in pages}), pages[0].headers["cache-control"]) == (2, "no-store")


async def test_the_board_leads_there(line: Line) -> None:
    """And the way back."""
    board, form = (await line.get("/")).text, (await line.get("/enter")).text
    assert ('href="/enter"' in board, 'href="/"' in form) == (True, True)


async def sent_in_vain(line: Line, said: dict[str, str]) -> Answer:
    """Send a form while the store takes nothing."""
    limit = (await line.store.config_get("maxmemory"))["maxmemory"]
    await line.store.config_set("maxmemory", "1")
    try:
        return await send(line, said)
    finally:
        await line.store.config_set("maxmemory", limit)


async def test_a_store_that_takes_nothing_keeps_what_was_typed(line: Line) -> None:
    """Sent again as it is, it counts once."""
    said = STALL | {"form": hidden(await line.get("/enter"))["form"]}
    answer = await sent_in_vain(line, said)
    assert (answer.status, "did not confirm" in answer.text, hidden(answer)["form"], values(answer)["amount"]) == (
        503, True, said["form"], "49,90")
    assert said_of(await send(line, said)) == "Entered: order Market stall, €49.90"


async def test_an_undo_that_the_store_did_not_take_is_offered_again(line: Line) -> None:
    """And says that the entry may still be there."""
    answer = await entered(line, STALL)
    again = await sent_in_vain(line, hidden(answer, "undo"))
    assert (again.status, said_of(again), hidden(again, "undo")) == (
        503, "Still entered: order Market stall, €49.90", hidden(answer, "undo"))
    assert said_of(await send(line, hidden(again, "undo"))) == "Taken back: order Market stall, €49.90"

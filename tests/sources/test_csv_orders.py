"""Orders from tables: what spreadsheets write, what is made of it, and what is said of the rest."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.core.calendar import SiteCalendar
from opsmon.core.events import Event
from opsmon.sources.csv_cells import BadCell, amount, country_code, customer_id, instant, is_time_format, quantity
from opsmon.sources.csv_columns import ColumnsError, find_columns, parse_columns
from opsmon.sources.csv_orders import How, Reading, read_orders
from opsmon.sources.csv_tables import decode
from tests.conftest import NOW_MS
from tests.memory import fold_all

BERLIN = SiteCalendar(ZoneInfo("Europe/Berlin"))
HEADER = "order,time,quantity,price,sku,title,customer,country\n"
BOATS = "17,2026-11-19 10:00,2,12.50,BOAT,Paper boat,7,Germany\n"
KITES = "17,2026-11-19 10:00,1,7.20,KITE,Kite,7,Germany\n"
UCI = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
SHOPIFY = ("Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,"
           "Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,"
           "Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,Billing Country,Shipping Name,"
           "Shipping Country,Notes,Cancelled at,Payment Method,Refunded Amount,Id,Source")


def read(*texts: str, **how: Any) -> Reading:
    """What files say that are called 1.csv, 2.csv …"""
    files = [(f"{number}.csv", text) for number, text in enumerate(texts, 1)]
    return read_orders(files, How(BERLIN, "main", **({"currency": "EUR"} | how)), NOW_MS)


def event(*texts: str, **how: Any) -> Event:
    """The one event of files that are good."""
    reading = read(*texts, **how)
    assert reading.problems == []
    (one,) = reading.events
    return one


def data(*texts: str, **how: Any) -> dict[str, Any]:
    """What the one event says."""
    return event(*texts, **how).data


def problems(*texts: str, **how: Any) -> list[str]:
    """What is said of files none of whose orders can be taken."""
    reading = read(*texts, **how)
    assert reading.events == []
    return [str(problem) for problem in reading.problems]


def ms(text: str) -> int:
    """An ISO time with offset as epoch ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def shopify(**cells: str) -> str:
    """A row of Shopify's export: columns by their names, with _ for a blank."""
    given = {name.replace("_", " "): text for name, text in cells.items()}
    return ",".join(given.get(name, "") for name in SHOPIFY.split(",")) + "\n"


# --- an order ---------------------------------------------------------------------------------------------------


def test_rows_of_one_number_are_one_order() -> None:
    """Two lines on the slip, one parcel."""
    assert data(HEADER + BOATS + KITES) == {
        "name": "17", "test": False, "placed_ms": ms("2026-11-19T10:00+01:00"), "cancelled_ms": None,
        "total_minor": 3220, "goods_minor": 3220, "currency": "EUR", "paid": "paid", "fulfilled": "unknown",
        "fulfilled_ms": None, "channel": "", "country": "DE", "region": "", "customer": "import:shop:customer:7",
        "checkout": "", "lines": [["BOAT", 2, 2500, "Paper boat"], ["KITE", 1, 720, "Kite"]], "refunds": []}


def test_an_order_is_an_event_like_those_of_webhooks() -> None:
    """Source, entity, version: the same lane. The later import is the newer version: a price put right holds."""
    one = event(HEADER + BOATS, name="till")
    placed_ms = ms("2026-11-19T10:00+01:00")
    assert one.version is not None
    digest = one.version[2]
    assert one._replace(data={}) == Event(
        one.id, "order.updated", placed_ms, NOW_MS, "import", "main", "import:till:order:17",
        (NOW_MS, 0, digest), {})
    assert one.id == f"import:till:17:{digest}"


def test_rows_of_an_order_need_not_be_adjacent() -> None:
    """Nor in one file."""
    other = "18,2026-11-19 11:00,1,1.00,PIN,Pin,,\n"
    together = read(HEADER + BOATS + KITES + other)
    assert read(HEADER + BOATS + other + KITES).events == together.events
    assert read(HEADER + BOATS + other, HEADER + KITES).events == together.events


def test_the_same_content_is_the_same_event_in_whatever_order_its_rows_stand() -> None:
    """Imported twice, it counts once."""
    one, other = event(HEADER + BOATS + KITES), event(HEADER + KITES + BOATS)
    assert (one.id, one.version) == (other.id, other.version)


def test_another_content_or_another_name_is_another_event() -> None:
    """A price put right; an order 17 of another shop."""
    ids = {event(HEADER + BOATS).id, event(HEADER + BOATS.replace("12.50", "12.60")).id,
           event(HEADER + BOATS, name="till").id}
    assert len(ids) == 3


def test_an_order_that_stands_alike_in_two_files_counts_once() -> None:
    """Exports that overlap by a week."""
    reading = read(HEADER + BOATS + KITES, HEADER + KITES + BOATS)
    assert ([one.data["total_minor"] for one in reading.events], reading.repeated) == ([3220], 1)


def test_the_same_line_twice_in_one_file_is_twice_the_goods() -> None:
    """Scanned twice at the till."""
    assert data(HEADER + BOATS + BOATS)["total_minor"] == 5000


def test_the_earliest_time_of_its_rows_is_when_an_order_was_placed() -> None:
    """Some tills stamp each line."""
    later = KITES.replace("10:00", "10:01")
    assert data(HEADER + later + BOATS)["placed_ms"] == ms("2026-11-19T10:00+01:00")


def test_events_come_oldest_first() -> None:
    """Whatever order the file has."""
    reading = read(HEADER + "2,2026-11-19 10:00,1,1,,,,\n1,2026-11-18 10:00,1,1,,,,\n")
    assert [one.data["name"] for one in reading.events] == ["1", "2"]


def test_an_imported_order_counts_on_its_day_and_once() -> None:
    """Told three times, counted one time."""
    events = read(HEADER + BOATS + KITES).events
    memory = fold_all(events * 3, BERLIN)
    assert (memory.days("orders"), memory.days("revenue")) == (
        {"20261119": {"n": 1}}, {"20261119": {"s:EUR": 3220}})


# --- money ------------------------------------------------------------------------------------------------------


def test_prices_of_three_decimals_are_rounded_once_for_the_whole_order() -> None:
    """A thousand screws at 0.005: five euros, not nothing and not ten."""
    rows = "5,2026-11-19 10:00,1,0.005,SCREW,Screw,,\n" * 1000
    assert data(HEADER + rows)["total_minor"] == 500


def test_a_half_is_rounded_to_even() -> None:
    """0.125 is 12, 0.135 is 14."""
    found = [data(HEADER + f"5,2026-11-19 10:00,1,{price},,,,\n")["lines"][0][2] for price in ("0.125", "0.135")]
    assert found == [12, 14]


@pytest.mark.parametrize("currency, minor", [("JPY", 12), ("EUR", 1250), ("KWD", 12500)])
def test_each_currency_has_its_own_minor_units(currency: str, minor: int) -> None:
    """Yen have no cents, dinars a thousand fils; half a yen goes to the even one."""
    assert data(HEADER + "5,2026-11-19 10:00,1,12.5,,,,\n", currency=currency)["total_minor"] == minor


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 99_999)), min_size=1, max_size=20))
def test_prices_in_cents_add_up_exactly(lines: list[tuple[int, int]]) -> None:
    """No rounding anywhere."""
    rows = "".join(f"5,2026-11-19 10:00,{pieces},{cents // 100}.{cents % 100:02},,,,\n" for pieces, cents in lines)
    found = data(HEADER + rows)
    expected = sum(pieces * cents for pieces, cents in lines)
    assert (found["total_minor"], sum(line[2] for line in found["lines"])) == (expected, expected)


@pytest.mark.parametrize("text, number", [
    ("12", "12"), ("12.50", "12.50"), (".5", "0.5"), ("-3.25", "-3.25"), ("+4", "4"), ("0.001", "0.001"),
    ("1,234.50", "1234.50"), ("1.234,50", "1234.50"), ("1,234,567", "1234567"), ("1.234.567", "1234567"),
    ("12,5", "12.5"), ("0,125", "0.125"), ("1234,567", "1234.567"), ("1 234,50", "1234.50"),
    ("1\u00a0234", "1234"), ("1'234.50", "1234.50"), ("1.234", "1.234"), ("1.6500000000000001", "1.6500000000000001"),
])
def test_an_amount_is_read_as_it_is_written(text: str, number: str) -> None:
    """In London, Berlin, Paris and Zürich."""
    assert str(amount(text)) == number


@pytest.mark.parametrize("text, has_commas", [("1,234", False), ("1,234", True), ("1.234", True), ("-12,500", False)])
def test_an_amount_that_may_be_a_thousand_times_as_much_is_refused(text: str, has_commas: bool) -> None:
    """Rather no number than a wrong one."""
    with pytest.raises(BadCell, match="which may be"):
        amount(text, has_commas=has_commas)


@pytest.mark.parametrize("text", [
    "", "x", "£3", "1e5", "NaN", "inf", "--1", "1,2,3", "1.2.3", "٣", "12.50 EUR", "9" * 40,
])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """With an example of one."""
    with pytest.raises(BadCell, match=r"expected a number such as 12\.50"):
        amount(text)


@pytest.mark.parametrize("text, number", [("12", 12), ("12.0", 12), ("-3", -3), ("0", 0), ("1000000", 1_000_000)])
def test_a_quantity_is_a_whole_number(text: str, number: int) -> None:
    """Also where a program made a fraction of it."""
    assert quantity(text) == number


@pytest.mark.parametrize("text", ["1.5", "1000001", "x", "", "1,200"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """Half a boat, or more of them than there are."""
    with pytest.raises(BadCell, match="expected a whole number up to 1000000"):
        quantity(text)


def test_a_semicolon_says_that_commas_are_decimal_points() -> None:
    """As Excel saves it in Berlin."""
    assert data("order;time;quantity;price\n5;2026-11-19 10:00;2;12,50\n")["total_minor"] == 2500
    assert problems("order;time;quantity;price\n5;2026-11-19 10:00;2;1.250\n") == [
        "1.csv, line 2: price is '1.250', which may be 1250 or 1.250: expected 1250 or 1.2500"]


# --- money given back -------------------------------------------------------------------------------------------


def test_an_order_with_the_prefix_is_money_given_back_on_its_own_day() -> None:
    """C is for credit."""
    one = event(f"{UCI}\nC17,BOAT,Paper boat,-2,2026-11-20 09:00:00,12.50,7.0,Germany\n")
    time_ms = ms("2026-11-20T09:00+01:00")
    (refund,) = one.data["refunds"]
    digest = refund["version"][2]
    assert one == Event(
        one.id, "refund.created", time_ms, NOW_MS, "import", "main", "import:shop:order:C17", None,
        {"refunds": [{"key": "import:shop:refund:C17", "version": [NOW_MS, 1, digest], "time_ms": time_ms,
                      "amount_minor": 2500, "currency": "EUR", "test": False}]})
    assert one.id == f"import:shop:C17:{digest}"


def test_a_prefix_counts_only_where_it_was_given_or_the_header_is_known() -> None:
    """In other shops C may be for Cologne."""
    row = "C17,2026-11-19 10:00,1,5,,,,\n"
    found = [event(HEADER + row, cancel_prefix=prefix).type for prefix in (None, "C", "K", "")]
    assert found == ["order.updated", "refund.created", "order.updated", "order.updated"]


def test_a_given_prefix_wins_over_the_usual_one() -> None:
    """Also an empty one."""
    text = f"{UCI}\nC17,BOAT,Paper boat,2,2026-11-19 10:00,12.50,,\n"
    assert [event(text, cancel_prefix=prefix).type for prefix in (None, "")] == ["refund.created", "order.updated"]


def test_a_negative_total_is_money_given_back_without_any_prefix() -> None:
    """A bad debt written off."""
    one = event(f"{UCI}\nA9,B,Adjust bad debt,1,2026-11-19 10:00,-11062.06,,\n")
    assert (one.type, one.data["refunds"][0]["amount_minor"]) == ("refund.created", 1106206)


def test_a_negative_line_in_an_order_that_is_none_lowers_its_total() -> None:
    """A discount on the slip is no return."""
    assert data(HEADER + BOATS + "17,2026-11-19 10:00,-1,5.00,D,Discount,7,Germany\n")["total_minor"] == 2000


def test_a_column_may_say_which_order_is_taken_back() -> None:
    """Credit notes of some programs are positive, and name the invoice."""
    one = event("order,time,price,cancels\nG1,2026-11-20 09:00,12.50,17\n")
    assert (one.type, one.key, one.data["refunds"][0]["key"], one.data["refunds"][0]["amount_minor"]) == (
        "refund.created", "import:shop:order:17", "import:shop:refund:G1", 1250)


def test_money_given_back_counts_on_the_day_it_was_given() -> None:
    """Not on the day of the sale; and the order stays one."""
    text = HEADER + BOATS + "C17,2026-11-20 09:00,-2,12.50,BOAT,Paper boat,7,Germany\n"
    memory = fold_all(read(text, cancel_prefix="C").events * 2, BERLIN)
    assert (memory.days("orders"), memory.days("revenue")) == (
        {"20261119": {"n": 1}}, {"20261119": {"s:EUR": 2500}, "20261120": {"s:EUR": -2500}})


# --- times ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, expected", [
    ("2026-07-01 10:12:33", "2026-07-01T10:12:33+02:00"), ("2026-07-01T10:12", "2026-07-01T10:12+02:00"),
    ("2026-07-01 10:12:33 -0400", "2026-07-01T10:12:33-04:00"), ("2026-07-01T10:12:33Z", "2026-07-01T10:12:33+00:00"),
    ("2026-07-01 10:12:33 UTC", "2026-07-01T10:12:33+00:00"), ("2026-07-01", "2026-07-01T00:00+02:00"),
    ("2026-07-01T10:12:33.250+05:30", "2026-07-01T10:12:33.250+05:30"),
    ("2026-03-29 02:30", "2026-03-29T03:00+02:00"), ("2026-10-25 02:30", "2026-10-25T02:30+02:00"),
])
def test_a_time_without_an_offset_is_the_sites(text: str, expected: str) -> None:
    """A skipped half hour is the end of the gap, one that comes twice is the first."""
    assert instant(text, BERLIN, now_ms=NOW_MS) == ms(expected)


def test_a_day_without_a_time_is_the_beginning_of_its_business_day() -> None:
    """At midnight it would still be yesterday."""
    late = SiteCalendar(ZoneInfo("Europe/Berlin"), 4 * 3_600_000)
    iso = instant("2026-07-01", late, now_ms=NOW_MS)
    other = instant("1.7.2026", late, time_format="%d.%m.%Y", now_ms=NOW_MS)
    assert (iso, other) == (ms("2026-07-01T04:00+02:00"),) * 2


@pytest.mark.parametrize("text, time_format, expected", [
    ("3/4/2026 8:26", "%d/%m/%Y %H:%M", "2026-04-03T08:26+02:00"),
    ("3/4/2026 8:26", "%m/%d/%Y %H:%M", "2026-03-04T08:26+01:00"),
    ("03.04.26 08:26:10 +0000", "%d.%m.%y %H:%M:%S %z", "2026-04-03T08:26:10+00:00"),
])
def test_a_time_is_read_in_the_format_that_was_given(text: str, time_format: str, expected: str) -> None:
    """As strptime does."""
    assert instant(text, BERLIN, time_format=time_format, now_ms=NOW_MS) == ms(expected)


@pytest.mark.parametrize("text, said", [
    ("3/4/2026 8:26", "is '3/4/2026 8:26', day or month first: say which, --time-format '%d/%m/%Y %H:%M' or "
                      "--time-format '%m/%d/%Y %H:%M'"),
    ("03.04.26", "is '03.04.26', day or month first: say which, --time-format '%d.%m.%y' or --time-format '%m.%d.%y'"),
    ("27/4/2026 8:26:01 PM", "is '27/4/2026 8:26:01 PM': expected a time such as 2011-11-27 15:04, or say "
                             "--time-format '%d/%m/%Y %I:%M:%S %p'"),
    ("4/27/2026 8:26PM", "is '4/27/2026 8:26PM': expected a time such as 2011-11-27 15:04, or say "
                         "--time-format '%m/%d/%Y %I:%M%p'"),
    ("27/27/2026", "is '27/27/2026': expected a date that there is"),
    ("2026-02-30", "is '2026-02-30': expected a date and time that there is"),
    ("2026-02-03 25:00", "is '2026-02-03 25:00': expected a date and time that there is"),
    ("soon", "is 'soon': expected a time such as 2011-11-27 15:04, or say how it is written with --time-format"),
    ("2026-11-21", "is '2026-11-21': expected a time that is not in the future"),
])
def test_a_time_that_can_be_meant_in_two_ways_or_in_none_is_refused(text: str, said: str) -> None:
    """With what would be right."""
    with pytest.raises(BadCell) as refused:
        instant(text, BERLIN, now_ms=NOW_MS)
    assert str(refused.value) == said


@pytest.mark.parametrize("text", ["0001-01-01 00:00+14:00", "0001-01-01", "9999-12-31 23:59", "9999-12-31"])
def test_a_time_at_the_ends_of_the_calendar_is_refused(text: str) -> None:
    """And breaks nothing."""
    with pytest.raises(BadCell):
        instant(text, BERLIN, now_ms=NOW_MS)


def test_a_time_that_does_not_fit_its_format_is_refused_with_one_that_does() -> None:
    """The format of another column, perhaps."""
    with pytest.raises(BadCell) as refused:
        instant("2026-07-01", BERLIN, time_format="%d/%m/%Y", now_ms=NOW_MS)
    assert str(refused.value) == (
        "is '2026-07-01': expected a time such as '27/11/2011', as --time-format '%d/%m/%Y' says")


@pytest.mark.parametrize("time_format, is_one", [
    ("%d/%m/%Y %H:%M", True), ("%d.%m.%y", True), ("%Q", False), ("%", False), ("%d.%m. %H:%M", False), ("x", False),
])
def test_a_time_format_names_a_year_in_signs_that_there_are(time_format: str, is_one: bool) -> None:
    """Without one, all would be in 1900."""
    assert is_time_format(time_format) == is_one


# --- columns ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header, expected", [
    (UCI, {"order": "InvoiceNo", "time": "InvoiceDate", "quantity": "Quantity", "price": "UnitPrice",
           "sku": "StockCode", "title": "Description", "customer": "CustomerID", "country": "Country"}),
    (SHOPIFY, {"order": "Name", "time": "Created at", "quantity": "Lineitem quantity", "price": "Lineitem price",
               "sku": "Lineitem sku", "title": "Lineitem name", "customer": "Email", "country": "Shipping Country",
               "total": "Total", "currency": "Currency", "channel": "Source", "cancelled": "Cancelled at",
               "refunded": "Refunded Amount"}),
    ("Order No.,Order Date,Qty,Unit price,Total,Name", {
        "order": "Order No.", "time": "Order Date", "quantity": "Qty", "price": "Unit price"}),
], ids=["the UCI tables", "Shopify's export", "a spreadsheet"])
def test_columns_are_guessed_from_the_header(header: str, expected: Mapping[str, str]) -> None:
    """A column called Total, or Name, is believed in Shopify's export only."""
    assert find_columns(header.split(","), None) == expected


def test_columns_can_be_said() -> None:
    """Letter case does not matter; a header with a comma stands in quotation marks."""
    said = parse_columns('order=nr, time=Tag,"price=Preis, netto"')
    assert said == {"order": "nr", "time": "Tag", "price": "Preis, netto"}
    assert find_columns(["Nr", "Tag", "Preis, netto", "Menge"], said) == {
        "order": "Nr", "time": "Tag", "price": "Preis, netto"}


def test_columns_that_are_said_replace_all_guesses() -> None:
    """What is not said is not used."""
    text = "order,time,price,quantity\n5,2026-11-19 10:00,2.00,3\n"
    assert data(text, columns={"order": "order", "time": "time", "price": "price"})["total_minor"] == 200


@pytest.mark.parametrize("text", ["order", "order=", "=InvoiceNo", "colour=Red", "order=A,order=B", "order=A,,time=B"])
def test_what_names_no_column_is_refused(text: str) -> None:
    """And the fields are listed."""
    with pytest.raises(ColumnsError, match="is no column: expected each field once, as field=header; the fields are "
                                           "order, time, quantity, price"):
        parse_columns(text)


@pytest.mark.parametrize("header, columns, said", [
    ("nr,day,price", {"order": "number", "time": "day", "price": "cost"},
     "1.csv: --columns order=number,price=cost: no such column; the file has nr, day, price"),
    ("nr,day,", None,
     "1.csv: no column is known to hold order, time, price (or total): say it with --columns order=…,time=…,quantity=…,"
     "price=…; the file has nr, day, (a column without a name)"),
    ("order,time,price,price", None,
     "1.csv: two columns are called price: expected different names; the file has order, time, price, price"),
])
def test_columns_that_are_not_there_are_named_with_those_that_are(
        header: str, columns: Mapping[str, str] | None, said: str) -> None:
    """So that the command can be put right at once."""
    with pytest.raises(ColumnsError) as refused:
        read(f"{header}\n", columns=columns)
    assert str(refused.value) == said


def test_each_file_has_its_own_header() -> None:
    """The export changed in spring."""
    reading = read("order,time,price\n1,2026-11-19 10:00,5\n", "Price,Order,Time\n6,2,2026-11-19 11:00\n")
    assert [one.data["total_minor"] for one in reading.events] == [500, 600]


# --- Shopify's export -------------------------------------------------------------------------------------------


def test_shopifys_export_says_what_concerns_the_order_in_its_first_row_only() -> None:
    """With tax and shipping in the total."""
    of_both = {"Name": "#1001", "Email": "wendelin@example.org", "Created_at": "2026-11-19 10:00:00 +0100"}
    text = SHOPIFY + "\n" + shopify(
        **of_both, Currency="CHF", Total="37.10", Lineitem_quantity="2", Lineitem_name="Paper boat",
        Lineitem_price="12.50", Lineitem_sku="BOAT", Shipping_Country="AT", Source="web", Refunded_Amount="0.00",
    ) + shopify(**of_both, Lineitem_quantity="1", Lineitem_name="Kite", Lineitem_price="7.20", Lineitem_sku="KITE")
    found = data(text)
    assert (found["name"], found["total_minor"], found["currency"], found["channel"], found["country"]) == (
        "#1001", 3710, "CHF", "web", "AT")
    assert found["lines"] == [["BOAT", 2, 2500, "Paper boat"], ["KITE", 1, 720, "Kite"]]


def test_an_address_is_not_kept() -> None:
    """A digest tells customers apart, and nobody who they are."""
    assert [customer_id(text) for text in ("7", "18211.0", "C-17/b")] == ["7", "18211", "C-17/b"]
    addresses = [customer_id(text) for text in ("Wendelin@example.org", "wendelin@example.org", "ottilie@example.org")]
    assert [addresses.index(one) for one in addresses] == [0, 0, 2]
    text = SHOPIFY + "\n" + shopify(Name="#1", Email="wendelin@example.org", Total="1", Created_at="2026-11-19")
    assert "wendelin" not in str(event(text))


def test_a_cancelled_order_of_an_export_is_taken_back_on_the_day_of_the_cancelling() -> None:
    """What was refunded of it is not taken back twice."""
    text = SHOPIFY + "\n" + shopify(Name="#1", Total="30.00", Created_at="2026-11-18 10:00", Lineitem_price="30",
                                    Lineitem_quantity="1", Cancelled_at="2026-11-19 10:00", Refunded_Amount="30.00")
    memory = fold_all([event(text)], BERLIN)
    assert memory.days("revenue") == {"20261118": {"s:EUR": 3000}, "20261119": {"s:EUR": -3000}}


def test_a_refunded_amount_without_a_day_counts_on_the_orders() -> None:
    """The export does not say when."""
    text = SHOPIFY + "\n" + shopify(Name="#1", Total="30.00", Created_at="2026-11-18 10:00", Refunded_Amount="5.00")
    memory = fold_all([event(text)], BERLIN)
    assert memory.days("revenue") == {"20261118": {"s:EUR": 2500}}


# --- what files look like ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["Unix", "Windows", "an old Mac"])
def test_delimiter_and_line_ends_are_found_out(delimiter: str, ending: str) -> None:
    """Whatever saved it."""
    rows = (("order", "time", "price", "title"), ("5", "2026-11-19 10:00", "2.50", '"a, b; c | d"'))
    text = "".join(delimiter.join(row) + ending for row in rows)
    assert data(text)["lines"] == [["", 1, 250, "a, b; c | d"]]


@pytest.mark.parametrize("raw", [
    "Käse".encode(), b"\xef\xbb\xbf" + "Käse".encode(), "\ufeff\ufeffKäse".encode(), "Käse".encode("latin-1"),
    "Käse".encode("utf-16"), "\ufeffKäse".encode("utf-16-be"), "Käse".encode("utf-16-le"), "Käse".encode("utf-16-be"),
], ids=["UTF-8", "with a mark", "with two", "Latin-1", "UTF-16", "of the other end", "without a mark", "nor that"])
def test_the_encoding_is_found_out(raw: bytes) -> None:
    """Umlauts are whole."""
    assert decode(raw) == "Käse"


def test_what_windows_writes_is_no_control_character() -> None:
    """The euro sign and quotation marks stand where Latin-1 has none; what Windows has not either is Latin-1."""
    assert (decode("Käse „Ötzi“ 5 €".encode("cp1252")), decode(b"K\xe4se \x81")) == ("Käse „Ötzi“ 5 €", "Käse \x81")


def test_a_whole_file_of_another_system_is_read() -> None:
    """UTF-16 with tabs and commas, as "Unicode text" of Excel in Berlin is saved."""
    text = "order\ttime\tprice\ttitle\r\n5\t2026-11-19 10:00\t1.234,50\tKäse\r\n"
    found = data(decode(text.encode("utf-16")))
    assert (found["total_minor"], found["lines"][0][3]) == (123450, "Käse")


@pytest.mark.parametrize("cell, number", [('"=""00123"""', "00123"), ("'00123", "00123"), ('="00123"', "00123"),
                                          ("'n Boot", "'n Boot")])
def test_what_keeps_a_number_a_text_is_not_part_of_it(cell: str, number: str) -> None:
    """Spreadsheets would drop the zeros."""
    assert data(f"order,time,price\n{cell},2026-11-19 10:00,1\n")["name"] == number


@pytest.mark.parametrize("row, said", [
    ("#REF!,2026-11-19,1", "order is '#REF!', a formula that failed in the spreadsheet: expected its value"),
    ("5,2026-11-19,#N/A", "price is '#N/A', a formula that failed in the spreadsheet: expected its value"),
    ("5,#BEZUG!,1", "time is '#BEZUG!', a formula that failed in the spreadsheet: expected its value"),
    ("5,2026-11-19,Err:508", "price is 'Err:508', a formula that failed in the spreadsheet: expected its value"),
    ("1.23457E+12,2026-11-19,1",
     "order is '1.23457E+12', a number that a spreadsheet has shortened: expected all its digits"),
    ('5,2026-11-19,"=2*3"', "price is '=2*3': expected a number such as 12.50"),
    ("5,2026-11-19,\N{EURO SIGN}5.00", "price is '€5.00': expected a number such as 12.50"),
    ("5,2026-11-19,(5.00)", "price is '(5.00)': expected a number such as 12.50"),
    ("5,2026-11-19,5.00-", "price is '5.00-': expected a number such as 12.50"),
    ("5,2026-11-19,1E3", "price is '1E3': expected a number such as 12.50"),
    ("5,2026-11-19,\u0661", "price is '\u0661': expected a number such as 12.50"),
])
def test_what_a_spreadsheet_leaves_in_a_cell_is_not_guessed_at(row: str, said: str) -> None:
    """All rows of failed formulas would be one order, and numbers that were shortened alike too."""
    assert problems(f"order,time,price\n{row}\n") == [f"1.csv, line 2: {said}"]


def test_what_could_be_a_formula_is_text() -> None:
    """Nothing here works it out, and boards show it as it stands."""
    text = 'order,time,price,title\n5,2026-11-19 10:00,1,"=HYPERLINK(""http://x"")"\n'
    assert data(text)["lines"][0][3] == '=HYPERLINK("http://x")'


def test_a_row_of_sums_at_the_end_is_told_of() -> None:
    """It is no order, and the others are taken."""
    reading = read("order,time,price\n5,2026-11-19 10:00,1\nTotal,,1\n")
    assert (len(reading.events), [str(one) for one in reading.problems]) == (
        1, ["1.csv, line 3: order Total has no time in any of its rows"])


def test_the_line_in_which_excel_names_the_delimiter_is_no_header() -> None:
    """sep=;"""
    assert data("sep=;\norder;time;price\n5;2026-11-19 10:00;2,50\n")["total_minor"] == 250


def test_blank_rows_and_missing_cells_at_the_end_are_nothing() -> None:
    """Spreadsheets leave both behind."""
    text = "order,time,price,sku,title\n\n,,,,\n5,2026-11-19 10:00,2.50\n5,2026-11-19 10:00,1,,,,,\n"
    assert data(text)["lines"] == [["", 1, 250, ""], ["", 1, 100, ""]]


def test_a_text_of_several_lines_is_one_cell() -> None:
    """Line numbers are still those of the editor."""
    reading = read('order,time,price,title\n5,2026-11-19 10:00,1,"two\nlines"\n6,soon,1,\n')
    assert ([one.data["lines"][0][3] for one in reading.events], reading.problems[0].line) == (["two\nlines"], 4)


@pytest.mark.parametrize("text, code", [
    ("Germany", "DE"), ("de", "DE"), ("United Kingdom", "GB"), ("EIRE", "IE"), ("USA", "US"), ("Hong Kong", "HK"),
    ("Unspecified", ""), ("Channel Islands", "Channel Islands"), ("", ""),
])
def test_a_country_is_called_as_webhooks_call_it(text: str, code: str) -> None:
    """Germany and DE are one row."""
    assert country_code(text) == code


# --- what is wrong ----------------------------------------------------------------------------------------------


def test_an_order_with_a_bad_row_is_left_out_whole_and_the_others_are_taken() -> None:
    """Half an order is a wrong number that nobody sees."""
    reading = read(HEADER + BOATS + KITES.replace("7.20", "seven") + "18,2026-11-19 11:00,1,1.00,PIN,Pin,,\n")
    assert [str(problem) for problem in reading.problems] == [
        "1.csv, line 3: price is 'seven': expected a number such as 12.50"]
    assert ([one.data["name"] for one in reading.events], reading.left_out, reading.rows) == (["18"], 1, 3)


def test_a_bad_row_in_another_file_leaves_the_order_out_too() -> None:
    """Wherever it stands."""
    assert problems(HEADER + BOATS, HEADER + KITES.replace(",1,", ",x,")) == [
        "2.csv, line 2: quantity is 'x': expected a whole number up to 1000000"]


@pytest.mark.parametrize("row, said", [
    (",2026-11-19 10:00,1,1,,,,", "order is '': expected 1 to 64 printable ASCII characters"),
    ("ä,2026-11-19 10:00,1,1,,,,", "order is 'ä': expected 1 to 64 printable ASCII characters"),
    (f"{'9' * 65},2026-11-19 10:00,1,1,,,,",
     f"order is '{'9' * 40}': expected 1 to 64 printable ASCII characters"),
    ("5,,1,1,,,,", "order 5 has no time in any of its rows"),
    ("5,2026-11-19 10:00,,1,,,,", "quantity is '': expected a whole number up to 1000000"),
    ("5,2026-11-19 10:00,1,,,,,", "price is '': expected a number such as 12.50"),
    ("5,2026-11-19 10:00,1,1,,a,b,c,d", "has 9 cells where the header has 8: expected as many; a text with the "
                                        "delimiter in it stands in quotation marks"),
    ("5,2026-11-19 10:00,1000000,9999999999999,,,,", "order 5 amount out of range: '9999999999999000000'"),
])
def test_what_is_wrong_in_a_row_is_said_with_what_would_be_right(row: str, said: str) -> None:
    """File, line, column."""
    assert problems(HEADER + row + "\n") == [f"1.csv, line 2: {said}"]


@pytest.mark.parametrize("name, one, other", [
    ("total", "5", "6"), ("currency", "EUR", "USD"), ("customer", "7", "8"), ("country", "DE", "AT"),
])
def test_rows_of_an_order_that_contradict_each_other_are_refused(name: str, one: str, other: str) -> None:
    """Two orders with one number, perhaps."""
    text = f"order,time,price,{name}\n5,2026-11-19 10:00,1,{one}\n5,2026-11-19 10:00,1,{other}\n"
    columns = {"order": "order", "time": "time", "price": "price", name: name}
    assert problems(text, columns=columns) == [
        f"1.csv, line 3: {name} is '{other}': expected the same in all rows of order 5"]


def test_an_order_without_a_currency_is_refused() -> None:
    """Ten of what?"""
    assert problems(HEADER + BOATS, currency=None) == [
        "1.csv, line 2: order 17 names no currency: expected a column of it, or --currency"]


def test_what_is_no_currency_is_refused() -> None:
    """A sign is not enough."""
    assert problems("order,time,price,currency\n5,2026-11-19 10:00,1,€\n") == [
        "1.csv, line 2: currency is '€': expected an ISO currency such as EUR"]


def test_an_order_of_more_rows_than_an_event_holds_is_refused() -> None:
    """Two thousand are taken."""
    rows = "5,2026-11-19 10:00,1,1,,,,\n"
    assert len(data(HEADER + rows * 2000)["lines"]) == 2000
    assert problems(HEADER + rows * 2001) == ["1.csv, line 2: order 5 has 2001 rows: expected at most 2000"]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"], ids=["nothing", "blank lines", "a mark"])
def test_an_empty_file_is_said_to_be_one(text: str) -> None:
    """Not passed over."""
    assert problems(decode(text.encode())) == ["1.csv, line 1: the file is empty: expected a header and rows below it"]


def test_a_quotation_mark_that_swallows_rows_leaves_the_file_out() -> None:
    """Which orders it swallowed, nobody can know; the next file is read."""
    broken = HEADER + BOATS + '17,2026-11-19 10:00,1,7.20,"KITE,Kite,7,Germany\n18,2026-11-19 10:00,1,1,,,,\n'
    reading = read(broken, HEADER + "19,2026-11-19 10:00,1,1,,,,\n")
    assert [str(problem) for problem in reading.problems] == [
        "1.csv, line 3: a quotation mark is opened in this row and not closed where a cell ends: from here on nothing "
        "can be told apart, so the whole file is left out"]
    assert ([one.data["name"] for one in reading.events], reading.left_out) == (["19"], 1)


def test_a_quotation_mark_closed_in_another_row_is_found_too() -> None:
    """Its row would look right, with two orders in one cell."""
    reading = read('order,time,price,title\n5,2026-11-19 10:00,1,"a\n6,2026-11-19 10:00,1,b\n'
                   '7,2026-11-19 10:00,1,"c"\n')
    assert (reading.events, [problem.line for problem in reading.problems]) == ([], [2])


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Rubbish is a problem, not a crash."""
    reading = read(HEADER + text)
    assert reading.events == [] or reading.rows > 0


@given(st.lists(st.text('1,;"\n\r x.-:', max_size=12), max_size=12))
def test_every_order_that_was_met_is_taken_or_left_out(cells: list[str]) -> None:
    """None is lost without a word."""
    reading = read(HEADER + BOATS + ",".join(cells))
    assert len(reading.events) + reading.left_out >= 1
    assert reading.problems != [] or reading.left_out == 0

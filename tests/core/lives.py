"""Lives of orders for property tests, and an oracle that knows how they end without folding anything."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from opsmon.core.events import Event
from opsmon.core.panes import Hash
from tests.conftest import NOW_MS
from tests.memory import event
from tests.orders import iso, order, refund

DAY_MS = 86_400_000
# What one step of a life is: an edit of the total, or something that moves it on.
STEPS = ("edit", "pay", "refund", "cancel", "fulfil", "close")


@dataclass(frozen=True)
class Life:
    """Everything Shopify sends of one order, in order; the last body; its refunds; whether it was deleted."""

    events: list[Event]
    body: dict[str, Any]
    deleted: bool


@st.composite
def lives(draw: st.DrawFn, order_id: int = 1001) -> Life:
    """A life of one to eight steps. Two versions share a second only when the later one is further on."""
    placed_ms = NOW_MS - draw(st.integers(0, 30 * 86_400)) * 1000
    body = order(order_id, _amount(draw), placed_ms=placed_ms, currency=draw(st.sampled_from(["EUR", "JPY"])),
                 test=draw(st.integers(0, 9)) == 0, financial_status="pending")
    if draw(st.integers(0, 4)) == 0:
        body["line_items"].append({"sku": "CARD", "quantity": 1, "price": "10", "gift_card": True})
    events, at_ms = [_arrival(draw, "orders/create", body)], placed_ms
    for step in draw(st.lists(st.sampled_from(STEPS), max_size=7)):
        gap_s = draw(st.integers(1, 5 * 86_400) if step == "edit" else st.integers(0, 5 * 86_400))
        at_ms = min(at_ms + gap_s * 1000, NOW_MS)
        changed = _after(draw, step, body, at_ms)
        if changed is None or (step == "edit" and iso(at_ms) == body["updated_at"]):
            continue
        body = changed | {"updated_at": iso(at_ms)}
        events.append(_arrival(draw, "orders/updated", body))
        if step == "refund" and draw(st.booleans()):
            events.append(_arrival(draw, "refunds/create", body["refunds"][-1]))
    deleted = draw(st.integers(0, 9)) == 0
    if deleted:
        events.append(_arrival(draw, "orders/delete", {"id": order_id}))
    return Life(events, body, deleted)


def _after(draw: st.DrawFn, step: str, body: dict[str, Any], at_ms: int) -> dict[str, Any] | None:
    """The order after a step; None where the step would change nothing."""
    if step == "edit":
        total = _amount(draw)
        money = {"amount": total, "currency_code": body["currency"]}
        return body | {"total_price": total, "total_price_set": {"shop_money": money}}
    if step == "refund":
        given = refund(len(body["refunds"]) + 10 * body["id"], draw(st.integers(0, 90)), given_ms=at_ms,
                       order_id=body["id"], currency=body["currency"])
        given["transactions"][0]["test"] = body["test"]
        return body | {"refunds": [*body["refunds"], given]}
    field, value = {"pay": ("financial_status", "paid"), "cancel": ("cancelled_at", iso(at_ms)),
                    "fulfil": ("fulfillment_status", "fulfilled"), "close": ("closed_at", iso(at_ms))}[step]
    return None if body[field] not in (None, "pending") else body | {field: value}


def _amount(draw: st.DrawFn) -> str:
    return str(draw(st.integers(0, 500)))


def _arrival(draw: st.DrawFn, topic: str, body: dict[str, Any]) -> Event:
    return event(topic, body, arrived_ms=NOW_MS - draw(st.integers(0, 60_000)))


Numbers = Counter[tuple[str, str, str, str]]


def oracle(life: Life, zone: ZoneInfo) -> Numbers:
    """What the last version says, added up with a calendar and nothing else: by rollup, level and time."""
    body, currency = life.body, life.body["currency"]
    unit = {"EUR": 100, "JPY": 1}[currency]
    total, numbers = int(body["total_price"]) * unit, Counter[tuple[str, str, str, str]]()
    returned = sum(round(r["refund_line_items"][0]["subtotal"]) * unit for r in body["refunds"])
    if body["test"]:
        return numbers
    for given in body["refunds"]:
        _add(numbers, "revenue", given["created_at"], f"s:{currency}",
             -round(given["refund_line_items"][0]["subtotal"]) * unit, zone)
    if life.deleted:
        return numbers
    cards = sum(int(line["price"]) * unit for line in body["line_items"] if line.get("gift_card"))
    _add(numbers, "orders", body["created_at"], "n", 1, zone)
    _add(numbers, "revenue", body["created_at"], f"s:{currency}", total, zone)
    _add(numbers, "order-value", body["created_at"], f"s:{currency}", total - cards, zone)
    _add(numbers, "order-value", body["created_at"], f"n:{currency}", 1, zone)
    if body["cancelled_at"]:
        _add(numbers, "revenue", body["cancelled_at"], f"s:{currency}", returned - total, zone)
    return numbers


def _add(numbers: Numbers, rollup: str, at: str, aggregate: str, amount: int, zone: ZoneInfo) -> None:
    local = datetime.fromisoformat(at).astimezone(zone)
    hour = local.replace(minute=0, second=0)
    numbers[rollup, "d", local.date().isoformat(), aggregate] += amount
    numbers[rollup, "h", hour.isoformat(), aggregate] += amount
    minute = local.replace(second=0)
    # A minute is kept until eight days after its end.
    if NOW_MS / 1000 - (minute.timestamp() + 60) < 8 * 86_400:
        numbers[rollup, "m", minute.isoformat(), aggregate] += amount


def in_words(panes: dict[tuple[Hash, str], int], zone: ZoneInfo) -> Numbers:
    """Folded panes in the oracle's words."""
    numbers = Counter[tuple[str, str, str, str]]()
    for (pane_hash, name), amount in panes.items():
        field, _, aggregate = name.partition(".")
        numbers[pane_hash.rollup, pane_hash.level, _when(pane_hash, int(field), zone), aggregate] += amount
    return numbers


def _when(pane_hash: Hash, field: int, zone: ZoneInfo) -> str:
    if pane_hash.level == "m":
        return datetime.fromtimestamp(int(pane_hash.span) + 60 * field, zone).isoformat()
    if pane_hash.level == "h":
        day = datetime.strptime(pane_hash.span, "%Y%m%d").replace(tzinfo=zone)
        return datetime.fromtimestamp(day.timestamp() + 60 * field, zone).isoformat()
    return f"{pane_hash.span[:4]}-{pane_hash.span[4:]}-{field:02}"

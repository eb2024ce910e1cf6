"""Orders as Shopify sends them, small and by hand: only what a test is about is said."""

from datetime import UTC, datetime
from typing import Any

from tests.conftest import NOW_MS


def iso(time_ms: int) -> str:
    """An instant as Shopify writes it."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")


def order(order_id: int = 1001, total: str = "49.90", *, placed_ms: int = NOW_MS, updated_ms: int | None = None,
          currency: str = "EUR", **more: Any) -> dict[str, Any]:
    """An order of one line, placed at `placed_ms`."""
    return {
        "id": order_id, "name": f"#{order_id}", "test": False, "currency": currency, "total_price": total,
        "total_price_set": {"shop_money": {"amount": total, "currency_code": currency}},
        "created_at": iso(placed_ms), "processed_at": iso(placed_ms),
        "updated_at": iso(placed_ms if updated_ms is None else updated_ms),
        "cancelled_at": None, "closed_at": None, "financial_status": "paid", "fulfillment_status": None,
        "source_name": "web", "line_items": [{"sku": "TENT-2", "quantity": 1, "price": total}], "refunds": [],
        **more,
    }


def refund(refund_id: int = 501, amount: float = 10.0, *, given_ms: int = NOW_MS, order_id: int = 1001,
           currency: str = "EUR") -> dict[str, Any]:
    """A refund of part of an order, given at `given_ms`."""
    return {
        "id": refund_id, "order_id": order_id, "created_at": iso(given_ms), "processed_at": iso(given_ms),
        "refund_line_items": [{"subtotal": amount, "total_tax": 0.0}], "order_adjustments": [],
        "transactions": [{"kind": "refund", "status": "success", "amount": f"{amount:.2f}",
                          "currency": currency, "test": False}],
    }

"""Odoo's records, small and by hand: only what a test is about is said."""

from typing import Any

# 2026-11-20 13:03:22 UTC is conftest's present.
WRITTEN = "2026-11-20 13:03:20"


def sale(record_id: int = 42, total: float = 49.9, state: str = "sale", *, written: str = WRITTEN, **more: Any
         ) -> dict[str, Any]:
    """A sales order as its webhook tells of it, confirmed an hour after it was created."""
    return {
        "_action": "opsmon(#7)", "_id": record_id, "_model": "sale.order", "id": record_id, "state": state,
        "write_date": written, "create_date": "2026-11-20 11:00:00", "date_order": "2026-11-20 12:00:00",
        "amount_total": total, "currency_id": 1, "partner_id": 9, "name": f"S{record_id:05}",
        "delivery_status": "pending", **more,
    }


def picking(record_id: int = 5, state: str = "assigned", *, written: str = WRITTEN, **more: Any) -> dict[str, Any]:
    """A transfer on its way out."""
    return {"_action": "opsmon(#8)", "_id": record_id, "_model": "stock.picking", "state": state,
            "write_date": written, "picking_type_code": "outgoing", "origin": "S00042", **more}


def quant(record_id: int = 3, **more: Any) -> dict[str, Any]:
    """Pieces of a product at a place."""
    return {"_action": "opsmon(#9)", "_id": record_id, "_model": "stock.quant", "product_id": 17, "location_id": 8,
            "quantity": 12.0, "reserved_quantity": 2.0, "write_date": WRITTEN, **more}

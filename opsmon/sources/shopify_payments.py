"""What Shopify says of payments: tries, money that moved, and disputes about it. Nothing of cards is kept."""

from opsmon.sources.reading import short_text
from opsmon.sources.shopify_reading import (
    Body,
    Read,
    amount,
    currency_of,
    dated,
    id_of,
    require,
    time_of,
    undated,
)

_OK = {"success": "yes", "failure": "no", "error": "no"}
_RANKS = {"pending": 0, "error": 1, "failure": 1, "success": 2}
# How far a dispute has come. Source: shopify.dev, Dispute resource.
_DISPUTES = ("needs_response", "under_review", "charge_refunded", "accepted", "lost", "won")


def read_transaction(body: Body, prefix: str, topic: str) -> Read:
    """order_transactions/create: a payment, authorization, capture, void or refund that was tried.

    A transaction has no time of its last change: of two with one id the one further on holds.
    """
    require(body, topic, "id", "order_id", "kind", "status", "created_at")
    status = short_text(body["status"], 32)
    data = {
        "order": f"{prefix}:order:{id_of(body, 'order_id')}" if body["order_id"] else "",
        "ok": _OK.get(status, ""),
        "kind": short_text(body["kind"], 32),
        "gateway": short_text(body.get("gateway"), 32),
        "error": short_text(body.get("error_code"), 32),
        "test": body.get("test") is True,
        "tried_ms": time_of(body, "processed_at", "created_at"),
    }
    created_ms = time_of(body, "created_at")
    return dated("payment.tried", f"{prefix}:transaction:{id_of(body)}", data, created_ms, _RANKS.get(status, 0))


def read_tender(body: Body, prefix: str, topic: str) -> Read:
    """tender_transactions/create: money that moved between the shop and a customer; below zero, back to them."""
    require(body, topic, "id", "amount", "currency", "processed_at")
    currency = currency_of(body["currency"])
    moved_ms = time_of(body, "processed_at")
    data = {
        "order": f"{prefix}:order:{id_of(body, 'order_id')}" if body.get("order_id") else "",
        "amount_minor": amount(body["amount"], currency, "amount"),
        "currency": currency,
        "method": short_text(body.get("payment_method"), 32),
        "test": body.get("test") is True,
        "moved_ms": moved_ms,
    }
    return dated("payment.moved", f"{prefix}:tender:{id_of(body)}", data, moved_ms)


def read_dispute(body: Body, prefix: str, topic: str) -> Read:
    """disputes/create and update: a customer asks the bank for the money. The body has no time of its change."""
    require(body, topic, "id", "status", "amount", "currency", "initiated_at")
    status, currency = short_text(body["status"], 32), currency_of(body["currency"])
    data = {
        "order": f"{prefix}:order:{id_of(body, 'order_id')}" if body.get("order_id") else "",
        "status": status,
        "kind": short_text(body.get("type"), 32),
        "reason": short_text(body.get("reason"), 32),
        "amount_minor": amount(body["amount"], currency, "amount"),
        "currency": currency,
        "opened_ms": time_of(body, "initiated_at"),
        "due_ms": time_of(body, "evidence_due_by") if body.get("evidence_due_by") else None,
    }
    rank = _DISPUTES.index(status) if status in _DISPUTES else 0
    return undated("dispute.updated", f"{prefix}:dispute:{id_of(body)}", data, rank)

"""What is wrong, for programs: /api/alerts. A query only.

Threat: amounts and names for those who may not see them (CWE-863; as words.py has it for the pages).
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opsmon.store.alerts.alert_queries import AlertBook
from opsmon.store.alerts.alert_store import Stored
from opsmon.web.alerts.alerts_page import AlertRoom
from opsmon.web.alerts.words import AlertWords


class AlertsApi:
    """Answers programs."""

    def __init__(self, room: AlertRoom) -> None:
        self._room = room

    async def open(self, request: Request) -> Response:
        """GET /api/alerts: what is open now, the worst first, as of one instant."""
        book, words, now_ms = await self._room.book(), self._room.words(request), self._room.clock.now_ms()
        return JSONResponse({"as_of_ms": now_ms, "alerts": [alert_json(book, one, words, now_ms) for one in book.open]})


def alert_json(book: AlertBook, stored: Stored, words: AlertWords, now_ms: int) -> dict[str, Any]:
    """An open alert. Value and limit are in the unit of what its rule watches; null and {} for what is not known, or
    not for this reader."""
    alert, rule = stored.alert, book.rules[stored.alert.rule]
    is_hidden = words.is_hidden(rule)
    return {
        "id": alert.fingerprint, "rule": rule.id, "title": words.title(rule, alert), "severity": rule.severity,
        "state": alert.state, "standing": words.standing(book, stored, now_ms)[0], "since_ms": alert.began_ms,
        "value": None if is_hidden else alert.value, "limit": None if is_hidden else alert.limit,
        "text": words.far(rule, alert.value, alert.limit), "labels": {} if words.is_nameless(rule) else
        dict(alert.labels), "acknowledged_by": alert.acknowledged_by or None, "assigned_to": alert.assigned_to or None,
    }

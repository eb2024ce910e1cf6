"""From the floor and from programs: POST /ingest/events, a worker, and the number that moved."""

from typing import Any

import orjson
import pytest

from opsmon.settings import Settings
from opsmon.store.data_dir import DataDir
from tests.http import Answer, request
from tests.line import Line

pytestmark = pytest.mark.anyio


async def told(line: Line, settings: Settings, *events: dict[str, Any]) -> Answer:
    """Send events as a program does, and let them be counted."""
    token = DataDir(settings.data).test_secret()
    body = b"\n".join(orjson.dumps({"id": f"e{number}"} | event) for number, event in enumerate(events))
    answer = await request(line.port, "POST", "/ingest/events", body, {"authorization": f"Bearer {token}"})
    await line.work()
    return answer


async def shown(line: Line, kpi: str) -> tuple[Any, dict[str, Any]]:
    """A number and its rows."""
    found = (await line.kpis())[kpi]
    return found["value"], {row["name"]: row["value"] for row in found.get("rows", ())}


EVENTS: list[tuple[str, list[dict[str, Any]], str, Any, dict[str, Any]]] = [
    ("gauge.set", [{"name": "cold room", "value": -18.5}, {"name": "hall", "value": 21}], "gauges", 21,
     {"cold room": -18.5, "hall": 21}),
    ("count.add", [{"name": "parcels", "value": 12}, {"name": "parcels", "value": -2}], "counters", 10,
     {"parcels": 10}),
    ("queue.depth", [{"queue": "mails", "depth": 7}, {"queue": "tickets", "depth": 3}], "queues", 7,
     {"mails": 7, "tickets": 3}),
    ("api.request", [{"endpoint": "/cart", "ms": 40, "status": 200}] * 15 + [
        {"endpoint": "/cart", "ms": 40, "status": 503}] * 5, "api-errors", 0.25, {"/cart": 0.25}),
    ("item.scanned", [{"person": "Mara", "station": "A1", "line": "1", "sku": "KITE", "quantity": 2},
                      {"person": "Mara", "station": "A2"}, {"person": "Jo", "station": "A1"}], "scans-by-person", 3,
     {"Mara": 2, "Jo": 1}),
    ("item.scanned", [{"person": "Mara", "station": "A1"}, {"person": "Jo", "station": "A1"}], "scans-by-station", 2,
     {"A1": 2}),
]


@pytest.mark.parametrize("event_type, data, kpi, value, rows", EVENTS, ids=lambda value: str(value)[:20])
async def test_what_is_posted_is_counted(line: Line, settings: Settings, event_type: str, data: list[dict[str, Any]],
                                         kpi: str, value: Any, rows: dict[str, Any]) -> None:
    """From the door to the number."""
    answer = await told(line, settings, *({"type": event_type, "data": one} for one in data))
    assert answer.json == {"accepted": len(data), "duplicates": [], "refused": []}
    assert await shown(line, kpi) == (value, rows)


async def test_the_time_to_an_answer_is_told_by_percentile(line: Line, settings: Settings) -> None:
    """Of twenty requests, nineteen of 40 ms: the median is theirs, to within 2 %."""
    data = [{"endpoint": "/cart", "ms": 40 if number else 900, "status": 200} for number in range(20)]
    await told(line, settings, *({"type": "api.request", "data": one} for one in data))
    value, _ = await shown(line, "api-p50")
    assert value == pytest.approx(40, rel=0.02)


async def test_a_move_puts_an_order_into_its_stage_and_counts_as_output(line: Line, settings: Settings) -> None:
    """By line, station and person."""
    where = {"line": "1", "station": "A1", "person": "Mara"}
    for stage, time in (("picking", "2026-11-20T14:00:00+01:00"), ("packing", "2026-11-20T14:01:00+01:00")):
        await told(line, settings, {"id": stage, "type": "stage.moved", "key": "order-1", "time": time,
                                    "data": {"stage": stage, **where}})
    assert await shown(line, "pipeline") == (1, {"packing": 1})
    assert [await shown(line, f"output-by-{by}") for by in where] == [(2, {name: 2}) for name in where.values()]


async def test_stock_is_replaced_by_its_next_version(line: Line, settings: Settings) -> None:
    """Not added to what was there."""
    for version, available in ((1, 20), (3, 17), (2, 99)):
        await told(line, settings, {"id": f"s{version}", "type": "inventory.changed", "key": "KITE", "version": version,
                                    "data": {"sku": "KITE", "location": "hall", "available": available}})
    assert await shown(line, "stock") == (17, {"KITE|hall": 17})


async def test_what_could_not_be_counted_is_named_and_the_others_are_counted(line: Line, settings: Settings) -> None:
    """By its place in the body, with what the type needs."""
    answer = await told(line, settings, {"type": "api.request", "data": {"endpoint": "/cart", "status": 200}},
                        {"type": "count.add", "data": {"name": "parcels", "value": 3}})
    assert answer.json == {"accepted": 1, "duplicates": [], "refused": [{"index": 0, "reason": (
        "data.ms is missing: expected milliseconds, a number from 0 up; api.request needs data.endpoint, data.ms and "
        "data.status")}]}
    assert await shown(line, "counters") == (3, {"parcels": 3})

"""/api/openapi.json: valid as OpenAPI 3.1 has it, whole, and true of what is answered."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import orjson
import pytest

from opsmon.clock import ManualClock
from opsmon.core.alerting.records import CONDITIONS
from opsmon.settings import Settings
from tests.conftest import NOW_MS
from tests.http import request
from tests.line import Line
from tests.orders import order
from tests.web.accounts.accounts import program
from tests.web.alerts.site import fired

pytestmark = pytest.mark.anyio

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
    "boolean": (bool,), "null": (type(None),)}


async def told(line: Line) -> Any:
    """The document."""
    answer = await line.get("/api/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json


def operations(found: Any) -> Iterator[tuple[str, str, Any]]:
    """Every operation: path, method, what is said of it."""
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(found: Any) -> Iterator[str]:
    """Everything that is referred to."""
    for value in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from references(value)
    if isinstance(found, dict) and "$ref" in found:
        yield found["$ref"]


def resolved(found: Any, reference: str) -> Any:
    """What a reference means; KeyError for nothing."""
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def mismatches(found: Any, schema: Any, value: Any, where: str = "$") -> Iterator[str]:
    """Where a value is not as its schema says."""
    schema = resolved(found, schema["$ref"]) if "$ref" in schema else schema
    types = schema.get("type", [])
    kinds = tuple(kind for one in ([types] if isinstance(types, str) else types) for kind in JSON_TYPES[one])
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{where} is {type(value).__name__}"
        return
    if isinstance(value, dict):
        yield from (f"{where}.{name} is missing" for name in schema.get("required", []) if name not in value)
        for name, one in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            yield from mismatches(found, inner, one, f"{where}.{name}") if inner else ()
    if isinstance(value, list) and "items" in schema:
        for number, one in enumerate(value):
            yield from mismatches(found, schema["items"], one, f"{where}[{number}]")


async def test_it_has_every_door_for_programs_and_no_other(line: Line) -> None:
    """Made from the table of doors, which is what lets people in."""
    doors = {(door.path, method.lower()) for door in line.web.doors for method in door.methods
             if door.path.startswith("/api/")}
    assert {(path, method) for path, method, _ in operations(await told(line))} == doors


async def test_it_begins_as_openapi_3_1_does(line: Line) -> None:
    """The fields that must be there (OpenAPI 3.1.1, 4.8.1 and 4.8.2), and no unknown ones."""
    found = await told(line)
    assert found["openapi"] == "3.1.0"
    assert set(found) == {"openapi", "info", "paths", "components"}
    assert set(found["info"]) == {"title", "version"}


async def test_each_operation_has_what_it_must(line: Line) -> None:
    """An id of its own, a summary, answers with descriptions, the security it has."""
    found = await told(line)
    ids = [operation["operationId"] for _, _, operation in operations(found)]
    assert sorted(set(ids)) == sorted(ids)
    for _, method, operation in operations(found):
        assert operation["summary"][0].isupper()
        assert operation["security"] == [{"bearer": []}, {"session": []}]
        assert {"204" if method == "delete" else "200", "401", "403", "503"} <= set(operation["responses"])
        assert all(re.fullmatch(r"[1-5]\d\d", status) and answer["description"]
                   for status, answer in operation["responses"].items())


async def test_each_place_in_a_path_is_a_parameter_that_is_required(line: Line) -> None:
    """And no parameter is told twice (4.8.12)."""
    for path, _, operation in operations(await told(line)):
        places = [one["name"] for one in operation["parameters"] if one["in"] == "path" and one["required"]]
        every = [(one["name"], one["in"]) for one in operation["parameters"]]
        assert places == re.findall(r"\{(\w+)\}", path)
        assert len(set(every)) == len(every)


async def test_everything_that_is_referred_to_is_there(line: Line) -> None:
    """Schemas, and the schemes of security."""
    found = await told(line)
    assert [resolved(found, reference) for reference in references(found)] != []
    named = {name for _, _, operation in operations(found) for one in operation["security"] for name in one}
    assert named == set(found["components"]["securitySchemes"])


@pytest.mark.parametrize("path, query", [
    ("/api/kpis", ""), ("/api/kpis", "?ids=orders-today,revenue-today,orders-by-country"),
    ("/api/kpis/{id}", "?step=hour"), ("/api/kpis/{id}/explain", ""),
])
async def test_answers_are_of_the_shape_that_it_says(line: Line, path: str, query: str) -> None:
    """Of real numbers, with rows, series, gaps and money."""
    await line.post("orders/create", order(1, "10.00", shipping_address={"country_code": "DE"}))
    await line.work()
    found = await told(line)
    schema = found["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    answer = await line.get(path.replace("{id}", "revenue-today") + query)
    assert list(mismatches(found, schema, answer.json)) == []


@pytest.mark.parametrize("path, status", [("/api/kpis?ids=nothing", 404), ("/api/kpis/{id}?step=never", 400)])
async def test_refusals_are_of_the_shape_that_it_says(line: Line, path: str, status: int) -> None:
    """One sentence in `error`."""
    found = await told(line)
    place = path.partition("?")[0]
    schema = found["paths"][place]["get"]["responses"][str(status)]["content"]["application/json"]["schema"]
    answer = await line.get(path.replace("{id}", "orders-today"))
    assert (answer.status, list(mismatches(found, schema, answer.json))) == (status, [])


async def test_rules_and_alerts_are_of_the_shape_that_it_says(
        line: Line, settings: Settings, clock: ManualClock) -> None:
    """Every rule that comes with opsmon, one that is put, one that is wrong, and an alert that is open."""
    found = await told(line)
    await fired(line, settings, clock)
    token = {"authorization": await program(line.store, NOW_MS, ("rules", "numbers")),
             "content-type": "application/json"}
    right = {"title": "Late", "about": "orders-today", "condition": {"kind": "limit", "limit": 2}}
    for method, path, body, status in (
            ("GET", "/api/rules", {}, 200), ("PUT", "/api/rules/{rule}", right, 201),
            ("GET", "/api/rules/{rule}", {}, 200), ("PUT", "/api/rules/{rule}", {}, 422),
            ("GET", "/api/alerts", {}, 200)):
        answer = await request(line.port, method, path.replace("{rule}", "late"), orjson.dumps(body), token)
        schema = found["paths"][path][method.lower()]["responses"][str(status)]["content"]["application/json"]["schema"]
        assert (answer.status, list(mismatches(found, schema, answer.json))) == (status, [])


async def test_what_is_sent_is_told_where_something_is_sent(line: Line) -> None:
    """As JSON, for PUT alone; each kind of condition has the fields that it has."""
    found = await told(line)
    assert [(path, method) for path, method, one in operations(found) if "requestBody" in one] == [
        ("/api/rules/{rule}", "put")]
    sent = found["paths"]["/api/rules/{rule}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    kinds = resolved(found, sent["$ref"])["properties"]["condition"]["oneOf"]
    told_of = {one["$ref"].partition("Condition-")[2]: set(resolved(found, one["$ref"])["properties"]) for one in kinds}
    assert told_of == {name: {one.name for one in fields(kind)} for name, kind in CONDITIONS.items()}


async def test_each_parameter_of_a_history_is_told(line: Line) -> None:
    """As the question is read."""
    from opsmon.core.asked import PARAMETERS

    asked = (await told(line))["paths"]["/api/kpis/{id}"]["get"]["parameters"]
    assert [one["name"] for one in asked if one["in"] == "query"] == list(PARAMETERS)

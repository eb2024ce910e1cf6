"""An Odoo of our own: JSON-2 and JSON-RPC over records in memory, with the oddities that recorded ones have.

Many records share one write_date, to the microsecond; it is told in whole seconds but compared with all its
digits; it is the start of a transaction, so that a slow one appears behind what was read before; a user may
not read every model; an app that is not installed has no models.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsmon.listening import listen
from opsmon.pollers.odoo import MODELS
from opsmon.web.server import serve

KEY, DATABASE, USER, UID = "the-api-key-of-a-reader", "paper-boat", "reader@example.org", 7
_OPERATORS = {
    ">=": lambda a, b: a >= b, "=": lambda a, b: a == b, "!=": lambda a, b: a != b,
    "in": lambda a, b: a in b, "not in": lambda a, b: a not in b,
}


class Refused(Exception):
    """What Odoo raises: its name there, and what it says."""


@dataclass
class FakeOdoo:
    """A database. `uncommitted` are records of transactions under way; `asked` is what it was asked for."""

    records: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: {model: {} for model in MODELS})
    uncommitted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    fields: dict[str, set[str]] = field(
        default_factory=lambda: {model: {"id", *asked.fields} for model, asked in MODELS.items()})
    currencies: dict[int, str] = field(default_factory=lambda: {1: "EUR"})
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    broken: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def write(self, model: str, record: dict[str, Any], *, commit: bool = True) -> None:
        """Write a record, whose write_date is when its transaction began."""
        if commit:
            self.records[model][record["id"]] = record
        else:
            self.uncommitted.append((model, record))

    def commit(self) -> None:
        """End the transactions that are under way."""
        for model, record in self.uncommitted:
            self.records[model][record["id"]] = record
        self.uncommitted.clear()

    def answer(self, model: str, method: str, arguments: dict[str, Any]) -> Any:
        """What a method returns. Raises Refused."""
        self.asked.append((model, method, arguments))
        if model == "res.currency":
            return [{"id": bare, "name": name} for bare, name in self.currencies.items()]
        if model not in self.records:
            raise Refused("werkzeug.exceptions.NotFound", f"the model '{model}' does not exist")
        if model in self.denied:
            raise Refused("odoo.exceptions.AccessError", f"You are not allowed to access '{model}' records.")
        if method == "fields_get":
            return {name: {"type": "char"} for name in arguments["allfields"] if name in self.fields[model]}
        unknown = set(arguments["fields"]) - self.fields[model]
        if unknown:
            raise Refused("builtins.ValueError", f"Invalid field {min(unknown)!r} on model {model!r}")
        return self._found(model, arguments)

    def _found(self, model: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        found = [record for record in self.records[model].values()
                 if all(_OPERATORS[operator](_value(record, name), value)
                        for name, operator, value in arguments["domain"])]
        found.sort(key=lambda record: (record.get("write_date", ""), record["id"]))
        page = found[arguments.get("offset", 0):][:arguments["limit"]]
        return [{"id": record["id"]} | {name: _shown(name, record.get(name, False)) for name in arguments["fields"]}
                for record in page]


def _value(record: dict[str, Any], name: str) -> Any:
    return record.get(name, "internal" if name == "location_id.usage" else "")


def _shown(name: str, value: Any) -> Any:
    """Times as read: the digits behind the second are cut off."""
    return value.partition(".")[0] if name == "write_date" and value else value


@asynccontextmanager
async def open_odoo() -> AsyncIterator[FakeOdoo]:
    """A fake on a free port of loopback."""
    odoo = FakeOdoo()

    async def json2(request: Request) -> Response:
        if odoo.broken:
            return Response("<html>Bad Gateway</html>", odoo.broken)
        if (request.headers.get("authorization"), request.headers.get("x-odoo-database")) != (
                f"bearer {KEY}", DATABASE):
            return JSONResponse({"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}, 401)
        try:
            found = odoo.answer(request.path_params["model"], request.path_params["method"], await request.json())
        except Refused as refused:
            name, message = refused.args
            status = {"AccessError": 403, "NotFound": 404}.get(name.rpartition(".")[2], 500)
            return JSONResponse({"name": name, "message": message, "arguments": [message], "debug": "…"}, status)
        return JSONResponse(found)

    async def jsonrpc(request: Request) -> Response:
        params = (await request.json())["params"]
        if params["method"] == "authenticate":
            database, user, key, _ = params["args"]
            return _result(UID if (database, user, key) == (DATABASE, USER, KEY) else False)
        database, uid, key, model, method, _, arguments = params["args"]
        if (database, uid, key) != (DATABASE, UID, KEY):
            return _failure("odoo.exceptions.AccessDenied", "Access Denied")
        try:
            return _result(odoo.answer(model, method, arguments))
        except Refused as refused:
            name, message = refused.args
            return _failure(name, f"Object {model} doesn't exist" if name.endswith("NotFound") else message)

    app = Starlette(routes=[Route("/json/2/{model}/{method}", json2, methods=["POST"]),
                            Route("/jsonrpc", jsonrpc, methods=["POST"])])
    sockets = listen("127.0.0.1", 0, boards=False)
    odoo.port = sockets[0].getsockname()[1]
    server = serve(app, sockets, lambda: None)
    serving = asyncio.create_task(server.serve(sockets))
    try:
        yield odoo
    finally:
        server.should_exit = True
        await serving


def _result(result: Any) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": 1, "result": result})


def _failure(name: str, message: str) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": 1, "error": {
        "code": 200, "message": "Odoo Server Error", "data": {"name": name, "message": message, "debug": "…"}}})

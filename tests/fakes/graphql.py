"""As much GraphQL as an Admin API needs to be asked: read a query, cut an answer to it, count what it costs."""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|\$?[A-Za-z_]\w*|-?\d+|[{}()\[\]:!]')


class BadQuery(Exception):
    """A query that a real server would not run; the message is what it would say."""


@dataclass
class Field:
    """A selected field: its arguments as values, and what is selected of it."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)
    selection: list["Field"] = field(default_factory=list)

    @property
    def is_connection(self) -> bool:
        return any(one.name in ("nodes", "edges") for one in self.selection)


class Connection(list[Any]):
    """Items that are paged through, where a plain list is not."""


def parse(text: str, variables: dict[str, Any]) -> list[Field]:
    """The fields at the root of a query or mutation."""
    tokens = _TOKEN.findall(text)
    depth = 0
    for at, token in enumerate(tokens):  # the header: its name and the types of its variables
        depth += (token == "(") - (token == ")")
        if token == "{" and depth == 0:
            return _selection(tokens[at + 1 :][::-1], variables)
    raise BadQuery("syntax error, unexpected end of file")


def _selection(left: list[str], variables: dict[str, Any]) -> list[Field]:
    """`left` is a stack: the next token is its last."""
    found: list[Field] = []
    while (token := left.pop()) != "}":
        if token == "...":
            left.pop(), left.pop(), left.pop()  # on, the type, {
            found += _selection(left, variables)
            continue
        one = Field(token)
        if left and left[-1] == "(":
            left.pop()
            one.args = _arguments(left, variables)
        if left and left[-1] == "{":
            left.pop()
            one.selection = _selection(left, variables)
        found.append(one)
    return found


def _arguments(left: list[str], variables: dict[str, Any]) -> dict[str, Any]:
    found = {}
    while (name := left.pop()) != ")":
        left.pop()
        found[name] = _value(left.pop(), variables)
    return found


def _value(token: str, variables: dict[str, Any]) -> Any:
    if token.startswith("$"):
        return variables.get(token[1:])
    if token.startswith('"'):
        return token[1:-1].replace('\\"', '"')
    if token in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[token]
    return int(token) if re.fullmatch(r"-?\d+", token) else token


def cut(value: Any, asked: Field, path: str = "") -> Any:
    """What of a value was selected. Raises BadQuery for a field that is not there."""
    if isinstance(value, Connection):
        return _page(value, asked, path)
    if isinstance(value, list):
        return [cut(one, asked, path) for one in value[: asked.args.get("first", len(value))]]
    if not isinstance(value, dict) or not asked.selection:
        return value
    missing = [one.name for one in asked.selection if one.name not in value]
    if missing:
        raise BadQuery(f"Field '{missing[0]}' doesn't exist on type '{path or asked.name}'")
    return {one.name: cut(value[one.name], one, one.name) for one in asked.selection}


def _page(items: Connection, asked: Field, path: str) -> dict[str, Any]:
    first, after = asked.args.get("first"), asked.args.get("after")
    if first is None:
        raise BadQuery("you must provide one of first or last")
    if not 1 <= first <= 250:
        raise BadQuery("first is not within 1 and 250")
    start = int(b64decode(after)) if after else 0
    shown = {"nodes": items[start : start + first], "pageInfo": {
        "hasNextPage": start + first < len(items), "endCursor": b64encode(b"%d" % (start + first)).decode()}}
    return {one.name: [cut(item, one, path) for item in shown["nodes"]] if one.name == "nodes"
            else cut(shown[one.name], one) for one in asked.selection}


def cost(fields: list[Field]) -> int:
    """Requested points: an object 1, a connection 2 and its members, mutations 10 (shopify.dev, "API limits")."""
    return sum(_cost(one) for one in fields)


def _cost(one: Field) -> int:
    if one.name.endswith(("Create", "RunQuery")):
        return 10
    if not one.selection:
        return 0
    inner = sum(_cost(child) for child in one.selection if child.name != "pageInfo")
    if one.is_connection:
        return 2 + int(one.args.get("first") or 1) * inner
    return inner + (one.name != "edges")


def has_connection_in_list(fields: list[Field], lists: frozenset[str], *, inside: bool = False) -> bool:
    """What no bulk operation takes."""
    return any((inside and one.is_connection) or has_connection_in_list(
        one.selection, lists, inside=inside or one.name in lists) for one in fields)

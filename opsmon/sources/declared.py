"""The sources a site declares, as [[source]] tables of opsmon.toml: read, or told what is wrong with them."""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from opsmon.core.definitions import Problem
from opsmon.sources.base import Secret, SourceSettings
from opsmon.sources.kinds import KINDS

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_FIELDS = ("name", "kind", "secrets", "secrets_file")
# Doors, and parts of keys and counters, that are opsmon's own.
RESERVED = frozenset({"events", "import", "demo", "collect", "pixel", "stream", "floor"})

ReadFile = Callable[[str], str]


def read_sources(tables: Sequence[object], read_file: ReadFile) -> tuple[tuple[SourceSettings, ...], list[Problem]]:
    """The sources of all tables that are right, and what is wrong with the others.

    `read_file` returns the text of a file of secrets and raises ValueError, saying why not.
    """
    problems: list[Problem] = []
    found: list[SourceSettings] = []
    for index, table in enumerate(tables):
        wrong = [Problem(index, name, text) for name, text in _problems(table, {one.name for one in found})]
        if not wrong and isinstance(table, dict):
            try:
                found.append(_source(table, read_file))
            except ValueError as error:
                wrong = [Problem(index, "secrets_file" if "secrets_file" in table else "secrets", str(error))]
        problems += wrong
    return tuple(found), problems


def _problems(table: object, taken: set[str]) -> list[tuple[str, str]]:
    if not isinstance(table, dict):
        return [("", "expected a table headed [[source]]")]
    name, kind = table.get("name"), table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        close = get_close_matches(str(kind), KINDS, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        return [("kind", f"kind is {kind!r:.40}: expected one of {', '.join(sorted(KINDS))}{hint}")]
    wrong = []
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in RESERVED:
        wrong.append(("name", f"name is {name!r:.40}: expected small letters, digits and hyphens, at most 32, and "
                              f"none of {', '.join(sorted(RESERVED))}"))
    elif name in taken:
        wrong.append(("name", f"another source is called {name}"))
    return wrong + [(field, text) for field in table if (text := _wrong_field(field, table[field], kind))]


def _wrong_field(field: str, value: object, kind: str) -> str:
    options = KINDS[kind].options
    if field not in _FIELDS and field not in options:
        return f"no such field; {kind} has {', '.join((*_FIELDS, *options))}"
    if field == "secrets" and not (isinstance(value, str) or _is_texts(value)):
        return "secrets: expected a text or a list of texts"
    if field != "secrets" and not isinstance(value, str | int | bool):
        return f"{field}: expected a text"
    return ""


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _source(table: Mapping[str, Any], read_file: ReadFile) -> SourceSettings:
    texts = table.get("secrets", [])
    texts = [texts] if isinstance(texts, str) else list(texts)
    if "secrets_file" in table:
        texts += [line.strip() for line in read_file(str(table["secrets_file"])).splitlines() if line.strip()]
    options = {name: str(value).lower() if isinstance(value, bool) else str(value)
               for name, value in table.items() if name not in _FIELDS}
    settings = SourceSettings(table["name"], table["kind"], tuple(map(read_secret, texts)), options)
    KINDS[settings.kind](settings, "")  # says what does not fit
    return settings


_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+")


def read_secret(entry: str) -> Secret:
    """`secret`, or `shop.myshopify.com=secret` for one that is good for that shop only. Raises ValueError."""
    shop, bound, value = entry.partition("=")
    if not bound or not _SHOP.fullmatch(shop.lower()):
        shop, value = "", entry
    if len(value) < 8 or not value.isascii():
        raise ValueError("secrets of at least 8 ASCII characters")
    return Secret(value.encode(), shop.lower() or None)

"""On which line of opsmon.toml a table and its fields stand: tomllib does not tell."""

import re

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_OTHER = re.compile(r"\s*\[\[?[^\[\]]+\]\]?\s*(?:#.*)?")
_FIELD = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
_LONG_TEXT = re.compile(r'"""|' + "'''")

Lines = dict[str, int]


def lines_of(text: str, name: str = "kpi") -> list[Lines]:
    """Of each [[name]] table the lines (from 1) of its header, under '', and of its fields (`where.amount`)."""
    header = re.compile(rf"""\s*\[\[\s*["']?{name}["']?\s*\]\]\s*(?:#.*)?""")
    part_of = re.compile(rf"""\s*\[\s*["']?{name}["']?\s*\.\s*({_KEY})\s*\]\s*(?:#.*)?""")
    tables: list[Lines] = []
    table, part, long_text = Lines(), "", False
    for number, line in enumerate(text.splitlines(), 1):
        was_long, long_text = long_text, long_text ^ (len(_LONG_TEXT.findall(line)) % 2 == 1)
        if was_long:
            continue
        if header.fullmatch(line):
            table, part = {"": number}, ""
            tables.append(table)
        elif found := part_of.fullmatch(line):
            part = f"{_bare(found[1])}."
            table.setdefault(part[:-1], number)
        elif _OTHER.fullmatch(line):
            table, part = Lines(), ""
        elif found := _FIELD.match(line):
            key = part + ".".join(map(_bare, re.findall(_KEY, found[1])))
            table.setdefault(key, number)
            table.setdefault(key.partition(".")[0], number)
    return tables


def line_of(field: str, lines: Lines) -> int:
    """The line of a field, or of what it is part of, or of the table."""
    return lines.get(field) or lines.get(field.partition(".")[0]) or lines[""]


def _bare(key: str) -> str:
    return key.strip("\"'")

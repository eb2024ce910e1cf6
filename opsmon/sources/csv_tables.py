"""Text of a file -> its header and its rows, whatever program wrote it. Nothing is passed over in silence.

What a spreadsheet saves differs in encoding, delimiter and quoting. A quotation mark that is never closed
would swallow rows: such a file is broken from there on, and says so.
"""

import csv
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from typing import NamedTuple

DELIMITERS = ",;\t|"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MARK, _LOOKED_AT = "\ufeff", 200


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in a row, and what would be right; `column` is '' where it is the row itself."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.column + ' ' if self.column else ''}{self.reason}"


class Broken(ValueError):
    """A file cannot be read from this line on."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


class Row(NamedTuple):
    """One row: the line it begins in, counted from 1, and its cells."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file: its header, what divides its cells, and its rows, which are read as they are asked for."""

    header: list[str]
    delimiter: str
    rows: Iterator[Row]


def decode(raw: bytes) -> str:
    """A file's bytes as text: UTF-8 or UTF-16, each with or without its mark, else Windows-1252, else Latin-1."""
    if raw[:2] in _UTF16:
        return raw.decode("utf-16", "replace").removeprefix(_MARK)
    # Half the bytes of Latin letters in UTF-16 are nothing, and no text has such characters.
    if b"\0" in raw[:_LOOKED_AT]:
        return raw.decode("utf-16-le" if b"\0" in raw[1:_LOOKED_AT:2] else "utf-16-be", "replace")
    for encoding in ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding).removeprefix(_MARK)  # some programs write the mark twice
    return raw.decode("latin-1")


def read_table(text: str) -> Table:
    """The header and the rows that are not blank. Raises Broken, then or while rows are read."""
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter)
    header = next(rows, None)
    if header is not None and header.cells == ["sep=", ""]:  # Excel writes it above the header
        header = next(rows, None)
    if header is None:
        raise Broken(1, "the file is empty: expected a header and rows below it")
    return Table([cell.strip() for cell in header.cells], delimiter, rows)


def _delimiter(text: str) -> str:
    """The one that divides the first line into the most cells."""
    first = next((line for line in StringIO(text, newline="") if line.strip()), "").rstrip("\r\n")
    if first[:4] == "sep=" and len(first) == 5:
        return first[4]
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), [])))


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    taken: list[str] = []
    reader = csv.reader(_noted(text, taken), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if len(taken) > 1:  # a text of several lines, or a quotation mark too many that swallowed them
                next(csv.reader(taken, delimiter=delimiter, strict=True))
            if any(cell.strip() for cell in cells):
                yield Row(line, cells)
            taken.clear()
            line = reader.line_num + 1
    except csv.Error:
        raise Broken(line, "a quotation mark is opened in this row and not closed where a cell ends: from here on "
                           "nothing can be told apart, so the whole file is left out") from None


def _noted(text: str, taken: list[str]) -> Iterator[str]:
    """The lines of a text; those that the present row consists of are in `taken`."""
    for line in StringIO(text, newline=""):
        taken.append(line)
        yield line

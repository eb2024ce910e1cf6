"""How files of a kind are read, kept in the data folder under a name: for the spreadsheet that comes every week."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from opsmon.core.errors import OpsmonError
from opsmon.sources.csv_columns import TABLES
from opsmon.store.data_dir import DataDir

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_FOLDER = "import-columns"


@dataclass(frozen=True, slots=True)
class SavedColumns:
    """What was saved: the kind of table, field -> header, and what else says how its cells are to be read."""

    table: str
    columns: Mapping[str, str]
    time_format: str = ""
    currency: str | None = None
    cancel_prefix: str | None = None

    def __str__(self) -> str:
        others = {"time-format": self.time_format, "currency": self.currency, "cancel-prefix": self.cancel_prefix}
        said = [f"{name}={column}" for name, column in self.columns.items()]
        said += [f"--{name} {value!r}" for name, value in others.items() if value]
        return f"{self.table}: {', '.join(said)}"


def is_name(text: str) -> bool:
    """Whether columns can be saved under it; it is a file's name too."""
    return _NAME.fullmatch(text) is not None


def save(data: Path, name: str, saved: SavedColumns) -> None:
    """Keep it, in the place of what had the name. Raises OpsmonError."""
    folder = data / _FOLDER
    try:
        DataDir(data).make()
        folder.mkdir(mode=0o700, exist_ok=True)
        written = folder / f"{name}.json.new"
        written.write_text(json.dumps(asdict(saved), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.replace(folder / f"{name}.json")
    except OSError as error:
        raise OpsmonError(f"the columns cannot be saved in {folder}: {error.strerror}") from None


def load(data: Path, name: str) -> SavedColumns:
    """What was saved under a name. Raises OpsmonError, naming those that there are."""
    path = data / _FOLDER / f"{name}.json"
    if not is_name(name) or not path.is_file():
        known = ", ".join(names(data)) or "none"
        raise OpsmonError(f"no columns are saved as {name[:40]}; saved are {known}")
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise OpsmonError(f"{path} is no file of saved columns: save them again with --save-columns {name}") from None


def names(data: Path) -> list[str]:
    """The names that columns are saved under."""
    return sorted(path.stem for path in (data / _FOLDER).glob("*.json") if is_name(path.stem))


def _read(found: Mapping[str, object]) -> SavedColumns:
    table, columns = found["table"], found["columns"]
    if not isinstance(columns, dict) or not isinstance(table, str) or not set(columns) <= set(TABLES[table]):
        raise ValueError
    if not all(isinstance(text, str) for text in columns.values()):
        raise ValueError
    return SavedColumns(table, columns, _text(found["time_format"]) or "", _text(found.get("currency")),
                        _text(found.get("cancel_prefix")))


def _text(found: object) -> str | None:
    if found is not None and not isinstance(found, str):
        raise ValueError
    return found

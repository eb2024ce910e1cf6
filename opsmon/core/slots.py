"""What a place on a board may say of its number: a title, a filter, what it is compared with, limits for its colour.

A slot with options is another slot than the plain one of the same KPI: it is read and drawn apart, and shared by all
boards that say the same of it. So its id holds a digest of them.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

# S is a number in passing; M is one number; L is read from far away; wide holds a chart or a list.
Size = Literal["S", "M", "L", "wide"]
# live: as it happens. near: at most every 30 s. batch: when a board is opened, hourly, and with a new day.
Cadence = Literal["live", "near", "batch"]
# The same weekday a week ago, the day before, or nothing.
Compare = Literal["week", "yesterday", "none"]
# How loud a text is.
Level = Literal["plain", "note", "important"]


@dataclass(frozen=True, slots=True)
class Options:
    """What one place says of its KPI. `only`: (field, value) pairs that narrow what is counted. `warn` and `critical`
    are limits as people write them ('1000', '5 %', '24 h'); a value beyond is marked, or below if `is_lowest`. Of tiles
    without a number (parts.py): a `text`, its `level` and until when it is shown, the `zone` of a clock."""

    title: str = ""
    only: tuple[tuple[str, str], ...] = ()
    compare: Compare = "week"
    warn: str = ""
    critical: str = ""
    is_lowest: bool = False
    text: str = ""
    level: Level = "plain"
    until: str = ""
    zone: str = ""

    @property
    def has_limits(self) -> bool:
        """Whether a value may be marked."""
        return bool(self.warn or self.critical)

    @property
    def mark(self) -> str:
        """What tells these options from others; '' for none."""
        return "" if self == PLAIN else blake2b(repr(self).encode(), digest_size=4).hexdigest()


PLAIN = Options()


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on a board: which KPI, or which tile without a number (parts.py), how large, and what is said of it."""

    kpi: str
    size: Size = "M"
    options: Options = PLAIN

    @property
    def key(self) -> str:
        """What tells a place from the others of its board; stays the same wherever it is moved."""
        return "_".join(filter(None, (self.kpi, self.options.mark)))

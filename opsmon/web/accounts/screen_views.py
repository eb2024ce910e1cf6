"""What the pages of screens are made of."""

from dataclasses import dataclass
from typing import Literal

from opsmon.web.accounts.qr import QrView


@dataclass(frozen=True, slots=True)
class PairView:
    """What a screen shows that is not let in yet: `code` in two halves, where it is to be typed ('' when that is
    not known), until when it is good. `trouble`: why there is no code now."""

    code: str = ""
    address: str = ""
    until: str = ""
    qr: QrView | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class BoardChoice:
    """A board that a screen may show."""

    id: str
    title: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ScreenFields:
    """What is said of a screen: `id` tells the fields of several apart; `wrong` is what is wrong, by field."""

    id: str
    name: str
    boards: tuple[BoardChoice, ...]
    sees_money: bool
    wrong_name: str = ""
    wrong_boards: str = ""


@dataclass(frozen=True, slots=True)
class ApproveView:
    """The form that lets a screen in."""

    code: str
    fields: ScreenFields
    wrong_code: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ScreenView:
    """A screen of the list."""

    id: str
    name: str
    version: int
    state: Literal["new", "there", "lost"]
    seen: str
    shows: str
    paired: str
    fields: ScreenFields
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ScreensView:
    """All screens, as of an instant."""

    as_of: str
    screens: tuple[ScreenView, ...]
    done: str = ""
    trouble: str = ""

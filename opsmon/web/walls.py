"""What the address of a wall asks for: which boards, read from how far, with or without money, how long each page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from opsmon.core.access import Sight
from opsmon.core.boards import HOME, Board, shape_of
from opsmon.core.catalogue import Catalogue
from opsmon.core.walls import MOST_PAGES, Fit, Letters, Wall, letters_for, metres_read, wall_of
from opsmon.web.feed import Feed, slots_of
from opsmon.web.filters import filters_of
from opsmon.web.languages import N_
from opsmon.web.planning import BAND_SLOT, open_slot
from opsmon.web.seeing import is_seen, seen_board
from opsmon.web.wording import Wording

LEAST_TURN_S = 20
# What the stream of the page of alerts asks for.
ALERTS_VIEW = "alerts"
_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?", re.ASCII)
_FITS: dict[str, Fit] = {"many": "many", "some": "some", "few": "few"}
_BETWEEN = re.compile(r"[+ ]")  # in the query of an address a + is a blank


@dataclass(frozen=True, slots=True)
class Screen:
    """What is known of a wall's screen: its diagonal and how far away it is read; None: not told."""

    inches: float | None = None
    metres: float | None = None

    @property
    def letters(self) -> Letters:
        """How large its letters are."""
        return letters_for(self.inches, self.metres)


@dataclass(frozen=True, slots=True)
class WallAsked:
    """A wall as its address asks for it."""

    boards: tuple[str, ...]
    screen: Screen
    has_money: bool
    turn_s: int


def read_wall(name: str, query: Mapping[str, str], screen: Screen) -> WallAsked:
    """Read an address; what it leaves open is as the site's `screen` has it. Raises ValueError with a sentence."""
    boards = tuple(dict.fromkeys(_BETWEEN.split(name)))
    if len(boards) > MOST_PAGES:
        raise ValueError(N_("A wall turns at most three boards, like /wall/sales+operations+technology."))
    inches = _length(query, "inches", screen.inches, 10, 200)
    metres = _length(query, "metres", screen.metres, 0.5, 50)
    money = query.get("money", "on")
    if money not in ("on", "off"):
        raise ValueError(N_("money: expected on or off, like /wall/sales?money=off."))
    return WallAsked(boards, Screen(inches, metres), money == "on", _turn_s(query.get("turn", "")))


def shown_on(asked: WallAsked, boards: Mapping[str, Board], catalogue: Catalogue, seen: frozenset[Sight]) -> Wall:
    """What stands on that wall, of boards that are there, for somebody who sees this."""
    return _wall(asked.boards, asked.screen.letters.fit, _seen(seen, asked.has_money), boards, catalogue)


def slots_on(wall: Wall) -> frozenset[str]:
    """Every slot of a wall's page, its health line, set-up and the band among them."""
    return frozenset({"health", "setup", BAND_SLOT, *(place.placed.id for page in wall.pages for place in page.places)})


def live_query(asked: WallAsked) -> str:
    """What the address of its stream says of a wall."""
    money = "" if asked.has_money else "&money=off"
    return f"&board={quote('+'.join(asked.boards), safe='')}&fit={asked.screen.letters.fit}{money}"


@dataclass(frozen=True, slots=True)
class Showing:
    """What a stream sends: the slots of these boards, in the version of them that its page was made of."""

    boards: tuple[str, ...]
    shape: str
    slots: frozenset[str]


def showing(query: Mapping[str, str], feed: Feed, seen: frozenset[Sight]) -> Showing | None:
    """What a stream may send, by the query of its address, to somebody who sees this; None when a board is not there.
    On a wall where money is left out no tile that counts in it is among the slots, so no amount leaves the server."""
    is_wall = query.get("view") == "wall"
    name = query.get("board", HOME)
    names = tuple(dict.fromkeys(_BETWEEN.split(name))) if is_wall else (name,)
    if query.get("view") == ALERTS_VIEW:
        return Showing((), "", frozenset({"health", open_slot(seen)}))
    shape = shape_now(names, feed)
    if shape is None:
        return None
    only = filters_of(query, feed.catalogue)
    narrow = {one: feed.narrow(feed.boards[one], only) for one in names}
    if not is_wall:
        visible = seen_board(narrow[name], is_seen(seen, feed.catalogue))
        return Showing(names, shape, slots_of(visible, query.get("view", "")))
    fit = _FITS.get(query.get("fit", ""), "many")
    wall = _wall(names, fit, _seen(seen, query.get("money") != "off"), narrow, feed.catalogue)
    return Showing(names, shape, slots_on(wall))


def shape_now(names: Sequence[str], feed: Feed) -> str | None:
    """Which version of these boards there is now; None when one of them is not there."""
    known = feed.boards
    return shape_of(known[name] for name in names) if all(name in known for name in names) else None


def _seen(seen: frozenset[Sight], has_money: bool) -> frozenset[Sight]:
    """A wall hangs where everybody walks by: nobody's name is on it, whoever opened it."""
    return seen - ({"names"} if has_money else {"names", "money"})


def _wall(names: tuple[str, ...], fit: Fit, seen: frozenset[Sight], boards: Mapping[str, Board], catalogue: Catalogue
          ) -> Wall:
    return wall_of([boards[name] for name in names], fit, is_seen(seen, catalogue))


def says_too_small(screen: Screen, wording: Wording) -> str:
    """What to say of letters that would have to be larger than there is room for; '' when they are as asked."""
    letters = screen.letters
    if not letters.are_too_small or screen.inches is None or screen.metres is None:
        return ""
    reach = metres_read(screen.inches, letters.tenths / 10)
    return wording.say(
        "Letters for %(metres)s m on %(inches)s″ would be %(asked)s %% of the height: these are read from %(reach)s m",
        metres=wording.number(screen.metres), inches=wording.number(screen.inches),
        asked=wording.number(round(letters.asked_vh)), reach=wording.number(round(reach, 1)))


def _length(query: Mapping[str, str], name: str, usual: float | None, least: float, most: float) -> float | None:
    text = query.get(name, "")
    if not text:
        return usual
    value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else 0.0
    if not least <= value <= most:
        raise ValueError(N_("inches and metres: expected the diagonal of the screen from 10 to 200 and how far away "
                            "it is read from 0.5 to 50, like /wall/sales?inches=55&metres=5."))
    return value


def _turn_s(text: str) -> int:
    if not text:
        return LEAST_TURN_S
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or int(text) < LEAST_TURN_S:
        raise ValueError(N_("turn: expected how many seconds each page stays, 20 at least, like /wall/sales?turn=30."))
    return int(text)

"""What the pages of the desk receive: what a search found, and the list of keys."""

from dataclasses import dataclass

from opsmon.web.languages import N_
from opsmon.web.views import shown


@dataclass(frozen=True, slots=True)
class FoundView:
    """One thing that was found."""

    kind: str = shown("what it is: 'Board', 'Number', 'Source', 'Page'")
    title: str = shown("its name")
    url: str = shown("where it is")
    text: str = shown("a line about it, '' if none")


@dataclass(frozen=True, slots=True)
class SearchView:
    """A question and what fits it."""

    question: str = shown("what was asked for, as typed; '' before anything was")
    said: str = shown("one sentence: how many fit, or that none does and what is spelt alike")
    found: tuple[FoundView, ...] = shown("best first")


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key and what it does."""

    key: str = shown("as it stands on the keyboard: '/'")
    does: str = shown("what it does, to be said in the reader's language")


KEYS = (
    KeyView("/", N_("Search boards, numbers, sources and pages")),
    KeyView("?", N_("This list of keys")),
    KeyView("1 … 9", N_("The first board, the second, and so on")),
    KeyView("p", N_("Pause updates, and go on")),
    KeyView("t", N_("Light or dark")),
)

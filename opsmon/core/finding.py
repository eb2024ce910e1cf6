"""Finding things by a few words, forgivingly: beginnings of words, in any order, whatever their case and accents.

Every word of the question has to begin a word of what is found; a title counts more than an id, an id more than
the words around them. Where nothing fits, what is spelt alike is offered.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal
from unicodedata import combining, normalize

Kind = Literal["board", "number", "source", "page"]
LONGEST = 100
_KINDS: tuple[Kind, ...] = ("board", "page", "source", "number")
_WORD = re.compile(r"[^\W_]+")
# Letters that decompose into nothing, though people type them so.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_TITLE, _ID, _ABOUT = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Findable:
    """Something with an address. `about` is what else is said of it: it is found by these words too."""

    kind: Kind
    id: str
    title: str
    url: str
    about: str = ""


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: 'Café-Größe' is cafe and grosse."""
    # A sign that stands for a capital letter is one only when it is taken apart: so first that, then the case.
    decomposed = normalize("NFKD", normalize("NFKD", text).casefold())
    return _WORD.findall("".join(one for one in decomposed if not combining(one)).translate(_PLAIN))


def find(question: str, among: Sequence[Findable], most: int) -> list[Findable]:
    """What fits, best first, at most `most`; among equals boards, then pages, sources and numbers, in their order."""
    asked = words_of(question[:LONGEST])
    if not asked:
        return []
    scored = [(_score(asked, one), one) for one in among]
    fitting = [(score, one) for score, one in scored if score]
    fitting.sort(key=lambda pair: (-pair[0], _KINDS.index(pair[1].kind)))
    return [one for _, one in fitting[:most]]


def alike(question: str, among: Sequence[Findable], most: int) -> list[Findable]:
    """What is spelt alike in a word of its title or id: for questions that nothing fits."""
    known: dict[str, list[Findable]] = {}
    for one in among:
        for word in dict.fromkeys([*words_of(one.title), *words_of(one.id)]):
            known.setdefault(word, []).append(one)
    close = [word for asked in words_of(question[:LONGEST]) for word in get_close_matches(asked, known, n=3)]
    return list(dict.fromkeys(one for word in close for one in known[word]))[:most]


def _score(asked: Sequence[str], one: Findable) -> int:
    """How well it fits; 0 where a word of the question fits nothing of it."""
    places = ((_TITLE, words_of(one.title)), (_ID, words_of(one.id)), (_ABOUT, words_of(f"{one.kind} {one.about}")))
    found = [max((weight * _closeness(word, words) for weight, words in places), default=0) for word in asked]
    if not all(found):
        return 0
    title = places[0][1]
    begins = title[:len(asked)] == list(asked) or (len(title) >= len(asked) and _begins(asked, title))
    return sum(found) * 4 + 3 * begins + 2 * (title == list(asked))


def _closeness(word: str, words: Iterable[str]) -> int:
    """2 for the word itself, 1 for its beginning, 0 for neither."""
    return max((2 if other == word else 1 for other in words if other.startswith(word)), default=0)


def _begins(asked: Sequence[str], title: Sequence[str]) -> bool:
    return all(word.startswith(part) for part, word in zip(asked, title, strict=False))

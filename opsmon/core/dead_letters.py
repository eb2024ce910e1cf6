"""What a person sees of dead letters: the reasons that are one, JSON over lines, headers without their secrets."""

import re
from collections.abc import Mapping
from hashlib import blake2b

# What differs from letter to letter: a quoted value (the end of it may be cut off), a list or an object, and words
# with a digit: numbers, ids, dates, hashes.
_DETAIL = re.compile(
    r"""(?<![\w…])(["'`])(?:\\.|(?!\1).)*(?:\1|$)"""
    r"""|\[.*\]|\{.*\}|[\[{].*$"""
    r"""|(?<![\w.:/@+%#-])[\w.:/@+%#-]*\d[\w.:/@+%#-]*""", re.DOTALL)
_SEVERAL = re.compile(r"[+-]?…(?:[\s,:;.+-]*…)*")
_LONGEST = 160
_SECRET = re.compile(r"auth|cookie|hmac|signature|token|secret|password|credential|key", re.IGNORECASE)
_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_OPEN, _CLOSE = frozenset("{["), frozenset("}]")
# Deeper lines are not moved further: rubbish that is nested a thousand deep would become a page of blanks.
_DEEPEST = 24


def group_of(reason: str) -> str:
    """The sentence that reasons have in common: without quoted values, numbers, ids and dates.

    Two letters with the same sentence are held for the same reason. The sentence of a sentence is itself.
    """
    # Only the beginning is looked at, so that what is cut off cannot tell two reasons apart.
    words = " ".join(reason[: 4 * _LONGEST].split())
    while (blanked := _SEVERAL.sub("…", _DETAIL.sub("…", words)).strip()) != words:
        words = blanked
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1].rstrip(" …+-") + "…"


def group_id(sentence: str) -> str:
    """A short name of such a sentence, for addresses and the command line."""
    return blake2b(sentence.encode("utf-8", "replace"), digest_size=4).hexdigest()


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers to be shown: of one that may be a secret only the length."""
    return {name: f"… ({len(value)} characters, not shown)" if _SECRET.search(name) else value
            for name, value in headers.items()}


def indented(text: str) -> str:
    """JSON over several lines. Its words stay as they were sent: a number of 30 digits keeps them all."""
    made: list[str] = []
    depth, before = 0, ""
    for word in _WORD.findall(text):
        closes = word in _CLOSE
        depth -= closes
        if closes != (before in _OPEN) or before == ",":
            made.append("\n" + "  " * min(depth, _DEEPEST))
        made.append(": " if word == ":" else word)
        depth += word in _OPEN
        before = word
    return "".join(made)

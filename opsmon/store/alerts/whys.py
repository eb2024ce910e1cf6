"""Why something was not delivered, as it is stored: with what its sentence was made of, so that it can be said in any
language."""

import orjson

from opsmon.core.said import Said

# A sentence that was made of values is a list: its text, and they.
_BEGINS = '["'


def keep_why(why: str) -> str:
    """A sentence as it is stored; `read_why` reads the same back."""
    values = why.values if isinstance(why, Said) else {}
    return orjson.dumps([why.text, values]).decode() if isinstance(why, Said) and values else str(why)


def read_why(stored: str) -> str:
    """The sentence that was stored; what an older opsmon wrote is as it was."""
    if not stored.startswith(_BEGINS):
        return stored
    try:
        text, values = orjson.loads(stored)
        return Said(text, **values)
    except (ValueError, TypeError, KeyError):
        return stored

"""Codes that a screen shows and somebody types: eight characters that are told apart at a glance. Pure."""

import re
from hashlib import sha256

# Nothing that looks like another (0 O, 1 I L, 2 Z, 5 S, 8 B, U V) and too few vowels for words: 25^8 codes, 37 bits
# (RFC 8628, 6.1: a code is short because tries are bounded and it is soon over).
ALPHABET = "23456789ACDFGHJKMNPQRTWXY"
LENGTH = 8
_BETWEEN = re.compile(r"[\s\-–—.]+")


def code_of(secret: str) -> str:
    """The code of a waiting screen, made of its secret, so that nobody else can come and fetch what it was given.

    Threat: a code that tells its secret, or that is guessed (RFC 8628, 5.1).
    """
    number = int.from_bytes(sha256(f"pairing code of {secret}".encode()).digest())
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(digits)


def written(code: str) -> str:
    """A code as it is shown: 'K7QM-4RTX'."""
    return f"{code[:LENGTH // 2]}-{code[LENGTH // 2:]}"


def code_in(text: str) -> str:
    """The code that somebody typed, whatever is between its halves; '' for what cannot be one."""
    code = _BETWEEN.sub("", text).upper()
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else ""

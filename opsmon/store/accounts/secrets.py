"""Secrets that are given out: made here, never kept. The store has their hashes, so that a copy of it opens nothing
(threats: stolen backup, stolen session; OWASP ASVS 5, 7.2 and 11.4)."""

import secrets
from hashlib import sha256

_BYTES = 32


def new_secret() -> str:
    """256 bits from the system's generator, as 43 characters that are safe in URLs, cookies and headers.

    Threat: a secret that is guessed (CWE-330).
    """
    return secrets.token_urlsafe(_BYTES)


def hashed(secret: str) -> str:
    """What is kept of a secret. 256 random bits need neither salt nor a slow hash: there is nothing to guess.

    Threat: a stolen copy of the store (CWE-522).
    """
    return sha256(secret.encode()).hexdigest()

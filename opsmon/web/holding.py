"""How long a connection may be held, and how many by one sender: the bounds, and who holds how many."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from opsmon.web.addresses import place_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection may cost (threat: slowloris, slow bodies, slow reading; CWE-400, OWASP ASVS 5, 13.1.3).

    Headers are whole within `headers_s`; a body comes, and an answer goes, at `least_bytes_s` at least once
    `body_s` or `answer_s` are over; in between a connection idles for `idle_s`. Looked at every `look_every_s`.
    """

    headers_s: float = 5.0
    body_s: float = 5.0
    answer_s: float = 5.0
    idle_s: float = 5.0
    least_bytes_s: int = 1024
    look_every_s: float = 1.0
    header_bytes: int = 32 * 1024
    most_each: int = 50


class Crowd:
    """How many connections each sender holds; `excepted` says of an address whether it may hold any number.

    Threat: one who holds all connections (CWE-400).
    """

    def __init__(self, most_each: int, excepted: Callable[[str], bool]) -> None:
        self._most_each, self._excepted = most_each, excepted
        self._held: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count one more; whether it may stay. Each that enters leaves."""
        place = place_of(address)
        self._held[place] += 1
        return self._held[place] <= self._most_each or self._excepted(address)

    def leave(self, address: str) -> None:
        """Count one less."""
        place = place_of(address)
        self._held[place] -= 1
        if not self._held[place]:
            del self._held[place]

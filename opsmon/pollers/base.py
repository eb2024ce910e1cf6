"""The port of a poller: something that is asked again and again, because webhooks alone are never complete."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PollResult:
    """One round: how many were found, how many of them were new to us, and what went wrong ('': nothing)."""

    found: int
    new: int
    error: str = ""


class Poller(Protocol):
    """Something asked every `every_ms`. Its cursor is in the store, so that a round may be repeated."""

    name: str
    every_ms: int

    async def poll(self, now_ms: int) -> PollResult:
        """Ask once, append what is new, remember how far. Raises only the store's errors: what the vendor did
        wrong is in the result."""
        ...

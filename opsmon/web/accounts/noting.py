"""What somebody did by a page, written into the audit with who they are and where they sat."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from opsmon.core.access import LOCAL, Who
from opsmon.store.accounts.audit import Deed
from opsmon.web.doors import WHO


@dataclass(frozen=True, slots=True)
class Noting:
    """Writes deeds down that change no account (those write their line themselves)."""

    write: Callable[[Deed], Awaitable[None]]

    async def note(self, request: Request, what: str, about: str, name: str = "",
                   before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None) -> None:
        """One line for one change, after it was made (threat: repudiation; OWASP ASVS 5, 16.3). Each call is one."""
        deed = Deed(who_of(request), what, about, name, before, after, address_of(request))
        await self.write(deed)


def who_of(request: Request) -> Who:
    """Who sent a request that a guard let in."""
    who: Who | None = request.scope.get(WHO)
    return who if who is not None else LOCAL


def address_of(request: Request) -> str:
    """From where a request came."""
    return request.client.host if request.client else ""

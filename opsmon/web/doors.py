"""A door is a URL with its audience: none is declared without one, and each asks who comes before it opens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isroutine
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from opsmon.core.access import Audience, Who, may

# How somebody is turned away who may not come in.
Refuse = Callable[[Scope, Receive, Send, Who | None], Awaitable[None]]
# What is asked of a request that would change something; raises HTTPException.
Check = Callable[[Scope, Receive], Awaitable[None]]
# In a request's scope: who sends it, and how many bytes its door takes.
WHO = "opsmon.who"
MOST_BYTES = "opsmon.most_bytes"
# In a request's scope: whether it came to the port for the internet, where there are no boards.
PUBLIC_SIDE = "opsmon.public_side"
HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Door:
    """A URL, what answers it, and whom. `zipped`: text that is worth compressing. `is_public`: found on the port for
    the internet too, where there is one of its own. `most_bytes`: of a form or a body that changes something."""

    path: str
    answer: Callable[..., Any]
    audience: Audience
    methods: tuple[str, ...] = ("GET",)
    zipped: bool = False
    is_public: bool = False
    most_bytes: int = FORM_BYTES


class Guard:
    """Lets an audience in and turns everybody else away (threat: broken access control, OWASP Top 10 2021 A01); what
    would change something is checked once more (changing.py)."""

    def __init__(self, app: ASGIApp, door: Door, refuse: Refuse, check: Check) -> None:
        self._app, self._door, self._refuse, self._check = app, door, refuse, check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = scope.get(WHO)
        if not may(who, self._door.audience):
            await self._refuse(scope, receive, send, who)
            return
        scope[MOST_BYTES] = self._door.most_bytes
        if scope["method"] not in HARMLESS:
            await self._check(scope, receive)
        await self._app(scope, receive, send)


def route_of(door: Door, refuse: Refuse, check: Check) -> Route:
    """A door as Starlette has it: guarded, then packed."""
    zipped = [Middleware(GZipMiddleware, minimum_size=500)] if door.zipped else []
    return Route(door.path, door.answer, methods=_methods(door),
                 middleware=[Middleware(Guard, door, refuse, check), *zipped])


def _methods(door: Door) -> list[str] | None:
    """Of what is an ASGI app itself, all: it answers the others."""
    return list(door.methods) if isroutine(door.answer) else None

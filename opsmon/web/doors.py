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
WHO = "opsmon.who"


@dataclass(frozen=True, slots=True)
class Door:
    """A URL, what answers it, and whom. `zipped`: text that is worth compressing. `is_public`: found on the port for
    the internet too, where there is one of its own."""

    path: str
    answer: Callable[..., Any]
    audience: Audience
    methods: tuple[str, ...] = ("GET",)
    zipped: bool = False
    is_public: bool = False


class Guard:
    """Lets an audience in and turns everybody else away (threat: broken access control, OWASP Top 10 2021 A01)."""

    def __init__(self, app: ASGIApp, audience: Audience, refuse: Refuse) -> None:
        self._app, self.audience, self._refuse = app, audience, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = scope.get(WHO)
        if may(who, self.audience):
            await self._app(scope, receive, send)
        else:
            await self._refuse(scope, receive, send, who)


def route_of(door: Door, refuse: Refuse) -> Route:
    """A door as Starlette has it: guarded, then packed."""
    zipped = [Middleware(GZipMiddleware, minimum_size=500)] if door.zipped else []
    return Route(door.path, door.answer, methods=_methods(door),
                 middleware=[Middleware(Guard, door.audience, refuse), *zipped])


def _methods(door: Door) -> list[str] | None:
    """Of what is an ASGI app itself, all: it answers the others."""
    return list(door.methods) if isroutine(door.answer) else None

"""What is settled before any door is asked: who really sent a request, and which doors its port has.

Threats: a sender who writes into a header that it is somebody else, to be counted as somebody else (CWE-348); boards
that are reached where only webhooks were meant to be (CWE-668).
"""

from collections.abc import Collection, Iterable, Sequence

from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from opsmon.web.addresses import Networks, read_address
from opsmon.web.bodies import answer
from opsmon.web.doors import PUBLIC_SIDE, Door

_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"
_NOT_HERE = "This port takes webhooks and events. The boards are on another one.\n"
# What machines ask for, whoever they are: each checks its sender itself.
_PUBLIC_PATHS = ("/webhooks/", "/ingest/", "/static/")


class Edge:
    """`proxies` are believed about whom they speak for. On the port `public_port`, if there is one, only `doors` that
    are public are found, and what vendors and pages send to.

    Threats: a sender who says that it is somebody else (CWE-348), a board found where none was meant (CWE-668).
    """

    def __init__(self, app: ASGIApp, proxies: Networks, public_port: int | None, doors: Sequence[Door],
                 paths: Collection[str]) -> None:
        self._app, self._proxies, self._public_port = app, proxies, public_port
        self._paths = frozenset(paths)
        self._public = [compile_path(door.path)[0] for door in doors if door.is_public]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        client, server = scope["client"], scope["server"]
        if client is not None and self._proxies.hold(client[0]):
            believe(scope, self._proxies)
        if self._public_port is not None and server is not None and server[1] == self._public_port:
            scope[PUBLIC_SIDE] = True
            if not self._is_public(scope["path"]):
                await answer(send, 404, _NOT_HERE)
                return
        await self._app(scope, receive, send)

    def _is_public(self, path: str) -> bool:
        return path.startswith(_PUBLIC_PATHS) or path in self._paths or any(one.match(path) for one in self._public)


def believe(scope: Scope, proxies: Networks) -> None:
    """Put into a scope what a trusted proxy says of its client: the right-most address that is no proxy itself, for
    everything before it was written by somebody else, and whether it spoke TLS.

    Threat: a sender who says that it is somebody else (CWE-348; RFC 7239, 8.1).
    """
    said = [value for name, value in scope["headers"] if name in (_FOR, _PROTO)]
    if not said:
        return
    forwarded = b",".join(value for name, value in scope["headers"] if name == _FOR).decode("latin-1")
    address = _client(reversed(forwarded.split(",")), proxies)
    if address:
        scope["client"] = (address, 0)
    protocol = b",".join(value for name, value in scope["headers"] if name == _PROTO).rpartition(b",")[2].strip()
    if protocol.lower() == b"https":
        scope["scheme"] = "https"


def _client(nearest_first: Iterable[str], proxies: Networks) -> str:
    found = ""
    for text in nearest_first:
        address = read_address(text.strip())
        if address is None:
            break
        found = str(address)
        if not proxies.hold(found):
            break
    return found

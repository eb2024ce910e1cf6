"""Sockets to listen on, bound before anything else starts, so that a taken port is told at once."""

import socket
from contextlib import ExitStack
from errno import EACCES, EADDRINUSE

from opsmon.core.errors import OpsmonError

# Bound to one of these (the last are all addresses), http://127.0.0.1 is answered.
_REACH_BOARDS = ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104 - compared only


def listen(host: str, port: int, *, boards: bool, public: tuple[str, int] | None = None) -> list[socket.socket]:
    """Bind `host`, 127.0.0.1 too when boards are served and `host` does not reach them there, and `public`: an address
    and a port for the internet.

    Raises OpsmonError when a port is taken or an address is not this machine's.
    """
    with ExitStack() as stack:
        found = [stack.enter_context(_bind(host, port))]
        if boards and found[0].getsockname()[0] not in _REACH_BOARDS:
            found.append(stack.enter_context(_bind("127.0.0.1", found[0].getsockname()[1])))
        if public is not None:
            found.append(stack.enter_context(_bind(*public)))
        stack.pop_all()
        return found


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as stack:
            listener = stack.enter_context(socket.socket(family))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
            stack.pop_all()
            return listener
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise OpsmonError(f"cannot listen on {host} port {port}: {why}. {_help(error)}") from None


def _help(error: Exception) -> str:
    taken = isinstance(error, OSError) and error.errno in (EADDRINUSE, EACCES)
    return "Choose another with --port." if taken else "Choose another with --host."

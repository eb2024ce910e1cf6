"""Sockets to listen on, bound before anything else starts, so that a taken port is told at once."""

import socket
from contextlib import ExitStack
from errno import EACCES, EADDRINUSE

from opsmon.core.errors import OpsmonError

# Bound to one of these (the last are all addresses), http://127.0.0.1 is answered.
_REACH_BOARDS = ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104 - compared only


def listen(host: str, port: int, *, boards: bool) -> list[socket.socket]:
    """Bind `host`, and 127.0.0.1 too when boards are served and `host` does not reach them there.

    Raises OpsmonError when the port is taken or the address is not this machine's.
    """
    listener = _bind(host, port)
    if not boards or listener.getsockname()[0] in _REACH_BOARDS:
        return [listener]
    try:
        return [listener, _bind("127.0.0.1", listener.getsockname()[1])]
    except OpsmonError:
        listener.close()
        raise


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

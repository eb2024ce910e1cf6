"""Ask a server on a unix socket whether it is ready, and whose its data are, without a client library: the supervisor
stays small."""

import socket
from pathlib import Path
from typing import Literal

Answer = Literal["ready", "loading", "silent"]


def ping(socket_path: Path, timeout_s: float = 1.0) -> Answer:
    """Send PING once. `loading`: it lives and reads its files; `silent`: nobody answers there yet."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(socket_path))
            connection.sendall(b"PING\r\n")
            reply = connection.recv(64)
    except OSError:
        return "silent"
    # Any other error, such as MISCONF, comes from a server that answers: clients will hear it themselves.
    return "loading" if reply.startswith(b"-LOADING") else "ready" if reply else "silent"


def hash_field(socket_path: Path, key: str, field: str, timeout_s: float = 1.0) -> str | None:
    """A short field of a hash; None when it is not there or nobody answers. `key` and `field` have no spaces."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(socket_path))
            connection.sendall(f"HGET {key} {field}\r\n".encode())
            reply = connection.recv(256).decode()
    except (OSError, ValueError):
        return None
    return reply.split("\r\n")[1] if reply.startswith("$") and not reply.startswith("$-1") else None

"""Sockets to listen on, bound before anything else starts, so that a taken port is told at once."""

import socket
from ipaddress import ip_address

from opsmon.core.errors import OpsmonError


def listen(host: str, port: int, *, boards: bool) -> list[socket.socket]:
    """Bind `host`, and loopback too when boards are served and `host` is another address.

    Raises OpsmonError when the port is taken or the address is not this machine's.
    """
    hosts = [host] if not boards or _covers_loopback(host) else [host, "127.0.0.1"]
    return [_bind(name, port) for name in hosts]


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        raise OpsmonError(f"cannot listen on {host} port {port}: {error.strerror or error}. "
                          "Choose another with --port.") from None
    return listener


def _covers_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified

"""The one way out: every HTTP request that opsmon makes to an address somebody typed in.

Threat: an address that makes opsmon ask what only it can reach: this machine, the network around it, a cloud's
metadata (SSRF, OWASP Top 10 2021 A10; CWE-918). So: https alone, to public addresses alone unless the admin allows a
network; a name is asked for once, every address it has must pass, and the one that passed is connected to, so that a
name that means another address a moment later (DNS rebinding, CWE-350) leads nowhere; redirects are not followed, and
no more is read of an answer than can be told.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from opsmon.core.said import Said
from opsmon.notify.ports import DeliveryFailed

WITHIN_S = 5.0
MOST_BYTES = 64 * 1024
HTTPS_PORT = 443
Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*", re.ASCII)
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r?\n")
_RETRY = re.compile(rb"\r?\nretry-after:[ \t]*([0-9]{1,6})[ \t]*\r?\n", re.IGNORECASE)
# IANA's special-purpose registries (2024), those that are not globally reachable or only seem so; is_private and
# is_global of ipaddress each let some of them pass (HARDENING D16).
_NOT_PUBLIC = tuple(ip_network(one) for one in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"))
# Of IPv6 only what is given out to the world, without what leads elsewhere: tunnels, documentation, ORCHID, SRv6.
_GIVEN_OUT = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(IPv6Network(one) for one in (
    "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and after how many seconds to come again if that was said."""

    status: int
    after_s: int | None = None


def is_public(address: Address) -> bool:
    """Whether anybody in the world means the same machine by it.

    Threat: SSRF (CWE-918).
    """
    if isinstance(address, IPv6Address):
        return address in _GIVEN_OUT and not any(address in network for network in _NOT_PUBLIC_6)
    return not any(address in network for network in _NOT_PUBLIC)


class Egress:
    """Posts to addresses that were typed in. `networks` are those the admin allows beside what is public: of them any
    port may be asked."""

    def __init__(self, networks: Sequence[str] = (), context: ssl.SSLContext | None = None,
                 resolve: Resolve | None = None) -> None:
        self._allowed = tuple(ip_network(one) for one in networks)
        self._context = context or ssl.create_default_context()
        self._resolve = resolve or _resolved

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST; what was answered, whatever the status. Raises DeliveryFailed: permanent where the address may not be
        asked. Each call asks once.

        Threat: SSRF (CWE-918; HARDENING T15).
        """
        host, port, target = _parts(url)
        try:
            async with asyncio.timeout(WITHIN_S):
                address = await self._address(host, port)
                return await self._asked(address, port, host, _request(host, port, target, headers, body))
        except TimeoutError:
            raise DeliveryFailed(Said("%(host)s did not answer in %(seconds)s s", host=host,
                                      seconds=f"{WITHIN_S:g}")) from None
        except ssl.SSLCertVerificationError:
            raise DeliveryFailed(Said("%(host)s has no certificate that can be believed", host=host)) from None
        except ssl.SSLError:
            raise DeliveryFailed(Said("%(host)s: no secure connection", host=host)) from None
        except OSError as error:
            raise DeliveryFailed(Said("%(host)s cannot be reached (%(why)s)", host=host,
                                      why=str(error.strerror or type(error).__name__))) from None

    async def _address(self, host: str, port: int) -> str:
        """The address that is asked: all that the name has must pass, so that none is chosen by chance."""
        try:
            found = [ip_address(one.partition("%")[0]) for one in await self._resolve(host, port)]
        except socket.gaierror:
            raise DeliveryFailed(Said("there is no address of the name %(host)s", host=host)) from None
        if not found or not all(self._may_ask(one, port) for one in found):
            raise DeliveryFailed(Said("%(host)s is no public https address. An admin can allow networks of the house "
                                      "with OPSMON_NOTIFY_NETWORKS.", host=host), is_permanent=True)
        return str(found[0])

    def _may_ask(self, address: Address, port: int) -> bool:
        if any(address.version == network.version and address in network for network in self._allowed):
            return True
        return is_public(address) and port == HTTPS_PORT

    async def _asked(self, address: str, port: int, host: str, request: bytes) -> Answer:
        reader, writer = await asyncio.open_connection(address, port, ssl=self._context, server_hostname=host)
        try:
            writer.write(request)
            await writer.drain()
            head = await _head(reader)
        finally:
            writer.transport.abort()
        return _answer(head, host)


async def _resolved(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _parts(url: str) -> tuple[str, int, str]:
    """Host, port and what is asked for. Only one way of writing an address is read: what two readers may read
    differently (user@, backslashes, numbers such as 127.1, other alphabets) is refused.

    Threat: parser differentials (CWE-436).
    """
    refused = DeliveryFailed(Said("this is no https:// address as opsmon reads them"), is_permanent=True)
    if not re.fullmatch(r"https://[\x21-\x7e]{1,2000}", url) or re.search(r"[\\@#\"<>^`{|}]", url):
        raise refused
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), HTTPS_PORT if parts.port is None else parts.port
    except ValueError:
        raise refused from None
    if not (_is_name(host) or _is_address(host)) or port == 0:
        raise refused
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _is_name(host: str) -> bool:
    """A name whose last part is none of the numbers that old readers take for an address."""
    return bool(_NAME.fullmatch(host)) and len(host) <= 253 and not re.fullmatch(
        r"[0-9]+|0x[0-9a-f]*", host.rpartition(".")[2])


def _is_address(host: str) -> bool:
    try:
        return str(ip_address(host)) == host
    except ValueError:
        return False


def _request(host: str, port: int, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    named = f"[{host}]" if ":" in host else host
    told = {"Host": named if port == HTTPS_PORT else f"{named}:{port}", **headers, "Content-Length": str(len(body)),
            "Connection": "close", "User-Agent": "opsmon"}
    if any(re.search(r"[^\x20-\x7e]", text) for pair in told.items() for text in pair):
        raise DeliveryFailed(Said("a header of this message cannot be sent"), is_permanent=True)
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii") + body


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of an answer; of a body nothing is read: nobody is shown it."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MOST_BYTES:
        more = await reader.read(4096)
        if not more:
            break
        head += more
    return head


def _answer(head: bytes, host: str) -> Answer:
    status, after = _STATUS.match(head), _RETRY.search(head.partition(b"\r\n\r\n")[0] + b"\r\n")
    if status is None or b"\r\n\r\n" not in head:
        raise DeliveryFailed(Said("%(host)s did not speak HTTP as expected, or broke off", host=host))
    return Answer(int(status[1]), int(after[1]) if after else None)

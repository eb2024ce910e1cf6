"""Where requests come from: addresses, the networks they are in, and which of those are trusted to speak for others."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_REMEMBERED = 10_000
# One household or office has at least this much of IPv6 (RFC 6177); a single address there costs nobody anything.
_V6_SITE = 64


@lru_cache(maxsize=_REMEMBERED)
def read_address(text: str) -> Address | None:
    """An address as a peer or a proxy writes it: without zone, and IPv4 in IPv6 as IPv4. None for anything else."""
    try:
        address = ip_address(text[:64].partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks as the settings hold them. Raises ValueError."""
    return tuple(ip_network(text) for text in texts)


class Networks:
    """A set of networks."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)
        self.hold = lru_cache(maxsize=_REMEMBERED)(self._hold)

    def _hold(self, text: str) -> bool:
        """Whether an address is in one of them."""
        address = read_address(text)
        return address is not None and any(address in network for network in self._networks)


@lru_cache(maxsize=_REMEMBERED)
def place_of(text: str) -> str:
    """What counts as one sender: an IPv4 address, an IPv6 /64; the text itself for a socket of this machine."""
    address = read_address(text)
    if address is None or address.version == 4:
        return str(address or text[:64])
    return str(ip_network((address, _V6_SITE), strict=False))

"""How much is taken from whom: buckets of tokens in this process, for a door that is open to everybody."""

from functools import lru_cache

from starlette.types import Scope

from opsmon.web.addresses import read_address

MOST_NETWORKS = 10_000
# A bucket holds what comes in within so many seconds.
BURST_S = 3
_V4_BYTES, _V6_BYTES = 3, 7
_UNKNOWN = b""


class Rates:
    """`overall` and, from each network, `each` a second. Remembers the networks that came last.

    Threat: one network that fills what all share (CWE-770).
    """

    def __init__(self, overall: int, each: int) -> None:
        self._overall, self._each = overall, each
        self._all = (float(overall * BURST_S), 0.0)
        self._networks: dict[bytes, tuple[float, float]] = {}

    def take(self, network: bytes, count: int, now_s: float) -> str:
        """Take tokens for `count`; '' or why there are none: rate_each or rate. `now_s` never goes back."""
        own = self._networks.pop(network, None) or (float(self._each * BURST_S), now_s)
        own_left, all_left = _filled(own, self._each, now_s), _filled(self._all, self._overall, now_s)
        why = "rate_each" if own_left < count else "rate" if all_left < count else ""
        taken = 0 if why else count
        self._networks[network] = own_left - taken, now_s
        self._all = all_left - taken, now_s
        if len(self._networks) > MOST_NETWORKS:
            del self._networks[next(iter(self._networks))]
        return why


def _filled(bucket: tuple[float, float], rate: int, now_s: float) -> float:
    left, at_s = bucket
    return min(left + (now_s - at_s) * rate, float(rate * BURST_S))


def network_of(scope: Scope) -> bytes:
    """The sender's network: its /24, in IPv6 its /56."""
    return _network(str((scope.get("client") or ("",))[0]))


@lru_cache(maxsize=MOST_NETWORKS)
def _network(text: str) -> bytes:
    address = read_address(text)
    return address.packed[: _V6_BYTES if address.version == 6 else _V4_BYTES] if address else _UNKNOWN

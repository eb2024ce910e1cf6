"""Addresses with several hosts in one, which RFC 3986 does not know and Python's urlsplit refuses beside [::1]."""

import re

_CLUSTER = re.compile(r"([\w+.-]+://(?:[^/?#]*@)?)([^/?#]*)(.*)", re.DOTALL)


def each_node(url: str) -> list[str]:
    """One address for each node of `redis+cluster://user:password@host:port,host:port`. Raises ValueError."""
    found = _CLUSTER.fullmatch(url)
    if found is None:
        raise ValueError("an address begins with a scheme and ://")
    before, hosts, after = found.groups()
    return [f"{before}{host}{after}" for host in hosts.split(",")]

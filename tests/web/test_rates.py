"""Buckets of tokens: who gets how much, whoever else is there."""

import pytest

from opsmon.web.rates import MOST_NETWORKS, Rates, network_of

ONE, OTHER = b"\x0a\x00\x01", b"\x0a\x00\x02"


def taken(rates: Rates, network: bytes, times: int, now_s: float = 0.0) -> int:
    """How many of so many single events were let in."""
    return sum(not rates.take(network, 1, now_s) for _ in range(times))


def network(peer: str | None) -> bytes:
    """The network of a sender."""
    return network_of({"type": "http", "client": (peer, 5000) if peer is not None else None})


def test_a_network_has_three_seconds_worth_at_once() -> None:
    """A page that loads says several things in a moment."""
    assert taken(Rates(200, 20), ONE, 100) == 60


def test_then_as_much_as_its_rate() -> None:
    """Twenty a second; a pause fills the bucket, never above three seconds' worth."""
    rates = Rates(200, 20)
    taken(rates, ONE, 60)
    assert [taken(rates, ONE, 100, 1.0), taken(rates, ONE, 100, 1.5), taken(rates, ONE, 100, 600.0)] == [20, 10, 60]


def test_one_network_leaves_the_others_their_share() -> None:
    """Its own bucket is empty long before the common one."""
    rates = Rates(200, 20)
    taken(rates, ONE, 10_000)
    assert taken(rates, OTHER, 100) == 60


def test_all_networks_together_have_a_bound() -> None:
    """A thousand networks at once get what one machine can take."""
    rates = Rates(200, 20)
    assert sum(taken(rates, number.to_bytes(3), 5) for number in range(1_000)) == 600


def test_the_reason_says_which_bucket_was_empty() -> None:
    """The sender's, or that of all."""
    rates = Rates(10, 20)
    taken(rates, ONE, 30)
    assert (rates.take(ONE, 31, 0.0), rates.take(ONE, 1, 0.0)) == ("rate_each", "rate")


def test_what_is_refused_costs_nothing() -> None:
    """A body of too many events leaves the tokens for smaller ones."""
    rates = Rates(200, 20)
    assert (rates.take(ONE, 61, 0.0), rates.take(ONE, 60, 0.0)) == ("rate_each", "")


def test_only_so_many_networks_are_remembered() -> None:
    """The one that came longest ago is forgotten first: memory stays bounded whoever comes."""
    rates = Rates(10**6, 1)
    for number in range(MOST_NETWORKS):
        rates.take(number.to_bytes(3), 3, 0.0)
    rates.take((0).to_bytes(3), 0, 0.0)
    rates.take(b"one more", 1, 0.0)
    assert len(rates._networks) == MOST_NETWORKS
    assert (rates.take((0).to_bytes(3), 1, 0.0), rates.take((1).to_bytes(3), 1, 0.0)) == ("rate_each", "")


@pytest.mark.parametrize(("one", "other", "same"), [
    ("192.0.2.1", "192.0.2.254", True), ("192.0.2.1", "192.0.3.1", False),
    ("2001:db8:1:1::1", "2001:db8:1:ff::2", True), ("2001:db8:1:1::1", "2001:db8:2:1::1", False),
    ("192.0.2.1", "::ffff:192.0.2.9", True), ("fe80::1%eth0", "fe80::2%eth1", True),
])
def test_a_network_is_what_one_household_or_office_has(one: str, other: str, same: bool) -> None:
    """A /24, in IPv6 a /56; an IPv4 address is the same in both."""
    assert (network(one) == network(other)) is same


@pytest.mark.parametrize("peer", [None, "", "nobody"])
def test_a_sender_without_an_address_has_a_bucket_too(peer: str | None) -> None:
    """A socket of this machine, say."""
    assert network(peer) == b""

"""Addresses of stores: one server, or the nodes of a Cluster."""

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection

from opsmon.core.errors import SettingsError
from opsmon.setting_texts import without_password
from opsmon.settings import load
from opsmon.store.cluster import SiteCluster
from opsmon.store.connection import STORE_ERRORS, ingest_client, worker_client

SEVERAL = "rediss+cluster://me:p%40ss@one:6380,[::1]:6381,three"


def store_url(text: str) -> str:
    """The address as settings take it."""
    return load({}, overrides={"store_url": text}).store_url


def test_a_redis_address_is_one_server() -> None:
    """Nothing of a Cluster is in its way."""
    assert type(worker_client("redis://one:6379/0")) is Redis


def test_a_cluster_s_nodes_are_all_asked_where_things_lie() -> None:
    """One of those named may be away when a process starts."""
    client = worker_client(SEVERAL)
    assert isinstance(client, SiteCluster)
    assert {(node.host, node.port) for node in client.startup_nodes} == {("one", 6380), ("::1", 6381), ("three", 6379)}


def test_user_and_password_and_tls_go_for_every_node() -> None:
    """They stand once in the address."""
    client = ingest_client(SEVERAL)
    assert isinstance(client, SiteCluster)
    told = [(node.connection_class, node.connection_kwargs["username"], node.connection_kwargs["password"])
            for node in client.startup_nodes]
    assert told == [(SSLConnection, "me", "p@ss")] * 3


@pytest.mark.anyio
async def test_that_no_node_is_there_is_a_trouble_of_the_store() -> None:
    """As it is with one server: whoever waits tries again, whoever was asked says no."""
    with pytest.raises(STORE_ERRORS):
        await worker_client("redis+cluster://127.0.0.1:1").ping()


@pytest.mark.parametrize("text", ["redis+cluster://one", "redis+cluster://one:6379,two:6379/0", SEVERAL])
def test_a_cluster_s_address_is_a_store_s_address(text: str) -> None:
    """With one node or several."""
    assert store_url(text) == text


@pytest.mark.parametrize("text", ["redis+cluster://", "redis+cluster://one,,two", "redis+cluster://one:port",
                                  "redis+cluster://one:6379,two:99999", "redis+cluster://one/1"])
def test_a_cluster_s_address_that_no_client_can_read_is_told(text: str) -> None:
    """At start, with an example. A Cluster has one database."""
    with pytest.raises(SettingsError, match=r"expected an address such as redis\+cluster://one:6379,two:6379"):
        store_url(text)


def test_a_cluster_s_password_is_not_shown() -> None:
    """Wherever an address is told."""
    assert without_password(SEVERAL) == "rediss+cluster://…@one:6380,[::1]:6381,three"

"""A real Cluster on this machine: three primaries and a replica of each, all the embedded store's binary.

It is formed without a command-line tool: slots, MEET, REPLICATE. Nodes can be killed, started again and
promoted; `heal` brings back three primaries with a replica each, whatever a test did.
"""

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot

from opsmon.spawning import spawn
from opsmon.store.server_binary import find_server
from tests.waiting import wait_until

SHARDS = 3
SLOTS = 16_384

OPTIONS = {
    "bind": "127.0.0.1",
    "daemonize": "no",
    "cluster-enabled": "yes",
    "cluster-node-timeout": "1000",
    # While one primary has no successor yet, the sites of the others go on.
    "cluster-require-full-coverage": "no",
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "repl-diskless-sync-delay": "0",
    "maxmemory-policy": "noeviction",
}


@dataclass
class Node:
    """One server of the cluster. It keeps its id and its port when it is started again."""

    port: int
    bus_port: int
    folder: Path
    client: redis.Redis
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server; it is ours to end. In the main thread: it ends with the thread that started it."""
        options = OPTIONS | {"port": str(self.port), "cluster-port": str(self.bus_port), "dir": str(self.folder)}
        args = [part for name, value in options.items() for part in (f"--{name}", value)]
        with (self.folder / "server.log").open("ab") as output:
            self.process = spawn([str(find_server().path), *args], output=output)

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing handed over. Safe to repeat."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def answers(self) -> bool:
        """Whether it can be asked."""
        with suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def is_primary(self) -> bool:
        """Whether it takes writes, by its own word."""
        return self._replication().get("role") == "master"

    def is_in_step(self) -> bool:
        """Whether it is a replica that has its primary's data and hears its news."""
        found = self._replication()
        return found.get("role") == "slave" and found["master_link_status"] == "up"

    def knows_all(self, nodes: int) -> bool:
        """Whether so many nodes have shaken hands with it, and it believes none to have failed."""
        found: dict[str, dict[str, Any]] = self.client.cluster("nodes")
        troubled = [one for one in found.values() if "fail" in one["flags"] or "handshake" in one["flags"]]
        return len(found) == nodes and not troubled

    def says_ok(self) -> bool:
        """Whether every slot is served, as far as it knows."""
        with suppress(redis.RedisError):
            found: dict[str, str] = self.client.cluster("info")
            return (found["cluster_state"], found["cluster_slots_ok"]) == ("ok", str(SLOTS))
        return False

    def _replication(self) -> dict[str, Any]:
        with suppress(redis.RedisError):
            found: dict[str, Any] = self.client.info("replication")
            return found
        return {}


@dataclass
class Cluster:
    """The nodes, two for each shard, in any roles."""

    nodes: list[Node] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where opsmon finds it, whoever is away."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def shard_of(self, site: str) -> int:
        """In which shard a site's keys lie."""
        return key_slot(f"{{{site}}}".encode()) * SHARDS // SLOTS

    def primary(self, shard: int) -> Node:
        """Who takes the writes of a shard."""
        return next(node for node in self.nodes[shard::SHARDS] if node.is_primary())

    def replica(self, shard: int) -> Node:
        """Who stands by for a shard."""
        return next(node for node in self.nodes[shard::SHARDS] if node.is_in_step())

    def fail_over(self, shard: int) -> None:
        """Let the replica take over in good order: CLUSTER FAILOVER; returns once it has."""
        follower = self.replica(shard)
        follower.client.cluster("failover")
        wait_until(follower.is_primary, "the replica's turn")

    def kill_primary(self, shard: int) -> Node:
        """SIGKILL the primary of a shard; its replica, which takes over in a second or two."""
        follower = self.replica(shard)
        self.primary(shard).kill()
        return follower

    def heal(self) -> None:
        """Start who was killed, and wait until every shard has a primary and a replica that is in step."""
        for node in self.nodes:
            if not node.runs:
                node.start()
        wait_until(lambda: all(node.answers() for node in self.nodes), "an answer from every node")
        wait_until(self.is_whole, "a whole cluster", timeout_s=30)

    def is_whole(self) -> bool:
        """Whether each shard has a primary and a replica, and everybody knows."""
        return all(node.says_ok() and node.knows_all(len(self.nodes)) for node in self.nodes) and all(
            sorted((node.is_primary(), node.is_in_step()) for node in self.nodes[shard::SHARDS])
            == [(False, True), (True, False)] for shard in range(SHARDS))

    def empty(self) -> None:
        """Forget everything that is stored."""
        for shard in range(SHARDS):
            self.primary(shard).client.flushall()

    def form(self) -> None:
        """Make one cluster of nodes that do not know each other yet."""
        first = self.nodes[0]
        for shard, node in enumerate(self.nodes[:SHARDS]):
            node.client.cluster("set-config-epoch", shard + 1)
            node.client.cluster("addslotsrange", -(-shard * SLOTS // SHARDS), -(-(shard + 1) * SLOTS // SHARDS) - 1)
        for node in self.nodes[1:]:
            node.client.cluster("meet", "127.0.0.1", first.port, first.bus_port)
        wait_until(lambda: all(node.knows_all(len(self.nodes)) for node in self.nodes), "six that know each other")
        for shard, node in enumerate(self.nodes[SHARDS:]):
            node.client.cluster("replicate", self.nodes[shard].client.cluster("myid").decode())
        wait_until(self.is_whole, "a whole cluster", timeout_s=30)


@contextmanager
def open_cluster() -> Iterator[Cluster]:
    """A cluster of its own in a folder of its own; every server is ended, by its own id, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="ops-cluster-") as folder, ExitStack() as stack:
        cluster = Cluster()
        for number, (port, bus_port) in enumerate(_free_ports(2 * SHARDS)):
            own = Path(folder) / str(number)
            own.mkdir()
            client = redis.Redis(port=port, socket_timeout=5)
            stack.callback(client.close)
            cluster.nodes.append(Node(port, bus_port, own, client))
            stack.callback(cluster.nodes[-1].kill)
            cluster.nodes[-1].start()
        wait_until(lambda: all(node.answers() for node in cluster.nodes), "an answer from every node")
        cluster.form()
        yield cluster


def _free_ports(pairs: int) -> list[tuple[int, int]]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(2 * pairs)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        ports = [int(one.getsockname()[1]) for one in taken]
    return list(zip(ports[::2], ports[1::2], strict=True))

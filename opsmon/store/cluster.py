"""redis-py's client of a Cluster, made to behave as its client of one server where opsmon needs it.

All keys of a site lie in one slot, and a process serves one site: one node has all it asks for. What
redis-py 8.1 does with the other nodes (asks the first one where a command's keys are, loads a script into
all of them, scans all of them) takes time, and stops a healthy site while one of those nodes is away.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast
from urllib.parse import urlsplit

from redis.asyncio.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

from opsmon.core.addresses import each_node

PORT = 6379


class SiteCluster(RedisCluster):
    """The client of a Cluster for one site. `deadline_s` bounds each command with all its detours."""

    def __init__(self, *, deadline_s: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._deadline_s = deadline_s
        self._first_key = _FirstKey()
        self.commands_parser = cast(Any, self._first_key)

    @classmethod
    def named(cls, url: str, **options: Any) -> "SiteCluster":
        """The client of the Cluster that `redis+cluster://user:password@host:port,host:port` names."""
        first, *others = [urlsplit(node) for node in each_node(url)]
        options["startup_nodes"] = [ClusterNode(str(node.hostname), node.port or PORT) for node in others]
        one = first._replace(scheme=first.scheme.removesuffix("+cluster"))
        return cast(SiteCluster, cls.from_url(one.geturl(), **options))

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command to the node that has its key, and after the key where it went."""
        async with asyncio.timeout(self._deadline_s):
            await self.initialize()  # left to itself, a client that knows no node yet asks any
            return await super().execute_command(*args, **options)

    async def aclose(self) -> None:
        """Close every connection; redis-py leaves them open when the last command failed."""
        was_let_down = self._initialize
        await super().aclose()
        if was_let_down and self._lock:
            async with self._lock:
                if self._initialize:  # nobody has found the nodes again meanwhile
                    await self.nodes_manager.aclose()
                    await self.nodes_manager.aclose("startup_nodes")

    def register_script(self, script: Any) -> Any:
        """A script that is loaded where its keys are."""
        return _Script(self, script)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> ClusterPipeline:
        """Commands that go together; with `transaction` all of them are done, or none."""
        return _Transaction(self, True) if transaction else _Pipeline(self)  # type: ignore[abstract]

    async def scan_iter(  # type: ignore[override]
        self, match: Any = None, count: Any = None, _type: Any = None, **options: Any
    ) -> AsyncIterator[Any]:
        """Names of keys: with a pattern that names a site, those on the site's node."""
        await self.initialize()
        if match is not None:
            options["target_nodes"] = self.get_node_from_key(match)
        async for name in super().scan_iter(match, count, _type, **options):
            yield name

    async def info(self, *sections: Any, **options: Any) -> Any:
        """What the site's node says of itself."""
        return await super().info(*sections, **{"target_nodes": await self._home(), **options})

    async def config_get(self, *patterns: Any, **options: Any) -> Any:
        """How the site's node is set up."""
        return await super().config_get(*patterns, **{"target_nodes": await self._home(), **options})

    async def bgrewriteaof(self, **options: Any) -> Any:
        """Have the site's node write its append-only file anew."""
        return await super().bgrewriteaof(**{"target_nodes": await self._home(), **options})

    async def bgsave(self, *args: Any, **options: Any) -> Any:
        """Have the site's node save."""
        return await super().bgsave(*args, **{"target_nodes": await self._home(), **options})

    async def _home(self) -> ClusterNode:
        await self.initialize()
        latest = self._first_key.latest
        return (self.get_node_from_key(latest) if latest else None) or self.get_default_node()


class _FirstKey:
    """Finds a command's key by its hash tag, and remembers the latest. The others lie beside it."""

    latest: Any = None

    async def initialize(self, node: ClusterNode) -> None:
        """Ask nothing. redis-py's own asks a node here where keys stand, and twice more with each XREADGROUP."""

    async def get_keys(self, *args: Any) -> tuple[Any, ...]:
        """The first word that begins with a hash tag; () when a command has no key."""
        keys = [arg for arg in args[1:] if isinstance(arg, str | bytes) and arg[:1] in ("{", b"{")][:1]
        self.latest = keys[0] if keys else self.latest
        return tuple(keys)


class _Script(AsyncScript):
    async def __call__(self, keys: Any = None, args: Any = None, client: Any = None) -> Any:
        client, words = client or self.registered_client, (len(keys or ()), *(keys or ()), *(args or ()))
        try:
            return await client.evalsha(self.sha, *words)
        except NoScriptError:
            return await client.eval(self.script, *words)


class _Pipeline(ClusterPipeline):
    # Barred by redis-py, because the keys might lie in several slots.
    pfcount, mget = RedisCluster.pfcount, RedisCluster.mget


class _Transaction(_Pipeline):
    """MULTI and EXEC. redis-py would route each command in a thread, with connections of another event loop."""

    def __init__(self, client: SiteCluster, transaction: bool) -> None:
        super().__init__(client, transaction)
        self._commands: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def execute_command(self, *args: Any, **options: Any) -> "_Transaction":
        """Keep a command until `execute`."""
        self._commands.append((args, options))
        return self

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        """Send all of it to the node that has the keys."""
        strategy = cast(Any, self._execution_strategy)
        for args, options in self._commands:
            await strategy._execute_command(*args, **options)
        self._commands.clear()
        return await super().execute(raise_on_error, allow_redirections)

"""Have the store write its files anew, so that bytes that were erased from its memory leave its disk as well."""

from redis.asyncio import Redis
from redis.exceptions import ResponseError

# What is said of a store that nobody may tell to.
REFUSED = "refused"


async def begin_rewrite(client: Redis) -> str:
    """Have the files written anew; who does it ('' when it cannot begin now, REFUSED when it never will).

    A store without an append-only file is told to save, if it saves at all.
    """
    about = await client.info("persistence")
    try:
        if about.get("aof_enabled"):
            await client.bgrewriteaof()
        elif (await client.config_get("save")).get("save"):
            await client.bgsave()
    except ResponseError as error:
        return "" if "in progress" in str(error) else REFUSED
    return str((await client.info("server"))["run_id"])


async def is_rewritten(client: Redis, by: str) -> bool | None:
    """Whether that is done; None when it failed, or the store was started anew meanwhile."""
    about = await client.info("persistence")
    if (await client.info("server"))["run_id"] != by:
        return None
    if any(about.get(name) for name in ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")):
        return False
    last = about.get("aof_last_bgrewrite_status" if about.get("aof_enabled") else "rdb_last_bgsave_status")
    return True if last == "ok" else None

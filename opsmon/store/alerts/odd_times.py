"""Special days that people marked, and hours in which alerts about what is usual were open: read and written."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson
from redis.asyncio import Redis

from opsmon.core.alerting.baselines import MOST_WEEKS
from opsmon.core.alerting.special_days import OddTimes, SpecialDays, dump_days, parse_days
from opsmon.core.calendar import DAY_MS
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys

_KEPT_MS = (MOST_WEEKS + 1) * 7 * DAY_MS


async def special_days(reader: Reader, keys: Keys) -> dict[str, tuple[SpecialDays, bytes]]:
    """Those that were marked here, by their id, with the bytes they were read from."""
    found = {name.decode(): (parse_days(orjson.loads(raw))[0], raw)
             for name, raw in (await reader.hash(keys.special_days)).items()}
    return {name: (one, raw) for name, (one, raw) in found.items() if one is not None}


async def all_days(reader: Reader, keys: Keys, own: Sequence[SpecialDays] = ()) -> tuple[SpecialDays, ...]:
    """All there are, the site's `own` of its file among them, in the order of time."""
    marked = [one for one, _ in (await special_days(reader, keys)).values()]
    return tuple(sorted((*own, *marked), key=lambda one: (one.first, one.last, one.id)))


async def odd_times(reader: Reader, keys: Keys, own: Sequence[SpecialDays] = ()) -> OddTimes:
    """What is not to be learned from. Raises STORE_ERRORS."""
    (found,) = await reader.many([Read("zrangebyscore", (keys.alerted, "-inf", "+inf"))])
    marks = (member.decode().split("|") for member in found)
    return OddTimes(await all_days(reader, keys, own), frozenset((mark[0], int(mark[-1])) for mark in marks))


async def note_alerted(client: Redis, keys: Keys, hours: Iterable[tuple[str, str, int]], now_ms: int) -> None:
    """Remember hours in which something was wrong, by fact and the run of the alert that says so, for as long as
    anybody learns of them. May be repeated."""
    marks = {f"{fact}|{run}|{hour_ms}": hour_ms for fact, run, hour_ms in hours}
    if marks:
        await client.zadd(keys.alerted, marks)
        await client.zremrangebyscore(keys.alerted, "-inf", now_ms - _KEPT_MS)


async def forget_alerted(client: Redis, keys: Keys, runs: Collection[str]) -> None:
    """Nothing was wrong after all in the hours of these runs; another run may say so of the same hours. May be
    repeated. Marks of an older opsmon name no run, and stay."""
    members: list[Any] = await client.zrange(keys.alerted, 0, -1)
    found: list[bytes] = [member for member in members if member.decode().split("|")[1] in runs]
    if found:
        await client.zrem(keys.alerted, *found)


def dump_marked(one: SpecialDays) -> bytes:
    """Days as they are kept."""
    return orjson.dumps(dump_days(one))

"""Once an hour: what each kind of key costs in memory, and which dimensions have reached their cap."""

from collections import Counter, defaultdict

from redis.asyncio import Redis

from opsmon.core.catalogue import Rollup
from opsmon.core.folding import Rules
from opsmon.core.panes import NOW_SPAN, OTHER
from opsmon.store.keys import Keys
from opsmon.store.notes import Footprint, MemoryNote, note_memory

EVERY_MS = 3_600_000
# Keys of a kind are alike: this many of them tell the size of all to within a few per cent. A scan goes by
# the keys' hashes, so that the first ones it meets are any.
SAMPLES = 200
# Of one key the server looks at this many fields or members, and tells the whole from them.
WEIGHED = 200
_LEVELS = {"m": "minutes", "h": "hours", "d": "days", "n": "now"}


async def measure(client: Redis, keys: Keys, rules: Rules, generation: int, now_ms: int) -> None:
    """Note the footprint of every kind of key, and the dimensions that are full. May be repeated."""
    await note_memory(client, keys, await look(client, keys, rules, generation, now_ms))


async def look(client: Redis, keys: Keys, rules: Rules, generation: int, now_ms: int) -> MemoryNote:
    """The footprint of every kind of key, and the dimensions that are full. Looks at the name of every key."""
    samples: defaultdict[str, list[bytes]] = defaultdict(list)
    counts: Counter[str] = Counter()
    rankings: dict[str, list[bytes]] = _rankings_of(rules, generation, now_ms)
    async for key in client.scan_iter(match=f"{keys.tag}:*", count=1000):
        name = key.decode().removeprefix(f"{keys.tag}:")
        kind = kind_of(name)
        counts[kind] += 1
        if len(samples[kind]) < SAMPLES:
            samples[kind].append(key)
        # Of money there is one in each currency.
        found = rankings.get(":".join(name.split(":", 5)[:5])) if name.startswith("top:") else None
        if found is not None:
            found.append(key)
    prints = [Footprint(kind, count, await _bytes(client, samples[kind], count)) for kind, count in counts.items()]
    full = await _with_all_rows(client, keys, rules, generation, now_ms) | await _with_a_rest(client, rankings)
    return MemoryNote(now_ms, sorted(prints, key=lambda one: -one.size_bytes),
                      [rollup.id for rollup in rules.catalogue.rollups if rollup.id in full])


def kind_of(name: str) -> str:
    """What a key is counted under: panes by their level, everything else by its first word."""
    kind, *rest = name.split(":", 4)
    return _LEVELS.get(rest[2], kind) if kind in ("pane", "unique", "top") and len(rest) > 2 else kind


async def _bytes(client: Redis, names: list[bytes], count: int) -> int:
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.memory_usage(name, samples=WEIGHED)
    # None: it has expired meanwhile.
    sizes = [size for size in await pipe.execute() if size is not None]
    return round(sum(sizes) / len(sizes) * count) if sizes else 0


async def _with_all_rows(client: Redis, keys: Keys, rules: Rules, generation: int, now_ms: int) -> set[str]:
    """The rollups whose rows, of this month or of now, are as many as they may be."""
    month = rules.calendar.place(now_ms).day.span
    asked = [(rollup, span) for rollup in rules.catalogue.rollups if rollup.has_rows for span in _spans(rollup, month)]
    pipe = client.pipeline(transaction=False)
    for rollup, span in asked:
        pipe.scard(keys.rows(generation, rollup.id, span))
    held = await pipe.execute() if asked else []
    return {rollup.id for (rollup, _), rows in zip(asked, held, strict=True) if rows >= rollup.cap}


async def _with_a_rest(client: Redis, rankings: dict[str, list[bytes]]) -> set[str]:
    """The rollups that rank a rest among today's members."""
    asked = [(place.split(":")[2], key) for place, found in rankings.items() for key in found]
    pipe = client.pipeline(transaction=False)
    for _, key in asked:
        pipe.zscore(key, OTHER)
    scores = await pipe.execute() if asked else []
    return {rollup for (rollup, _), score in zip(asked, scores, strict=True) if score is not None}


def _spans(rollup: Rollup, month: str) -> list[str]:
    return [NOW_SPAN] * ("n" in rollup.levels) + [month] * bool(set(rollup.levels) - {"n"})


def _rankings_of(rules: Rules, generation: int, now_ms: int) -> dict[str, list[bytes]]:
    """How the keys of today's rankings begin, none of them found yet."""
    day = rules.calendar.place(now_ms).day
    return {f"top:{generation}:{rollup.id}:d:{day.span}{int(day.field):02}": []
            for rollup in rules.catalogue.rollups if rollup.measure == "top"}

"""Once an hour: what each kind of key costs in memory, and which dimensions have reached their cap."""

from collections import defaultdict

from redis.asyncio import Redis

from opsmon.core.folding import Rules
from opsmon.core.panes import NOW_SPAN, OTHER
from opsmon.store.keys import Keys
from opsmon.store.notes import Footprint, MemoryNote, note_memory

EVERY_MS = 3_600_000
# Keys of a kind are alike: this many of them tell the size of all to within a few per cent.
SAMPLES = 100
_LEVELS = {"m": "minutes", "h": "hours", "d": "days", "n": "now"}


async def measure(client: Redis, keys: Keys, rules: Rules, generation: int, now_ms: int) -> None:
    """Note the footprint of every kind of key, and the dimensions that are full. May be repeated."""
    samples: defaultdict[str, list[bytes]] = defaultdict(list)
    counts: defaultdict[str, int] = defaultdict(int)
    async for key in client.scan_iter(match=f"{keys.tag}:*", count=1000):
        kind = kind_of(key.decode().removeprefix(f"{keys.tag}:"))
        counts[kind] += 1
        # Every so-and-so many of them, so that the samples are not all of one corner.
        if len(samples[kind]) < SAMPLES or counts[kind] % (counts[kind] // SAMPLES) == 0:
            samples[kind] = [*samples[kind], key][-SAMPLES:]
    prints = [Footprint(kind, count, await _bytes(client, samples[kind], count)) for kind, count in counts.items()]
    full = await _full(client, keys, rules, generation, now_ms)
    await note_memory(client, keys, MemoryNote(now_ms, sorted(prints, key=lambda one: -one.size_bytes), full))


def kind_of(name: str) -> str:
    """What a key is counted under: panes by their level, everything else by its first word."""
    kind, *rest = name.split(":")
    return _LEVELS.get(rest[2], kind) if kind in ("pane", "unique", "top") and len(rest) > 2 else kind


async def _bytes(client: Redis, names: list[bytes], count: int) -> int:
    sizes = [await client.memory_usage(name, samples=0 if len(names) < 10 else 5) or 0 for name in names]
    return round(sum(sizes) / len(sizes) * count) if sizes else 0


async def _full(client: Redis, keys: Keys, rules: Rules, generation: int, now_ms: int) -> list[str]:
    """The rollups whose rows of this month are as many as they may be, and rankings with a rest."""
    place = rules.calendar.place(now_ms)
    month, day = place.day.span, f"{place.day.span}{int(place.day.field):02}"
    full = []
    for rollup in rules.catalogue.rollups:
        if rollup.has_rows:
            spans = (NOW_SPAN,) if rollup.levels == "n" else (month,)
            held = [int(await client.scard(keys.rows(generation, rollup.id, span))) for span in spans]
            if max(held) >= rollup.cap:
                full.append(rollup.id)
        elif rollup.measure == "top":
            start = f"{keys.tag}:top:{generation}:{rollup.id}:d:{day}*"
            rests = [await client.zscore(name, OTHER) async for name in client.scan_iter(match=start, count=1000)]
            if any(rest is not None for rest in rests):
                full.append(rollup.id)
    return full

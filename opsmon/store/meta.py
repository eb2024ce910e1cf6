"""What a site's counts were made with: the generation of its panes and the calendar they follow."""

from dataclasses import dataclass

from redis.asyncio import Redis

from opsmon.store.connection import Reader
from opsmon.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Meta:
    """Facts about the counts of a site. A negative generation is being recounted."""

    generation: int
    calendar: str
    currency: str | None
    since_ms: int | None


async def read_meta(reader: Reader, keys: Keys) -> Meta:
    """The site's facts; generation 0 and no calendar before the first worker."""
    return meta_of(await reader.hash(keys.meta))


def meta_of(found: dict[bytes, bytes]) -> Meta:
    """Read the meta hash."""
    texts = {name.decode(): value.decode() for name, value in found.items()}
    since = texts.get("since_ms")
    return Meta(
        generation=int(texts.get("generation", "0")),
        calendar=texts.get("calendar", ""),
        currency=texts.get("currency"),
        since_ms=int(since) if since else None,
    )


async def claim_calendar(client: Redis, keys: Keys, calendar: str) -> None:
    """Make `calendar` the site's, unless it has one. May be repeated."""
    await client.hsetnx(keys.meta, "calendar", calendar)

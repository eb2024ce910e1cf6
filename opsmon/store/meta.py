"""What a site's counts were made with: the generation of its panes, and the rules they follow."""

from dataclasses import dataclass

import orjson

from opsmon.core.schema import refuse_newer
from opsmon.core.shops import Shop
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

# How the fields begin that tell of a shop.
SHOP = "shop:"


@dataclass(frozen=True, slots=True)
class Meta:
    """Facts about the counts of a site. `building` is the generation made beside (0: none), `fenced` whether
    nobody may commit because it is about to count; `rollups` tells each rollup's digest; `shops` what shops say of
    themselves; `schema` how the store is written (0: before that was written down)."""

    generation: int
    rules: str
    rollups: dict[str, str]
    made_ms: int
    building: int
    fenced: bool
    currency: str | None
    since_ms: int | None
    shops: tuple[Shop, ...] = ()
    schema: int = 0


async def read_meta(reader: Reader, keys: Keys) -> Meta:
    """The site's facts; generation 0 and no rules before the first worker. Raises NewerStore."""
    return meta_of(await reader.hash(keys.meta))


def meta_of(found: dict[bytes, bytes]) -> Meta:
    """Read the meta hash. Raises NewerStore."""
    texts = {name.decode(): value.decode() for name, value in found.items()}
    refuse_newer(texts.get("schema"))
    since = texts.get("since_ms")
    return Meta(
        generation=int(texts.get("generation", "0")),
        rules=texts.get("rules", ""),
        rollups=orjson.loads(texts.get("rollups") or "{}"),
        made_ms=int(texts.get("made_ms", "0")),
        building=int(texts.get("building", "0")),
        fenced="fenced" in texts,
        currency=texts.get("currency"),
        since_ms=int(since) if since else None,
        shops=tuple(Shop(*orjson.loads(text)) for name, text in sorted(texts.items()) if name.startswith(SHOP)),
        schema=int(texts.get("schema", "0")),
    )

"""Query: the rules of a site, those that come with opsmon and those that were made or changed; silences; the log."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import orjson

from opsmon.core.alerting.built_in import BUILT_IN
from opsmon.core.alerting.records import MOST_RULES, parse_rule
from opsmon.core.alerting.rules import Rule
from opsmon.core.alerting.silences import Silence
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys


@dataclass(frozen=True, slots=True)
class SavedRule:
    """A rule with the bytes it was read from, b'' where it is as it comes with opsmon: whoever changes it says so. What
    stands in the site's file `is_fixed`: it is changed there."""

    rule: Rule
    raw: bytes = b""
    is_fixed: bool = False


async def saved_rules(reader: Reader, keys: Keys, own: Sequence[Rule] = ()) -> dict[str, SavedRule]:
    """Every rule by its id; the site's `own` come before all others. One that this opsmon cannot read is left out; what
    comes with opsmon is always there."""
    found = {rule.id: SavedRule(rule) for rule in BUILT_IN}
    for name, raw in sorted((await reader.hash(keys.rules)).items()):
        rule = _parsed(raw)
        if rule is not None:
            built_in = found.get(name.decode())
            found[rule.id] = SavedRule(replace(rule, is_built_in=built_in is not None), raw)
    return found | {rule.id: SavedRule(rule, is_fixed=True) for rule in own}


@lru_cache(maxsize=2 * MOST_RULES)
def _parsed(raw: bytes) -> Rule | None:
    """A rule from its record. Who looks each second reads the same ones again and again."""
    return parse_rule(orjson.loads(raw))[0]


async def all_rules(reader: Reader, keys: Keys, own: Sequence[Rule] = ()) -> dict[str, Rule]:
    """Every rule by its id."""
    return {name: one.rule for name, one in (await saved_rules(reader, keys, own)).items()}


async def silences(reader: Reader, keys: Keys) -> dict[str, tuple[Silence, bytes]]:
    """Every silence that is kept, with the bytes it was read from."""
    found = await reader.hash(keys.silences)
    return {name.decode(): (_silence(orjson.loads(raw)), raw) for name, raw in found.items()}


def dump_silence(silence: Silence) -> bytes:
    """A silence as it is kept; `silences` reads the same back."""
    return orjson.dumps(asdict(silence))


def _silence(told: Mapping[str, object]) -> Silence:
    labels = told["labels"]
    assert isinstance(labels, list)
    return Silence(**{**told, "labels": tuple((str(name), str(value)) for name, value in labels)})  # type: ignore[arg-type]

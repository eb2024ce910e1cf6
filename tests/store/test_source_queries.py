"""What is known of each source, read from the real store: rates, lags, refusals in a row, what others noted."""

from collections import Counter

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.core.source_health import SourceFacts, Trial
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.refusals import flush_once
from opsmon.store.source_notes import note_trial
from opsmon.store.source_queries import read_sources
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000


async def known(line: Line, name: str, now_ms: int = NOW_MS) -> SourceFacts:
    """What is known of one source of a site that hears Shopify."""
    assert line.web.feed is not None
    found = await read_sources(Reader(line.store), Keys("main"), line.web.feed._kpis, ("shopify",), now_ms)
    return next(one for one in found if one.heard.name == name)


async def names(line: Line) -> list[str]:
    """The sources anything is known of."""
    assert line.web.feed is not None
    found = await read_sources(Reader(line.store), Keys("main"), line.web.feed._kpis, ("shopify",), NOW_MS)
    return [one.heard.name for one in found]


async def test_rates_count_what_came_within_five_minutes_and_an_hour(line: Line, clock: ManualClock) -> None:
    """By arrival, not by when orders were placed."""
    await line.post("orders/create", order(1001))
    clock.advance(20 * MINUTE_MS)
    await line.post("orders/create", order(1002))
    await line.work()
    facts = await known(line, "shopify", clock.now_ms())
    assert (facts.in_5_minutes, facts.in_an_hour) == (1, 2)


async def test_the_lag_is_the_mean_of_an_hour(line: Line) -> None:
    """From when it happened to when it arrived."""
    await line.post("orders/create", order(1001, updated_ms=NOW_MS - 1_000))
    await line.post("orders/create", order(1002, updated_ms=NOW_MS - 3_000))
    await line.work()
    assert (await known(line, "shopify")).lag_ms == 2_000


async def test_a_source_that_is_set_up_is_known_before_it_says_anything(line: Line) -> None:
    """With nothing counted; a door of opsmon's own is not known before."""
    facts = await known(line, "shopify")
    assert (facts.heard.last_ms, facts.totals, facts.lag_ms, await names(line)) == (None, {}, None, ["shopify"])


async def test_a_door_is_known_once_anything_came_by_it(line: Line, keys: Keys) -> None:
    """An import, for one."""
    await line.store.hset(keys.counts, "import:accepted", 7)
    assert await names(line) == ["shopify", "import"]


async def test_an_import_is_never_expected(line: Line, keys: Keys) -> None:
    """Nobody misses the file of yesterday."""
    await line.store.hset(keys.counts, mapping={"import:accepted": 7, "import:last_ms": NOW_MS - 10**10})
    assert (await known(line, "import")).heard.usual_gap_ms is None


async def refuse(line: Line, clock: ManualClock, **refused: int) -> None:
    """Refusals of Shopify are brought to the store."""
    counter = Counter({f"shopify:{reason}": count for reason, count in refused.items()})
    await flush_once(line.store, Keys("main"), counter, clock)


async def test_refusals_are_counted_in_a_row_until_something_is_taken(line: Line, clock: ManualClock) -> None:
    """What tells a wrong secret from a stray scanner."""
    await line.post("orders/create", order(1001))
    await refuse(line, clock, bad_signature=3)
    await refuse(line, clock, unsigned=2, ping=9)
    before = (await known(line, "shopify")).row
    clock.advance(1_000)
    await line.post("orders/create", order(1002))
    await refuse(line, clock, bad_signature=1)
    after = (await known(line, "shopify")).row
    assert before is not None and after is not None
    assert (before.count, before.reason, after.count, after.last_ms) == (5, "unsigned", 1, NOW_MS + 1_000)


async def test_what_pollers_spools_and_tests_note_is_known(line: Line, keys: Keys) -> None:
    """Each is written by another process, and read here when it is there."""
    await line.store.hset(keys.note("poll:shopify"), mapping={
        "polled_ms": NOW_MS - 1, "next_ms": NOW_MS + 1, "found": 12, "new": 1, "error": "slow"})
    for process, waiting in (("web-1", 2), ("web-2", 3)):
        await line.store.hset(keys.note("spool"), process, orjson.dumps({"waiting": waiting}).decode())
    await note_trial(line.store, keys, "shopify", Trial(NOW_MS, True, "Arrived."))
    for name in ("poll:shopify", "spool"):
        await line.store.pexpire(keys.note(name), 60_000)
    facts = await known(line, "shopify")
    assert facts.poll is not None and facts.trial is not None
    assert (facts.poll.found, facts.poll.new, facts.poll.error, facts.spooled, facts.trial.text) == (
        12, 1, "slow", 5, "Arrived.")


async def test_the_outcome_of_a_test_is_kept_for_a_minute(store: Redis, keys: Keys) -> None:
    """Long enough to be read, and gone before it misleads."""
    await note_trial(store, keys, "shopify", Trial(NOW_MS, True, "Arrived."))
    assert 55_000 < await store.pttl(keys.note("trial:shopify")) <= 60_000

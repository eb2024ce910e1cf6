"""No key lives for ever that keys.py does not say so of; the check itself is checked."""

import pytest
from redis.asyncio import Redis

from opsmon.core.panes import Hash
from opsmon.store.keys import KINDS, Keys
from tests.key_lives import PERMANENT, immortal_strangers, pattern
from tests.line import Line
from tests.orders import order, refund

pytestmark = pytest.mark.anyio

KEYS = Keys("main")
# A key of every kind, as the code names it.
EXAMPLES = [
    KEYS.events, KEYS.visits, KEYS.changes, KEYS.dead, KEYS.journal, KEYS.meta, KEYS.counts,
    KEYS.seen("shopify:shop.example:b1e2"),
    KEYS.entity("shopify:shop.example:order:17"), KEYS.panes(0, Hash("orders", "m", "1795179600")),
    KEYS.panes(3, Hash("deliveries", "h", "1795179600")), KEYS.panes(0, Hash("revenue", "d", "202611")),
    KEYS.panes(0, Hash("stock", "n", "")), KEYS.panes(0, Hash("visitors", "h", "1795179600"), "unique"),
    KEYS.panes(0, Hash("visitors", "d", "20261120"), "unique"),
    KEYS.panes(0, Hash("products", "h", "1795179600:EUR"), "top"),
    KEYS.panes(0, Hash("products", "d", "20261120:EUR"), "top"), KEYS.open(0, "open-orders"),
    KEYS.rows(0, "stock", "202611"), KEYS.corrected("orders"), KEYS.cursors, KEYS.turn("shopify"),
    KEYS.erasing, KEYS.erased, KEYS.people, KEYS.session("5f2a"), KEYS.sessions, KEYS.used,
    KEYS.invite("5f2a"), KEYS.screens,
    KEYS.screen("5f2a"), KEYS.screens_seen, KEYS.pairing("K7QM-4RTX"), KEYS.tokens,
    KEYS.tries("login:ana@shop.example"), KEYS.refused_logins, KEYS.audit,
    KEYS.boards, KEYS.board("sales"), KEYS.rules, KEYS.silences, KEYS.special_days, KEYS.alerted,
    KEYS.alerts, KEYS.alert_log, KEYS.notices,
    KEYS.notices_dead, KEYS.deliveries, KEYS.standing, KEYS.bundles, KEYS.told("f-1:ana"), KEYS.receivers, KEYS.routes,
    KEYS.restored(KEYS.events), KEYS.note("workers"),
]


@pytest.mark.parametrize(("key", "kind"), list(zip(EXAMPLES, KINDS, strict=True)),
                         ids=[kind.shape for kind in KINDS])
def test_every_key_is_of_the_kind_that_keys_py_lists(key: str, kind: object) -> None:
    """The page and the code name the same keys."""
    assert [k for k in KINDS if pattern(k).fullmatch(key)] == [kind]


def test_all_keys_of_a_site_lie_in_one_slot() -> None:
    """One hash tag: a Cluster keeps a site together, so that one script can do a whole commit."""
    assert {key.partition("}")[0] for key in EXAMPLES} == {"{main"}


def test_a_life_is_permanent_or_a_time() -> None:
    """Each kind says how long it lives."""
    assert [kind.shape for kind in KINDS if not kind.lives] == []
    assert len(PERMANENT) == 38


@pytest.mark.parametrize("name", ["{main}:something", "{main}:entity:a", "{main}:seen:x", "{main}:note:x",
                                  "{main}:pane:0:orders:m:1", "{main}:unique:0:visitors:h:1"])
async def test_a_key_without_expiry_is_found(store: Redis, name: str) -> None:
    """The check fails where it should."""
    await store.set(name, "1")
    assert await immortal_strangers(store) == [name]
    await store.delete(name)


async def test_keys_that_expire_or_may_stay_are_not_found(store: Redis) -> None:
    """And nowhere else."""
    await store.set("{main}:entity:a", "1", px=60_000)
    await store.hset("{main}:pane:0:orders:d:202611", "20.n", "1")
    await store.set("not-ours", "1")
    assert await immortal_strangers(store) == []


async def test_a_day_of_the_whole_line_leaves_no_stranger(line: Line) -> None:
    """Taken, refused, counted, given up, shown: every key it left is listed or expires."""
    await line.post("orders/create", order(1))
    await line.post("orders/updated", order(1, refunds=[refund()]))
    await line.post("orders/create", b"{")
    await line.post("themes/publish", {"id": 1})
    await line.post("orders/create", order(2), x_shopify_hmac_sha256="bad")
    await line.store.xadd("{main}:events", {"e": "spoilt", "c": "0"})
    await line.work()
    assert await immortal_strangers(line.store) == []
    assert await line.store.xlen("{main}:dead") == 2

"""The Admin API as it is asked: within its points, patient, and its refusals in words."""

import asyncio

import pytest

from opsmon.core.errors import OpsmonError
from opsmon.pollers.http import HttpError
from opsmon.pollers.shopify_admin import AdminError, Bucket, Denied, ShopifyAdmin, TooCostly, denial
from tests.fakes.shopify import DOMAIN, TOKEN, FakeShopify

pytestmark = pytest.mark.anyio

DEAR = """query($first: Int) { orders(first: $first, query: "updated_at:>='2026-01-01T00:00:00Z' AND
updated_at:<='2026-12-31T00:00:00Z'") { nodes { id totalPriceSet { shopMoney { amount } }
lineItems(first: 8) { nodes { sku product { id } } } } } }""".replace("AND\n", "AND ")


def sleepless(admin: ShopifyAdmin) -> list[float]:
    """How long it wanted to wait; it does not."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    admin._sleep = sleep
    return waited


async def test_it_says_which_shop_a_token_is_for(admin: ShopifyAdmin) -> None:
    """The name is part of every key, and asked for once."""
    assert [await admin.domain(), await admin.domain()] == [DOMAIN] * 2


async def test_it_says_what_a_token_may(admin: ShopifyAdmin, fake: FakeShopify) -> None:
    """Scopes by name."""
    fake.scopes = {"read_orders"}
    assert await admin.scopes() == {"read_orders"}


async def test_it_waits_for_points_before_it_asks_again(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """The bucket is emptied once; after that it waits instead of being refused."""
    fake._speed = 20.0
    for _ in range(8):
        await admin.ask(DEAR, {"first": 46})
    assert (fake.asked.count("orders"), fake.throttled) == (8, 0)


async def test_who_is_throttled_waits_as_long_as_the_answer_says(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """Another program has used the points: so many are missing, so many come back a second."""
    fake._speed, fake._points = 1.0, 0.0
    fake._at_s = asyncio.get_running_loop().time()
    waited = sleepless(admin)
    with pytest.raises(AdminError, match="does another program use this token"):
        await admin.ask(DEAR, {"first": 46})
    assert fake.throttled == 12
    assert 4.5 < waited[0] < 5


@pytest.mark.parametrize(("available", "points", "later_s", "wait_s"), [
    (4_000, 900, 0, 0), (0, 900, 0, 4.5), (0, 900, 3, 1.5), (0, 900, 60, 0), (100, 5_000, 0, 19.5)])
def test_how_long_points_take(available: float, points: float, later_s: float, wait_s: float) -> None:
    """200 come back a second, and never more than 4,000 are there."""
    assert Bucket(available=available).wait_s(points, later_s) == wait_s


async def test_a_query_over_a_thousand_points_is_told_apart(admin: ShopifyAdmin) -> None:
    """Whoever asked can ask for less."""
    with pytest.raises(TooCostly):
        await admin.ask(DEAR, {"first": 250})


@pytest.mark.parametrize(("status", "kind", "said"), [
    (401, AdminError, "OPSMON_SHOPIFY_TOKEN"), (402, AdminError, "frozen"), (403, Denied, "refuses this token"),
    (404, AdminError, "There is no shop"), (423, AdminError, "locked"), (500, AdminError, "answered 500"),
    (302, HttpError, "redirect")])
async def test_each_refusal_says_what_to_do(fake: FakeShopify, admin: ShopifyAdmin, status: int,
                                            kind: type[OpsmonError], said: str) -> None:
    """And none shows the token."""
    fake.status = status
    with pytest.raises(kind, match=said) as raised:
        await admin.domain()
    assert TOKEN not in str(raised.value)


async def test_too_many_requests_wait(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """A 429 is not an error yet."""
    fake.status = 429
    waited = sleepless(admin)
    with pytest.raises(AdminError, match="asked too often"):
        await admin.domain()
    assert waited == [2.0] * 12


@pytest.mark.parametrize(("message", "said"), [
    ("Access denied for orders field. Required access: `read_orders` access scope.", "lacks the scope read_orders"),
    ("This app is not approved to access the Order object. See https://shopify.dev/…", "protected customer data"),
    ("This app is not approved to subscribe to webhook topics containing protected customer data.",
     "protected customer data"),
    ("You cannot create a webhook subscription with the specified topic", "lacks the scope of this topic"),
    ("Something else", "Shopify refuses: Something else")])
def test_a_denial_names_its_cause(message: str, said: str) -> None:
    """A scope, protected customer data, or as it stands."""
    assert said in denial(message)

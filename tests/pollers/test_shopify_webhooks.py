"""The webhooks a shop should send: made once, made again when Shopify deleted them, others left alone."""

import pytest

from opsmon.core.errors import OpsmonError
from opsmon.pollers.shopify_admin import ShopifyAdmin
from opsmon.pollers.shopify_webhooks import WebhookCheck, register, wanted
from tests.conftest import NOW_MS
from tests.fakes.shopify import FakeShopify

pytestmark = pytest.mark.anyio
URL = "https://ops.example.com/webhooks/shopify"


async def test_all_that_opsmon_reads_is_subscribed_to(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """Each topic once."""
    done = await register(admin, URL)
    assert (done.made, done.there, done.failed) == (list(wanted()), [], {})
    assert len(fake.subscriptions) == len(wanted())


async def test_a_second_time_changes_nothing(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """Whoever is not sure runs it again."""
    await register(admin, URL)
    done = await register(admin, URL)
    assert (done.made, done.there, len(fake.subscriptions)) == ([], list(wanted()), len(wanted()))


async def test_the_topics_that_no_api_subscribes_to_are_not_tried() -> None:
    """The compliance topics are set in the app."""
    assert {"customers/data_request", "customers/redact", "shop/redact"} & set(wanted()) == set()


async def test_what_shopify_deleted_is_made_again(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """The daily check tells how many."""
    check = WebhookCheck(admin, URL)
    await check.poll(NOW_MS)
    fake.sender.deleted |= {one.id for one in fake.subscriptions[:2]}
    result = await check.poll(NOW_MS)
    assert (result.found, result.new, result.error) == (len(wanted()), 2, "")


async def test_others_are_left_alone_and_told_of(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """The same topic to another address comes twice, if that is us too: a person decides."""
    fake.subscribe("orders/create", "https://old.example.com/webhooks/shopify")
    fake.subscribe("themes/publish", "https://other.example.com/hook")
    done = await register(admin, URL)
    assert done.elsewhere == [("orders/create", "https://old.example.com/webhooks/shopify")]
    assert len(fake.subscriptions) == len(wanted()) + 2


async def test_an_address_is_ours_however_it_is_written(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """With capitals in the host, with a slash at the end."""
    for topic in wanted():
        fake.subscribe(topic, "https://OPS.example.com/webhooks/shopify/")
    assert (await register(admin, URL)).there == list(wanted())


@pytest.mark.parametrize(("scopes", "is_approved", "topic", "said"), [
    ({"read_orders"}, True, "fulfillments/create", "lacks the scope"),
    ({"read_orders", "read_fulfillments"}, False, "orders/create", "protected customer data")])
async def test_what_cannot_be_made_is_told_with_its_cause(fake: FakeShopify, admin: ShopifyAdmin, scopes: set[str],
                                                          is_approved: bool, topic: str, said: str) -> None:
    """The rest is made."""
    fake.scopes, fake.is_approved = scopes, is_approved
    done = await register(admin, URL)
    assert said in done.failed[topic]
    assert len(done.made) + len(done.failed) == len(wanted(scopes))


async def test_the_check_tells_what_is_wrong_and_raises_nothing(fake: FakeShopify, admin: ShopifyAdmin) -> None:
    """The process goes on, and the sources page shows it."""
    fake.status = 500
    result = await WebhookCheck(admin, URL).poll(NOW_MS)
    assert (result.found, "answered 500" in result.error) == (0, True)
    with pytest.raises(OpsmonError):
        await register(admin, URL)

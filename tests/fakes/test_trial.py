"""A shop sends while workers die, the store goes away and Shopify deletes the webhooks: in the end all is equal."""

import pytest

from tests.fakes.trial import Trial, run
from tests.workers.fleet import open_fleet

pytestmark = [pytest.mark.anyio, pytest.mark.kill]


async def test_after_one_round_of_asking_every_order_and_number_is_the_shops() -> None:
    """Orders, revenue, refunds and countries, and each order's state, whatever was lost on the way."""
    with open_fleet() as fleet:
        done = await run(fleet, Trial())
    assert done.counted == done.expected
    assert done.last is not None and done.check is not None
    assert (done.last.error, done.last.new > 0, done.check.new > 0) == ("", True, True)
    assert (done.store_ends, done.kills > 2) == (2, True)


async def test_without_the_asking_deleted_webhooks_are_missed() -> None:
    """The control: what nobody told of is not there."""
    with open_fleet() as fleet:
        done = await run(fleet, Trial(orders=60, seconds=2, kill_every_s=0.5, store_ends=0, reconciles=False))
    assert done.counted["orders"] < done.expected["orders"]

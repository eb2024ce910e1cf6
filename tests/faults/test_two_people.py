"""Two people and one alert: whatever the order of their commands, it ends the same for both, as if one had been first.
"""

from typing import Any

import pytest
from redis.asyncio import Redis

from opsmon.core.alerting.life import acknowledge
from opsmon.store.alerts.alert_store import AlertStore
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.store.scripts import Scripts, source
from tests.conftest import NOW_MS
from tests.faults.two_people import FINGERPRINT, KEYS, RULE, run, start

pytestmark = pytest.mark.anyio
HISTORIES = 400


class Heedless(Scripts):
    """A move that does not look whether somebody else was first."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        super().__init__(client, keys)
        guard = "if version ~= ARGV[2] then return stored or '0 ' end\n"
        assert source("move_alert").count(guard) == 1
        self._move_alert = client.register_script(source("move_alert").replace(guard, ""))


async def test_two_people_at_once_are_as_one_after_the_other(store: Redis) -> None:
    """See to it, take it back, give it away, snooze, close, note: 400 histories, each by its seed; ten thousand with
    `python -m tests.faults two-people`."""
    found = [fault for seed in range(HISTORIES) for fault in (await run(store, seed, NOW_MS)).faults(NOW_MS)]
    assert found == []


async def test_without_the_look_at_the_version_they_are_not(store: Redis) -> None:
    """The control: what is compared can differ."""
    found = [fault for seed in range(100) for fault in (await run(store, seed, NOW_MS, Heedless)).faults(NOW_MS)]
    assert len(found) > 10


async def test_what_somebody_wrote_is_in_the_log(store: Redis) -> None:
    """A note changes nothing but the version: whoever wrote at the same instant as another is not taken for them."""
    found = [await run(store, seed, NOW_MS) for seed in range(HISTORIES)]
    assert sum(one.notes for one in found) > 100
    assert [one for one in found if sum(reason == "noted" for _, reason in one.log) != one.notes] == []


async def test_who_asks_again_for_a_lost_answer_is_told_that_it_was_done(store: Redis) -> None:
    """A client whose reply was lost repeats the command: it is its own move that it meets."""
    await start(store, NOW_MS)
    client = Forgetful(connection_pool=store.connection_pool)
    alerts = AlertStore(Reader(client), Scripts(client, KEYS), KEYS)
    _, was_done = await alerts.act(FINGERPRINT, lambda alert: acknowledge(alert, "Ana", NOW_MS), lambda _: RULE, NOW_MS)
    assert (was_done, await store.xlen(KEYS.alert_log)) == (True, 1)


class Forgetful(Redis):
    """A client that asks everything twice, as after an answer that was lost."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Twice; the second answer."""
        await super().execute_command(*args, **options)
        return await super().execute_command(*args, **options)

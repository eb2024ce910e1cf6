"""Twelve days of a real shop through the front door: import, count, verify, import again, replay."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import redis

from opsmon.spawning import spawn
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.server_binary import find_server
from tests.commands.test_online_retail import FILES, rows, worth
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(not FILES, reason="the dataset of ../shared/datasets/online-retail is not here")

SETTINGS = {"TIMEZONE": "Europe/London", "CURRENCY": "GBP", "KEEP_MINUTES": "9000d", "KEEP_HOURS": "9000d",
            "KEEP_ORDERS": "9000d"}


@dataclass
class Shop:
    """A store and a worker of a shop in London that keeps 2011."""

    store: EmbeddedStore
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        usual = {name: value for name, value in os.environ.items() if not name.startswith("OPSMON_")}
        return usual | {f"OPSMON_{name}": value for name, value in SETTINGS.items()} | {
            "OPSMON_STORE_URL": self.store.url, "OPSMON_DATA": str(self.folder),
            "PYTHONPATH": str(Path(__file__).parents[2])}

    def opsmon(self, *words: str) -> tuple[int, str]:
        """Run a verb; its exit code and what it said."""
        done = subprocess.run([sys.executable, "-m", "opsmon", *words], env=self.environment, capture_output=True,
                              text=True, timeout=120, check=False)
        return done.returncode, done.stdout

    def days(self) -> dict[date, int]:
        """Revenue by day in pence, as it is stored."""
        found = {}
        with redis.Redis.from_url(self.store.url) as client:
            for key in client.keys("{main}:pane:*:revenue:d:2011*"):
                month = key.decode().rpartition(":")[2]
                for name, amount in client.hgetall(key).items():
                    day, _, aggregate = name.decode().partition(".")
                    assert aggregate == "s:GBP"
                    found[date(int(month[:4]), int(month[4:]), int(day))] = int(amount)
        return found

    def is_counted(self) -> bool:
        """Whether nothing waits."""
        with redis.Redis.from_url(self.store.url) as client:
            (group,) = client.xinfo_groups("{main}:events")
            return group["pending"] == 0 and group["lag"] == 0


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """The shop with its worker, and all tables imported once."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        store = EmbeddedStore(DataDir(Path(folder) / "data"), find_server(), 512 * 1024**2)
        store.start()
        made = Shop(store, Path(folder) / "data")
        with (Path(folder) / "worker.log").open("ab") as log:
            worker = spawn([sys.executable, "-m", "opsmon", "worker"], env=made.environment, output=log)
        try:
            with redis.Redis.from_url(store.url) as client:
                wait_until(lambda: client.exists("{main}:note:workers"), "a worker that lives")
            assert made.opsmon("import", *map(str, FILES))[0] == 0
            wait_until(made.is_counted, "all orders counted", 60)
            yield made
        finally:
            worker.kill()
            worker.wait()
            store.stop()


def test_every_day_is_right_to_the_penny(shop: Shop) -> None:
    """By the shop's own tables, added up with nothing of ours: each day, and 688,592.59 in all."""
    expected = {date.fromisoformat(path.stem): int(sum(map(worth, rows(path))) * 100) for path in FILES}
    assert (shop.days(), sum(shop.days().values())) == (expected, 68_859_259)


def test_verify_says_equal(shop: Shop) -> None:
    """Every number of every rollup, counted again."""
    code, said = shop.opsmon("verify")
    assert (code, said.splitlines()[-1]) == (0, "Equal.")


def test_importing_again_changes_nothing(shop: Shop) -> None:
    """Whoever is not sure whether it went through does it again."""
    before = shop.days()
    code, said = shop.opsmon("import", *map(str, FILES))
    wait_until(shop.is_counted, "all orders counted", 60)
    assert (code, "0 events; 1,648 were there already" in said) == (0, True)
    assert shop.days() == before


def test_a_replay_changes_nothing(shop: Shop) -> None:
    """Counted anew from what is remembered and retained: the same pennies."""
    before = shop.days()
    assert shop.opsmon("replay")[0] == 0
    assert shop.days() == before
    assert shop.opsmon("verify")[0] == 0


def test_a_number_that_is_wrong_is_a_1_and_a_table(shop: Shop) -> None:
    """A penny too many, by hand: found, shown, and mended by a replay."""
    with redis.Redis.from_url(shop.store.url) as client:
        (key,) = client.keys("{main}:pane:*:revenue:d:201111")
        client.hincrby(key, "22.s:GBP", 1)
    code, said = shop.opsmon("verify")
    assert (code, said.splitlines()[-1]) == (1, "1 differ. `opsmon replay` counts anew.")
    assert shop.opsmon("replay")[0] == 0
    assert shop.opsmon("verify")[0] == 0

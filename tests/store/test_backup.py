"""A backup taken while orders come in, restored elsewhere: what it holds is one instant, and it adds up."""

import asyncio
import gzip
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from opsmon.__main__ import main
from opsmon.app.site import archive
from opsmon.clock import ManualClock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.core.folding import Rules
from opsmon.settings import Settings
from opsmon.store.accounts.audit import read_audit
from opsmon.store.backup_file import Origin, Record, read_manifest, read_records, write_backup
from opsmon.store.connection import Reader, worker_client
from opsmon.store.copying import copy_site
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.fence import fenced
from opsmon.store.keys import Keys
from opsmon.store.restoring import Restoring
from opsmon.store.scripts import Scripts
from opsmon.store.server_binary import find_server
from opsmon.workers.verify import verify
from opsmon.workers.worker import Worker
from tests.conftest import NOW_MS
from tests.line import Line
from tests.orders import order
from tests.store import alert_lines
from tests.store.dump import dump, without_idle
from tests.waiting import wait_until_async
from tests.web.accounts.accounts import signed_in

pytestmark = pytest.mark.anyio

Opsmon = Callable[..., Any]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """Another machine's store."""
    data = DataDir(tmp_path_factory.mktemp("elsewhere"))
    data.make()
    other = EmbeddedStore(data, find_server(), 256 * 1024 * 1024)
    other.start()
    yield other
    other.stop()


@pytest.fixture
async def other(elsewhere: EmbeddedStore) -> AsyncIterator[Redis]:
    """A client of it; it is empty."""
    async with worker_client(elsewhere.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def opsmon(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Opsmon:
    """Run a command beside the line, as another process would: its exit code, and what it printed."""
    monkeypatch.setenv("OPSMON_TIMEZONE", "Europe/Berlin")

    async def run(store: EmbeddedStore, *words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, [*words, "--store", store.url, "--data", str(tmp_path)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@asynccontextmanager
async def busy(line: Line) -> AsyncIterator[list[int]]:
    """Orders come in and are counted all the time; the numbers of those that were answered 200."""
    stop, answered = asyncio.Event(), list[int]()

    async def send() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            answer = await line.post("orders/create", order(number, f"{number}.50"))
            answered.extend([number] if answer.status == 200 else [])

    tasks = [asyncio.create_task(send()), asyncio.create_task(line.worker.run(stop))]
    try:
        yield answered
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def settled(client: Redis, settings: Settings, keys: Keys) -> None:
    """A worker counts what waits."""
    worker = Worker(client, settings, ManualClock(NOW_MS + 60_000))
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))

    async def done() -> bool:
        groups = await client.xinfo_groups(keys.events)
        return [(group["pending"], group["lag"]) for group in groups] == [(0, 0)]

    await wait_until_async(done, "all counted")
    stop.set()
    await running


async def differences(client: Redis, settings: Settings, keys: Keys) -> list[Any]:
    """What a recount gives otherwise."""
    rules = Rules(settings.catalogue, SiteCalendar(settings.timezone, settings.day_start_ms), settings.kept)
    return (await verify(client, keys, rules, NOW_MS)).differences


async def enough(answered: list[int], count: int) -> None:
    """Wait until so many orders were answered."""
    async def there() -> bool:
        return len(answered) >= count

    await wait_until_async(there, f"{count} orders")


async def numbers(client: Redis, keys: Keys) -> list[int]:
    """Which orders are in the stream, in order of arrival."""
    found = [orjson.loads(entry[b"e"])[6] for _, entry in await client.xrange(keys.events)]
    return [int(name.rpartition(":")[2]) for name in found]


def broken() -> Record:
    """A disk that goes away."""
    raise RuntimeError


async def test_a_backup_taken_under_load_adds_up_elsewhere(
    line: Line, settings: Settings, server: EmbeddedStore, elsewhere: EmbeddedStore, other: Redis, keys: Keys,
    opsmon: Opsmon, tmp_path: Path
) -> None:
    """Counts and events are of one instant: what was counted is not counted again, what waited is counted there."""
    async with busy(line) as answered:
        await enough(answered, 30)
        before = len(answered)
        assert (await opsmon(server, "backup", str(tmp_path / "a.tar.gz")))[0] == 0
        after = len(answered)
        await enough(answered, after + 10)
    assert (await opsmon(elsewhere, "restore", str(tmp_path / "a.tar.gz")))[0] == 0
    await settled(other, settings, keys)
    assert await differences(other, settings, keys) == []
    assert before <= int(await other.xlen(keys.events)) <= after + 1


async def test_a_site_stands_still_only_while_it_is_copied(
    line: Line, server: EmbeddedStore, settings: Settings, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """Afterwards the workers count on, and nothing was lost or counted twice."""
    async with busy(line) as answered:
        await enough(answered, 10)
        await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
        await enough(answered, len(answered) + 10)
    await settled(store, settings, keys)
    assert await differences(store, settings, keys) == []
    assert (await line.kpis())["orders-today"]["value"] == len(answered)


async def test_what_is_restored_is_what_was_there(
    line: Line, server: EmbeddedStore, elsewhere: EmbeddedStore, store: Redis, other: Redis, opsmon: Opsmon,
    tmp_path: Path, keys: Keys
) -> None:
    """Every key with its contents, its groups and whether it ends; but what lets somebody in, and what passes."""
    await signed_in(store, "admin", NOW_MS)
    for number in range(1, 6):
        await line.post("orders/create", order(number, "10.00"))
    await line.post("orders/create", b"no order")
    await line.work()
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    assert (await opsmon(elsewhere, "restore", str(tmp_path / "a.tar.gz")))[0] == 0
    left = ("session", "note", "changes", "tries", "meta", "audit")

    def kept(found: dict[bytes, Any]) -> dict[str, Any]:
        names = {name.decode().replace(":0:", ":1:").replace(":2:", ":1:"): one for name, one in found.items()}
        return {name: one for name, one in without_idle(names).items() if not name.startswith(tuple(
            f"{keys.tag}:{kind}" for kind in left))}

    there, here = kept(await dump(other)), kept(await dump(store))
    assert there == here


async def test_a_backup_is_for_our_eyes_only(line: Line, server: EmbeddedStore, opsmon: Opsmon, tmp_path: Path) -> None:
    """It holds customers' ids and hashes of passwords; and nothing half done lies beside it."""
    code, said = await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    assert (code, said.partition(":")[0]) == (
        0, f"{tmp_path / 'a.tar.gz'} holds the site main as it was just now")
    assert (tmp_path / "a.tar.gz").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("*a*.gz")) == ["a.tar.gz"]
    assert list(tmp_path.glob(".opsmon-backup-*")) == []


async def test_no_file_is_overwritten(line: Line, server: EmbeddedStore, opsmon: Opsmon, tmp_path: Path) -> None:
    """Least of all the last backup."""
    (tmp_path / "a.tar.gz").write_text("precious")
    assert await opsmon(server, "backup", str(tmp_path / "a.tar.gz")) == (
        1, f"opsmon: {tmp_path / 'a.tar.gz'} is there already. Give the backup another name.\n")
    assert (tmp_path / "a.tar.gz").read_text() == "precious"


async def test_a_file_that_cannot_be_written_leaves_the_workers_free(
    line: Line, server: EmbeddedStore, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """A sentence, and the fence is down."""
    code, said = await opsmon(server, "backup", str(tmp_path / "none" / "a.tar.gz"))
    assert (code, said) == (
        1, f"opsmon: {tmp_path / 'none' / 'a.tar.gz'} cannot be written: No such file or directory.\n")
    assert await store.hget(keys.meta, "fenced") is None
    assert await store.exists(keys.note("recount")) == 0


@pytest.mark.parametrize("spoil", [
    lambda raw: raw[: len(raw) // 2], lambda raw: raw[:-9], lambda raw: b"", lambda raw: b"no archive",
    lambda raw: raw[: len(raw) // 2] + bytes([raw[len(raw) // 2] ^ 4]) + raw[len(raw) // 2 + 1:],
], ids=["half of it", "without its end", "nothing", "a text", "a bit flipped"])
async def test_a_damaged_backup_is_refused_before_anything_is_touched(
    line: Line, server: EmbeddedStore, elsewhere: EmbeddedStore, other: Redis, opsmon: Opsmon, tmp_path: Path,
    spoil: Callable[[bytes], bytes]
) -> None:
    """Wherever the damage is."""
    await line.post("orders/create", order(1, "10.00"))
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    (tmp_path / "b.tar.gz").write_bytes(spoil((tmp_path / "a.tar.gz").read_bytes()))
    code, said = await opsmon(elsewhere, "restore", str(tmp_path / "b.tar.gz"))
    assert (code, said.endswith("Nothing was restored.\n")) == (1, True)
    assert await other.dbsize() == 0


async def test_a_value_that_was_changed_in_a_whole_archive_is_found(
    line: Line, server: EmbeddedStore, opsmon: Opsmon, tmp_path: Path
) -> None:
    """The checksum is of what the keys hold, not of the packing."""
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    raw = bytearray(gzip.decompress((tmp_path / "a.tar.gz").read_bytes()))
    at = raw.index(b"{main}:meta")
    raw[at + 40] ^= 1
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(OpsmonError, match="is damaged"):
        read_manifest(tmp_path / "b.tar.gz")


def rewritten(path: Path, to: Path, **changes: Any) -> None:
    """The same backup with another manifest."""
    with tarfile.open(path) as read, tarfile.open(to, "w:gz") as written:
        for name in read.getnames():
            raw = read.extractfile(name)
            assert raw is not None
            text = raw.read()
            if name == "manifest.json":
                text = orjson.dumps(orjson.loads(text) | changes)
            about = tarfile.TarInfo(name)
            about.size = len(text)
            with (to.parent / "member").open("wb+") as member:
                member.write(text)
                member.seek(0)
                written.addfile(about, member)


@pytest.mark.parametrize("changes, sentence", [
    ({"schema": 99, "opsmon": "9.0"}, "opsmon: This backup was made by a newer opsmon (9.0, schema 99; this one knows "
                                      "1). Install that version to restore it.\n"),
    ({"site": "other"}, "opsmon: This is a backup of the site other, and the site here is main. Set OPSMON_SITE=other "
                        "to restore it.\n"),
])
async def test_what_this_opsmon_cannot_use_is_refused(
    line: Line, server: EmbeddedStore, elsewhere: EmbeddedStore, other: Redis, opsmon: Opsmon, tmp_path: Path,
    changes: dict[str, Any], sentence: str
) -> None:
    """A newer schema, another site: a sentence that says what to do."""
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    rewritten(tmp_path / "a.tar.gz", tmp_path / "b.tar.gz", **changes)
    assert await opsmon(elsewhere, "restore", str(tmp_path / "b.tar.gz")) == (1, sentence)
    assert await other.dbsize() == 0


async def test_a_site_that_holds_something_is_not_replaced_by_mistake(
    line: Line, server: EmbeddedStore, store: Redis, opsmon: Opsmon, tmp_path: Path
) -> None:
    """It says what there is, and what to add."""
    await line.post("orders/create", order(1, "10.00"))
    await line.work()
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    before = await dump(store)
    assert await opsmon(server, "restore", str(tmp_path / "a.tar.gz")) == (1, (
        "opsmon: The site main holds 1 events, orders that are remembered here, which would be replaced. Nothing was "
        "restored; --replace does it all the same, after a backup of what there is.\n"))
    assert without_idle(await dump(store)) == without_idle(before)


async def test_a_live_site_goes_back_to_its_backup_and_keeps_what_comes_meanwhile(
    line: Line, settings: Settings, server: EmbeddedStore, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """Workers and boards run on; a delivery that was answered 200 while it was restored is there."""
    async with busy(line) as answered:
        await enough(answered, 20)
        await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
        await enough(answered, len(answered) + 20)
        began = len(answered)
        assert (await opsmon(server, "restore", str(tmp_path / "a.tar.gz"), "--replace"))[0] == 0
        await enough(answered, len(answered) + 10)
    await settled(store, settings, keys)
    assert await differences(store, settings, keys) == []
    there = [number for number in await numbers(store, keys) if number > began + 1]
    assert there == [*range(there[0], answered[-1] + 1)]


async def test_what_arrives_while_a_site_is_restored_stays(
    line: Line, settings: Settings, server: EmbeddedStore, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """It was answered 200. What came before is of the site that was replaced."""
    await line.post("orders/create", order(1, "10.00"))
    await line.work()
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    await line.post("orders/create", order(2, "10.00"))
    manifest, records = read_manifest(tmp_path / "a.tar.gz"), list(read_records(tmp_path / "a.tar.gz"))
    async with fenced(store, keys) as fence:
        restoring = Restoring(store, keys, fence, manifest.generation)
        newest = await restoring.begin()
        await line.post("orders/create", order(3, "10.00"))
        assert await restoring.run(records, newest) == 1
    assert await numbers(store, keys) == [1, 3]
    await settled(store, settings, keys)
    assert (await line.kpis())["orders-today"]["value"] == 2


async def test_restoring_that_was_broken_off_is_done_again(
    line: Line, server: EmbeddedStore, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """Half of it does not count: the facts of the site come last."""
    await line.post("orders/create", order(1, "10.00"))
    await line.work()
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    records = list(read_records(tmp_path / "a.tar.gz"))
    async with fenced(store, keys) as fence:
        restoring = Restoring(store, keys, fence, 0)
        with pytest.raises(RuntimeError):
            await restoring.run((record if number < 5 else broken() for number, record in enumerate(records)),
                                await restoring.begin())
    assert (await opsmon(server, "restore", str(tmp_path / "a.tar.gz"), "--replace"))[0] == 0
    assert (await line.kpis())["orders-today"]["value"] == 1
    assert [name async for name in store.scan_iter(match=f"{keys.tag}:restored:*")] == []


async def test_an_older_backup_of_a_live_site_is_seen_on_its_boards(
    line: Line, server: EmbeddedStore, opsmon: Opsmon, tmp_path: Path
) -> None:
    """The numbers are those of the backup, at once."""
    await line.post("orders/create", order(1, "10.00"))
    await line.work()
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    await line.post("orders/create", order(2, "10.00"))
    await line.work()
    await opsmon(server, "restore", str(tmp_path / "a.tar.gz"), "--replace")
    assert (await line.kpis())["orders-today"]["value"] == 1


async def test_what_became_of_alerts_is_in_a_backup_however_old_it_is(
        line: Line, settings: Settings, server: EmbeddedStore, opsmon: Opsmon, tmp_path: Path) -> None:
    """Also what left the store for files long ago; what came since the backup is gone with all else."""
    history = alert_lines.lines(700, step_ms=12 * 3_600_000)
    await line.work()
    files = archive(settings)
    await files.keep(history[:650])
    await alert_lines.put(line.store, history[600:])
    before = await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    await files.keep(alert_lines.lines(10, first=7_000))
    after = await opsmon(server, "restore", str(tmp_path / "a.tar.gz"), "--replace")
    assert (before[0], after[0]) == (0, 0)
    assert await alert_lines.in_files(files) == history[:650]
    assert await alert_lines.in_store(line.store) == [entry_id for entry_id, _ in history[600:]]
    await files.close()


async def test_a_backup_that_would_lack_history_is_not_made(
        line: Line, settings: Settings, server: EmbeddedStore, opsmon: Opsmon, tmp_path: Path) -> None:
    """A month whose file is damaged is said before anything looks whole that is not."""
    await line.work()
    files = archive(settings)
    await files.keep(alert_lines.lines(10))
    await files.close()
    (files.folder / "2026-11.sqlite").write_bytes(b"not a database" * 400)
    code, said = await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    assert (code, "The history of alerts in" in said, (tmp_path / "a.tar.gz").exists()) == (1, True, False)


async def test_who_asked_to_be_forgotten_since_the_backup_still_is(
    line: Line, server: EmbeddedStore, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """Going back does not take back the promise."""
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    await store.hset(keys.erasing, "a1b2c3d4", "a request")
    await opsmon(server, "restore", str(tmp_path / "a.tar.gz"), "--replace")
    assert await store.hgetall(keys.erasing) == {b"a1b2c3d4": b"a request"}


async def test_whoever_was_signed_in_has_to_sign_in_again(
    line: Line, server: EmbeddedStore, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """A session that was revoked since the backup does not come back with it."""
    await signed_in(store, "admin", NOW_MS)
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    kinds = read_manifest(tmp_path / "a.tar.gz").kinds
    assert {"session", "sessions", "invite", "pairing", "tries", "note", "turn"} & set(kinds) == set()


async def test_both_are_in_the_audit(
    line: Line, server: EmbeddedStore, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """With what the file holds."""
    await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    await opsmon(server, "restore", str(tmp_path / "a.tar.gz"), "--replace")
    (newest,) = await read_audit(Reader(store), keys, 1)
    digest = read_manifest(tmp_path / "a.tar.gz").sha256
    assert (newest.what, newest.who, {name: after for name, _, after in newest.changes}["sha256"]) == (
        "site.restored", "opsmon restore", digest)


async def test_while_it_is_counted_anew_no_backup_is_made(
    line: Line, server: EmbeddedStore, store: Redis, keys: Keys, opsmon: Opsmon, tmp_path: Path
) -> None:
    """Two that hold the workers at once would free them too early."""
    async with fenced(store, keys):
        code, said = await opsmon(server, "backup", str(tmp_path / "a.tar.gz"))
    assert (code, said) == (1, "opsmon: This site is being counted anew, copied, or somebody is being forgotten. Try "
                               "again in a minute.\n")
    assert not (tmp_path / "a.tar.gz").exists()


async def test_a_copy_whose_fence_fell_is_thrown_away(line: Line, store: Redis, keys: Keys) -> None:
    """A process that was stopped for a minute must not hand out half of the old and half of the new."""
    await line.post("orders/create", order(1, "10.00"))
    await line.work()
    copied = copy_site(store, keys)
    await anext(copied)
    await Scripts(store, keys).rebuild("begin")
    with pytest.raises(OpsmonError, match="workers counted on"):
        [record async for record in copied]


async def test_a_delivery_after_the_instant_is_neither_in_the_copy_nor_marked_as_taken(
    line: Line, store: Redis, keys: Keys
) -> None:
    """Where it is restored its sender may send it again, and it is counted."""
    await line.post("orders/create", order(1, "10.00"), x_shopify_webhook_id="first")
    await line.work()
    copied, names = copy_site(store, keys), []
    async for record in copied:
        names.append(record.name.decode())
        if record.name == keys.meta.encode():
            await line.post("orders/create", order(2, "10.00"), x_shopify_webhook_id="second")
    marks = [name for name in names if name.startswith(keys.seen(""))]
    assert [name.rpartition(":")[2] for name in marks] == ["first"]
    assert await store.exists(marks[0].replace("first", "second")) == 1


async def test_a_new_site_has_nothing_to_back_up(
    server: EmbeddedStore, store: Redis, opsmon: Opsmon, tmp_path: Path
) -> None:
    """A sentence, and no file."""
    assert await opsmon(server, "backup", str(tmp_path / "a.tar.gz")) == (1, (
        "opsmon: There is nothing to back up: nothing was ever counted for the site main here.\n"))
    assert list(tmp_path.glob("*.gz")) == []


def test_keys_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Whatever bytes a name or a value has."""
    records = [Record(b"{main}:entity:a", 0, bytes(range(256))), Record(b"{main}:seen:\xff\x00", 7, b"")]

    async def copied() -> AsyncGenerator[Record, None]:
        for record in records:
            yield record

    origin = Origin("main", 1, 0, "1.0", 1_795_179_802_000)
    manifest = asyncio.run(write_backup(tmp_path / "a", origin, copied()))
    assert (read_manifest(tmp_path / "a"), list(read_records(tmp_path / "a"))) == (manifest, records)
    assert manifest.kinds == {"entity": 1, "seen": 1}

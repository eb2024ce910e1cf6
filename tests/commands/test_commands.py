"""The command line as one types it: what each verb says, does and leaves behind."""

import itertools
import json
import logging
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import orjson
import pytest

import opsmon
from opsmon.__main__ import main
from tests.orders import order
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
VERBS = ("up", "store", "ingest", "web", "worker", "poll", "notify", "demo", "demo-shop", "send-test", "inspect",
         "connect", "import", "status", "explain", "verify", "replay", "check", "routes", "kpis",
         "dead", "boards", "privacy", "forget", "export-person", "people", "backup", "restore")
PASSWORD = "a-private-password"


# --- verbs that only speak: run in this process -----------------------------------------------------------------


@pytest.fixture
def spoken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run a verb in an empty folder and an empty environment: its code, what it printed, what it complained."""
    for variable in [name for name in os.environ if name.startswith("OPSMON_") or name == "REDIS_URL"]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("OPSMON_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*args: str, **environment: str) -> tuple[int, str, str]:
        for name, text in environment.items():
            monkeypatch.setenv(name, text)
        try:
            code = main(args)
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *capsys.readouterr()

    uvicorn_level = logging.getLogger("uvicorn").level
    yield run
    logging.getLogger("uvicorn").setLevel(uvicorn_level)


Spoken = Callable[..., tuple[int, str, str]]


def test_help_lists_every_verb_with_what_it_does(spoken: Spoken) -> None:
    """One look tells what there is."""
    code, said, _ = spoken("--help")
    found = dict(re.findall(r"^    ([a-z-]+)\s+(\S.*)$", said, re.MULTILINE))
    assert (code, tuple(found)) == (0, VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_a_help_that_reads_as_a_sentence(spoken: Spoken, verb: str) -> None:
    """Its usage, and what it is for, from a capital to a full stop."""
    code, said, _ = spoken(verb, "--help")
    usage, about, *_ = said.split("\n\n")
    assert (code, usage.startswith(f"usage: opsmon {verb} ")) == (0, True)
    assert re.fullmatch(r"[A-Z].*\.", about, re.DOTALL)


def test_the_version_is_said(spoken: Spoken) -> None:
    """For bug reports."""
    assert spoken("--version") == (0, f"opsmon {opsmon.__version__}\n", "")


@pytest.mark.parametrize("args", [(), ("dance",), ("send-test", "odoo"), ("inspect", "shopify")], ids=str)
def test_a_wrong_command_line_is_a_2_with_the_usage(spoken: Spoken, args: tuple[str, ...]) -> None:
    """Nothing is done of what nobody understood."""
    code, _, complained = spoken(*args)
    assert (code, complained.startswith("usage: opsmon")) == (2, True)


def test_check_says_every_setting_and_that_all_is_well(spoken: Spoken) -> None:
    """What counts now, wherever it was said."""
    code, said, _ = spoken("check", OPSMON_PORT="8123", OPSMON_CURRENCY="EUR")
    lines = dict(re.findall(r"^(OPSMON_\w+) +(.*)$", said, re.MULTILINE))
    assert (code, lines["OPSMON_PORT"], lines["OPSMON_CURRENCY"]) == (0, "8123", "EUR")
    assert said.endswith("All settings can be used.\n")


def test_check_names_each_wrong_setting_and_is_a_1(spoken: Spoken) -> None:
    """And what would be right."""
    code, said, _ = spoken("check", OPSMON_PORT="http", OPSMON_CURRENCY="euro")
    assert (code, said.splitlines()) == (1, [
        "OPSMON_CURRENCY='euro': expected an ISO currency of three capital letters, e.g. EUR",
        "OPSMON_PORT='http': expected a port number up to 65535, e.g. 8000"])


def test_check_says_that_there_are_secrets_not_which(spoken: Spoken) -> None:
    """Its output is pasted into bug reports."""
    _, said, _ = spoken("check", OPSMON_SHOPIFY_SECRETS=PASSWORD, OPSMON_STORE_URL=f"redis://me:{PASSWORD}@one")
    lines = dict(re.findall(r"^(OPSMON_\w+) +(.*)$", said, re.MULTILINE))
    assert (lines["OPSMON_SHOPIFY_SECRETS"], lines["OPSMON_STORE_URL"]) == ("set", "redis://…@one")


@pytest.mark.parametrize("verb", ["up", "store", "ingest", "web", "worker", "demo", "status"])
def test_every_verb_refuses_to_start_with_a_wrong_setting(spoken: Spoken, verb: str) -> None:
    """One sentence instead of a traceback, before anything was started or made."""
    code, said, complained = spoken(verb, OPSMON_GRACE="soon")
    assert (code, said, complained) == (
        1, "", "opsmon: OPSMON_GRACE='soon': expected a duration such as 500ms, 30s, 10m or 48h, e.g. 5m\n")
    assert not Path(os.environ["OPSMON_DATA"]).exists()


def test_inspect_prints_the_event_and_what_it_would_count(spoken: Spoken, tmp_path: Path) -> None:
    """To see what opsmon makes of a body before it is let loose on it."""
    (tmp_path / "order.json").write_bytes(orjson.dumps(order(total="49.90")))
    code, said, _ = spoken("inspect", "shopify", "orders/create", "order.json")
    shown = json.loads(said)
    assert (code, shown["event"]["data"]["total_minor"], shown["bytes"] < 1024) == (0, 4990, True)
    days = {rollup: fields for rollup, level, _, fields in shown["counts"] if level == "d"}
    assert (days["orders"], days["revenue"]) == ({"20.n": 1}, {"20.s:EUR": 4990})
    assert [fact["type"] for fact in shown["facts"]] == ["order.placed", "order.line", "order.open"]


def test_inspect_stores_nothing(spoken: Spoken, tmp_path: Path) -> None:
    """It needs no store, and makes none."""
    (tmp_path / "order.json").write_bytes(orjson.dumps(order()))
    spoken("inspect", "shopify", "orders/create", "order.json")
    assert [path.name for path in tmp_path.iterdir()] == ["order.json"]


def test_inspect_says_why_a_body_would_be_a_dead_letter(spoken: Spoken, tmp_path: Path) -> None:
    """In the words of the status page."""
    (tmp_path / "order.json").write_text('{"id": 17}')
    assert spoken("inspect", "shopify", "orders/create", "order.json") == (
        1, "", "opsmon: this would be a dead letter: the topic is orders/create, but the body has no created_at\n")


def test_inspect_says_which_topics_are_used(spoken: Spoken, tmp_path: Path) -> None:
    """A topic of no number is no mistake."""
    (tmp_path / "theme.json").write_text("{}")
    code, said, _ = spoken("inspect", "shopify", "themes/update", "theme.json")
    assert (code, said.partition(",")[0]) == (
        0, "themes/update: counted as not used; used are orders/create")


@pytest.mark.parametrize("name, why", [("gone.json", "No such file or directory"), (".", "Is a directory")])
def test_inspect_says_why_a_file_cannot_be_read(spoken: Spoken, name: str, why: str) -> None:
    """Which one, and why."""
    assert spoken("inspect", "shopify", "orders/create", name) == (
        1, "", f"opsmon: {name} cannot be read: {why}\n")


def test_status_without_a_store_says_where_it_looked(spoken: Spoken) -> None:
    """One sentence, without the password."""
    code, _, complained = spoken("status", "--store", f"redis://:{PASSWORD}@127.0.0.1:1/0")
    assert (code, complained.partition(" cannot be reached: ")[0], PASSWORD in complained) == (
        1, "opsmon: the store at redis://…@127.0.0.1:1/0", False)


@pytest.mark.parametrize("url", ["nowhere", "ftp://one/x", "http://", "http://one:port/", "http://[::1/"])
def test_send_test_to_what_is_no_address_says_so(spoken: Spoken, url: str) -> None:
    """And shows one."""
    assert spoken("send-test", "shopify", "--url", url) == (
        1, "", f"opsmon: --url {url}: expected an address such as http://127.0.0.1:8000/webhooks/shopify\n")


def test_send_test_to_nobody_says_whom_it_asked(spoken: Spoken, tmp_path: Path) -> None:
    """opsmon is not running there, or not with this folder."""
    url = f"http://127.0.0.1:{free_port()}/webhooks/shopify"
    code, _, complained = spoken("send-test", "shopify", "--url", url)
    assert (code, complained.startswith(f"opsmon: {url} did not take it: ")) == (1, True)
    assert complained.endswith(f"Is opsmon running there, with the data folder {tmp_path / 'data'}?\n")


def test_undo_of_what_is_no_number_says_so(spoken: Spoken) -> None:
    """The number stands in what send-test printed."""
    assert spoken("send-test", "shopify", "--undo", "last") == (
        1, "", "opsmon: --undo last: expected the number that send-test printed\n")


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf"])
def test_a_demo_of_no_speed_is_refused(spoken: Spoken, speed: str) -> None:
    """Nothing is started."""
    assert spoken("demo", "--speed", speed) == (2, "", "opsmon: --speed is a number above 0\n")


# --- verbs that run: each in a process of its own ---------------------------------------------------------------


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


class Run:
    """An opsmon in a process of its own."""

    def __init__(self, args: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.log = folder / f"output-{next(_numbers)}"
        clean = {name: text for name, text in os.environ.items()
                 if not name.startswith("OPSMON_") and name != "REDIS_URL"}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen([sys.executable, "-m", "opsmon", *args], cwd=folder, stdout=output,
                                            stderr=output, env=clean | environment)

    @property
    def said(self) -> str:
        """All it printed so far."""
        return self.log.read_text()

    def family(self) -> list[int]:
        """Its process id and its children's."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, listed.split())]

    def end(self, number: int = signal.SIGINT, patience_s: float = 10.0) -> tuple[int, float]:
        """Ask it to end as the terminal does: its code, and how long it took."""
        start_s = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(patience_s), time.monotonic() - start_s


_numbers = itertools.count(1)
Start = Callable[..., Run]


@contextmanager
def starting() -> Iterator[tuple[Path, Start]]:
    """A short folder, and a way to start opsmon in it; all that was started is ended."""
    with tempfile.TemporaryDirectory(prefix="ops-") as name:
        folder, runs = Path(name), list[Run]()

        def start(*args: str, **environment: str) -> Run:
            runs.append(Run(list(args), folder, environment))
            return runs[-1]

        try:
            yield folder, start
        finally:
            for run in reversed(runs):
                try:
                    run.end()
                except subprocess.TimeoutExpired:
                    run.process.kill()
                    run.process.wait()


@pytest.fixture
def place() -> Iterator[tuple[Path, Start]]:
    """A place of this test's own."""
    with starting() as made:
        yield made


def ask(port: int, path: str, *, host: str = "127.0.0.1", method: str = "GET") -> tuple[int, bytes]:
    """Ask over HTTP at a loopback address; (0, b'') when nobody answers."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def serves(port: int, path: str = "/readyz") -> Callable[[], bool]:
    """A question for wait_until: is this answered well?"""
    return lambda: ask(port, path)[0] == 200


def orders_today(port: int) -> int:
    """The number on the board; 0 when there is none yet."""
    status, body = ask(port, "/api/kpis")
    return int(orjson.loads(body)["kpis"]["orders-today"]["value"] or 0) if status == 200 else 0


class Up:
    """A running `opsmon up` and how to speak to it."""

    def __init__(self, folder: Path, start: Start) -> None:
        self.folder, self.start, self.port = folder, start, free_port()
        self.where = ["--data", str(folder / "data"), "--port", str(self.port)]
        start_s = time.monotonic()
        self.run = start("up", *self.where)
        wait_until(serves(self.port), "the board of `opsmon up`", 30)
        self.took_s = time.monotonic() - start_s

    def verb(self, *args: str) -> tuple[int, str]:
        """Run another verb beside it, to its end: its code and all it said."""
        run = self.start(*args, *self.where)
        return run.process.wait(20), run.said

    def json(self, path: str) -> Any:
        """What a page for programs says."""
        return orjson.loads(ask(self.port, path)[1])


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """One `opsmon up` for all tests that leave it running."""
    with starting() as (folder, start):
        yield Up(folder, start)


def test_up_shows_the_board_within_ten_seconds(up: Up) -> None:
    """From the command to the first page; 0.7 s where this was written."""
    assert ask(up.port, "/")[0] == 200
    assert up.took_s < 10


def test_up_says_where_everything_is(up: Up) -> None:
    """The addresses to click on, and how to try it."""
    base = f"http://127.0.0.1:{up.port}"
    told = [line.split("  ", 1)[1].strip() for line in up.run.said.splitlines()[1:7] for line in [line.strip()]]
    welcome = re.sub(r"/welcome/[\w-]{43} ", "/welcome/… ", told.pop(3))
    assert welcome == f"{base}/welcome/…   (makes the first account; from then on everybody signs in)"
    assert told == [f"{base}/", f"{base}/wall", f"{base}/sources   (how each is connected, and whether it works)",
                    f"{base}/webhooks/shopify   (expose this path, and only this, to the internet)",
                    f"opsmon send-test shopify {shlex.join(up.where)}"]


def test_a_test_order_moves_the_number_by_one_and_its_undo_moves_it_back(up: Up) -> None:
    """Through the front door, signed, counted and shown; then as if it had never been."""
    before = orders_today(up.port)
    code, said = up.verb("send-test", "shopify")
    wait_until(lambda: orders_today(up.port) == before + 1, "the test order on the board")
    undo = said.partition("Take it back with: opsmon ")[2].split()
    undone = up.start(*undo)
    wait_until(lambda: orders_today(up.port) == before, "the number as it was")
    assert (code, undone.process.wait(20)) == (0, 0)


def test_a_test_order_is_of_a_shop_of_its_own(up: Up) -> None:
    """The local secret signs for the test shop and for no other."""
    up.verb("send-test", "shopify")
    assert up.json("/status.json")["sources"]["shopify"]["totals"].get("bad_signature", 0) == 0
    assert ask(up.port, "/webhooks/shopify", method="POST")[0] == 401


def test_status_says_that_all_is_counted(up: Up) -> None:
    """For a person, on the terminal."""
    up.verb("send-test", "shopify")
    wait_until(lambda: [up.json("/status.json")[name] for name in ("state", "lag", "pending")] == ["ok", 0, 0],
               "all counted")
    code, said = up.verb("status")
    assert (code, said.partition("  (")[0]) == (0, "Everything that arrived is counted")
    said_of = re.findall(r"^(\w+)  ", said, re.MULTILINE)
    assert [about for about in said_of if about != "Memory"] == ["Shopify", "Stream", "Store", "Screens"]


def test_status_says_the_same_to_a_program(up: Up) -> None:
    """The facts of /status.json, from the store itself."""
    wait_until(lambda: up.json("/status.json")["state"] == "ok", "a worker that lives")
    code, said = up.verb("status", "--json")
    told, shown = json.loads(said), up.json("/status.json")
    assert (code, told["version"], sorted(told)) == (0, opsmon.__version__, sorted(shown))


def test_up_a_second_time_says_that_it_runs_already(up: Up) -> None:
    """The same command again, by mistake: not a word of ports, and the first one goes on."""
    code, said = up.verb("up")
    assert (code, said) == (
        1, f"opsmon: opsmon is already running on {up.folder / 'data'} (process {up.run.process.pid}). "
           "Stop it first, or give this one another folder with --data.\n")
    assert ask(up.port, "/readyz")[0] == 200


def test_a_taken_port_is_told_in_one_sentence(up: Up) -> None:
    """Before anything was started."""
    run = up.start("up", "--data", str(up.folder / "other"), "--port", str(up.port))
    assert (run.process.wait(20), run.said) == (
        1, f"opsmon: cannot listen on 127.0.0.1 port {up.port}: Address already in use. "
           "Choose another with --port.\n")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a" * 70])
def test_an_address_of_another_machine_is_told_in_one_sentence(up: Up, host: str) -> None:
    """Which address, and what to do."""
    run = up.start("up", "--data", str(up.folder / "third"), "--host", host, "--port", str(free_port()))
    code, said = run.process.wait(20), run.said
    assert (code, said.startswith(f"opsmon: cannot listen on {host} port ")) == (1, True)
    assert said.endswith(" Choose another with --host.\n") and said.count("\n") == 1


def test_on_all_addresses_webhooks_are_taken_and_boards_are_not_shown(place: tuple[Path, Start]) -> None:
    """The internet may knock at the one door; the board opens to this machine, by its local name."""
    folder, start = place
    port = free_port()
    start("up", "--data", str(folder / "data"), "--host", "0.0.0.0", "--port", str(port))
    wait_until(serves(port), "the board", 30)
    boards = ("/", "/wall", "/live", "/status.json", "/metrics")
    assert [ask(port, path, host="127.0.0.2")[0] for path in boards] == [403] * 5
    assert (ask(port, "/webhooks/shopify", host="127.0.0.2", method="POST")[0], ask(port, "/")[0]) == (401, 200)


def test_on_another_address_the_board_is_still_at_home(place: tuple[Path, Start]) -> None:
    """Where the hello says it is."""
    folder, start = place
    port = free_port()
    start("up", "--data", str(folder / "data"), "--host", "127.0.0.3", "--port", str(port))
    wait_until(serves(port), "the board at 127.0.0.1", 30)
    assert (ask(port, "/")[0], ask(port, "/webhooks/shopify", host="127.0.0.3", method="POST")[0]) == (200, 401)


def test_ctrl_c_ends_all_of_it_within_five_seconds(place: tuple[Path, Start]) -> None:
    """No process is left, and no traceback is the last one sees."""
    up = Up(*place)
    family = up.run.family()
    code, took_s = up.run.end(signal.SIGINT)
    assert (code, len(family), [pid for pid in family if Path(f"/proc/{pid}").exists()]) == (0, 5, [])
    assert took_s < 5
    assert [word for word in ("Traceback", "KeyboardInterrupt", "Error") if word in up.run.said] == []


def test_what_was_counted_is_there_after_the_next_start(place: tuple[Path, Start]) -> None:
    """Overnight everything is switched off."""
    up = Up(*place)
    up.verb("send-test", "shopify")
    wait_until(lambda: orders_today(up.port) == 1, "the test order on the board")
    up.run.end()
    up.start("up", *up.where)
    wait_until(lambda: orders_today(up.port) == 1, "the test order after the next start", 30)


def test_a_demo_shows_orders_within_a_minute_and_leaves_nothing(place: tuple[Path, Start]) -> None:
    """On a folder and a store of its own, whatever store the environment names; at noon, wherever that is now."""
    folder, start = place
    port, hours = free_port(), 12 - datetime.now(UTC).hour
    demo = start("demo", "--speed", "5", "--port", str(port), TMPDIR=str(folder), REDIS_URL="redis://127.0.0.1:1/0",
                 OPSMON_TIMEZONE=f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT")
    wait_until(lambda: orders_today(port) > 0, "orders of the demo's shop", 60)
    made = [path.name for path in folder.glob("opsmon-demo-*")]
    code, took_s = demo.end()
    assert (code, len(made), list(folder.glob("opsmon-demo-*"))) == (0, 1, [])
    assert (took_s < 5, "Traceback" in demo.said) == (True, False)


PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def test_the_procfile_names_the_processes() -> None:
    """A verb of `python -m opsmon` each."""
    assert {name: command.split()[:4] for name, command in PROCFILE.items()} == {
        name: ["python", "-m", "opsmon", name] for name in ("store", "ingest", "web", "worker", "poll", "notify")}


@pytest.fixture
def apart(place: tuple[Path, Start]) -> tuple[dict[str, Run], dict[str, int]]:
    """The five processes of the Procfile, all started at once; and the ports of the two that have one."""
    folder, start = place
    ports, runs = {"ingest": free_port(), "web": free_port()}, {}
    for name, command in PROCFILE.items():
        args = [str(ports[name]) if re.fullmatch(r"\d+", word) else word for word in command.split()[3:]]
        runs[name] = start(*args, OPSMON_DATA=str(folder / "data"))
    for name, port in ports.items():
        wait_until(serves(port), f"the {name} process", 30)
    return runs, ports


def test_the_processes_of_the_procfile_do_the_line_together(
    apart: tuple[dict[str, Run], dict[str, int]], place: tuple[Path, Start]
) -> None:
    """A delivery at one is a number at another."""
    folder, start = place
    _, ports = apart
    where = ["--data", str(folder / "data"), "--port", str(ports["ingest"])]
    sent = [start("send-test", "shopify", *where).process.wait(20) for _ in range(2)]
    wait_until(lambda: orders_today(ports["web"]) == 2, "the test orders on the board")
    assert sent == [0, 0]


def test_ingest_shows_no_board_and_web_takes_no_webhook(apart: tuple[dict[str, Run], dict[str, int]]) -> None:
    """Each does its own, so that no number of boards can make a webhook wait."""
    _, ports = apart
    answers = {name: (ask(port, "/")[0], ask(port, "/webhooks/shopify", method="POST")[0])
               for name, port in ports.items()}
    assert answers == {"ingest": (404, 401), "web": (200, 404)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_each_process_ends_when_it_is_told(apart: tuple[dict[str, Run], dict[str, int]], number: int) -> None:
    """Within five seconds, and without a traceback."""
    runs, _ = apart
    took_s = {name: runs[name].end(number)[1] for name in ("worker", "web", "ingest", "store")}
    assert [name for name, seconds in took_s.items() if seconds > 5] == []
    assert {name: run.said for name, run in runs.items() if "Traceback" in run.said} == {}

"""The wheel holds all that is needed: installed far from the checkout, it serves the board with its assets."""

import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

import opsmon
from tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
PATIENCE_S = 180

pytestmark = pytest.mark.skipif(importlib.util.find_spec("build") is None, reason="`build` is not installed")


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command to its end and return what it printed."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("OPSMON_", "PYTHONPATH"))}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A short folder outside the checkout."""
    with tempfile.TemporaryDirectory(prefix="ops-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def wheel(place: Path) -> Path:
    """The wheel of this checkout; with hatchling at hand it is built without a network."""
    plain = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    run(sys.executable, "-m", "build", "--wheel", *plain, "--outdir", place / "dist", ROOT, cwd=place)
    (built,) = (place / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bin_folder(place: Path, wheel: Path) -> Path:
    """A fresh environment with the wheel in it. Its dependencies are those of this one, named in a .pth file.

    Python reads no further .pth in a folder so named: the checkout, installed here for editing, stays out.
    """
    run(sys.executable, "-m", "venv", place / "venv", cwd=place)
    python = place / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel, cwd=place)
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip())
    others = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "dependencies.pth").write_text("\n".join(sorted(others)) + "\n")
    return place / "venv" / "bin"


@pytest.fixture(scope="module")
def port(place: Path, bin_folder: Path) -> Iterator[int]:
    """`opsmon up` of the installed wheel, on a port of its own."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        free = int(asked.getsockname()[1])
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("OPSMON_", "REDIS_URL"))}
    with (place / "output").open("wb") as output:
        up = subprocess.Popen([bin_folder / "opsmon", "up", "--data", place / "data", "--port", str(free)],
                              cwd=place, env=clean, stdout=output, stderr=output)
    try:
        wait_until(lambda: ask(free, "/readyz")[0] == 200 or up.poll() is not None, "the board", 30)
        assert up.poll() is None, (place / "output").read_text()
        yield free
    finally:
        up.send_signal(signal.SIGINT)
        try:
            up.wait(15)
        except subprocess.TimeoutExpired:
            up.kill()
            up.wait()


def ask(port: int, path: str) -> tuple[int, bytes]:
    """Ask the board; (0, b'') when nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def inside(folder: str) -> set[str]:
    """Every file of a folder of the checkout, as the wheel names it."""
    return {f"opsmon/{path.relative_to(ROOT)}" for path in (ROOT / folder).rglob("*") if path.is_file()}


def test_the_wheel_holds_templates_static_files_and_scripts(wheel: Path) -> None:
    """They lie beside the package in a checkout, and inside it in the wheel."""
    scripts = {path.relative_to(ROOT).as_posix() for path in (ROOT / "opsmon").rglob("*.lua")}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert (inside("templates") | inside("static") | scripts) - names == set()


def test_the_wheel_holds_the_languages(wheel: Path) -> None:
    """As text: nothing of them is compiled beforehand."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"opsmon/locales/{language}/messages.po" for language in ("de", "ja")} <= names


def test_the_wheel_holds_nothing_of_the_tests(wheel: Path) -> None:
    """Nor anything else beside the package."""
    folders = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert folders == {"opsmon", f"opsmon-{opsmon.__version__}.dist-info"}


def test_the_installed_command_says_its_version(place: Path, bin_folder: Path) -> None:
    """The same as the checkout's."""
    assert run(bin_folder / "opsmon", "--version", cwd=place) == f"opsmon {opsmon.__version__}\n"


def test_the_installed_package_is_the_wheels(place: Path, bin_folder: Path) -> None:
    """Not the checkout by a back door."""
    found = run(bin_folder / "python", "-c", "import opsmon; print(opsmon.__file__)", cwd=place)
    assert Path(found.strip()).is_relative_to(place / "venv")


@pytest.mark.parametrize("path", ["/", "/wall", "/status", "/components"])
def test_the_installed_board_is_served_with_all_it_names(port: int, path: str) -> None:
    """The page, its sheet, its scripts and its icon: each is there, and none is empty."""
    status, page = ask(port, path)
    assets = sorted(set(re.findall(r'"(/static/[^"]+)"', page.decode())))
    answers = {asset: ask(port, asset) for asset in assets}
    assert (status, len(assets) >= 3) == (200, True)
    assert [asset for asset, (code, body) in answers.items() if code != 200 or not body] == []


def test_the_installed_board_counts_a_test_order(place: Path, bin_folder: Path, port: int) -> None:
    """The scripts of the store came along too."""
    run(bin_folder / "opsmon", "send-test", "shopify", "--data", place / "data", "--port", str(port), cwd=place)
    wait_until(lambda: b'"orders-today"' in ask(port, "/api/kpis")[1]
               and b'tile__value" value="1"' in ask(port, "/wall")[1], "the test order on the wall")

"""The arrows between the folders, held by a test: who may import whom, and who alone may touch what.

Each rule is a function from a tree of sources to sentences about what breaks it. Below the rules, faults are
planted in a small tree to show that each rule would find one.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A folder, or a module beside the folders, and what of ours it may import. commands and app may import all.
MAY_IMPORT = {
    "core": set[str](),
    "clock": set(),
    "telemetry": set(),
    "logs": set(),
    "spawning": set(),
    "listening": {"core"},
    "threads": set(),
    "notify": {"core", "threads"},
    "supervisor": {"core", "spawning"},
    "sources": {"core"},
    "demo_feed": {"sources"},
    "setting_texts": {"core", "sources"},
    "settings": {"core", "sources", "setting_texts"},
    "store": {"core", "clock", "spawning", "threads"},
    "workers": {"core", "store", "settings", "clock", "notify", "threads"},
    "pollers": {"core", "sources", "store", "settings", "clock", "threads"},
    "web": {"core", "store", "sources", "clock", "telemetry"},
}
FREE = {"app", "commands", "__main__", "__init__"}

# What core may take of the standard library: arithmetic, dates, zones, types. Nothing that reads or writes.
PURE = {"bisect", "collections", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools",
        "hashlib", "heapq", "itertools", "math", "re", "statistics", "typing", "unicodedata", "zoneinfo"}

# Who may import a library that has one home. workers are handed a client and tell its errors apart.
HOMES = {
    "redis": ("store/", "app/", "pollers/", "workers/archiving.py", "workers/carry_over.py", "workers/erasing.py",
              "workers/erasure.py", "workers/evaluator.py", "workers/exporting.py", "workers/janitor.py",
              "workers/measuring.py", "workers/notifier.py", "workers/rebuild.py", "workers/shadow.py",
              "workers/verify.py", "workers/worker.py"),
    "starlette": ("web/", "app/"),
    "argon2": ("web/accounts/passwords.py",),
    "segno": ("web/accounts/qr.py",),
    "smtplib": ("notify/email.py",),
    "sqlite3": ("store/alerts/archive.py", "store/alerts/month_file.py"),
    "apprise": ("notify/apprise.py",),
    "uvicorn": ("web/protocol.py", "web/server.py"),
    "jinja2": ("web/rendering.py",),
    "prometheus_client": ("telemetry.py", "web/pages.py"),
}

# The wall clock's readers. monotonic and perf_counter measure durations and may be used anywhere.
WALL_CLOCK = {"time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime", "clock_gettime"},
              "datetime": {"now", "utcnow", "today"}, "date": {"today"}}
# orphans waits for a process that is not its child, for which there is nothing to wait on.
MAY_SLEEP = ("store/orphans.py",)

# settings reads it; spawning hands it on, unread.
READS_ENVIRONMENT = ("settings.py", "spawning.py")
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv"}

# Queries read: they get a Reader, and nothing that could write.
QUERIES = re.compile(r"store/\w+_queries\.py|web/pages\.py|web/status\.py")
WRITERS = {"redis", *(f"opsmon.store.{name}" for name in ("scripts", "appender", "refusals", "rollups"))}
WRITING = {"Redis", "Scripts", "worker_client", "ingest_client", "note_worker", "note_progress"}

HTMX = re.compile(r"(?<![\w/.-])hx-[\w:-]+\s*=|</?hx-")


def sources(tree: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module of a tree: its path inside the package, and its syntax."""
    for path in sorted((tree / "opsmon").rglob("*.py")):
        yield path.relative_to(tree / "opsmon").as_posix(), ast.parse(path.read_text())


def imports(module: ast.Module) -> Iterator[tuple[str, str]]:
    """What a module imports anywhere in it: (module, name), the name '' for a whole module."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)


def unit(path: str) -> str:
    """The folder or the module a file belongs to."""
    return path.partition("/")[0].removesuffix(".py")


def arrows(tree: Path) -> list[str]:
    """Imports point one way."""
    found = []
    for path, module in sources(tree):
        for name, imported in imports(module):
            whole = f"{name}.{imported}" if name == "opsmon" and imported else name
            other = whole.split(".")[1] if whole.startswith("opsmon.") else unit(path)
            allowed = unit(path) in FREE or other == unit(path) or other in MAY_IMPORT.get(unit(path), set())
            if name.startswith(".") or not allowed:
                found.append(f"{path} imports {whole}")
    return found


def purity(tree: Path) -> list[str]:
    """core imports what is pure."""
    return [f"{path} imports {name}" for path, module in sources(tree) if path.startswith("core/")
            for name, _ in imports(module) if name.partition(".")[0] not in PURE | {"opsmon"}]


def clocks(tree: Path) -> list[str]:
    """Only clock.py tells the time; only those that have to sleep do."""
    found = []
    for path, module in sources(tree):
        for node in ast.walk(module):
            told = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute) and (
                node.attr in WALL_CLOCK.get(_last(node.value), ()))
            if told and path != "clock.py":
                found.append(f"{path}:{node.lineno} tells the time")  # type: ignore[attr-defined]
            if isinstance(node, ast.Attribute) and path not in MAY_SLEEP and (
                    (_last(node.value), node.attr) == ("time", "sleep")):
                found.append(f"{path}:{node.lineno} sleeps")
        found += [f"{path} imports {name} from time" for source, name in imports(module)
                  if source == "time" and name in WALL_CLOCK["time"] | {"sleep"}]
    return found


def environments(tree: Path) -> list[str]:
    """Only settings.py reads the environment."""
    found = []
    for path, module in sources(tree):
        if path not in READS_ENVIRONMENT:
            read = [node for node in ast.walk(module) if isinstance(node, ast.Attribute)]
            found += [f"{path}:{node.lineno} reads the environment" for node in read
                      if _last(node.value) == "os" and node.attr in ENVIRONMENT]
            found += [f"{path} imports {name} from os" for source, name in imports(module)
                      if source == "os" and name in ENVIRONMENT]
    return found


def homes(tree: Path) -> list[str]:
    """Redis, Starlette and a few more live in one place each."""
    return [f"{path} imports {name}" for path, module in sources(tree) for name, _ in imports(module)
            if name.partition(".")[0] in HOMES and not path.startswith(HOMES[name.partition(".")[0]])]


def middlewares(tree: Path) -> list[str]:
    """No BaseHTTPMiddleware: it buffers streams and hides disconnects."""
    return [f"{path} imports BaseHTTPMiddleware" for path, module in sources(tree)
            for _, name in imports(module) if name == "BaseHTTPMiddleware"]


def queries(tree: Path) -> list[str]:
    """Who reads for a page cannot write."""
    return [f"{path} imports {source} {name}" for path, module in sources(tree) if QUERIES.fullmatch(path)
            for source, name in imports(module)
            if {source, source.partition(".")[0], f"{source}.{name}"} & WRITERS or name in WRITING]


def comparisons(tree: Path) -> list[str]:
    """Signatures and secrets are compared in constant time only."""
    return [f"{path}:{node.lineno} compares {secret} with ==" for path, module in sources(tree)
            for node in ast.walk(module) if isinstance(node, ast.Compare)
            and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
            for secret in map(_last, [node.left, *node.comparators])
            if re.search(r"hmac|signature|secret|token|digest", secret)]


def htmx(tree: Path) -> list[str]:
    """hx- attributes and elements come from one file."""
    found = {path.relative_to(tree).as_posix(): HTMX.findall(path.read_text())
             for path in sorted((tree / "templates").rglob("*.jinja"))}
    return [f"{path} has {written}" for path, written in found.items()
            if written and path != "templates/components/htmx.jinja"]


def _last(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


Rule = Callable[[Path], list[str]]
RULES: tuple[Rule, ...] = (arrows, purity, clocks, environments, homes, middlewares, queries, comparisons, htmx)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    """See the sentence at each rule above."""
    assert rule(ROOT) == []


def test_every_folder_and_module_has_its_arrows() -> None:
    """A new folder says what it may import before it imports anything."""
    assert {unit(path) for path, _ in sources(ROOT)} == set(MAY_IMPORT) | FREE


def test_web_and_workers_never_meet() -> None:
    """Nor by a detour: nothing that one may import may import the other."""
    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            seen |= (new := MAY_IMPORT[waiting.pop()] - seen)
            waiting += new
        return seen

    assert ("workers" in reach("web"), "web" in reach("workers")) == (False, False)


@pytest.mark.parametrize("rule, path, text", [
    (arrows, "opsmon/core/a.py", "from opsmon.store.keys import Keys"),
    (arrows, "opsmon/web/a.py", "def f():\n    from opsmon.workers import worker"),
    (arrows, "opsmon/workers/a.py", "from opsmon.web.hub import Hub"),
    (arrows, "opsmon/sources/a.py", "from opsmon.settings import Settings"),
    (arrows, "opsmon/store/a.py", "import opsmon.sources.base"),
    (arrows, "opsmon/store/a.py", "from opsmon import settings"),
    (arrows, "opsmon/core/a.py", "from . import events"),
    (arrows, "opsmon/a_new_module.py", "from opsmon.core import events"),
    (purity, "opsmon/core/a.py", "import os"), (purity, "opsmon/core/a.py", "import asyncio"),
    (purity, "opsmon/core/a.py", "from orjson import loads"), (purity, "opsmon/core/a.py", "import time"),
    (clocks, "opsmon/core/a.py", "from datetime import datetime\ndatetime.now()"),
    (clocks, "opsmon/web/a.py", "import datetime\ndatetime.datetime.now()"),
    (clocks, "opsmon/web/a.py", "from datetime import date\nf(default_factory=date.today)"),
    (clocks, "opsmon/store/a.py", "import time\ntime.time()"),
    (clocks, "opsmon/store/a.py", "from time import time_ns\ntime_ns()"),
    (clocks, "opsmon/workers/a.py", "import time\ntime.sleep(1)"),
    (environments, "opsmon/web/a.py", "import os\nos.environ['X']"),
    (environments, "opsmon/web/a.py", "import os\nos.getenv('X')"),
    (environments, "opsmon/app/web.py", "from os import environ"),
    (homes, "opsmon/web/a.py", "from redis.asyncio import Redis"), (homes, "opsmon/sources/a.py", "import redis"),
    (homes, "opsmon/workers/a.py", "from starlette.routing import Route"),
    (middlewares, "opsmon/web/a.py", "from starlette.middleware.base import BaseHTTPMiddleware"),
    (queries, "opsmon/store/new_queries.py", "from redis.asyncio import Redis"),
    (queries, "opsmon/web/pages.py", "from opsmon.store.scripts import Scripts"),
    (queries, "opsmon/web/status.py", "from opsmon.store import scripts"),
    (queries, "opsmon/store/kpi_queries.py", "from opsmon.store.connection import Reader, worker_client"),
    (comparisons, "opsmon/sources/a.py", "if signature == expected: pass"),
    (comparisons, "opsmon/sources/a.py", "ok = self._secret != given"),
    (htmx, "templates/pages/a.jinja", '<div hx-get="/x">'),
    (htmx, "templates/components/a.jinja", "<p data-a=1\n   hx-on:click = 'x'>"),
    (htmx, "templates/partials/a.jinja", "<hx-partial>"),
], ids=lambda value: getattr(value, "__name__", None) or str(value)[:40])
def test_a_planted_fault_is_found(tmp_path: Path, rule: Rule, path: str, text: str) -> None:
    """The rule would not stay silent."""
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text + "\n")
    assert len(rule(tmp_path)) == 1


@pytest.mark.parametrize("rule, path, text", [
    (arrows, "opsmon/app/web.py", "from opsmon.web import hub\nfrom opsmon.workers import worker"),
    (arrows, "opsmon/store/a.py", "from opsmon.store.keys import Keys\nfrom opsmon.core import events"),
    (arrows, "opsmon/web/a.py", "import opsmon\nfrom opsmon.telemetry import LAG"),
    (purity, "opsmon/web/a.py", "import asyncio"),
    (clocks, "opsmon/store/a.py", "import time\ntime.monotonic()\ntime.perf_counter()"),
    (clocks, "opsmon/core/a.py", "from datetime import datetime\ndatetime.min.time()"),
    (clocks, "opsmon/clock.py", "import time\ntime.time_ns()"),
    (environments, "opsmon/settings.py", "import os\nos.environ['X']"),
    (homes, "opsmon/store/a.py", "import redis"),
    (queries, "opsmon/web/feed.py", "from opsmon.store.scripts import Scripts"),
    (comparisons, "opsmon/sources/a.py", "hmac.compare_digest(signature, expected)"),
    (htmx, "templates/components/htmx.jinja", '<hx-partial hx-target="#x">'),
    (htmx, "templates/layouts/page.jinja", '<script src="/vendor/hx-sse.min.js"></script>'),
], ids=lambda value: getattr(value, "__name__", None) or str(value)[:40])
def test_what_is_right_is_no_fault(tmp_path: Path, rule: Rule, path: str, text: str) -> None:
    """Nor does it cry for nothing."""
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text + "\n")
    assert rule(tmp_path) == []

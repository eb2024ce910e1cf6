"""What is written about the project is there, and true: settings, keys, scripts, numbers, commands."""

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from opsmon.__main__ import parser
from opsmon.core.catalogue import Kpi, Rollup, Unit
from opsmon.core.kpis import KPIS, ROLLUPS
from opsmon.settings import TABLE, Setting
from opsmon.store.keys import KINDS, KeyKind

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SCRIPTS = sorted((ROOT / "opsmon" / "store" / "lua").glob("*.lua"))
INCLUDES = sorted((ROOT / "opsmon" / "store" / "lua" / "includes").glob("*.lua"))


def header(script: Path) -> str:
    """The comment a script begins with, as one text."""
    lines = script.read_text().splitlines()
    ended = next(n for n, line in enumerate(lines) if not line.startswith("-- "))
    return " ".join(line.removeprefix("-- ").strip() for line in lines[:ended])


def verbs() -> dict[str, argparse.ArgumentParser]:
    """Every verb of the command line."""
    (action,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    found: dict[str, argparse.ArgumentParser] = action.choices
    return found


def commands(text: str) -> list[list[str]]:
    """The opsmon commands in shell blocks and `code` of a Markdown text, each as its words after `opsmon`."""
    fences = re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    shell = "\n".join(block for kind, block in fences if kind in ("sh", "shell", "bash", "console"))
    inline = re.findall(r"`([^`]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))
    lines = re.split(r"\n|&&|;|\|", shell.replace("\\\n", " ")) + [code.replace("\n", " ") for code in inline]
    found = [re.match(r"(?:\$ |uvx |\S*python3? -m |\S*/)*opsmon\s+(.*)$", line.strip()) for line in lines]
    return [shlex.split(match[1], comments=True) for match in found if match]


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_each_setting_is_in_the_readme(setting: Setting) -> None:
    """Whoever runs opsmon finds every screw in one table."""
    assert re.findall(rf"\b{setting.variable}\b", README) != []


def test_each_variable_in_the_readme_is_a_setting() -> None:
    """And no screw is drawn that is not there."""
    known = {setting.variable for setting in TABLE} | {f"{s.variable}_FILE" for s in TABLE if s.in_file}
    assert set(re.findall(r"\bOPSMON_[A-Z_]*[A-Z]\b", README)) - known == set()


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_each_setting_says_what_it_means(setting: Setting) -> None:
    """In a sentence, with an example."""
    assert re.fullmatch(r"[A-Z].{10,}\.", setting.meaning, re.DOTALL)
    assert setting.example


def test_the_readme_shows_how_to_run_it() -> None:
    """At least the demo, and the real thing."""
    assert {command[0] for command in commands(README) if command} >= {"demo", "up"}


@pytest.mark.parametrize("command", commands(README), ids=shlex.join)
def test_each_command_in_the_readme_is_one(command: list[str]) -> None:
    """Every verb and every option that is shown can be typed."""
    known = verbs().get(command[0], parser())
    options = {word.partition("=")[0] for word in command if word.startswith("-")}
    assert command[0] in [*verbs(), "--help", "--version"]
    assert options - set(known._option_string_actions) == set()


def test_commands_are_found_in_shell_blocks_and_code_only() -> None:
    """What the test above looks at."""
    text = ("```sh\n$ opsmon up --port 1 \\\n  --host x  # all of it\n"
            "pip install opsmon && .venv/bin/opsmon demo\npython -m opsmon web\n```\n"
            "run opsmon dance, or `opsmon inspect shopify\norders/create a.json`, or `opsmon.toml`\n"
            "```python\nopsmon sing\n```\n")
    assert commands(text) == [["up", "--port", "1", "--host", "x"], ["demo"], ["web"],
                              ["inspect", "shopify", "orders/create", "a.json"]]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_each_script_says_what_it_does_takes_and_returns(script: Path) -> None:
    """Its name and purpose, units, keys, arguments, reply, and whether it may be run again."""
    said = header(script)
    assert said.startswith(f"{script.stem}: ")
    assert re.findall(r"\bKEYS\[1\] |\bARGV\[1\] |\bReturns |\bSafe to repeat", said) == [
        "KEYS[1] ", "ARGV[1] ", "Returns ", "Safe to repeat"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_each_script_names_every_key_it_touches(script: Path) -> None:
    """No key of the code is missing in the header; a Cluster needs to know them all."""
    code = re.sub(r"--.*", "", script.read_text())
    used = {int(number) for number in re.findall(r"KEYS\[(\d+)\]", code)}
    named = [int(number) for number in re.findall(r"(?:KEYS|  )\[(\d+)(?:\.\.)?\]", header_lines(script))]
    assert used - set(named) == set()


def header_lines(script: Path) -> str:
    """The header's line about keys."""
    return "\n".join(line for line in script.read_text().splitlines() if line.startswith("-- KEYS"))


@pytest.mark.parametrize("include", INCLUDES, ids=lambda path: path.stem)
def test_each_include_says_what_it_is(include: Path) -> None:
    """Above each function its name, its arguments, and what it answers."""
    text = include.read_text()
    functions = re.findall(r"^local function (\w+\([\w, ]*\))", text, re.MULTILINE)
    assert [name for name in functions if f"-- {name}: " not in text] == []
    assert include.stem in [name.partition("(")[0] for name in functions]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.shape)
def test_each_kind_of_key_says_type_life_and_owner(kind: KeyKind) -> None:
    """What it is, how long it stays, who writes it."""
    assert kind.shape.startswith("{site}:")
    assert kind.type in ("stream", "hash", "string", "set", "zset")
    assert (bool(kind.owner), bool(kind.holds)) == (True, True)
    assert re.match(r"permanent\b|\d+ (second|minute|hour|day)s?\b", kind.lives)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.shape)
def test_each_owner_of_a_key_is_there(kind: KeyKind) -> None:
    """A script, or a folder or module of the package."""
    known = ({path.stem for path in SCRIPTS} | {path.stem for path in (ROOT / "opsmon").rglob("*.py")}
             | {path.name for path in (ROOT / "opsmon").iterdir() if path.is_dir()})
    assert [owner for owner in re.split(r",\s*", kind.owner) if owner not in known] == []


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.id)
def test_each_number_has_a_unit_and_a_definition(kpi: Kpi) -> None:
    """What is counted, in words that stand under the number."""
    assert kpi.unit in get_args(Unit)
    assert kpi.better in ("up", "down", "neither")
    assert re.fullmatch(r"[A-Z].{3,39}", kpi.label)
    assert re.fullmatch(r"[A-Z].{20,}\.", kpi.definition, re.DOTALL)
    assert kpi.rollup in {rollup.id for rollup in ROLLUPS}


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.id)
def test_each_rollup_says_what_it_measures(rollup: Rollup) -> None:
    """A sum or a mean is of something, sessions and visitors are someone's, a share has hits."""
    valued = {"sum", "mean", "stddev", "percentile", "min", "max", "last", "top"}
    assert bool(rollup.on) == (rollup.measure != "own")
    assert bool(rollup.value) or rollup.measure not in valued
    assert bool(rollup.of) == (rollup.measure in ("unique", "distinct", "sessions")
                                 or rollup.id in ("stock", "stage-waits"))
    assert bool(rollup.hits) == (rollup.measure == "ratio")


def undocumented() -> Iterator[str]:
    """Every module, public class and public function of the package that has no docstring."""
    for path in sorted((ROOT / "opsmon").rglob("*.py")):
        name, module = path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())
        if not ast.get_docstring(module):
            yield name
        for node in module.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                if not node.name.startswith("_") and not ast.get_docstring(node):
                    yield f"{name}: {node.name}"


def test_each_public_class_and_function_says_what_it_is_for() -> None:
    """Modules too."""
    assert list(undocumented()) == []

"""Windows as other engines understand them, through the whole line; and the runner that says so can say no."""

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from opsmon.store.embedded import EmbeddedStore
from tests.conformance import main, run_lines
from tests.conformance_adapters import ADAPTERS, plan_of
from tests.conformance_cases import Rule, read_case, read_rule
from tests.conformance_site import scale_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "window_cases.jsonl"

# Three orders of two shops, in two windows.
ORDERS: dict[str, Any] = {
    "id": "orders", "kind": "tumbling", "params": {"size_ms": 10, "aggs": ["count", "sum"]},
    "events": [[1, "north", 5], [9, "north", 7], [10, "south", 2]],
    "expected": [[0, 10, "north", "count", 2], [0, 10, "north", "sum", 12],
                 [10, 20, "south", "count", 1], [10, 20, "south", "sum", 2]],
}
HOPPING: dict[str, Any] = {
    "id": "hopping", "kind": "sliding", "params": {"size_ms": 4, "slide_ms": 6, "aggs": ["max"]},
    "events": [[1, "k", 8], [5, "k", 99], [6, "k", 3]],
    "expected": [[0, 4, "k", "max", 8], [6, 10, "k", "max", 3]], "dropped": [1],
}
VISITS: dict[str, Any] = {
    "id": "visits", "kind": "session", "params": {"gap_ms": 10, "gap_edge": "same", "end": "last_plus_gap",
                                                  "aggs": ["count", "min", "max"]},
    "events": [[0, "ann", 4], [20, "ann", 1], [31, "ann", 6], [10, "ann", 9]],
    "expected": [[0, 30, "ann", "count", 3], [0, 30, "ann", "min", 1], [0, 30, "ann", "max", 9],
                 [31, 41, "ann", "count", 1], [31, 41, "ann", "min", 6], [31, 41, "ann", "max", 6]],
    "emissions": [[1, 20, 30, "ann", "count", 1], [3, 20, 30, "ann", "count", None],
                  [3, 0, 30, "ann", "count", 3]],
}
EDITS: dict[str, Any] = {
    "id": "edits", "kind": "tumbling", "params": {"size_ms": 3_600_000, "semantics": "upsert", "aggs": ["sum"]},
    "events": [[1_777_888_860_000, "o1", {"v": 2, "created": 1_777_888_800_000, "total": 4200, "state": "open"}],
               [1_777_888_800_000, "o1", {"v": 1, "created": 1_777_888_800_000, "total": 5000, "state": "open"}],
               [1_777_888_900_000, "o2", {"v": 3, "created": 1_777_888_800_000, "total": 900, "state": "cancelled"}]],
    "expected": [[1_777_888_800_000, 1_777_892_400_000, "all", "sum", 4200]],
}
LONG_DAY: dict[str, Any] = {
    "id": "long-day", "kind": "tumbling", "params": {"calendar": {"unit": "day", "tz": "Europe/Berlin"},
                                                     "aggs": ["mean"]},
    "events": [[1_792_879_200_000, "web", 1], [1_792_969_199_999, "web", 2]],
    "expected": [[1_792_879_200_000, 1_792_969_200_000, "web", "mean", 1.5]],
}
CLOSED: dict[str, Any] = {
    "id": "closed", "kind": "tumbling",
    "params": {"size_ms": 10, "aggs": ["count"], "late": {"mode": "marks", "marks": [[1, 12]], "lateness_ms": 2,
                                                          "rule": "end-1+L<wm"}},
    "events": [[1, "k", 1], [11, "k", 1], [2, "k", 1]],
    "expected": [[0, 10, "k", "count", 1], [10, 20, "k", "count", 1]], "dropped": [2],
}
OWN = (ORDERS, HOPPING, VISITS, EDITS, LONG_DAY, CLOSED)

# What a case may be wrong about, each with what is said of it.
WRONG = {
    "another value": ({"expected": [[0, 10, "north", "count", 2], [0, 10, "north", "sum", 13],
                                    [10, 20, "south", "count", 1], [10, 20, "south", "sum", 2]]},
                      'expected [0, 10, "north", "sum", 13], got 12'),
    "a window left out": ({"expected": ORDERS["expected"][:2]}, 'expected nothing, got [10, 20, "south", "count", 1]'),
    "a window too many": ({"expected": [*ORDERS["expected"], [20, 30, "south", "count", 1]]},
                          'expected [20, 30, "south", "count", 1], got nothing'),
    "an empty window": ({"expected": [*ORDERS["expected"], [20, 30, "south", "count", 0]]},
                        'expected [20, 30, "south", "count", 0], got nothing'),
    "other bounds": ({"expected": [*ORDERS["expected"][:2], [10, 21, "south", "count", 1],
                                   [10, 20, "south", "sum", 2]]},
                     'expected [10, 21, "south", "count", 1], got nothing'),
    "another key": ({"expected": [*ORDERS["expected"][:3], [10, 20, "north", "sum", 2]]},
                    'expected [10, 20, "north", "sum", 2], got nothing'),
    "an event that would be dropped": ({"dropped": [1]}, "expected event 1 to count nowhere, it counts"),
    "what was told early": ({"emissions": [[0, 0, 10, "north", "sum", 12]]},
                            'after event 0: expected [0, 10, "north", "sum", 12], got 5'),
    "what was added since": ({"emissions": [[0, 0, 10, "north", "delta_sum", 5], [1, 0, 10, "north", "delta_sum", 12]]},
                             'after event 1: expected [0, 10, "north", "delta_sum", 12], got 7'),
    "what was taken back": ({"emissions": [[1, 0, 10, "north", "count", None]]},
                            'after event 1: expected [0, 10, "north", "count", null], got 2'),
}
BROKEN = {
    "no JSON": (b"{", "FAIL line 1: the line is no JSON"),
    "no object": (b"[1]", "FAIL line 1: the case is no JSON object"),
    "no events": (b'{"id": "x", "kind": "tumbling", "params": {"size_ms": 10, "aggs": ["count"]}}',
                  "FAIL x: events is missing or no list"),
    "half an event": (json.dumps(ORDERS | {"events": [[1, "north"]]}).encode(),
                      "FAIL orders: event 0 is [1, 'north']: expected [ts_ms, key, value]"),
    "no size": (json.dumps(ORDERS | {"params": {"aggs": ["count"]}}).encode(),
                "FAIL orders: size_ms is None: expected a whole number"),
    "a strange aggregate": (json.dumps(ORDERS | {"params": {"size_ms": 10, "aggs": ["mood"]}}).encode(),
                            "FAIL orders: aggs are mood: expected some of"),
    "a strange rule": (json.dumps(CLOSED | {"params": CLOSED["params"] | {"late": {"mode": "stream_time",
                                                                                  "rule": "soon"}}}).encode(),
                       "FAIL closed: the rule 'soon' is not understood"),
    "a value nobody takes": (json.dumps(ORDERS | {"events": [[1, "north", 1e300]]}).encode(),
                             "FAIL orders tumbling: batch 1: an event was not taken: data.value is 1e+300"),
}

Run = Callable[..., Awaitable[list[str]]]


@pytest.fixture
def run(server: EmbeddedStore) -> Run:
    """Run cases on the tests' store: what is said, line by line."""

    async def run(*cases: dict[str, Any] | bytes) -> list[str]:
        said: list[str] = []
        lines = [case if isinstance(case, bytes) else json.dumps(case).encode() for case in cases]
        passed = await run_lines(lines, server.url, said.append)
        assert passed == said[-1].endswith(" 0 failed")
        return said

    return run


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is not here")
async def test_the_answers_of_other_engines_are_ours(server: EmbeddedStore) -> None:
    """Seventy questions that Beam, Flink, Kafka and others answer: ours are the same, at most ten by an adapter."""
    said: list[str] = []
    await run_lines(SHARED.read_bytes().splitlines(), server.url, said.append)
    assert [line for line in said if line.startswith("FAIL")] == []
    assert said[-1] == "70 passed, 0 failed"
    assert sum(" via adapter " in line for line in said) <= 10


@pytest.mark.parametrize("case", OWN, ids=lambda case: case["id"])
async def test_a_case_of_our_own_passes(run: Run, case: dict[str, Any]) -> None:
    """Cases written by hand come out as a person would count them."""
    said = await run(case)
    assert said[-1] == "1 passed, 0 failed", said


@pytest.mark.parametrize(("change", "complaint"), WRONG.values(), ids=WRONG)
async def test_a_wrong_case_fails(run: Run, change: dict[str, Any], complaint: str) -> None:
    """A runner that cannot say no proves nothing: each kind of wrong expectation is found and told."""
    said = await run(ORDERS | change)
    assert said[-1] == "0 passed, 1 failed"
    assert said[0].startswith("FAIL orders tumbling: ") and complaint in said[0]


async def test_a_session_with_the_wrong_end_fails(run: Run) -> None:
    """Sessions end a gap after their last event, or with it, as the case says."""
    params = VISITS["params"] | {"end": "last_event"}
    said = await run(VISITS | {"params": params})
    assert said[0].startswith('FAIL visits session: batch 1: expected nothing, got [0, 20, "ann", "count", 3]')


async def test_a_dropped_event_that_counts_fails(run: Run) -> None:
    """An event between two windows counts nowhere; a case that says otherwise is wrong."""
    said = await run(HOPPING | {"dropped": []})
    assert said[0] == "FAIL hopping sliding: expected event 1 to count, it counts nowhere"


@pytest.mark.parametrize(("line", "complaint"), BROKEN.values(), ids=BROKEN)
async def test_a_malformed_case_fails_with_a_sentence(run: Run, line: bytes, complaint: str) -> None:
    """A line that makes no sense fails alone; the others are run."""
    said = await run(line, ORDERS)
    assert said[0].startswith(complaint)
    assert said[-1] == "1 passed, 1 failed"


async def test_each_adapter_is_named_with_its_reason(run: Run) -> None:
    """Where another engine's rule is not ours, the line says so, and the end tells how often and why."""
    said = await run(CLOSED)
    reason = "That engine takes no event into a window that is over; we correct the window."
    assert said == [
        f'ok closed via adapter "closes windows for good": {reason} tumbling (5 batch sizes, in its order)',
        "1 of them through adapters:", f"  closes windows for good × 1: {reason}", "1 passed, 0 failed"]


async def test_an_adapter_is_used_only_where_it_matters() -> None:
    """Where nothing came too late, a rule about lateness changes nothing, and no adapter is counted."""
    in_time = CLOSED | {"events": CLOSED["events"][:2], "dropped": []}
    assert plan_of(read_case(json.dumps(in_time).encode())).adapters == ()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.__name__)
async def test_each_adapter_has_a_reason(adapter: Any) -> None:
    """Its docstring begins with one sentence on how that engine differs."""
    assert adapter.__doc__.startswith("That engine ")


async def test_time_is_scaled_until_every_edge_is_a_minute() -> None:
    """Panes are minutes: windows of 10 ms, or of 3.5 s every 2.5 s, become whole minutes."""
    sliding = ORDERS | {"kind": "sliding", "params": {"size_ms": 3500, "slide_ms": 2500, "aggs": ["count"]}}
    factors = [scale_of(read_case(json.dumps(case).encode())).factor for case in (ORDERS, sliding, LONG_DAY)]
    assert factors == [6_000, 120, 1]


async def test_a_rule_of_lateness_is_our_clock() -> None:
    """`end-1+L<=wm` closes one millisecond before `end+L<=wm`, which is what complete means with us."""
    assert read_rule("end-1+L<=wm", 20) == Rule("end", 20, -1, is_strict=False)
    assert [read_rule(text, 0).now_ms(100) for text in ("end<=wm", "end-1+L<wm", "end-1+L<=wm", "ts<wm-L")] == [
        100, 100, 101, 99]


def test_a_file_is_run_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 when all passed, 1 when any failed, 2 when there is no such file; the tally stands last."""
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text(json.dumps(ORDERS) + "\n\n" + json.dumps(EDITS) + "\n")
    bad.write_text(json.dumps(ORDERS) + "\n" + json.dumps(ORDERS | {"expected": []}) + "\n")
    assert [main([str(path)]) for path in (good, bad, tmp_path / "none.jsonl")] == [0, 1, 2]
    tallies = [line for line in capsys.readouterr().out.splitlines() if line.endswith("failed")]
    assert tallies == ["2 passed, 0 failed", "1 passed, 1 failed"]


@pytest.mark.parametrize("how", [["-m", "tests.conformance"], ["tests/conformance.py"]], ids=["module", "file"])
def test_it_runs_as_a_module_and_as_a_file(tmp_path: Path, how: list[str]) -> None:
    """Both ways to call it work from the project's root."""
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(ORDERS))
    done = subprocess.run([sys.executable, *how, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert (done.returncode, done.stdout.splitlines()) == (
        0, ["ok orders tumbling (5 batch sizes, 3 shuffles)", "1 passed, 0 failed"])

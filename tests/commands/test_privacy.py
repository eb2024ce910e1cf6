"""opsmon privacy: who asked, what is stored about them, and to forget them."""

from pathlib import Path

import pytest

from opsmon.__main__ import main
from opsmon.clock import SystemClock
from opsmon.core.calendar import DAY_MS
from opsmon.core.privacy import Request
from opsmon.store.connection import Reader
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import Keys
from opsmon.store.privacy import keep_request
from opsmon.store.privacy_queries import read_requests
from tests.commands.conftest import Opsmon, on

KEYS = Keys("main")
ADA = "woo:shop.example:customer:17"
STATE = '["g",[["woo:shop.example:order:5",1795179802000,4990,"EUR"]]]'
COMMAND = "privacy"


@pytest.fixture(autouse=True)
def ada(opsmon: Opsmon, server: EmbeddedStore) -> None:
    """The store knows Ada."""
    on(server, lambda client: client.set(KEYS.entity(f"~customer:{ADA}"), STATE, px=60_000))


def asked(server: EmbeddedStore) -> list[Request]:
    """What is asked for."""
    found: list[Request] = on(server, lambda client: read_requests(Reader(client), KEYS))
    return found


def test_nobody_has_asked(opsmon: Opsmon) -> None:
    """And so it says."""
    assert opsmon("list") == (0, "Nobody has asked for anything.\n")


def test_a_request_is_listed_with_its_deadline(opsmon: Opsmon, server: EmbeddedStore) -> None:
    """30 days after it was asked."""
    request = Request("a1b2c3d4", "export", ADA, (), 1_795_179_802_000, "salt", note="/data/exports/a1b2c3d4.json")
    on(server, lambda client: keep_request(client, KEYS, request))
    assert opsmon("list") == (0, (
        "a1b2c3d4  asked Nov 20, 2026: wants to see what is stored (woo:shop.example:customer:17); "
        "/data/exports/a1b2c3d4.json has it, to be answered until Dec 20, 2026\n"))


def test_what_is_stored_of_any_customer_is_written_to_a_file(opsmon: Opsmon, tmp_path: Path) -> None:
    """Of one who asked by letter, say."""
    code, said = opsmon("export", ADA)
    (path,) = (tmp_path / "exports").iterdir()
    assert (code, said) == (0, f"{path} has what is stored about {ADA}. Delete it once it is sent.\n")
    assert "woo:shop.example:order:5" in path.read_text()


@pytest.mark.parametrize("deed", ["export", "erase"])
def test_of_nobody_nothing_is_written(opsmon: Opsmon, deed: str, tmp_path: Path) -> None:
    """A sentence that says how ids look."""
    code, said = opsmon(deed, "17")
    assert (code, said.partition(";")[0]) == (1, "opsmon: 17: nothing is stored about such a customer")
    assert not (tmp_path / "exports").exists()


def test_forgetting_asks_first(opsmon: Opsmon, server: EmbeddedStore) -> None:
    """Without --yes it says what there is."""
    assert opsmon("erase", ADA) == (0, (
        f"{ADA}: 1 states, 0 events and 0 dead letters.\n"
        "Nothing was erased. With --yes they are forgotten; that cannot be undone.\n"))
    assert asked(server) == []


def test_who_is_to_be_forgotten_is_left_to_the_workers(opsmon: Opsmon, server: EmbeddedStore) -> None:
    """As a request of a vendor is."""
    assert opsmon("erase", ADA, "--yes")[0] == 0
    (request,) = asked(server)
    assert (request.kind, request.about, request.stage, len(request.salt)) == ("customer", ADA, "asked", 32)


def test_a_request_that_was_answered_is_done(opsmon: Opsmon, server: EmbeddedStore, tmp_path: Path) -> None:
    """Its file goes, and so does the name."""
    now_ms = SystemClock().now_ms()
    on(server, lambda client: keep_request(client, KEYS, Request("a1b2c3d4", "export", ADA, (), now_ms, "salt")))
    assert opsmon("export", "a1b2c3d4")[0] == 0
    assert opsmon("done", "a1b2c3d4") == (0, "Done. The file was deleted.\n")
    assert list((tmp_path / "exports").iterdir()) == []
    (request,) = asked(server)
    assert (request.about, request.stage) == ("", "done")
    assert now_ms - DAY_MS < int(request.note) < now_ms + DAY_MS


def test_what_is_no_request_cannot_be_done(opsmon: Opsmon) -> None:
    """A sentence, and 1."""
    assert opsmon("done", "x") == (
        1, "opsmon: x: no request for data that waits is called so; see opsmon privacy list\n")


def test_the_short_names_do_the_same(server: EmbeddedStore, opsmon: Opsmon, tmp_path: Path,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    """`opsmon forget` is `opsmon privacy erase`, `opsmon export-person` is `opsmon privacy export`."""
    where = ["--store", server.url, "--data", str(tmp_path)]
    said = []
    for short, words in ((["forget", ADA], ["erase", ADA]), (["export-person", ADA], ["export", ADA])):
        code = main([*short, *where])
        said.append((code, capsys.readouterr().out))
        assert said[-1] == opsmon(*words)
    assert main(["forget", ADA, "--yes", *where]) == 0
    assert [request.about for request in asked(server)] == [ADA]

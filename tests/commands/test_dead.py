"""opsmon dead: what could not be used, from the command line."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from opsmon.__main__ import main
from opsmon.store.embedded import EmbeddedStore
from opsmon.store.keys import MOST_HELD
from opsmon.store.scripts import Taken
from tests.commands.conftest import Opsmon, on
from tests.line import SHOP
from tests.orders import order
from tests.store.dead import keep, letter

NOT_JSON = f"orders/create from {SHOP}: not JSON"
COMMAND = "dead"


@pytest.fixture
def kept(server: EmbeddedStore, opsmon: Opsmon) -> Callable[..., list[str]]:
    """Put letters there; the ids of all."""
    def put(*letters: Taken) -> list[str]:
        found: list[str] = on(server, lambda client: keep(client, *letters))
        return found

    return put


def left(server: EmbeddedStore) -> tuple[int, int]:
    """Events and dead letters that there are."""
    return (on(server, lambda client: client.xlen("{main}:events")),
            on(server, lambda client: client.xlen("{main}:dead")))


def test_an_empty_list_says_so(opsmon: Opsmon) -> None:
    """And is no failure."""
    assert opsmon("list") == (0, "No dead letters.\n")
    assert opsmon("list", "--source", "odoo") == (0, "No dead letters of these.\n")


def test_the_list_is_by_reason(opsmon: Opsmon, kept: Callable[..., list[str]]) -> None:
    """With the short name that the other commands take, and how many there are."""
    kept(*(letter(n, reason=f"line {n}") for n in range(1, 4)), letter(9))
    lines = opsmon("list")[1].splitlines()
    assert [line.split(maxsplit=2)[1:] for line in lines] == [
        ["3", lines[0].split(maxsplit=2)[2]], ["1", lines[1].split(maxsplit=2)[2]]]
    assert lines[0].split(maxsplit=2)[2].startswith(f"Shopify: orders/create from {SHOP}: line …  (newest ")


def test_the_list_of_a_reason_names_its_letters(opsmon: Opsmon, kept: Callable[..., list[str]]) -> None:
    """By their ids, the newest first; a sentence does as well as its short name."""
    ids = kept(letter(1), letter(2, reason="other"), letter(3))
    listed = orjson.loads(opsmon("list", "--reason", NOT_JSON, "--json")[1])
    assert [one["id"] for one in listed["letters"]] == [ids[2], ids[0]]
    assert [line.split()[0] for line in opsmon("list", "--reason", listed["groups"][0]["id"])[1].splitlines()] == [
        ids[2], ids[0]]


def test_the_list_says_which_source_is_stopped(server: EmbeddedStore, opsmon: Opsmon) -> None:
    """For people and for programs."""
    on(server, lambda client: client.hset("{main}:counts", "shopify:held", MOST_HELD))
    assert opsmon("list")[1].startswith("Shopify is stopped: 10,000 dead letters")
    assert orjson.loads(opsmon("list", "--json")[1])["stopped"] == {"shopify": [MOST_HELD, 0]}


def test_a_letter_is_shown_whole_with_its_secrets_masked(opsmon: Opsmon, kept: Callable[..., list[str]]) -> None:
    """Payload over lines, headers, reason."""
    about = '{"x-shopify-topic":"orders/create","authorization":"Bearer s3cret"}'
    (one,) = kept(Taken("dead", "shopify", "s", b'{"id":1}', f"the reason\n{about}"))
    shown = opsmon("show", one)[1]
    assert ('{\n  "id": 1\n}\n' in shown, "Reason     the reason\n" in shown, "s3cret" in shown) == (True, True, False)
    plain = orjson.loads(opsmon("show", one, "--json")[1])
    assert (plain["payload"], plain["headers"]["authorization"], plain["bytes"]) == (
        '{"id":1}', "… (13 characters, not shown)", 8)


@pytest.mark.parametrize("words", [("show", "1-1"), ("show", "x"), ("replay", "x"), ("discard", "x", "--because", "y")])
def test_what_is_no_letter_is_told(opsmon: Opsmon, words: tuple[str, ...]) -> None:
    """In a sentence that says where ids are found."""
    code, printed = opsmon(*words)
    assert (code, "opsmon dead list" in printed) == (1, True)


def test_letters_are_replayed_by_id(server: EmbeddedStore, opsmon: Opsmon, kept: Callable[..., list[str]]) -> None:
    """Twice is harmless; what still cannot be used is told, and is a failure."""
    ids = kept(letter(1), letter(2, b"{"))
    code, printed = opsmon("replay", *ids)
    assert (code, printed.splitlines()[0]) == (1, "1 done, 0 had been taken before, 1 still cannot be used")
    assert f"{ids[1]:22} the body is not JSON" in printed
    assert opsmon("replay", ids[0]) == (0, "0 done, 1 had been taken before, 0 still cannot be used\n")
    assert left(server) == (1, 1)


def test_a_reason_is_tried_with_one_letter_first(
    server: EmbeddedStore, opsmon: Opsmon, kept: Callable[..., list[str]]
) -> None:
    """The oldest goes; all go when one says so."""
    kept(*(letter(n) for n in range(1, 251)))
    assert "--all takes all of the reason" in opsmon("replay", "--reason", NOT_JSON)[1]
    assert left(server) == (1, 249)
    assert opsmon("replay", "--reason", NOT_JSON, "--all") == (
        0, "249 done, 0 had been taken before, 0 still cannot be used\n")
    assert left(server) == (250, 0)


def test_replaying_a_reason_stops_after_a_hundred_failures(
    opsmon: Opsmon, kept: Callable[..., list[str]]
) -> None:
    """It says so, also to a program."""
    kept(*(letter(n, b"{") for n in range(1, 121)))
    code, printed = opsmon("replay", "--reason", NOT_JSON, "--all", "--json")
    told = orjson.loads(printed)
    assert (code, told["settled"], told["stopped_early"], len(told["failed"])) == (1, 0, True, 100)
    assert "Stopped after 100" in opsmon("replay", "--reason", NOT_JSON, "--all")[1]


def test_a_reason_nothing_is_held_for_is_told_with_those_that_are(
    opsmon: Opsmon, kept: Callable[..., list[str]]
) -> None:
    """A typing error replays nothing."""
    kept(letter(1))
    code, printed = opsmon("replay", "--reason", "not jason", "--all")
    assert (code, f"({NOT_JSON})" in printed) == (1, True)


def test_a_letter_is_replayed_with_another_payload(
    server: EmbeddedStore, opsmon: Opsmon, kept: Callable[..., list[str]], tmp_path: Path
) -> None:
    """From a file; what is wrong with it is told with line and column."""
    (one,) = kept(letter(1, b"{"))
    file = tmp_path / "order.json"
    file.write_text('{"id": 1,\n"x"}')
    assert "this is not JSON, line 2, column 4" in opsmon("replay", one, "--payload", str(file))[1]
    file.write_bytes(orjson.dumps(order(1)))
    assert (opsmon("replay", one, "--payload", str(file))[0], left(server)) == (0, (1, 0))


@pytest.mark.parametrize("words", [("replay",), ("replay", "1-1", "--reason", "x"), ("discard", "--because", "x"),
                                   ("discard", "1-1", "--because", " "), ("replay", "1-1", "2-1", "--payload", "x"),
                                   ("replay", "1-1", "--payload", "/no/such/file")])
def test_a_command_that_is_not_clear_says_what_is_missing(opsmon: Opsmon, words: tuple[str, ...]) -> None:
    """It does nothing."""
    code, printed = opsmon(*words)
    assert (code, printed.startswith("opsmon: "), "Traceback" in printed) == (1, True, False)


def test_letters_are_discarded_with_a_word_of_why(
    server: EmbeddedStore, opsmon: Opsmon, kept: Callable[..., list[str]]
) -> None:
    """By id or by reason; the journal keeps the word."""
    ids = kept(letter(1), letter(2), letter(3))
    assert opsmon("discard", ids[0], "--because", "a test")[0] == 0
    assert opsmon("discard", "--reason", NOT_JSON, "--because", "noise")[0] == 0
    lines = on(server, lambda client: client.xrange("{main}:journal"))
    assert [(fields[b"because"], fields[b"settled"], fields[b"by"]) for _, fields in lines] == [
        (b"a test", b"1", b"local"), (b"noise", b"2", b"local")]
    assert left(server) == (0, 0)


def test_the_status_says_which_source_is_stopped(server: EmbeddedStore, opsmon: Opsmon, tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks how it goes hears it first."""
    on(server, lambda client: client.hset("{main}:counts", "shopify:held", MOST_HELD))
    main(["status", "--store", server.url, "--data", str(tmp_path)])
    assert "Stopped    Shopify is stopped: 10,000 dead letters" in capsys.readouterr().out

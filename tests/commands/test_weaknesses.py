"""opsmon check warns of what can be used and is weak."""

from pathlib import Path

import pytest

from opsmon.__main__ import main
from opsmon.commands.weaknesses import is_loopback, weaknesses
from opsmon.settings import Settings, check, load
from opsmon.store.embedded import EmbeddedStore

STRONG = "0f3a9c1b5d7e24680f3a9c1b5d7e2468"


def settings(folder: Path, **given: str) -> Settings:
    """Settings on an empty folder that is ours alone."""
    return load({}, folder / "none.toml", {"data": str(folder / "data"), **given})


def told(folder: Path, **given: str) -> list[str]:
    """What is warned of."""
    return list(weaknesses(settings(folder, **given)))


def written(path: Path, text: str, mode: int) -> Path:
    """A file."""
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_defaults_are_not_weak(tmp_path: Path) -> None:
    """Who sets nothing is warned of nothing."""
    assert told(tmp_path) == []


@pytest.mark.parametrize("token", ["a" * 40, "abababababababababababab", "sixteen-letters1"])
def test_a_token_that_can_be_guessed_is_told(tmp_path: Path, token: str) -> None:
    """Short, or of few letters. The token itself is not printed."""
    (sentence,) = told(tmp_path, ingest_token=f"{token},{STRONG}")
    assert sentence == ("OPSMON_INGEST_TOKEN: 1 of 2 can be guessed, being shorter than 20 characters or of fewer than "
                        "10 different ones. `openssl rand -hex 32` makes a good one.")


@pytest.mark.parametrize(("url", "count"), [
    ("redis://127.0.0.1:6379/0", 0), ("unix:///run/store.sock", 0), ("redis://[::1]:6379", 0),
    ("redis+cluster://127.0.0.1:1,localhost:2", 0), ("rediss://:password@store.example:6379", 0),
    ("redis://:password@store.example:6379", 1), ("rediss://store.example", 1), ("redis://store.example", 2),
    ("redis+cluster://u:p@127.0.0.1:1,store.example:2", 1),
])
def test_a_store_on_another_machine_wants_tls_and_a_password(tmp_path: Path, url: str, count: int) -> None:
    """On this machine neither."""
    assert len(told(tmp_path, store_url=url)) == count


def test_an_address_without_tls_is_told(tmp_path: Path) -> None:
    """Only this machine's own can be without; for others settings refuse it."""
    assert told(tmp_path, public_url="http://localhost:8000") == [
        "OPSMON_PUBLIC_URL=http://localhost:8000 is without TLS: passwords and orders would be read on the way."]


def test_proxies_that_are_everybody_are_told(tmp_path: Path) -> None:
    """Whoever is believed may say that it is this machine."""
    assert told(tmp_path, trusted_proxies="10.0.0.2,0.0.0.0/0") == [
        "OPSMON_TRUSTED_PROXIES=0.0.0.0/0 believes anybody who says where a request comes from: name the proxies only."]


def test_a_file_of_secrets_that_everyone_may_read_is_told(tmp_path: Path) -> None:
    """With the command that mends it."""
    path = written(tmp_path / "secrets", STRONG, 0o644)
    found, _ = check({"OPSMON_SHOPIFY_SECRETS_FILE": str(path), "OPSMON_DATA": str(tmp_path / "data")})
    assert found is not None
    assert list(weaknesses(found)) == [
        f"{path} holds secrets and everyone on this machine may read it: chmod 600 {path}"]
    path.chmod(0o640)
    assert list(weaknesses(found)) == []


@pytest.mark.parametrize(("text", "is_told"), [
    (f'shopify_secrets = "{STRONG}"\n', True), ('timezone = "Europe/Berlin"\n', False),
    (f'[[source]]\nname = "till"\nkind = "json"\ntype = "till.receipt"\nsecrets = ["{STRONG}"]\n', True),
    ('[[source]]\nname = "till"\nkind = "json"\ntype = "till.receipt"\nsecrets_file = "till"\n', False),
], ids=["a secret", "no secret", "of a source", "of a source in its file"])
def test_the_settings_file_is_told_of_when_it_holds_secrets(tmp_path: Path, text: str, is_told: bool) -> None:
    """Who keeps them in files of their own may show the settings around."""
    written(tmp_path / "till", STRONG, 0o600)
    config = written(tmp_path / "opsmon.toml", text, 0o644)
    found = load({"OPSMON_DATA": str(tmp_path / "data")}, config)
    assert (config in found.secret_files) == is_told
    assert any(str(config) in sentence for sentence in weaknesses(found)) == is_told


def test_a_data_folder_that_everyone_may_look_into_is_told(tmp_path: Path) -> None:
    """It was there before, and keeps its mode."""
    (tmp_path / "data").mkdir(mode=0o755)
    assert told(tmp_path) == [f"{tmp_path / 'data'} holds all that is counted and everyone may look into it: "
                              f"chmod 700 {tmp_path / 'data'}"]


@pytest.mark.parametrize(("host", "is_ours"), [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True),
                                               ("localhost", True), ("0.0.0.0", False), ("10.0.0.7", False),
                                               ("ops.example", False)])
def test_a_loopback_address_is_known(host: str, is_ours: bool) -> None:
    """A name is not looked up."""
    assert is_loopback(host) == is_ours


def test_check_warns_of_boards_that_others_reach_before_there_is_an_admin(
    server: EmbeddedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that all settings can be used: a warning is no error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPSMON_HOST", "0.0.0.0")
    monkeypatch.setenv("OPSMON_SITE", "nobodys")
    assert main(["check", "--store", server.url, "--data", str(tmp_path / "data")]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "All settings can be used.",
        "Weak: OPSMON_HOST=0.0.0.0 is reached from other machines and nobody has an account yet: "
        "opsmon people add EMAIL",
        "Alerts: Nobody is told of alerts: they show on screens only. The page /receivers says who is to be told."]


@pytest.mark.parametrize("name", ["shopify_secrets", "shopify_token", "ingest_token", "store_url"])
def test_every_secret_can_stand_in_a_file(tmp_path: Path, name: str) -> None:
    """Named by a variable, or by opsmon.toml, beside which it is looked for."""
    text = "redis://:secret@127.0.0.1:6379" if name == "store_url" else STRONG
    path = written(tmp_path / "secret", f"{text}\n", 0o600)
    config = written(tmp_path / "opsmon.toml", f'{name}_file = "secret"\n', 0o600)
    by_variable = load({f"OPSMON_{name.upper()}_FILE": str(path)}, tmp_path / "none.toml")
    by_config = load({}, config)
    plain = load({}, tmp_path / "none.toml", {name: text})
    field = {"ingest_token": "ingest_tokens"}.get(name, name)
    assert getattr(by_variable, field) == getattr(by_config, field) == getattr(plain, field)
    assert by_variable.secret_files == by_config.secret_files == (path,)


def test_a_secret_and_its_file_together_are_refused(tmp_path: Path) -> None:
    """Which of them is meant is not guessed."""
    config = written(tmp_path / "opsmon.toml", f'ingest_token = "{STRONG}"\ningest_token_file = "secret"\n', 0o600)
    assert check({}, config)[1] == [
        f"{config}: ingest_token_file: expected the name of a file, without ingest_token beside"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the name it was given."""
    config = written(tmp_path / "opsmon.toml", 'ingest_token_file = "secret"\n', 0o600)
    assert check({}, config)[1] == [
        f"{config}: ingest_token_file=secret: cannot be read (No such file or directory)"]

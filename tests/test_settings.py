"""The settings: where each may be said, what wins, and what one reads when it is wrong."""

import os
from dataclasses import fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon.__main__ import main
from opsmon.core.errors import SettingsError
from opsmon.core.kpis import BUILT_IN
from opsmon.setting_texts import duration_ms, without_password
from opsmon.settings import TABLE, Settings, check, child_environment, load
from opsmon.sources.base import Secret

NO_FILE = Path("/nonexistent/opsmon.toml")

# Of each setting: its field, its default, two texts that are right with what they mean, and one that is wrong.
EACH: dict[str, tuple[str, Any, tuple[str, Any], tuple[str, Any], str]] = {
    "store_url": ("store_url", "", ("redis://one:6379/0", "redis://one:6379/0"), ("unix:///two", "unix:///two"),
                  "http://one"),
    "data": ("data", Path("~/.local/share/opsmon").expanduser(), ("/srv/one", Path("/srv/one")),
             ("~/two", Path("~/two").expanduser()), "~nobody-of-that-name/data"),
    "site": ("site", "main", ("one", "one"), ("two-2", "two-2"), "Upper Case"),
    "timezone": ("timezone", None, ("Europe/Berlin", ZoneInfo("Europe/Berlin")), ("UTC", ZoneInfo("UTC")),
                 "Berlin"),
    "currency": ("currency", None, ("EUR", "EUR"), ("JPY", "JPY"), "euro"),
    "locale": ("locale", "en", ("de_DE", "de_DE"), ("fr-CA", "fr_CA"), "klingon"),
    "day_start": ("day_start_ms", 0, ("04:00", 14_400_000), ("23:59", 86_340_000), "24:00"),
    "shopify_secrets": ("shopify_secrets", (), ("shpss_one", (Secret(b"shpss_one"),)),
                        ("two.myshopify.com=shpss_two", (Secret(b"shpss_two", "two.myshopify.com"),)), "short"),
    "shopify_shop": ("shopify_shop", "", ("one.myshopify.com", "one.myshopify.com"),
                     ("https://Two-2.myshopify.com/", "two-2.myshopify.com"), "shop.example.com"),
    "shopify_token": ("shopify_token", "", ("shpat_one", "shpat_one"), ("shpat_two", "shpat_two"), "two words"),
    "public_url": ("public_url", "", ("https://one.example.com/", "https://one.example.com"),
                   ("https://two.example.com/ops", "https://two.example.com/ops"), "http://one.example.com"),
    "poll_every": ("poll_every_ms", 300_000, ("15m", 900_000), ("5s", 5_000), "1s"),
    "ingest_token": ("ingest_tokens", (), ("token-of-the-till", (Secret(b"token-of-the-till"),)),
                     ("one-0123456789abc=,two.0123456789+/a",
                      (Secret(b"one-0123456789abc="), Secret(b"two.0123456789+/a"))), "too-short"),
    "host": ("host", "127.0.0.1", ("0.0.0.0", "0.0.0.0"), ("::1", "::1"), "two words"),
    "port": ("port", 8000, ("8001", 8001), ("65535", 65535), "65536"),
    "public_host": ("public_host", "", ("0.0.0.0", "0.0.0.0"), ("::1", "::1"), "two words"),
    "public_port": ("public_port", None, ("8001", 8001), ("443", 443), "https"),
    "hosts": ("hosts", frozenset(), ("one.example", frozenset({"one.example"})),
              ("Two.lan, hall", frozenset({"two.lan", "hall"})), "https://one.example"),
    "trusted_proxies": ("trusted_proxies", ("127.0.0.1/32", "::1/128"), ("10.0.0.2", ("10.0.0.2/32",)),
                        ("none", ()), "10.0.0.2/24"),
    "connections_each": ("connections_each", 50, ("1", 1), ("500", 500), "0"),
    "store_memory": ("store_memory_bytes", 512 * 1024**2, ("1gb", 1024**3), ("64MB", 64 * 1024**2), "64"),
    "retention": ("retention_ms", 172_800_000, ("7d", 604_800_000), ("90m", 5_400_000), "2 days"),
    "stream_memory": ("stream_memory_bytes", 256 * 1024**2, ("1gb", 1024**3), ("64MB", 64 * 1024**2), "64"),
    "visits_memory": ("visits_memory_bytes", 64 * 1024**2, ("1gb", 1024**3), ("32MB", 32 * 1024**2), "64"),
    "pixel_origins": ("pixel_origins", frozenset(), ("https://one.example", frozenset({"https://one.example"})),
                      ("http://127.0.0.1:81/, NULL", frozenset({"http://127.0.0.1:81", "null"})), "one.example"),
    "pixel_rate": ("pixel_rate", 200, ("1", 1), ("999999", 999_999), "0"),
    "pixel_rate_each": ("pixel_rate_each", 20, ("1", 1), ("50", 50), "fifty"),
    "pixel_search_terms": ("pixel_search_terms", False, ("yes", True), ("no", False), "maybe"),
    "keep_minutes": ("keep_minutes_ms", 691_200_000, ("30d", 2_592_000_000), ("90m", 5_400_000), "a month"),
    "keep_hours": ("keep_hours_ms", 34_560_000_000, ("800d", 69_120_000_000), ("48h", 172_800_000), "1y"),
    "keep_days": ("keep_days_ms", None, ("3650d", 315_360_000_000), ("1d", 86_400_000), "for ever"),
    "keep_orders": ("keep_orders_ms", 34_560_000_000, ("800d", 69_120_000_000), ("48h", 172_800_000), "1y"),
    "grace": ("grace_ms", 120_000, ("500ms", 500), ("1.5m", 90_000), "-1s"),
    "session_idle": ("session_idle_ms", 43_200_000, ("30m", 1_800_000), ("60s", 60_000), "59s"),
    "session_life": ("session_life_ms", 2_592_000_000, ("12h", 43_200_000), ("400d", 34_560_000_000), "401d"),
    "wall_inches": ("wall_inches", None, ("55", 55.0), ("43.5", 43.5), "9"),
    "wall_metres": ("wall_metres", None, ("5", 5.0), ("0.5", 0.5), "five"),
    "wall_night": ("wall_night", "22:00-06:00", ("20:00-05:30", "20:00-05:30"), ("off", ""), "22-06"),
    "smtp_url": ("smtp_url", "", ("smtps://opsmon:one@mail.example", "smtps://opsmon:one@mail.example"),
                 ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:2525"), "mail.example"),
    "mail_from": ("mail_from", "", ("one@shop.example", "one@shop.example"), ("a.b+c@d.example", "a.b+c@d.example"),
                  "opsmon"),
    "notify_networks": ("notify_networks", (), ("10.0.0.0/8", ("10.0.0.0/8",)), ("127.0.0.1", ("127.0.0.1/32",)),
                        "10.0.0.1/8"),
    "worker_name": ("worker_name", None, ("packing-1", "packing-1"), ("w.2", "w.2"), "a worker"),
}
NAMES = sorted(EACH)


def read(environ: dict[str, str] | None = None, config: Path = NO_FILE, **overrides: str) -> Settings:
    """All settings from this environment alone."""
    return load(environ or {}, config, overrides)


def problems(environ: dict[str, str], config: Path = NO_FILE) -> list[str]:
    """What is wrong, one sentence each."""
    return check(environ, config)[1]


def toml(folder: Path, text: str) -> Path:
    """An opsmon.toml of this text."""
    path = folder / "opsmon.toml"
    path.write_text(text)
    return path


def test_this_file_speaks_of_every_setting() -> None:
    """A new setting is not forgotten here."""
    assert sorted(setting.name for setting in TABLE) == NAMES
    assert sorted(each[0] for each in EACH.values()) == sorted(
        field.name for field in fields(Settings) if field.name not in (
            "catalogue", "rules", "special_days", "sources", "secret_files"))


@pytest.mark.parametrize("name", [name for name in NAMES if EACH[name][1] is not None or name == "currency"])
def test_a_setting_that_nobody_said_has_its_default(name: str) -> None:
    """Nothing needs to be set to begin."""
    field, default, *_ = EACH[name]
    assert getattr(read(), field) == default


def test_the_machine_says_zone_and_worker_name_when_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day begins when it begins here."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert (read().timezone.key, read().worker_name != "") == ("Asia/Kolkata", True)


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_says_a_setting(name: str) -> None:
    """OPSMON_ and the name in capitals."""
    field, _, (text, value), _, _ = EACH[name]
    assert getattr(read({f"OPSMON_{name.upper()}": f" {text} "}), field) == value


@pytest.mark.parametrize("name", NAMES)
def test_the_file_says_a_setting(name: str, tmp_path: Path) -> None:
    """opsmon.toml, in the folder where opsmon is started."""
    field, _, _, (text, value), _ = EACH[name]
    assert getattr(read(config=toml(tmp_path, f'{name} = "{text}"')), field) == value


@pytest.mark.parametrize("name", NAMES)
def test_the_environment_wins_over_the_file(name: str, tmp_path: Path) -> None:
    """What was said nearer to the start counts."""
    field, _, (text, value), (other, _), _ = EACH[name]
    config = toml(tmp_path, f'{name} = "{other}"')
    assert getattr(read({f"OPSMON_{name.upper()}": text}, config), field) == value


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_wins_over_the_environment(name: str) -> None:
    """And what was said last counts most."""
    field, _, (text, value), (other, _), _ = EACH[name]
    assert getattr(read({f"OPSMON_{name.upper()}": other}, **{name: text}), field) == value


@pytest.mark.parametrize("name", [name for name in NAMES if EACH[name][1] is not None or name == "currency"])
def test_an_empty_variable_asks_for_the_default(name: str, tmp_path: Path) -> None:
    """Compose files hand on variables that nobody has filled in."""
    field, default, _, (text, _), _ = EACH[name]
    assert getattr(read({f"OPSMON_{name.upper()}": ""}, toml(tmp_path, f'{name} = "{text}"')), field) == default


@pytest.mark.parametrize("setting", [setting for setting in TABLE if EACH[setting.name][4]], ids=lambda s: s.name)
def test_a_wrong_value_is_named_with_a_right_one(setting: Any) -> None:
    """One sentence: which setting, what stood there, what would be right."""
    wrong = EACH[setting.name][4]
    (problem,) = problems({setting.variable: wrong})
    shown = "…" if setting.secret else repr(wrong)
    assert problem.startswith(f"{setting.variable}={shown}: expected ")
    assert problem.endswith(f", e.g. {setting.example}")


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Nobody should have to start five times to read five sentences."""
    with pytest.raises(SettingsError) as raised:
        read({"OPSMON_PORT": "http", "OPSMON_GRACE": "soon", "OPSMON_CURRENCY": "euro"})
    assert [line.partition("=")[0] for line in str(raised.value).splitlines()] == [
        "OPSMON_CURRENCY", "OPSMON_PORT", "OPSMON_GRACE"]


@pytest.mark.parametrize("setting", TABLE, ids=lambda s: s.name)
def test_every_example_is_right(setting: Any) -> None:
    """What the sentence shows can be typed as it stands (the secrets' example is cut short by dots)."""
    example = setting.example.replace("…", "0123456")
    assert problems({setting.variable: example}) == []


# --- single settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, expected_ms", [
    ("500ms", 500), ("30s", 30_000), ("10m", 600_000), ("48h", 172_800_000), ("7d", 604_800_000),
    ("1.5h", 5_400_000), ("0s", 0), ("0.5ms", 0),
])
def test_a_duration_is_a_number_and_a_unit(text: str, expected_ms: int) -> None:
    """Written as one says it."""
    assert duration_ms(text) == expected_ms


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-1s", "1h30m", "10min", "1e3s", ".5s", "٣m", "10M", "∞s",
                                  "9" * 400 + "d"])
def test_a_duration_without_unit_or_sense_is_refused(text: str) -> None:
    """Ten what?"""
    with pytest.raises(ValueError, match="a duration such as"):
        duration_ms(text)


@pytest.mark.parametrize("text", ["0", "-1", "65536", "http", "8000.0", "٨٠٠٠", "1" * 5000, "0x10"])
def test_a_port_that_is_none_is_told(text: str) -> None:
    """Port 0 would be a board that nobody finds."""
    assert problems({"OPSMON_PORT": text}) == [
        f"OPSMON_PORT={text!r}: expected a port number up to 65535, e.g. 8000"]


@pytest.mark.parametrize("text", ["redis://one:port/0", "redis://one:99999/0", "redis://[::1/0", "one:6379", "file:///x"])
def test_a_store_address_that_no_client_can_read_is_told_at_start(text: str) -> None:
    """Not by a traceback from the depths, and not by every worker again."""
    assert problems({"OPSMON_STORE_URL": text}) == [
        f"OPSMON_STORE_URL={text!r}: expected a redis://, rediss:// or unix:// address, e.g. redis://127.0.0.1:6379/0"]


def test_the_usual_redis_url_is_read_too() -> None:
    """Hosters set it for us."""
    assert read({"REDIS_URL": "redis://hosted:6379"}).store_url == "redis://hosted:6379"


def test_our_own_variable_wins_over_the_usual_one() -> None:
    """Also when it is empty: then opsmon runs its own store."""
    usual = {"REDIS_URL": "redis://hosted:6379"}
    assert read(usual | {"OPSMON_STORE_URL": "redis://ours"}).store_url == "redis://ours"
    assert read(usual | {"OPSMON_STORE_URL": ""}).store_url == ""


def test_secrets_are_a_list_each_for_all_shops_or_for_one() -> None:
    """Commas or lines between them; the shop's name in small letters."""
    text = "shpss_one1, Two.MyShopify.com=shpss_two2\nshpss_three3,,"
    assert read({"OPSMON_SHOPIFY_SECRETS": text}).shopify_secrets == (
        Secret(b"shpss_one1"), Secret(b"shpss_two2", "two.myshopify.com"), Secret(b"shpss_three3"))


def test_a_secret_may_have_an_equals_sign_of_its_own() -> None:
    """What stands before it is a shop only if it looks like one."""
    assert read({"OPSMON_SHOPIFY_SECRETS": "c2VjcmV0c2VjcmV0=="}).shopify_secrets == (
        Secret(b"c2VjcmV0c2VjcmV0=="),)


def test_secrets_may_be_a_list_in_the_file(tmp_path: Path) -> None:
    """As TOML writes lists."""
    config = toml(tmp_path, 'shopify_secrets = ["shpss_one1", "two.myshopify.com=shpss_two2"]')
    assert read(config=config).shopify_secrets == (
        Secret(b"shpss_one1"), Secret(b"shpss_two2", "two.myshopify.com"))


def test_secrets_may_lie_in_a_file_of_their_own(tmp_path: Path) -> None:
    """As container secrets do: nothing in the environment, nothing in `ps`."""
    (tmp_path / "secrets").write_text("shpss_one1\nshpss_two2\n")
    assert read({"OPSMON_SHOPIFY_SECRETS_FILE": str(tmp_path / "secrets")}).shopify_secrets == (
        Secret(b"shpss_one1"), Secret(b"shpss_two2"))


def test_a_file_of_secrets_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Which file, and why."""
    assert problems({"OPSMON_SHOPIFY_SECRETS_FILE": str(tmp_path / "gone")}) == [
        f"OPSMON_SHOPIFY_SECRETS_FILE={tmp_path / 'gone'}: cannot be read (No such file or directory)"]


def test_a_file_of_secrets_that_is_no_text_is_told(tmp_path: Path) -> None:
    """The wrong file was mounted: not a traceback with half of it."""
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00secret")
    assert problems({"OPSMON_SHOPIFY_SECRETS_FILE": str(tmp_path / "key")}) == [
        f"OPSMON_SHOPIFY_SECRETS_FILE={tmp_path / 'key'}: cannot be read (it is no text)"]


def test_only_secrets_have_a_file_of_their_own() -> None:
    """OPSMON_PORT_FILE is not silently passed over."""
    (problem,) = problems({"OPSMON_PORT_FILE": "/run/port"})
    assert problem.startswith("OPSMON_PORT_FILE: no such setting; known are ")


@pytest.mark.parametrize("variable", ["OPSMON_PROT", "OPSMON_", "OPSMON_SHOPIFY_SECRET", "OPSMON_SECRETS_FILE"])
def test_a_variable_nobody_knows_is_told(variable: str) -> None:
    """A typo is not a default."""
    (problem,) = problems({variable: "8001"})
    assert problem.startswith(f"{variable}: no such setting; known are OPSMON_CONNECTIONS_EACH, OPSMON_CURRENCY, ")


def test_variables_of_others_are_passed_over() -> None:
    """The environment is full of them."""
    assert problems({"PATH": "/bin", "OPS": "1", "MYOPSMON_PORT": "x", "opsmon_port": "x"}) == []


def test_a_name_in_the_file_that_nobody_knows_is_told(tmp_path: Path) -> None:
    """The same for the file."""
    config = toml(tmp_path, 'prot = 8001\n[shopify]\nsecret = "shpss_private"')
    assert [problem.partition(";")[0] for problem in problems({}, config)] == [
        f"{config}: prot: no such setting", f"{config}: shopify: no such setting"]


@pytest.mark.parametrize("raw", [b"port = ", b"\xff\xfe", b"port = 1\nport = 2", b"= 1"], ids=repr)
def test_a_file_that_is_not_toml_is_told(raw: bytes, tmp_path: Path) -> None:
    """Where it is, and where in it."""
    config = tmp_path / "opsmon.toml"
    config.write_bytes(raw)
    (problem,) = problems({}, config)
    assert problem.startswith(f"{config}: cannot be read: ")


@pytest.mark.parametrize("text, port", [("port = 8001", 8001), ('port = "8001"', 8001)])
def test_numbers_in_the_file_need_no_quotes(text: str, port: int, tmp_path: Path) -> None:
    """As one writes TOML."""
    assert read(config=toml(tmp_path, text)).port == port


# --- what must not be told --------------------------------------------------------------------------------------

PRIVATE = "shpss_private_0123456789"


def test_a_secret_is_not_in_the_words_for_it() -> None:
    """Settings are logged, sooner or later."""
    settings = read({"OPSMON_SHOPIFY_SECRETS": f"{PRIVATE},a.b={PRIVATE}",
                     "OPSMON_STORE_URL": f"redis://me:{PRIVATE}@one"})
    told = (repr(settings), str(settings), f"{settings.shopify_secrets}")
    assert [text for text in told if PRIVATE in text] == []


@pytest.mark.parametrize("wrong", [f"{PRIVATE},short", f"{PRIVATE}ü", f"{PRIVATE},a.b=x"])
def test_a_wrong_secret_is_not_in_the_sentence_about_it(wrong: str) -> None:
    """Nor is a right one beside it."""
    (problem,) = problems({"OPSMON_SHOPIFY_SECRETS": wrong})
    assert problem.startswith("OPSMON_SHOPIFY_SECRETS=…: expected secrets of at least 8 ASCII characters")
    assert PRIVATE not in problem


@pytest.mark.parametrize("wrong", [f"http://me:{PRIVATE}@one", f"redis://:{PRIVATE}@one:port", f"me:{PRIVATE}@one",
                                   f"unix:/x?password={PRIVATE}"])
def test_the_password_of_a_store_is_not_in_the_sentence_about_it(wrong: str) -> None:
    """A wrong address is told without what is secret in it."""
    (problem,) = problems({"OPSMON_STORE_URL": wrong})
    assert (problem.partition("=")[0], PRIVATE in problem) == ("OPSMON_STORE_URL", False)


@pytest.mark.parametrize("url, shown", [
    ("redis://one:6379/0", "redis://one:6379/0"), ("redis://:pw@one/1", "redis://…@one/1"),
    ("rediss://me:p@w@one", "rediss://…@one"),
    ("unix:///run/x.sock?db=1&password=pw", "unix:///run/x.sock?db=1&password=…"),
    ("", ""),
])
def test_a_store_address_is_shown_without_its_password(url: str, shown: str) -> None:
    """One still sees which store it is."""
    assert without_password(url) == shown


def test_a_child_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line said reaches the children by their environment; an empty text is the default."""
    monkeypatch.setenv("REDIS_URL", "redis://hosted")
    settings = load(child_environment(port="8001", store_url=""), NO_FILE)
    assert (settings.port, settings.store_url) == (8001, "")


@given(values=st.dictionaries(st.sampled_from([setting.variable for setting in TABLE]), st.text(max_size=30)))
def test_no_text_whatever_breaks_the_reading(values: dict[str, str]) -> None:
    """Any value is right, or told in a sentence that names its setting."""
    settings, told = check(values, NO_FILE)
    assert (settings is None) == bool(told)
    assert [problem for problem in told if problem.partition("=")[0] not in values] == []


# --- a site's own KPIs ------------------------------------------------------------------------------------------

OWN = '''\
port = 8001

[[kpi]]
id = "returns-today"
label = "Returns today"
on = "refund.given"
measure = "count"
window = "today"
better = "down"
'''


def test_the_file_defines_kpis_beside_the_built_in_ones(tmp_path: Path) -> None:
    """Settings stand above them."""
    settings = read(config=toml(tmp_path, OWN))
    assert (settings.port, settings.catalogue.kpis[:-1], settings.catalogue.kpis[-1].id) == (
        8001, BUILT_IN.kpis, "returns-today")


def test_without_own_kpis_there_are_the_built_in_ones(tmp_path: Path) -> None:
    """With or without a file."""
    assert (read().catalogue, read(config=toml(tmp_path, "port = 1")).catalogue) == (BUILT_IN, BUILT_IN)


def test_what_is_wrong_with_a_kpi_is_told_with_its_line(tmp_path: Path) -> None:
    """Of the field, or of the table where a field is missing, beside what else is wrong."""
    wrong = OWN.replace('"today"', '"tomorrow"').replace('label = "Returns today"\n', "").replace("8001", '"http"')
    config = toml(tmp_path, wrong + '\n[[kpi]]\n[kpi.where]\nchannel = 5')
    window = 'expected today, now, month, "7 days", "1h", "1h every 5m", "per minute" or "per hour"'
    assert [problem for problem in problems({}, config) if "is missing" not in problem] == [
        f'{config}:7: kpi "returns-today": window is "tomorrow": {window}',
        "OPSMON_PORT='http': expected a port number up to 65535, e.g. 8000"]
    missing = [problem.partition(" is missing")[0] for problem in problems({}, config) if "is missing" in problem]
    assert missing == [f'{config}:3: kpi "returns-today": label',
                       *(f"{config}:10: kpi number 2: {field}" for field in ("id", "label", "on", "measure", "window"))]


def test_a_condition_is_told_with_its_own_line(tmp_path: Path) -> None:
    """However it is written."""
    config = toml(tmp_path, OWN + "[kpi.where]\n\namount = 'lots'")
    assert problems({}, config) == [
        f'{config}:12: kpi "returns-today": where.amount is "lots": expected a number or a comparison, e.g. ">= 50", '
        "as amount is a number"]


def test_a_setting_below_a_kpi_is_told_where_it_belongs(tmp_path: Path) -> None:
    """TOML takes it for a field of the KPI."""
    config = toml(tmp_path, OWN + 'currency = "EUR"')
    assert problems({}, config) == [
        f'{config}:10: kpi "returns-today": currency is a setting: expected above the first [[kpi]]']


@pytest.mark.parametrize("text", ["kpi = 5", "[kpi]\nid = 1", 'kpi = "returns-today"'])
def test_kpis_that_are_no_tables_are_told(text: str, tmp_path: Path) -> None:
    """One pair of brackets is not enough."""
    config = toml(tmp_path, text)
    assert problems({}, config) == [f"{config}: kpi: expected tables headed [[kpi]]"]


def test_kpis_in_a_row_have_no_lines_of_their_own(tmp_path: Path) -> None:
    """They are read, and what is wrong is told all the same."""
    config = toml(tmp_path,
                  'kpi = [{ id = "a", label = "A", on = "a.b", measure = "count", window = "today", cap = 1 }]')
    assert problems({}, config) == [
        f'{config}: kpi "a": cap bounds rows, and there are none: leave it out, or say by which field']


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000], ids=["deep", "huge"])
def test_a_file_that_cannot_be_read_by_anyone_is_told(text: str, tmp_path: Path) -> None:
    """Not by a traceback from the depths."""
    (problem,) = problems({}, toml(tmp_path, text))
    assert problem.startswith(f"{tmp_path / 'opsmon.toml'}: cannot be read: ")


@given(text=st.text(alphabet="[]kpi=\"'#.{} \n1abid", max_size=120))
def test_no_file_whatever_breaks_the_reading(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It is right, or something is told."""
    settings, told = check({}, toml(tmp_path_factory.mktemp("any"), "[[kpi]]\n" + text))
    assert (settings is None) == bool(told)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a verb beside an opsmon.toml: its code, and the lines it said."""
    for variable in [name for name in os.environ if name.startswith("OPSMON_") or name == "REDIS_URL"]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)

    def run(text: str, *args: str) -> tuple[int, list[str]]:
        toml(tmp_path, text)
        code = main(args)
        return code, capsys.readouterr().out.splitlines()

    return run


def test_check_lists_the_kpis_of_the_site(said: Any) -> None:
    """What each counts, in a line; and facts that nobody but the site can send."""
    own = OWN + '\n[[kpi]]\nid = "tills"\nlabel = "Tills"\non = "stage.enterd"\nmeasure = "count"\nwindow = "1h"\n'
    code, lines = said(own, "check")
    assert (code, lines[-4:]) == (0, [
        "KPI returns-today: Returns today, count of refund.given, today",
        "KPI tills: Tills, count of stage.enterd, last 1h",
        "    stage.enterd (did you mean stage.entered?) has to come with events of your own",
        "All settings can be used."])


def test_check_tells_what_is_wrong_with_the_kpis_of_the_site(said: Any) -> None:
    """With 1 for the script that asked."""
    assert said(OWN.replace("count", "cuont"), "check") == (1, [
        'opsmon.toml:7: kpi "returns-today": measure is "cuont": expected count, sum, mean, ratio, stddev, percentile, '
        "min, max, last, unique, distinct, top or sessions (did you mean count?)"])


def test_kpis_lists_all_kpis(said: Any) -> None:
    """Built-in ones and the site's: id, label, unit, window, and under it the definition."""
    code, lines = said(OWN, "kpis")
    assert (code, len(lines), lines[-2:]) == (0, 2 * len(BUILT_IN.kpis) + 2, [
        "returns-today        Returns today (count, today, of this site)",
        "                     Count of refund.given, today."])


def test_kpis_lists_what_can_be_counted(said: Any) -> None:
    """Each fact with its fields."""
    code, lines = said(OWN, "kpis", "--facts")
    at = lines.index("refund.given         a refund, when it was given (may be changed or taken back)")
    assert (code, lines[at + 1]) == (0, "    amount           money  value given back, below zero")

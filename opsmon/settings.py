"""Every setting, its unit, default and reason. The only reader of os.environ and of opsmon.toml.

The environment wins over opsmon.toml, which wins over the default; an empty variable asks for the default.
A wrong value is collected as a
sentence that names the setting and shows a right one, so that all of them can be told at once.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from opsmon import setting_texts as valid
from opsmon.core.alerting.own_rules import read_rules
from opsmon.core.alerting.rules import Rule
from opsmon.core.alerting.special_days import SpecialDays, read_calendar
from opsmon.core.catalogue import Catalogue
from opsmon.core.definition_lines import line_of, lines_of
from opsmon.core.definitions import Problem, read_definitions
from opsmon.core.errors import SettingsError
from opsmon.core.kpis import BUILT_IN
from opsmon.core.panes import Retention
from opsmon.sources.base import Secret, SourceSettings
from opsmon.sources.declared import read_sources

_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the settings table: `name` in opsmon.toml, OPSMON_NAME in the environment."""

    name: str
    default: str
    example: str
    meaning: str
    secret: bool = False

    @property
    def variable(self) -> str:
        return f"OPSMON_{self.name.upper()}"

    @property
    def in_file(self) -> bool:
        """Whether OPSMON_NAME_FILE, or name_file in opsmon.toml, may name a file with its text: it is a secret, or
        an address that may hold a password."""
        return self.secret or self.name == "store_url"


TABLE = (
    Setting("store_url", "", "redis://127.0.0.1:6379/0",
            "Redis or Valkey to use; empty: opsmon runs its own. redis+cluster://one:6379,two:6379 names nodes of "
            "a Cluster. REDIS_URL is read too, and OPSMON_STORE_URL_FILE names a file that holds it."),
    Setting("data", "~/.local/share/opsmon", "/var/lib/opsmon",
            "Folder of the embedded store and the local test secret (made with mode 0700)."),
    Setting("site", "main", "main", "Name of the site; it is the hash tag of all its keys."),
    Setting("timezone", "", "Europe/Berlin", "IANA zone that says when a day begins; empty: the machine's."),
    Setting("currency", "", "EUR", "ISO currency the board shows; empty: the currency of the first order."),
    Setting("locale", "en", "de_DE", "Language of the pages, and how numbers and dates are written."),
    Setting("day_start", "00:00", "04:00", "Local time at which a business day begins."),
    Setting("shopify_secrets", "", "shpss_1f…,shop.myshopify.com=9c…",
            "Signing secrets, comma-separated; shop=secret binds one to a shop. "
            "OPSMON_SHOPIFY_SECRETS_FILE names a file of them.",
            secret=True),
    Setting("shopify_shop", "", "shop.myshopify.com",
            "The shop to ask for what its webhooks did not bring; empty: no shop is asked."),
    Setting("shopify_token", "", "shpat_6c…",
            "Admin API access token of an app installed in that shop, with read_orders. OPSMON_SHOPIFY_TOKEN_FILE "
            "names a file that holds it.",
            secret=True),
    Setting("public_url", "", "https://ops.example.com",
            "Where this opsmon is reached from the internet: webhooks that Shopify has deleted are made again there."),
    Setting("poll_every", "5m", "15m", "How often vendors are asked for what their webhooks did not bring: 5s to 1h."),
    Setting("ingest_token", "", "till-0f3a9c1b5d7e2468",
            "Tokens of those who may POST /ingest/events, comma-separated; empty: the local test secret is one. "
            "OPSMON_INGEST_TOKEN_FILE names a file of them.",
            secret=True),
    Setting("host", "127.0.0.1", "0.0.0.0",  # noqa: S104 - an example; boards stay on loopback
            "Address to listen on; boards are shown there once an admin has an account, until then on loopback only."),
    Setting("port", "8000", "8000", "Port of the boards and, with `opsmon up`, of the webhooks."),
    Setting("public_host", "", "0.0.0.0",  # noqa: S104 - an example
            "Address for the port of the internet; empty: the same as host."),
    Setting("public_port", "", "8001",
            "A port for the internet: webhooks, events, what pages send and pairing, and no boards; empty: none."),
    Setting("hosts", "", "ops.example.com,hall.lan",
            "Names under which boards answer, comma-separated, beside addresses, localhost, the machine's own name and "
            "that of OPSMON_PUBLIC_URL."),
    Setting("trusted_proxies", "127.0.0.1,::1", "10.0.0.2,192.168.7.0/24",
            "Addresses or networks of proxies in front, comma-separated, which are believed about where requests come "
            "from (X-Forwarded-For, X-Forwarded-Proto); none: nobody is."),
    Setting("connections_each", "50", "500",
            "Connections that one address (in IPv6 one /64) may hold; trusted proxies and this machine any number."),
    Setting("store_memory", "512mb", "1gb", "Memory bound of the embedded store."),
    Setting("retention", "48h", "7d", "How long raw events stay in the stream once every worker has them."),
    Setting("stream_memory", "256mb", "1gb", "Memory of raw events in the stream, beyond which the oldest go earlier."),
    Setting("visits_memory", "64mb", "256mb",
            "Memory of what pages sent, beyond which the oldest counted goes earlier and no more is taken; about as "
            "much again holds the visitors of nine days."),
    Setting("pixel_origins", "", "https://shop.example,null",
            "Origins whose pages are heard at /collect, comma-separated (null: Shopify's sandbox); empty: any. No "
            "protection, for a program can claim any."),
    Setting("pixel_rate", "200", "1000",
            "Events a second that are taken from all pages; for a moment three times that."),
    Setting("pixel_rate_each", "20", "50",
            "The same from one network (/24, in IPv6 /56); what is beyond is counted and forgotten."),
    Setting("pixel_search_terms", "no", "yes", "Whether it is kept what visitors searched for."),
    Setting("keep_minutes", "8d", "30d", "How long the counts of single minutes are kept."),
    Setting("keep_hours", "400d", "800d", "How long the counts of single hours are kept."),
    Setting("keep_days", "", "3650d", "How long the counts of single days are kept; empty: for ever."),
    Setting("keep_orders", "400d", "800d",
            "How long an order, a customer or a visitor is remembered; older orders are not counted."),
    Setting("grace", "2m", "5m", "How long a window waits for late events before it is called complete."),
    Setting("session_idle", "12h", "30m", "How long somebody who signed in stays so without opening a page."),
    Setting("session_life", "30d", "12h", "How long at the longest."),
    Setting("wall_inches", "", "55",
            "Diagonal of the walls' screens, 10 to 200: with the distance it says how large their letters are."),
    Setting("wall_metres", "", "5", "How far away walls are read, 0.5 to 50."),
    Setting("wall_night", "22:00-06:00", "20:00-05:30",
            "When walls are dimmed, in the site's zone; off: never."),
    Setting("smtp_url", "", "smtps://opsmon:…@mail.example.com",
            "Mail server for alerts and invitations: smtps://user:password@host, or smtp:// with STARTTLS; empty: no "
            "mail. OPSMON_SMTP_URL_FILE names a file that holds it.",
            secret=True),
    Setting("mail_from", "", "opsmon@shop.example", "Sender of alerts and invitations by mail."),
    Setting("notify_networks", "none", "192.168.7.0/24",
            "Networks of the house that webhooks of alerts may go to, comma-separated, beside public addresses; none: "
            "no other."),
    Setting("worker_name", "", "packing-1", "Stable name of a worker; empty: this machine's name."),
)
_BY_NAME = {setting.name: setting for setting in TABLE}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. Built once at start and passed down. `secret_files` are those that secrets stand in."""

    store_url: str = field(repr=False)  # may hold a password
    data: Path
    site: str
    timezone: ZoneInfo
    currency: str | None
    locale: str
    day_start_ms: int
    shopify_secrets: tuple[Secret, ...]
    shopify_shop: str
    shopify_token: str = field(repr=False)
    public_url: str
    poll_every_ms: int
    ingest_tokens: tuple[Secret, ...]
    host: str
    port: int
    public_host: str
    public_port: int | None
    hosts: frozenset[str]
    trusted_proxies: tuple[str, ...]
    connections_each: int
    store_memory_bytes: int
    retention_ms: int
    stream_memory_bytes: int
    visits_memory_bytes: int
    pixel_origins: frozenset[str]
    pixel_rate: int
    pixel_rate_each: int
    pixel_search_terms: bool
    keep_minutes_ms: int
    keep_hours_ms: int
    keep_days_ms: int | None
    keep_orders_ms: int
    catalogue: Catalogue
    rules: tuple[Rule, ...]
    special_days: tuple[SpecialDays, ...]
    sources: tuple[SourceSettings, ...]
    grace_ms: int
    session_idle_ms: int
    session_life_ms: int
    wall_inches: float | None
    wall_metres: float | None
    wall_night: str
    smtp_url: str = field(repr=False)  # may hold a password
    mail_from: str
    notify_networks: tuple[str, ...]
    worker_name: str
    secret_files: tuple[Path, ...] = ()

    @property
    def kept(self) -> Retention:
        """How long each level is kept."""
        return Retention(self.keep_minutes_ms, self.keep_hours_ms, self.keep_days_ms, self.keep_orders_ms)

    @property
    def public_side(self) -> tuple[str, int] | None:
        """Address and port for the internet, where it has its own."""
        return None if self.public_port is None else (self.public_host or self.host, self.public_port)

    @property
    def polls(self) -> bool:
        """Whether there is anything to poll."""
        asked = any(source.kind == "odoo" and source.options.get("url") for source in self.sources)
        return asked or bool(self.shopify_shop and self.shopify_token)


def load(environ: Mapping[str, str] | None = None, config: Path | None = None,
         overrides: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. Raises SettingsError whose message has one line per wrong setting.

    `overrides` are texts as a command line gives them and win over everything.
    """
    settings, problems = check(environ, config, overrides)
    if settings is None:
        raise SettingsError("\n".join(problems))
    return settings


def check(
    environ: Mapping[str, str] | None = None, config: Path | None = None,
    overrides: Mapping[str, str] | None = None,
) -> tuple[Settings | None, list[str]]:
    """Read all settings; return them, or None and every problem found, each naming its setting."""
    problems: list[str] = []
    files: list[Path] = []
    texts, catalogue, declared, rules, special = _from_file(config or Path("opsmon.toml"), problems, files)
    texts |= _from_environment(os.environ if environ is None else environ, problems, files)
    texts |= overrides or {}
    read = _Reader(texts, problems)
    values = {
        "store_url": read("store_url", valid.store_url),
        "data": read("data", valid.folder),
        "site": read("site", valid.matching(_SITE, "small letters, digits and hyphens, at most 32")),
        "timezone": read("timezone", lambda text: valid.timezone(text or machine_timezone())),
        "currency": read("currency", valid.currency),
        "locale": read("locale", valid.locale),
        "day_start_ms": read("day_start", valid.clock_time),
        "shopify_secrets": read("shopify_secrets", valid.secrets),
        "shopify_shop": read("shopify_shop", valid.shop),
        "shopify_token": read("shopify_token", valid.admin_token),
        "public_url": read("public_url", valid.public_url),
        "poll_every_ms": read("poll_every", valid.poll_every),
        "ingest_tokens": read("ingest_token", valid.tokens),
        "host": read("host", valid.matching(re.compile(r"\S+"), "an address")),
        "port": read("port", valid.port),
        "public_host": read("public_host", valid.matching(re.compile(r"\S*"), "an address")),
        "public_port": read("public_port", lambda text: valid.port(text) if text else None),
        "hosts": read("hosts", valid.hosts),
        "trusted_proxies": read("trusted_proxies", valid.networks),
        "connections_each": read("connections_each", valid.rate),
        "store_memory_bytes": read("store_memory", valid.size),
        "retention_ms": read("retention", valid.duration_ms),
        "stream_memory_bytes": read("stream_memory", valid.size),
        "visits_memory_bytes": read("visits_memory", valid.size),
        "pixel_origins": read("pixel_origins", valid.origins),
        "pixel_rate": read("pixel_rate", valid.rate),
        "pixel_rate_each": read("pixel_rate_each", valid.rate),
        "pixel_search_terms": read("pixel_search_terms", valid.yes),
        "keep_minutes_ms": read("keep_minutes", valid.duration_ms),
        "keep_hours_ms": read("keep_hours", valid.duration_ms),
        "keep_days_ms": read("keep_days", lambda text: valid.duration_ms(text) if text else None),
        "keep_orders_ms": read("keep_orders", valid.duration_ms),
        "catalogue": catalogue,
        "sources": declared,
        "rules": rules,
        "special_days": special,
        "grace_ms": read("grace", valid.duration_ms),
        "session_idle_ms": read("session_idle", valid.session),
        "session_life_ms": read("session_life", valid.session),
        "wall_inches": read("wall_inches", valid.between(10, 200, "a diagonal in inches from 10 to 200")),
        "wall_metres": read("wall_metres", valid.between(0.5, 50, "a distance in metres from 0.5 to 50")),
        "wall_night": read("wall_night", valid.night),
        "smtp_url": read("smtp_url", valid.smtp_url),
        "mail_from": read("mail_from", valid.mail_from),
        "notify_networks": read("notify_networks", valid.networks),
        "worker_name": read("worker_name", valid.worker_name),
        "secret_files": tuple(files),
    }
    return (None, problems) if problems else (Settings(**values), [])  # type: ignore[arg-type]


def machine_timezone() -> str:
    """The machine's IANA zone, from TZ or /etc/localtime; UTC when neither tells."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named in available_timezones():
        return named
    _, _, linked = os.path.realpath("/etc/localtime").partition("zoneinfo/")
    return linked if linked in available_timezones() else "UTC"


class _Reader:
    def __init__(self, texts: Mapping[str, str], problems: list[str]) -> None:
        self._texts, self._problems = texts, problems

    def __call__(self, name: str, parse: Callable[[str], object]) -> object:
        setting = _BY_NAME[name]
        text = self._texts.get(name) or setting.default
        try:
            return parse(text)
        except ValueError as error:
            shown = "…" if setting.secret else repr(valid.without_password(text) if name == "store_url" else text)
            self._problems.append(f"{setting.variable}={shown}: expected {error}, e.g. {setting.example}")
            return None


def _from_environment(environ: Mapping[str, str], problems: list[str], files: list[Path]) -> dict[str, str]:
    texts: dict[str, str] = {}
    if environ.get("REDIS_URL"):
        texts["store_url"] = environ["REDIS_URL"]
    for setting in TABLE:
        text = environ.get(setting.variable, "").strip()
        path = environ.get(f"{setting.variable}_FILE", "") if setting.in_file and not text else ""
        if path:
            texts[setting.name] = _from_secret_file(Path(path), f"{setting.variable}_FILE={path}", problems)
            files.append(Path(path))
        elif setting.variable in environ:
            texts[setting.name] = text
    known = {setting.variable for setting in TABLE}
    known |= {f"{setting.variable}_FILE" for setting in TABLE if setting.in_file}
    for variable in sorted(environ):
        if variable.startswith("OPSMON_") and variable not in known:
            problems.append(f"{variable}: no such setting; known are {', '.join(sorted(known))}")
    return texts


def _from_secret_file(path: Path, named: str, problems: list[str]) -> str:
    try:
        return _secret_file(path)
    except ValueError as error:
        problems.append(f"{named}: {error}")
        return ""


def _secret_file(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ValueError(f"cannot be read ({why})") from None


def _from_file(config: Path, problems: list[str], files: list[Path]
               ) -> tuple[dict[str, str], Catalogue, tuple[SourceSettings, ...], tuple[Rule, ...],
                          tuple[SpecialDays, ...]]:
    if not config.is_file():
        return {}, BUILT_IN, (), (), ()
    try:
        text = config.read_text()
        table = tomllib.loads(text)
    except (ValueError, RecursionError, OSError) as error:
        problems.append(f"{config}: cannot be read: {error}")
        return {}, BUILT_IN, (), (), ()
    catalogue = _own_kpis(table.pop("kpi", []), text, config, problems)
    rules = _own_rules(table.pop("rule", []), catalogue, text, config, problems)
    special = _own_days(table.pop("calendar", []), text, config, problems)
    files += [config] if _holds_secrets(table) else []
    sources = _own_sources(table.pop("source", []), text, config, problems, files)
    _put_files(table, config, problems, files)
    for name in sorted(set(table) - set(_BY_NAME)):
        problems.append(f"{config}: {name}: no such setting; known are {', '.join(sorted(_BY_NAME))}")
    listed = {name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
              for name, value in table.items()}
    return {name: text for name, text in listed.items() if name in _BY_NAME}, catalogue, sources, rules, special


def _put_files(table: dict[str, object], config: Path, problems: list[str], files: list[Path]) -> None:
    """In place of each `name_file` put what stands in that file; beside opsmon.toml unless it says where."""
    for setting in TABLE:
        named = table.pop(f"{setting.name}_file", None) if setting.in_file else None
        if isinstance(named, str) and setting.name not in table:
            path = config.parent / Path(named).expanduser()
            table[setting.name] = _from_secret_file(path, f"{config}: {setting.name}_file={named}", problems)
            files.append(path)
        elif named is not None:
            problems.append(f"{config}: {setting.name}_file: expected the name of a file, without {setting.name} "
                            "beside")


def _holds_secrets(table: Mapping[str, object]) -> bool:
    """Whether the file itself holds secrets, its own or those of a source."""
    declared = table.get("source")
    sources = declared if isinstance(declared, list) else []
    return any(table.get(setting.name) for setting in TABLE if setting.secret) or any(
        isinstance(one, dict) and one.get("secrets") for one in sources)


def _own_kpis(tables: object, text: str, config: Path, problems: list[str]) -> Catalogue:
    """The built-in KPIs and those of the file; each problem with the line it is on."""
    if not isinstance(tables, list):
        problems.append(f"{config}: kpi: expected tables headed [[kpi]]")
        return BUILT_IN
    catalogue, found = read_definitions(tables, BUILT_IN)
    _tell("kpi", found, tables, text, config, problems)
    return catalogue


def _own_rules(tables: object, catalogue: Catalogue, text: str, config: Path, problems: list[str]) -> tuple[Rule, ...]:
    """The rules of the file; each problem with the line it is on."""
    if not isinstance(tables, list):
        problems.append(f"{config}: rule: expected tables headed [[rule]]")
        return ()
    rules, found = read_rules(tables, catalogue)
    _tell("rule", found, tables, text, config, problems)
    return rules


def _own_days(tables: object, text: str, config: Path, problems: list[str]) -> tuple[SpecialDays, ...]:
    """The campaigns and holidays of the file; each problem with the line it is on."""
    if not isinstance(tables, list):
        problems.append(f"{config}: calendar: expected tables headed [[calendar]]")
        return ()
    days, found = read_calendar(tables)
    _tell("calendar", found, tables, text, config, problems)
    return days


def _own_sources(tables: object, text: str, config: Path, problems: list[str], files: list[Path]
                 ) -> tuple[SourceSettings, ...]:
    """The sources of the file; each problem with the line it is on."""
    if not isinstance(tables, list):
        problems.append(f"{config}: source: expected tables headed [[source]]")
        return ()
    def read(name: str) -> str:
        files.append(config.parent / Path(name).expanduser())
        return _secret_file(files[-1])

    sources, found = read_sources(tables, read)
    _tell("source", found, tables, text, config, problems)
    return sources


def _tell(kind: str, found: list[Problem], tables: list[object], text: str, config: Path,
          problems: list[str]) -> None:
    lines = lines_of(text, kind)
    for problem in found:
        # Written in any other way than under [[kind]], tables have no lines of their own.
        line = f":{line_of(problem.field, lines[problem.index])}" if len(lines) == len(tables) else ""
        called = _called(tables, problem.index, "name" if kind in ("source", "calendar") else "id")
        problems.append(f"{config}{line}: {kind} {called}: {_told(problem, kind)}")


def _called(tables: list[object], index: int, by: str) -> str:
    table = tables[index]
    called = table.get(by) if isinstance(table, dict) else None
    return f'"{called[:40]}"' if isinstance(called, str) and called else f"number {index + 1}"


def _told(problem: Problem, kind: str) -> str:
    if problem.field in _BY_NAME:
        return f"{problem.field} is a setting: expected above the first [[{kind}]]"
    return problem.text


def child_environment(**overrides: str) -> dict[str, str]:
    """This process's environment with settings put in, for a child that reads them again; '' is the default."""
    changed = {_BY_NAME[name].variable: text for name, text in overrides.items()}
    return {**os.environ, **changed}

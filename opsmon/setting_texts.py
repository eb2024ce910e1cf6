"""Texts of settings -> values. What is no such text raises ValueError, which says what was expected."""

import re
import socket
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError

from opsmon.core.addresses import each_node
from opsmon.core.money import is_currency
from opsmon.sources.base import Secret
from opsmon.sources.declared import read_secret

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)", re.ASCII)
_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZE = re.compile(r"(\d{1,6})(mb|gb)", re.IGNORECASE | re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_LENGTH = re.compile(r"\d{1,3}(?:\.\d{1,2})?", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*", re.ASCII)  # as RFC 6750 writes them
_MYSHOPIFY = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")
_ORIGIN = re.compile(r"null|https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?", re.ASCII)
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,9}", re.ASCII)
_MAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_WORKER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STORE_SCHEMES = ("redis://", "rediss://", "unix://")
_CLUSTER_SCHEMES = ("redis+cluster://", "rediss+cluster://")


def duration_ms(text: str) -> int:
    """Read `500ms`, `10m`, `48h` as milliseconds. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError("a duration such as 500ms, 30s, 10m or 48h")
    return round(float(match[1]) * _MS[match[2]])


def matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    """A reader of texts that are wholly of this form; `expected` says in words which."""
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(expected)
        return text

    return parse


def folder(text: str) -> Path:
    """A folder; ~ is the home of whoever runs this."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # ~somebody who is not there
        raise ValueError("a folder") from None


def store_url(text: str) -> str:
    """The address of a store, or of nodes of a Cluster; '' for none."""
    if text.startswith(_CLUSTER_SCHEMES):
        return _cluster_url(text)
    try:
        urlsplit(text).port  # noqa: B018 - reading it is what checks it
        usable = not text or text.startswith(_STORE_SCHEMES)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("a redis://, rediss:// or unix:// address")
    return text


def _cluster_url(text: str) -> str:
    try:
        nodes = [urlsplit(node) for node in each_node(text)]
        # A Cluster has no databases but the first.
        usable = nodes[0].path in ("", "/", "/0") and all(node.hostname and node.port != 0 for node in nodes)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("an address such as redis+cluster://one:6379,two:6379")
    return text


def without_password(store_url: str) -> str:
    """A store's address as it may be shown: who logs in, and with what, left out."""
    before, at, rest = store_url.rpartition("@")
    scheme, slashes, _ = before.partition("://")
    shown = f"{scheme if slashes else ''}{slashes}…@{rest}" if at else store_url
    return re.sub(r"(password=)[^&]*", r"\1…", shown)


def timezone(text: str) -> ZoneInfo:
    """An IANA zone."""
    if text not in available_timezones():
        raise ValueError("an IANA time zone")
    return ZoneInfo(text)


def currency(text: str) -> str | None:
    """An ISO currency, or None."""
    if text and not is_currency(text):
        raise ValueError("an ISO currency of three capital letters")
    return text or None


def locale(text: str) -> str:
    """A locale as Babel knows it: de_DE."""
    try:
        return str(Locale.parse(text.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        raise ValueError("a locale") from None


def between(least: float, most: float, expected: str) -> Callable[[str], float | None]:
    """A reader of a length within bounds; '' is None."""
    def parse(text: str) -> float | None:
        if not text:
            return None
        if not _LENGTH.fullmatch(text) or not least <= float(text) <= most:
            raise ValueError(expected)
        return float(text)

    return parse


def night(text: str) -> str:
    """Two times of day: 22:00-06:00; '' for off."""
    times = text.split("-")
    if text == "off":
        return ""
    if len(times) != 2 or not all(map(_CLOCK.fullmatch, times)) or times[0] == times[1]:
        raise ValueError("two times of day, or off")
    return text


def clock_time(text: str) -> int:
    """A local time as milliseconds after midnight."""
    match = _CLOCK.fullmatch(text)
    if not match:
        raise ValueError("a local time hh:mm")
    return (int(match[1]) * 60 + int(match[2])) * 60_000


def secrets(text: str) -> tuple[Secret, ...]:
    """Signing secrets, each for one shop or for all."""
    return tuple(read_secret(entry.strip()) for entry in re.split(r"[,\n]", text) if entry.strip())


def tokens(text: str) -> tuple[Secret, ...]:
    """Tokens of those who may send events."""
    entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
    if not all(map(_TOKEN.fullmatch, entries)):
        raise ValueError("tokens of at least 16 letters, digits and -._~+/")
    return tuple(Secret(entry.encode()) for entry in entries)


def shop(text: str) -> str:
    """The name of a shop at Shopify, or of a stand-in on this machine."""
    name = text.lower().removeprefix("https://").rstrip("/")
    # A stand-in for trying out listens on this machine; to others a token is not sent in the clear.
    if text and not (_MYSHOPIFY.fullmatch(name) or _LOOPBACK.fullmatch(name)):
        raise ValueError("the shop's own name, which ends in .myshopify.com")
    return name


def admin_token(text: str) -> str:
    """A token for the Admin API, or ''."""
    if text and not re.fullmatch(r"[\x21-\x7e]{8,255}", text):
        raise ValueError("an Admin API access token")
    return text


def public_url(text: str) -> str:
    """Where this is reached from the internet, without a slash at its end; or ''."""
    try:
        parts = urlsplit(text)
        is_safe = parts.scheme == "https" or bool(_LOOPBACK.fullmatch(f"{parts.scheme}://{parts.netloc}"))
        usable = is_safe and bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if text and not usable:
        raise ValueError("an https:// address; Shopify sends to no other")
    return text.rstrip("/")


def smtp_url(text: str) -> str:
    """A mail server, with who logs in; '' for none."""
    try:
        parts = urlsplit(text)
        usable = (parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
                  and parts.path in ("", "/") and not (parts.query or parts.fragment))
    except ValueError:
        usable = False
    if text and not usable:
        raise ValueError("smtps:// or smtp://, user:password@ and a host; in both what is no letter or digit as %xx")
    return text


def mail_from(text: str) -> str:
    """Who mail comes from; ''."""
    if text and not _MAIL.fullmatch(text):
        raise ValueError("an e-mail address")
    return text


def poll_every(text: str) -> int:
    """How often vendors are asked, in milliseconds."""
    if not 5_000 <= (every_ms := duration_ms(text)) <= 3_600_000:
        raise ValueError("a duration of 5s to 1h")
    return every_ms


def session(text: str) -> int:
    """How long somebody stays signed in, in milliseconds."""
    if not 60_000 <= (lasts_ms := duration_ms(text)) <= 400 * 86_400_000:
        raise ValueError("a duration of 60s to 400d")
    return lasts_ms


def origins(text: str) -> frozenset[str]:
    """Origins of pages, as browsers write them."""
    origins = [entry.strip().lower().removesuffix("/") for entry in text.split(",") if entry.strip()]
    if not all(map(_ORIGIN.fullmatch, origins)):
        raise ValueError("origins such as https://shop.example, or null")
    return frozenset(origins)


def rate(text: str) -> int:
    """Events a second."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) == 0:
        raise ValueError("a whole number of 1 to 999999")
    return int(text)


def yes(text: str) -> bool:
    """Whether the text is yes."""
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text == "yes"


def port(text: str) -> int:
    """A port; 0 is none."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError("a port number up to 65535")
    return int(text)


def hosts(text: str) -> frozenset[str]:
    """Names a machine is asked for by, small letters."""
    names = [entry.strip().lower() for entry in text.split(",") if entry.strip()]
    if not all(map(_NAME.fullmatch, names)):
        raise ValueError("names without scheme and port")
    return frozenset(names)


def networks(text: str) -> tuple[str, ...]:
    """Networks as they are written; none for 'none'. One address is a network of one."""
    entries = [] if text == "none" else [entry.strip() for entry in text.split(",") if entry.strip()]
    try:
        return tuple(str(ip_network(entry)) for entry in entries)
    except ValueError:
        raise ValueError("addresses or networks") from None


def size(text: str) -> int:
    """Bytes: 512mb, 2gb."""
    match = _SIZE.fullmatch(text)
    if not match or int(match[1]) == 0:
        raise ValueError("a size such as 512mb or 2gb")
    return int(match[1]) * (1024**2 if match[2].lower() == "mb" else 1024**3)


def worker_name(text: str) -> str:
    """The name of a worker; '' is the machine's."""
    name = text or re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:64] or "worker"
    if not _WORKER.fullmatch(name):
        raise ValueError("letters, digits, dots and hyphens")
    return name

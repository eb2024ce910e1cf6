"""What `opsmon check` warns of: settings that can be used and make it easy to get in (OWASP ASVS 5, V13)."""

import stat
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from opsmon.settings import Settings
from opsmon.sources.base import Secret

# 20 letters and digits that nobody could guess are about 100 bits; a phrase is longer.
_SHORTEST = 20
_FEWEST_DIFFERENT = 10
# Where a container's secrets are mounted: readable by all in it, and nobody else is.
_MOUNTED = Path("/run/secrets")


def weaknesses(settings: Settings) -> Iterator[str]:
    """A sentence for each thing that is weak, with what to do. Looks at files, asks nobody."""
    yield from _guessable("OPSMON_INGEST_TOKEN", settings.ingest_tokens)
    yield from _guessable("OPSMON_SHOPIFY_SECRETS", settings.shopify_secrets)
    for source in settings.sources:
        yield from _guessable(f"secrets of the source {source.name}", source.secrets)
    for path in settings.secret_files:
        if _others_may(path, stat.S_IROTH | stat.S_IWOTH) and _MOUNTED not in path.parents:
            yield f"{path} holds secrets and everyone on this machine may read it: chmod 600 {path}"
    if _others_may(settings.data, stat.S_IROTH | stat.S_IXOTH):
        yield f"{settings.data} holds all that is counted and everyone may look into it: chmod 700 {settings.data}"
    if settings.public_url.startswith("http://"):
        yield f"OPSMON_PUBLIC_URL={settings.public_url} is without TLS: passwords and orders would be read on the way."
    yield from _store(settings.store_url)
    for network in settings.trusted_proxies:
        if network.endswith("/0"):
            yield (f"OPSMON_TRUSTED_PROXIES={network} believes anybody who says where a request comes from: name the "
                   "proxies only.")


async def open_to_all(settings: Settings) -> list[str]:
    """What is weak only while nobody has an account: it takes a look into the store, if that is there."""
    from opsmon.app.site import on_store
    from opsmon.core.errors import OpsmonError
    from opsmon.store.accounts.recognising import HAS_ADMIN
    from opsmon.store.connection import Reader
    from opsmon.store.keys import Keys

    if is_loopback(settings.host):
        return []
    try:
        found = await on_store(settings, lambda client: Reader(client).hash(Keys(settings.site).meta))
    except OpsmonError:
        return [f"OPSMON_HOST={settings.host} is reached from other machines; whether an admin has an account cannot "
                "be told while the store is away."]
    return [] if HAS_ADMIN.encode() in found else [
        f"OPSMON_HOST={settings.host} is reached from other machines and nobody has an account yet: "
        "opsmon people add EMAIL"]


async def untold(settings: Settings) -> list[str]:
    """What keeps alerts from being told: nobody to tell, nobody ever tested, mail without a server. It takes a look
    into the store, and says nothing of it while that is away."""
    from opsmon.app.site import on_store
    from opsmon.core.errors import OpsmonError
    from opsmon.store.alerts.telling_queries import standings, telling_of
    from opsmon.store.connection import Reader
    from opsmon.store.keys import Keys

    keys = Keys(settings.site)
    try:
        telling = await on_store(settings, lambda client: telling_of(Reader(client), keys))
        known = await on_store(settings, lambda client: standings(Reader(client), keys))
    except OpsmonError:
        return []
    if not telling.receivers:
        return ["Nobody is told of alerts: they show on screens only. The page /receivers says who is to be told."]
    never = [one.name for one in telling.receivers.values() if one.id not in known or not known[one.id].tested_ms]
    found = [f"{name} was never sent a test: nobody knows whether alerts arrive. Send one on /receivers."
             for name in never]
    mails = any(one.kind == "email" for one in telling.receivers.values())
    return found + (["Somebody is to be told by mail and no mail server is set: OPSMON_SMTP_URL and OPSMON_MAIL_FROM."]
                    if mails and not (settings.smtp_url and settings.mail_from) else [])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address. A name is looked up nowhere."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _guessable(name: str, secrets: Sequence[Secret]) -> Iterator[str]:
    weak = [one for one in secrets if len(one.value) < _SHORTEST or len(set(one.value)) < _FEWEST_DIFFERENT]
    if weak:
        yield (f"{name}: {len(weak)} of {len(secrets)} can be guessed, being shorter than {_SHORTEST} characters or of "
               f"fewer than {_FEWEST_DIFFERENT} different ones. `openssl rand -hex 32` makes a good one.")


def _others_may(path: Path, bits: int) -> bool:
    try:
        return bool(path.stat().st_mode & bits)
    except OSError:
        return False


def _store(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    hosts = [urlsplit(f"//{one}").hostname or "" for one in parts.netloc.rpartition("@")[2].split(",")]
    if not url or parts.scheme == "unix" or all(map(is_loopback, hosts)):
        return
    if not parts.scheme.startswith("rediss"):
        yield "OPSMON_STORE_URL goes to another machine without TLS: rediss:// encrypts it."
    if "@" not in parts.netloc:
        yield "OPSMON_STORE_URL names another machine and no password: whoever reaches that store reads and writes it."

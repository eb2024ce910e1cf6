"""What every process asks of a site: where its store is, what it hears, where it is reached."""

import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from redis.asyncio import Redis

from opsmon.clock import Clock
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import NewerStore, OpsmonError
from opsmon.setting_texts import without_password
from opsmon.settings import Settings
from opsmon.sources.base import Secret, Source, SourceSettings
from opsmon.sources.kinds import KINDS
from opsmon.sources.rereading import read_again
from opsmon.sources.signing import TEST_SHOP
from opsmon.store.alerts.archive import Archive
from opsmon.store.alerts.history import History
from opsmon.store.board_store import BoardStore
from opsmon.store.connection import STORE_ERRORS, Reader, ingest_client, worker_client
from opsmon.store.data_dir import DataDir
from opsmon.store.dead_letters import DeadLetters
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.meta import read_meta
from opsmon.store.scripts import Scripts

T = TypeVar("T")


def store_url(settings: Settings) -> str:
    """Where the store is: the one that was named, or opsmon's own."""
    return settings.store_url or DataDir(settings.data).store_url


def sources(settings: Settings) -> dict[str, Source]:
    """Every source that can be heard."""
    return {name: KINDS[source.kind](_in_currency(source, settings), settings.site)
            for name, source in declared_sources(settings).items()}


def declared_sources(settings: Settings) -> dict[str, SourceSettings]:
    """What the site says of each source. The local test secret is good for the test shop only."""
    test_secret = Secret(DataDir(settings.data).test_secret().encode(), TEST_SHOP)
    shopify = SourceSettings("shopify", "shopify", (*settings.shopify_secrets, test_secret))
    # Declared by name, Shopify has these secrets and its own.
    declared = {source.name: source for source in (shopify, *settings.sources)}
    if declared["shopify"] is not shopify:
        own = declared["shopify"]
        declared["shopify"] = replace(own, secrets=(*own.secrets, *shopify.secrets))
    return declared


def _in_currency(source: SourceSettings, settings: Settings) -> SourceSettings:
    """A source that asks for a currency has the site's, unless it says which."""
    if settings.currency is None or "currency" not in KINDS[source.kind].options:
        return source
    return replace(source, options={"currency": settings.currency, **source.options})


def ingest_tokens(settings: Settings) -> tuple[Secret, ...]:
    """Who may send events of opsmon's own shape; before any token is set, whoever can read the test secret."""
    return settings.ingest_tokens or (Secret(DataDir(settings.data).test_secret().encode()),)


async def refuse_newer_store(settings: Settings) -> None:
    """Raises NewerStore before anything is written; a store that is away does so later, or is none."""
    client = ingest_client(store_url(settings))
    try:
        await read_meta(Reader(client), Keys(settings.site))
    except NewerStore:
        raise
    except STORE_ERRORS:
        pass
    finally:
        await client.aclose()


async def on_store(settings: Settings, act: Callable[[Redis], Awaitable[T]]) -> T:
    """Do something on the site's store. Raises OpsmonError when it cannot be reached or is a newer opsmon's."""
    client = worker_client(store_url(settings))
    try:
        await read_meta(Reader(client), Keys(settings.site))
        return await act(client)
    except NewerStore:
        raise
    except STORE_ERRORS as error:
        raise OpsmonError(f"the store at {without_password(store_url(settings))} cannot be reached: {error}. "
                          "Is opsmon running with this --data or --store?") from None
    finally:
        await client.aclose()


def kpi_queries(client: Redis, settings: Settings) -> KpiQueries:
    """What reads the site's numbers."""
    calendar = SiteCalendar(settings.timezone, settings.day_start_ms)
    return KpiQueries(Reader(client), Keys(settings.site), settings.catalogue, calendar, settings.currency,
                      settings.grace_ms, settings.kept)


def archive(settings: Settings) -> Archive:
    """The files of the site's alert history on this machine."""
    return Archive(DataDir(settings.data).path / "alerts" / settings.site)


def history(settings: Settings, client: Redis) -> History:
    """What reads the site's alert history."""
    return History(Reader(client), Keys(settings.site), archive(settings))


def board_store(client: Redis, settings: Settings, clock: Clock) -> BoardStore:
    """What saves the site's boards."""
    keys = Keys(settings.site)
    return BoardStore(Reader(client), Scripts(client, keys), keys, clock)


def dead_letters(client: Redis, keys: Keys, heard: Mapping[str, Source], clock: Clock) -> DeadLetters:
    """What takes dead letters back; each is read again by its source."""
    return DeadLetters(client, keys, partial(read_again, heard), clock)


def names(settings: Settings) -> set[str]:
    """Under which names this machine's boards answer, beside addresses and localhost."""
    machine = socket.gethostname().lower()
    public = urlsplit(settings.public_url).hostname
    return {*settings.hosts, machine, f"{machine.partition('.')[0]}.local", *([public] if public else [])}


def webhook_url(settings: Settings) -> str:
    """Where Shopify's webhooks go, as this machine sees it."""
    return f"{local_url(settings)}/webhooks/shopify"


def boards_url(settings: Settings) -> str:
    """Where people reach the boards, '' when only they know: with a port for the internet the public URL leads to that,
    and it has none."""
    return settings.public_url if settings.public_port is None else ""


def named_url(settings: Settings) -> str:
    """Where the boards are beside a port for the internet, by the first of their names that is not the public one; ''
    without such a name."""
    public = urlsplit(settings.public_url).hostname
    name = next((name for name in sorted(settings.hosts) if name != public), "")
    return f"http://{name}:{settings.port}" if name and settings.public_port is not None else ""


def local_url(settings: Settings) -> str:
    """Where deliveries go, as this machine sees it."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared only
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"

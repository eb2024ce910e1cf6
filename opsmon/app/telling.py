"""The process that tells people of alerts."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from redis.asyncio import Redis

from opsmon.app.site import refuse_newer_store, store_url
from opsmon.app.wording import notice_words
from opsmon.clock import Clock, SystemClock
from opsmon.notify.apprise import AppriseNotifier
from opsmon.notify.egress import Egress
from opsmon.notify.email import EmailNotifier, server_of
from opsmon.notify.ports import Notifier as Channel
from opsmon.notify.webhook import WebhookNotifier
from opsmon.settings import Settings
from opsmon.store.alerts.links import link_secret
from opsmon.store.connection import STORE_ERRORS, worker_client
from opsmon.store.keys import Keys
from opsmon.workers.notifier import Notifier


async def run_notify(settings: Settings, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Tell people until `stop` is set and what is on its way has arrived. Raises NewerStore."""
    await refuse_newer_store(settings)
    client = worker_client(store_url(settings))
    try:
        await _patiently(lambda: link_secret(client, Keys(settings.site)), stop)
        if not stop.is_set():
            await (await notifier(settings, client, clock or SystemClock())).run(stop)
    finally:
        await client.aclose()


async def _patiently(ask: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Ask each second until the store answers."""
    while not stop.is_set():
        try:
            await ask()
            return
        except STORE_ERRORS:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)


async def notifier(settings: Settings, client: Redis, clock: Clock, channels: Mapping[str, Channel] | None = None
                   ) -> Notifier:
    """What tells people of a site's alerts, by `channels` or by those there are."""
    keys, who = Keys(settings.site), f"{settings.worker_name}:{os.getpid()}:{id(client)}"
    words = notice_words(settings, await link_secret(client, keys))
    return Notifier(client, keys, channels or channels_of(settings), words.message, who, clock,
                    settings.timezone, settings.rules)


def channels_of(settings: Settings) -> dict[str, Channel]:
    """The ways of telling people, by the kind of a receiver."""
    server = server_of(settings.smtp_url) if settings.smtp_url else None
    return {"email": EmailNotifier(server, settings.mail_from),
            "webhook": WebhookNotifier(Egress(settings.notify_networks)), "apprise": AppriseNotifier()}

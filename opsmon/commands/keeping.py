"""backup: a site as one file, while it is live. restore: that file in the place of a site."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

import opsmon
from opsmon.app.site import archive, on_store
from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.access import EVERYTHING, Who
from opsmon.core.errors import OpsmonError
from opsmon.core.schema import SCHEMA
from opsmon.settings import Settings
from opsmon.store.accounts.audit import Deed, note_deed
from opsmon.store.alerts.archive import ARCHIVE_ERRORS
from opsmon.store.alerts.carrying import restore_history, with_history, without_history
from opsmon.store.backup_file import Manifest, Origin, read_manifest, read_records, write_backup
from opsmon.store.connection import Reader
from opsmon.store.copying import copy_site
from opsmon.store.fence import fenced
from opsmon.store.keys import Keys
from opsmon.store.meta import read_meta
from opsmon.store.restoring import Restoring, check_readable, holds
from opsmon.store.schema import bring_up


def backup(args: argparse.Namespace) -> int:
    """Write all that the store holds of the site to a file that only we can read."""
    settings, path = settings_of(args), Path(args.file)
    if path.exists():
        raise OpsmonError(f"{path} is there already. Give the backup another name.")
    manifest = asyncio.run(on_store(settings, lambda client: _backup(client, settings, path)))
    print(f"{path} holds the site {manifest.site} as it was just now: {_what(manifest)}. "
          "Settings and secrets are not in it.")
    return 0


def restore(args: argparse.Namespace) -> int:
    """Check a backup and put it in the place of the site; 1, with nothing changed, when it cannot be."""
    settings, path = settings_of(args), Path(args.file)
    manifest = read_manifest(path)
    _check(manifest, settings)
    arrived = asyncio.run(on_store(settings, lambda client: _restore(client, settings, path, manifest, args.replace)))
    print(f"Restored the site {manifest.site} as it was: {_what(manifest)}. Everybody has to sign in again.")
    if arrived:
        print(f"{arrived} deliveries that came meanwhile were kept behind it.")
    print("`opsmon verify` counts again and compares, once a worker runs.")
    return 0


async def _backup(client: Any, settings: Settings, path: Path) -> Manifest:
    keys = Keys(settings.site)
    meta = await read_meta(Reader(client), keys)
    if not meta.rules:
        raise OpsmonError(f"There is nothing to back up: nothing was ever counted for the site {settings.site} here.")
    origin = Origin(settings.site, meta.schema, meta.generation, opsmon.__version__, SystemClock().now_ms())
    files = archive(settings)
    manifest = await write_backup(path, origin, with_history(copy_site(client, keys), files, keys))
    await files.close()
    await note_deed(client, keys, _deed("backup", "site.backed-up", manifest))
    return manifest


async def _restore(client: Any, settings: Settings, path: Path, manifest: Manifest, may_replace: bool) -> int:
    keys = Keys(settings.site)
    held = await holds(client, keys)
    if held and not may_replace:
        raise OpsmonError(f"The site {settings.site} holds {held} here, which would be replaced. Nothing was restored; "
                          "--replace does it all the same, after a backup of what there is.")
    await check_readable(client, keys, without_history(read_records(path)))
    async with fenced(client, keys) as fence:
        restoring = Restoring(client, keys, fence, manifest.generation)
        arrived = await restoring.run(without_history(read_records(path)), await restoring.begin())
    await _restore_history(settings, path)
    await bring_up(client, keys)
    await note_deed(client, keys, _deed("restore", "site.restored", manifest))
    return arrived


async def _restore_history(settings: Settings, path: Path) -> None:
    files = archive(settings)
    try:
        await restore_history(read_records(path), files)
    except ARCHIVE_ERRORS as error:
        raise OpsmonError(f"The history of alerts in {files.folder} could not be restored: {error}. All else was; run "
                          "it again with --replace.") from error
    finally:
        await files.close()


def _check(manifest: Manifest, settings: Settings) -> None:
    """Raises OpsmonError for a backup that this opsmon, or this site, cannot use."""
    if manifest.schema > SCHEMA:
        raise OpsmonError(f"This backup was made by a newer opsmon ({manifest.opsmon}, schema {manifest.schema}; this "
                          f"one knows {SCHEMA}). Install that version to restore it.")
    if manifest.site != settings.site:
        raise OpsmonError(f"This is a backup of the site {manifest.site}, and the site here is {settings.site}. Set "
                          f"OPSMON_SITE={manifest.site} to restore it.")


def _deed(command: str, what: str, manifest: Manifest) -> Deed:
    who = Who("local", "command", f"opsmon {command}", frozenset({"admin"}), EVERYTHING)
    return Deed(who, what, manifest.site, after={"sha256": manifest.sha256, "keys": manifest.count})


def _what(manifest: Manifest) -> str:
    orders = manifest.kinds.get("entity", 0)
    return f"{manifest.count} keys, {orders} of them remembered orders, customers and visitors; made by opsmon " \
           f"{manifest.opsmon}"

"""privacy: who asked what is stored about them or to be forgotten; export it, erase it, say that it is done."""

import argparse
import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import orjson

from opsmon.app.site import on_store
from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.calendar import SiteCalendar
from opsmon.core.errors import OpsmonError
from opsmon.core.privacy import DEADLINE_MS, Request, short_id
from opsmon.store.connection import Reader
from opsmon.store.data_dir import DataDir
from opsmon.store.keys import Keys
from opsmon.store.privacy import keep_request, nameless
from opsmon.store.privacy_queries import read_requests
from opsmon.web.languages import ENGLISH
from opsmon.web.wording import Wording
from opsmon.workers.exporting import export

T = TypeVar("T")
_WHAT = {"export": "wants to see what is stored", "customer": "wants to be forgotten", "shop": "all of a shop"}
_STAGES = {"asked": "under way", "rewrite": "erased, the store's files are next",
           "rewriting": "erased, the store's files are being written anew"}


def list_requests(args: argparse.Namespace) -> int:
    """Print every request with its deadline, and those that were done within 90 days."""
    settings = settings_of(args)
    wording = Wording(settings.locale, SiteCalendar(settings.timezone, settings.day_start_ms), ENGLISH)
    requests = _do(args, lambda client, keys: read_requests(Reader(client), keys))
    for one in requests:
        print(f"{one.id}  asked {wording.date(one.asked_ms)}: {_WHAT[one.kind]}"
              f"{f' ({one.about})' if one.about else ''}; {_how_far(one, wording)}")
    if not requests:
        print("Nobody has asked for anything.")
    return 0


def export_customer(args: argparse.Namespace) -> int:
    """Write all that is stored about a customer to a file that only we can read; where it is."""
    data = DataDir(settings_of(args).data)
    request, text = _exported(args)
    path = data.write_export(request.id, text)
    print(f"{path} has what is stored about {request.about}. Delete it once it is sent.")
    if request.kind == "export" and request.salt:
        print(f"Then: opsmon privacy done {request.id}")
    return 0


def erase(args: argparse.Namespace) -> int:
    """Ask the workers to forget a customer or, without --yes, say what is stored."""
    request, text = _exported(args)
    told = orjson.loads(text)
    print(f"{request.about}: {len(told['remembered'])} states, {len(told['events'])} events and "
          f"{len(told['could_not_be_used'])} dead letters.")
    if not args.yes:
        print("Nothing was erased. With --yes they are forgotten; that cannot be undone.")
        return 0
    asked = replace(request, id=short_id(f"{request.about} {secrets.token_hex(4)}"), kind="customer", note="",
                    asked_ms=SystemClock().now_ms(), salt=secrets.token_hex(16))
    _do(args, lambda client, keys: keep_request(client, keys, asked))
    print(f"A worker does it now; opsmon privacy list tells how far it is ({asked.id}).")
    return 0


def done(args: argparse.Namespace) -> int:
    """Note that a request for data was answered, and delete its file."""
    now_ms = SystemClock().now_ms()
    request = _do(args, lambda client, keys: _known(Reader(client), keys, args.id))
    if request is None or request.kind != "export" or request.stage == "done":
        raise OpsmonError(f"{args.id}: no request for data that waits is called so; see opsmon privacy list")
    answered = nameless(request, "done", str(now_ms))
    _do(args, lambda client, keys: keep_request(client, keys, answered))
    (DataDir(settings_of(args).data).exports_path / f"{request.id}.json").unlink(missing_ok=True)
    print("Done. The file was deleted.")
    return 0


def _how_far(request: Request, wording: Wording) -> str:
    if request.stage == "done":
        return f"done {wording.date(int(request.note))}"
    until = f"until {wording.date(request.asked_ms + DEADLINE_MS)}"
    if request.kind == "export":
        return f"{f'{request.note} has it' if request.note else 'being written'}, to be answered {until}"
    return f"{_STAGES[request.stage]}, to be done {until}"


def _exported(args: argparse.Namespace) -> tuple[Request, bytes]:
    """The request or the customer that is meant, and all that is stored. Raises OpsmonError when nothing is."""
    known = _do(args, lambda client, keys: _known(Reader(client), keys, args.id))
    request = known if known and known.about else Request(short_id(args.id), "export", args.id, (), 0)
    text = _do(args, lambda client, keys: export(client, keys, request))
    told = orjson.loads(text)
    if not known and not (told["remembered"] or told["events"]):
        raise OpsmonError(f"{args.id}: nothing is stored about such a customer; ids are like "
                          "woo:shop.example:customer:17, as orders tell them")
    return request, text


async def _known(reader: Reader, keys: Keys, name: str) -> Request | None:
    return next((one for one in await read_requests(reader, keys) if one.id == name), None)


def _do(args: argparse.Namespace, act: Callable[[Any, Keys], Awaitable[T]]) -> T:
    settings = settings_of(args)
    return asyncio.run(on_store(settings, lambda client: act(client, Keys(settings.site))))

"""dead: what could not be used, from the command line: list it, show it, replay it, discard it."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import orjson

from opsmon.app.site import dead_letters, on_store, sources
from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.calendar import SiteCalendar
from opsmon.core.dead_letters import masked
from opsmon.core.errors import OpsmonError
from opsmon.settings import Settings
from opsmon.store import dead_queries, health_queries
from opsmon.store.connection import Reader
from opsmon.store.dead_letters import DeadLetters, Done
from opsmon.store.dead_queries import Group, Letter, Wanted
from opsmon.store.keys import Keys
from opsmon.web.dead_views import payload_text, source_name, stopped_sentences
from opsmon.web.languages import ENGLISH
from opsmon.web.wording import Wording

T = TypeVar("T")
_LISTED = 100
_BY = "local"


def list_letters(args: argparse.Namespace) -> int:
    """Print what is held by source and reason or, of one reason, its newest letters."""
    settings = settings_of(args)
    wanted, wording = Wanted(args.source or "", args.reason or ""), _wording(settings)
    groups, totals = _ask(settings, lambda reader, keys: _held(reader, keys, wanted))
    letters = _ask(settings, lambda reader, keys: dead_queries.newest(reader, keys, wanted, _LISTED)
                   ) if args.reason else []
    stopped = dead_queries.stopped(totals)
    if args.json:
        _print_json({"groups": [{"id": group.id, **asdict(group)} for group in groups], "stopped": stopped,
                     "letters": [_plain(letter) for letter in letters]})
        return 0
    for sentence in stopped_sentences(stopped, wording):
        print(sentence)
    for letter in letters:
        print(f"{letter.id:22} {wording.moment(letter.at_ms)}  {letter.source}: {letter.reason}")
    for group in groups if not args.reason else ():
        print(f"{group.id}  {wording.number(group.letters):>7}  {source_name(group.source, wording)}: {group.reason}  "
              f"(newest {wording.moment(group.newest_ms)})")
    if not groups:
        print("No dead letters." if not (wanted.source or wanted.reason) else "No dead letters of these.")
    return 0


def show(args: argparse.Namespace) -> int:
    """Print one letter: what is known of it, its headers with secrets masked, its payload."""
    settings = settings_of(args)
    letter = _ask(settings, lambda reader, keys: dead_queries.letter(reader, keys, args.id))
    if letter is None:
        raise OpsmonError(f"{args.id}: there is no such dead letter; opsmon dead list --reason tells the ids")
    if args.json:
        _print_json(_plain(letter) | {"headers": masked(letter.headers),
                                      "payload": letter.payload.decode("utf-8", "backslashreplace")})
        return 0
    wording = _wording(settings)
    print(f"Source     {source_name(letter.source, wording)}\nReason     {letter.reason}\n"
          f"Put aside  {wording.moment(letter.at_ms)}, after {letter.tries} tries\n"
          f"Size       {len(letter.payload)} bytes")
    for name, value in masked(letter.headers).items():
        print(f"Header     {name}: {value}")
    print(f"\n{payload_text(letter.payload)}")
    return 0


def replay(args: argparse.Namespace) -> int:
    """Take letters back; of a reason one, to try it, or with --all all of them. 1 when some still cannot be used."""
    if bool(args.ids) == bool(args.reason):
        raise OpsmonError("replay what? Give ids, or --reason with what opsmon dead list shows")
    if args.payload:
        return _correct(args)
    if args.ids:
        ids = _ids(args)
        return _report(args, _do(args, lambda dead: dead.replay(ids, _BY)))
    wanted = _known(args)
    if not args.all:
        oldest = _oldest(args, wanted).id
        return _report(args, _do(args, lambda dead: dead.replay([oldest], _BY)),
                       "That was the oldest one, to try it: --all takes all of the reason.")
    return _report(args, _do(args, lambda dead: _through(dead.replay_all(wanted, _BY), args)))


def discard(args: argparse.Namespace) -> int:
    """Let letters go for good, saying why."""
    because = args.because.strip()
    if bool(args.ids) == bool(args.reason):
        raise OpsmonError("discard what? Give ids, or --reason with what opsmon dead list shows")
    if not because:
        raise OpsmonError("--because: say why, in a few words: they stay in the journal")
    if args.ids:
        ids = _ids(args)
        return _report(args, _do(args, lambda dead: dead.discard(ids, because, _BY)))
    wanted = _known(args)
    return _report(args, _do(args, lambda dead: _through(dead.discard_all(wanted, because, _BY), args)))


def _correct(args: argparse.Namespace) -> int:
    if len(args.ids) != 1:
        raise OpsmonError("--payload goes with one id: it is what this letter should have said")
    try:
        text = sys.stdin.read() if args.payload == "-" else Path(args.payload).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OpsmonError(f"--payload {args.payload} cannot be read: {error}") from None
    (letter_id,) = _ids(args)
    return _report(args, _do(args, lambda dead: dead.correct(letter_id, text, _BY)))


async def _through(steps: AsyncIterator[Done], args: argparse.Namespace) -> Done:
    """Take every step, saying how far it has come to whoever watches."""
    done = Done("")
    async for done in steps:
        if sys.stderr.isatty() and not args.json:
            print(f"\r{done.settled} done, {len(done.failed)} still unusable", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty() and not args.json:
        print(file=sys.stderr)
    return done


def _report(args: argparse.Namespace, done: Done, hint: str = "") -> int:
    if args.json:
        _print_json({"settled": done.settled, "duplicates": done.duplicates, "stopped_early": done.is_stopped,
                     "failed": [{"id": letter_id, "why": why} for letter_id, why in done.failed]})
        return 1 if done.failed else 0
    print(f"{done.settled} done, {done.duplicates} had been taken before, {len(done.failed)} still cannot be used")
    for letter_id, why in done.failed[:20]:
        print(f"{letter_id:22} {why}")
    if done.is_stopped:
        print(f"Stopped after {len(done.failed)} that still cannot be used: the others were left alone.")
    if hint:
        print(hint)
    return 1 if done.failed else 0


def _known(args: argparse.Namespace) -> Wanted:
    """Which reason is meant. Raises OpsmonError when none is held that is called so."""
    wanted = Wanted(args.source or "", args.reason)
    groups, _ = _ask(settings_of(args), lambda reader, keys: _held(reader, keys, Wanted()))
    if any((not wanted.source or group.source == wanted.source) and wanted.reason in (group.id, group.reason)
           for group in groups):
        return wanted
    held = "; ".join(f"{group.id} ({group.reason})" for group in groups) or "none"
    raise OpsmonError(f"--reason {args.reason}: nothing is held for it; held are {held}")


def _oldest(args: argparse.Namespace, wanted: Wanted) -> Letter:
    async def find(reader: Reader, keys: Keys) -> Letter | None:
        async for page in dead_queries.letters(reader, keys):
            for letter in page:
                if wanted.has(letter):
                    return letter
        return None

    letter = _ask(settings_of(args), find)
    if letter is None:
        raise OpsmonError("the last letter of this reason has just gone")
    return letter


def _ids(args: argparse.Namespace) -> list[str]:
    wrong = next((text for text in args.ids if not dead_queries.is_id(text)), None)
    if wrong is not None:
        raise OpsmonError(f"{wrong}: no dead letter's id; those are like 1795179802000-0: see opsmon dead list")
    return list(args.ids)


async def _held(reader: Reader, keys: Keys, wanted: Wanted) -> tuple[list[Group], dict[str, int]]:
    return await dead_queries.groups(reader, keys, wanted), await health_queries.totals(reader, keys)


def _ask(settings: Settings, query: Callable[[Reader, Keys], Awaitable[T]]) -> T:
    return asyncio.run(on_store(settings, lambda client: query(Reader(client), Keys(settings.site))))


def _do(args: argparse.Namespace, act: Callable[[DeadLetters], Awaitable[Done]]) -> Done:
    settings = settings_of(args)
    keys, heard = Keys(settings.site), sources(settings)
    return asyncio.run(on_store(settings, lambda client: act(dead_letters(client, keys, heard, SystemClock()))))


def _wording(settings: Settings) -> Wording:
    return Wording(settings.locale, SiteCalendar(settings.timezone, settings.day_start_ms), ENGLISH)


def _plain(letter: Letter) -> dict[str, Any]:
    return {"id": letter.id, "at_ms": letter.at_ms, "source": letter.source, "reason": letter.reason,
            "tries": letter.tries, "bytes": len(letter.payload)}


def _print_json(told: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")

"""people: who has an account; invite somebody, give a link for a new password, change a role, shut somebody out.

For the machine's owner, who can read its files anyway: the way in when nobody can sign in.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from opsmon.app.site import boards_url, local_url, on_store
from opsmon.clock import SystemClock
from opsmon.commands.arguments import settings_of
from opsmon.core.access import EVERYTHING, Who
from opsmon.core.errors import OpsmonError
from opsmon.core.people import email_of, name_of, role_of
from opsmon.settings import Settings
from opsmon.store.accounts.changing import Outcome
from opsmon.store.accounts.people import People
from opsmon.store.accounts.records import Person
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.web.accounts.passwords import NOT_INSTALLED, is_installed

T = TypeVar("T")
_COMMAND = Who("local", "command", "opsmon people", frozenset({"admin"}), EVERYTHING)
_WHY: dict[Outcome, str] = {
    "taken": "somebody has this e-mail address already; see opsmon people list",
    "last": "nobody could let others in afterwards: make another admin first",
    "changed": "somebody else changed this person just now; try again",
}


def list_people(args: argparse.Namespace) -> int:
    """Print everybody with an account."""
    people = _do(args, lambda people: people.all())
    for one in people:
        state = "shut out" if one.is_off else "" if one.password else "invited, has not accepted"
        print("  ".join(filter(None, (one.email, one.role, one.name, state))))
    if not people:
        print("Nobody has an account. Boards are shown on this machine only. opsmon people add EMAIL makes the first.")
    return 0


def add(args: argparse.Namespace) -> int:
    """Make an account; print the link that lets them choose a password."""
    try:
        email, role = email_of(args.email), role_of(args.role)
        name = name_of(args.called or email.partition("@")[0])
    except ValueError as error:
        raise OpsmonError(str(error)) from None
    if not is_installed():
        raise OpsmonError(NOT_INSTALLED)
    now_ms = SystemClock().now_ms()
    outcome, _, secret = _do(args, lambda people: people.add(_COMMAND, "", email, name, role, now_ms))
    _check(outcome, email)
    _say_link(settings_of(args), secret, f"{email} can choose a password within 7 days at")
    return 0


def reset(args: argparse.Namespace) -> int:
    """Print a link to choose a new password."""
    async def act(people: People) -> str:
        return await people.link(await _known(people, args.email), "reset")

    _say_link(settings_of(args), _do(args, act), f"{args.email} can choose a new password within the hour at")
    return 0


def role(args: argparse.Namespace) -> int:
    """Give somebody another role; open pages of theirs follow within seconds."""
    try:
        to = role_of(args.role)
    except ValueError as error:
        raise OpsmonError(str(error)) from None
    _check(_do(args, lambda people: _change(people, args.email, lambda one: replace(one, role=to))), args.email)
    print(f"{args.email} is {to} now.")
    return 0


def off(args: argparse.Namespace) -> int:
    """Shut somebody out, everywhere and at once; what they did stays written."""
    _check(_do(args, lambda people: _change(people, args.email, lambda one: replace(one, is_off=True))), args.email)
    print(f"{args.email} is shut out. opsmon people on {args.email} lets them in again.")
    return 0


def on(args: argparse.Namespace) -> int:
    """Let somebody in again."""
    _check(_do(args, lambda people: _change(people, args.email, lambda one: replace(one, is_off=False))), args.email)
    print(f"{args.email} may sign in again.")
    return 0


async def _known(people: People, email: str) -> Person:
    found = await people.by_email(email.strip().lower())
    if found is None:
        raise OpsmonError(f"{email}: nobody has this e-mail address here; see opsmon people list")
    return found


async def _change(people: People, email: str, to: Callable[[Person], Person]) -> Outcome:
    before = await _known(people, email)
    return await people.change(_COMMAND, "", before, to(before), "person.changed")


def _check(outcome: Outcome, email: str) -> None:
    if outcome != "done":
        raise OpsmonError(f"{email}: {_WHY[outcome]}")


def _say_link(settings: Settings, secret: str, sentence: str) -> None:
    base = boards_url(settings) or local_url(settings)
    print(f"{sentence}\n{base}/invite/{secret}")


def _do(args: argparse.Namespace, act: Callable[[People], Awaitable[T]]) -> T:
    settings = settings_of(args)

    async def on_people(client: Any) -> T:
        return await act(People(client, Reader(client), Keys(settings.site)))

    return asyncio.run(on_store(settings, on_people))

"""Query: who holds a secret. What was told a short while ago stands for reading while the store is away."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from opsmon.clock import Clock
from opsmon.core.access import Who, person, program, screen
from opsmon.store.accounts.records import PairedScreen, Person, Session, Token, read
from opsmon.store.accounts.secrets import hashed
from opsmon.store.connection import STORE_ERRORS, Read, Reader
from opsmon.store.keys import Keys

HAS_ADMIN = "has_admin"
# While the store is away, who was known so long ago may go on reading what this process has at hand.
_REMEMBERED_MS = 15 * 60_000
_MOST_REMEMBERED = 2_000
_AGAIN_S = 0.2


class Recogniser:
    """Tells who a secret belongs to: one round trip for a session, one for a screen or a program."""

    def __init__(self, reader: Reader, keys: Keys, clock: Clock) -> None:
        self._reader, self._keys, self._clock = reader, keys, clock
        self._has_admin: bool | None = None
        self._known: OrderedDict[tuple[str, str], tuple[int, Who]] = OrderedDict()

    async def has_admin(self) -> bool:
        """Whether somebody could let others in; once so, for ever. Raises STORE_ERRORS while that was never told."""
        if not self._has_admin:
            try:
                self._has_admin = HAS_ADMIN.encode() in await self._reader.hash(self._keys.meta)
            except STORE_ERRORS:
                if self._has_admin is None:
                    raise
        return bool(self._has_admin)

    async def learn(self) -> None:
        """Ask once, as soon as the store answers: what a board shows before the first visit can outlive it."""
        while self._has_admin is None:
            try:
                await self.has_admin()
            except STORE_ERRORS:
                await asyncio.sleep(_AGAIN_S)

    async def session(self, secret: str) -> Who | None:
        """Who signed in with it, and still may."""
        return await self._remembering("session", hashed(secret), self._session)

    async def screen(self, secret: str) -> Who | None:
        """Which paired screen it was given to."""
        return await self._remembering("screen", hashed(secret), self._screen)

    async def program(self, secret: str) -> Who | None:
        """Which program it was given to, until its end."""
        return await self._remembering("program", hashed(secret), self._program)

    async def _remembering(self, kind: str, digest: str, ask: Callable[[str], Awaitable[Who | None]]) -> Who | None:
        place, now_ms = (kind, digest), self._clock.now_ms()
        try:
            found = await ask(digest)
        except STORE_ERRORS:
            seen_ms, known = self._known.get(place, (0, None))
            if known is None or now_ms - seen_ms > _REMEMBERED_MS:
                raise
            return known
        self._known.pop(place, None)
        if found is not None:
            self._known[place] = (now_ms, found)
            while len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return found

    async def _session(self, digest: str) -> Who | None:
        kept, people = await self._reader.many([
            Read("get", (self._keys.session(digest),)), Read("hgetall", (self._keys.people,))])
        session = read(Session, kept) if kept else None
        if session is None or self._clock.now_ms() >= session.ends_ms:
            return None
        raw = people.get(session.person.encode())
        found = read(Person, raw) if raw else None
        return None if found is None or found.is_off else person(found.id, found.name, found.role, digest)

    async def _screen(self, digest: str) -> Who | None:
        owner, screens = await self._reader.many([
            Read("get", (self._keys.screen(digest),)), Read("hgetall", (self._keys.screens,))])
        raw = screens.get(owner) if owner else None
        if raw is None:
            return None
        found = read(PairedScreen, raw)
        sees = frozenset(("money",)) if found.sees_money else frozenset()
        return screen(found.id, found.name, sees=sees, session=digest)  # type: ignore[arg-type]

    async def _program(self, digest: str) -> Who | None:
        raw = (await self._reader.hash(self._keys.tokens)).get(digest.encode())
        token = read(Token, raw) if raw else None
        if token is None or self._clock.now_ms() >= token.ends_ms:
            return None
        return program(token.id[:12], token.name, frozenset(token.scopes), digest)

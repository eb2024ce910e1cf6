"""Query: who holds a secret. What was told a short while ago stands for reading while the store is away."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping

from opsmon.clock import Clock
from opsmon.core.access import EVERYTHING, Who, person, program, screen
from opsmon.store.accounts.records import PairedScreen, Person, Session, Token, read
from opsmon.store.accounts.secrets import hashed
from opsmon.store.connection import STORE_ERRORS, Read, Reader
from opsmon.store.keys import Keys

HAS_ADMIN = "has_admin"
Records = Mapping[bytes, bytes]
# While the store is away, who was known so long ago may go on reading what this process has at hand.
_REMEMBERED_MS = 15 * 60_000
_MOST_REMEMBERED = 2_000
_AGAIN_S = 0.2


class Recogniser:
    """Tells who a secret belongs to: one round trip for a session, one for a screen or a program."""

    def __init__(self, reader: Reader, keys: Keys, clock: Clock) -> None:
        self._reader, self._keys, self._clock = reader, keys, clock
        self._has_admin: bool | None = None
        # One question at a time: a crowd that comes at once must not open a connection each.
        self._gate, self._asked = asyncio.Lock(), 0
        self._known: OrderedDict[tuple[str, str], tuple[int, Who]] = OrderedDict()

    async def has_admin(self) -> bool:
        """Whether somebody could let others in; once so, for ever. Raises STORE_ERRORS while that was never told."""
        if not self._has_admin:
            asked = self._asked
            # An answer is good for whoever came before it was asked for: a crowd asks once.
            async with self._gate:
                if not self._has_admin and self._asked == asked:
                    await self._ask_for_admin()
        return bool(self._has_admin)

    async def _ask_for_admin(self) -> None:
        self._asked += 1
        try:
            self._has_admin = HAS_ADMIN.encode() in await self._reader.hash(self._keys.meta)
        except STORE_ERRORS:
            if self._has_admin is None:
                raise

    async def learn(self) -> None:
        """Ask once, as soon as the store answers: what a board shows before the first visit can outlive it."""
        while self._has_admin is None:
            try:
                await self.has_admin()
            except STORE_ERRORS:
                await asyncio.sleep(_AGAIN_S)

    async def session(self, secret: str) -> Who | None:
        """Who signed in with it, and still may.

        Threat: a session that is over (CWE-613).
        """
        return await self._remembering("session", hashed(secret), self._session)

    async def screen(self, secret: str) -> Who | None:
        """Which paired screen it was given to.

        Threat: a screen that was removed (CWE-613).
        """
        return await self._remembering("screen", hashed(secret), self._screen)

    async def program(self, secret: str) -> Who | None:
        """Which program it was given to, until its end.

        Threat: a token that is over or revoked (CWE-613).
        """
        return await self._remembering("program", hashed(secret), self._program)

    async def _remembering(self, kind: str, digest: str, ask: Callable[[str], Awaitable[Who | None]]) -> Who | None:
        place, now_ms = (kind, digest), self._clock.now_ms()
        try:
            async with self._gate:
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

    async def gone(self, known: Iterable[Who]) -> set[str]:
        """Which of these sessions ended, or may something else now. One round trip. Raises STORE_ERRORS.

        Threat: a stream that outlives its session (CWE-613).
        """
        held = list({who.session: who for who in known if who.session}.values())
        if not held:
            return set()
        reads = [Read("get", (self._place(who),)) for who in held]
        people, screens, tokens, *found = await self._reader.many([
            *(Read("hgetall", (key,)) for key in (self._keys.people, self._keys.screens, self._keys.tokens)), *reads])
        now_ms = self._clock.now_ms()
        return {who.session for who, kept in zip(held, found, strict=True)
                if who != self._again(who, kept, people, screens, tokens, now_ms)}

    def _place(self, who: Who) -> str:
        place = self._keys.screen if who.kind == "screen" else self._keys.session
        return place(who.session)

    def _again(self, who: Who, kept: bytes | None, people: Records, screens: Records, tokens: Records, now_ms: int
               ) -> Who | None:
        if who.kind == "program":
            return _program(tokens.get(who.session.encode()), who.session, now_ms)
        return (_screen(kept, screens, who.session) if who.kind == "screen"
                else _person(kept, people, who.session, now_ms))

    async def _session(self, digest: str) -> Who | None:
        kept, people = await self._reader.many([
            Read("get", (self._keys.session(digest),)), Read("hgetall", (self._keys.people,))])
        return _person(kept, people, digest, self._clock.now_ms())

    async def _screen(self, digest: str) -> Who | None:
        owner, screens = await self._reader.many([
            Read("get", (self._keys.screen(digest),)), Read("hgetall", (self._keys.screens,))])
        return _screen(owner, screens, digest)

    async def _program(self, digest: str) -> Who | None:
        raw = (await self._reader.hash(self._keys.tokens)).get(digest.encode())
        return _program(raw, digest, self._clock.now_ms())


def _person(kept: bytes | None, people: Records, digest: str, now_ms: int) -> Who | None:
    session = read(Session, kept) if kept else None
    if session is None or now_ms >= session.ends_ms:
        return None
    raw = people.get(session.person.encode())
    found = read(Person, raw) if raw else None
    if found is None or found.is_off:
        return None
    return person(found.id, found.name, found.role, digest, found.theme, found.clock)


def _screen(owner: bytes | None, screens: Records, digest: str) -> Who | None:
    raw = screens.get(owner) if owner else None
    found = read(PairedScreen, raw) if raw else None
    if found is None or digest not in (found.secret, found.before):
        return None
    return screen(found.id, found.name, sees=EVERYTHING if found.sees_money else frozenset(), session=digest)


def _program(raw: bytes | None, digest: str, now_ms: int) -> Who | None:
    token = read(Token, raw) if raw else None
    if token is None or now_ms >= token.ends_ms:
        return None
    return program(token.id[:12], token.name, frozenset(token.scopes), digest)

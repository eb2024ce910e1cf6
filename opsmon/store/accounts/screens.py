"""Commands: pair, change, renew and remove screens on walls (threat T13 of HARDENING: the token of a device).

A wall makes its own secret and shows a code of it; somebody who may lets the code in, and from then on the secret is
the wall's token. It never travels but to that wall, and the store has its hash alone. It is renewed at once, so that a
secret from before is worth nothing, and then every week (OWASP ASVS 5, 7.2.4; RFC 8628, 5.1 and 5.4: few tries, soon
over, and whoever approves is told to look at the screen).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Any, Literal

from redis.asyncio import Redis

from opsmon.core.access import Who
from opsmon.core.pairing import code_of
from opsmon.store.accounts.audit import Deed
from opsmon.store.accounts.changing import Changing, Outcome
from opsmon.store.accounts.records import PairedScreen, Pairing, believed, read, told, written
from opsmon.store.accounts.secrets import hashed, new_secret
from opsmon.store.connection import STORE_ERRORS, Read, Reader
from opsmon.store.keys import Keys

PAIRING_MS = 600_000
TOKEN_MS = 400 * 86_400_000
RENEWED_EVERY_MS = 7 * 86_400_000
# Seen is noted so often, and without a sign for so long a screen is lost.
NOTED_EVERY_MS = 60_000
LOST_AFTER_MS = 120_000
# A screen asks for its page twice at once; the second time it may not yet have what the first was answered with.
_ANSWERED_MS = 60_000
# Screens that wait: so many at once from one address, and one more every few seconds; of all together.
_WAIT_PER_ADDRESS = (60, 5_000)
_WAIT_IN_ALL = (1_000, 600)
# Codes tried: five at once, then one a minute, by one person and from one address.
_TRIES = (5, 60_000)


@dataclass(frozen=True, slots=True)
class Seen:
    """A screen as it is listed; `seen_ms` 0: never yet."""

    screen: PairedScreen
    seen_ms: int

    def state(self, now_ms: int) -> Literal["new", "there", "lost"]:
        """Whether it answers."""
        if not self.seen_ms:
            return "new"
        return "there" if now_ms - self.seen_ms <= LOST_AFTER_MS else "lost"


class Screens:
    """The screens of a site."""

    def __init__(self, client: Redis, reader: Reader, keys: Keys) -> None:
        self._client, self._reader, self._keys = client, reader, keys
        self._changing = Changing(client, keys)
        self._known: dict[str, PairedScreen] = {}
        self._noted: dict[str, int] = {}

    async def all(self) -> list[Seen]:
        """Every screen, by name."""
        screens, seen = await self._reader.many([
            Read("hgetall", (key,)) for key in (self._keys.screens, self._keys.screens_seen)])
        found = [Seen(read(PairedScreen, text), int(seen.get(name, 0))) for name, text in screens.items()]
        return sorted(found, key=lambda one: (one.screen.name.casefold(), one.screen.id))

    async def one(self, screen_id: str) -> PairedScreen | None:
        """A screen by id; while the store is away, as it was last known here. Raises STORE_ERRORS when it was not."""
        try:
            raw = (await self._reader.hash(self._keys.screens)).get(screen_id.encode())
        except STORE_ERRORS:
            if screen_id not in self._known:
                raise
            return self._known[screen_id]
        if raw is None:
            self._known.pop(screen_id, None)
            return None
        self._known[screen_id] = read(PairedScreen, raw)
        return self._known[screen_id]

    async def begin(self, now_ms: int, address: str) -> tuple[str, Pairing] | int:
        """Let a wall wait: its secret, to be given to it alone, and until when its code is good; or after how many ms
        there is room for one again (threat: a store filled with codes; CWE-770)."""
        wait_ms = await self._changing.take_try(now_ms, (f"waiting:{address}", *_WAIT_PER_ADDRESS),
                                                ("waiting", *_WAIT_IN_ALL))
        if wait_ms:
            return wait_ms
        while True:
            secret = new_secret()
            pairing = Pairing(hashed(secret), now_ms + PAIRING_MS)
            place = self._keys.pairing(code_of(secret))
            if await self._client.set(place, written(pairing), px=PAIRING_MS, nx=True):
                return secret, pairing

    async def waiting(self, secret: str, now_ms: int) -> Pairing | None:
        """What waits with this secret; None when its code is over or another's.

        Threat: a token fetched by another (CWE-287), told by how long a comparison takes (CWE-208).
        """
        found = await self._pairing(code_of(secret), now_ms)
        return found if found and compare_digest(found.secret, hashed(secret)) else None

    async def take_try(self, now_ms: int, who: Who, address: str) -> int:
        """Take one of the few tries to name a code: 0, or after how many ms there is one again (threat: guessing a
        code that another wall shows; OWASP ASVS 5, 6.3.1). Each call takes one."""
        return await self._changing.take_try(now_ms, (f"pair:{who.id}", *_TRIES), (f"pair-from:{address}", *_TRIES))

    async def approve(self, who: Who, address: str, code: str, wanted: PairedScreen, now_ms: int
                      ) -> PairedScreen | None:
        """Let in the wall that shows a code, as `wanted` says of name, board and money; None when no wall does, or
        another was quicker. Only one call gets a screen.

        Threat: two who use one code (CWE-362).
        """
        pairing = await self._pairing(code, now_ms) if code else None
        if pairing is None:
            return None
        screen = replace(wanted, id=new_secret()[:12], secret=pairing.secret, paired_ms=now_ms, paired_by=who.name)
        if not await self._client.set(self._keys.screen(pairing.secret), screen.id, px=TOKEN_MS, nx=True):
            return None
        await self._put(who, address, None, screen, "screen.paired")
        await self._client.unlink(self._keys.pairing(code))
        return screen

    async def change(self, who: Who, address: str, before: PairedScreen, after: PairedScreen, what: str) -> Outcome:
        """Change a screen from what the caller saw; its page is loaded anew. May be repeated."""
        return await self._put(who, address, before, replace(after, version=before.version + 1), what)

    async def identify(self, who: Who, address: str, screen: PairedScreen, now_ms: int) -> Outcome:
        """Have a screen show its name."""
        return await self._put(who, address, screen, replace(screen, identify_ms=now_ms), "screen.identified")

    async def remove(self, who: Who, address: str, screen: PairedScreen) -> Outcome:
        """Take a screen's token away: from now on it is nobody (threat: a screen that was stolen or sold).

        Threat: a session that cannot be ended (CWE-613).
        """
        outcome = await self._put(who, address, screen, None, "screen.removed")
        if outcome == "done":
            await self._client.unlink(*(self._keys.screen(one) for one in (screen.secret, screen.before) if one))
            await self._client.hdel(self._keys.screens_seen, screen.id)
            self._known.pop(screen.id, None)
        return outcome

    async def renew(self, who: Who, address: str, screen: PairedScreen, now_ms: int) -> str:
        """A new token for a screen whose turn it is, to be given to it alone; '' when it is not (threat: a token that
        was copied and is good for ever). The former stays good until the new one was used.

        Threat: a copied token (CWE-294).
        """
        is_due = (now_ms - screen.renewed_ms >= RENEWED_EVERY_MS if _is_newest(who, screen)
                  else now_ms - screen.renewed_ms >= _ANSWERED_MS)
        if not is_due:
            return ""
        secret = new_secret()
        after = replace(screen, secret=hashed(secret), before=who.session, renewed_ms=now_ms)
        await self._client.set(self._keys.screen(after.secret), screen.id, px=TOKEN_MS)
        if await self._put(who, address, screen, after, "screen.renewed") != "done":
            await self._client.unlink(self._keys.screen(after.secret))
            return ""
        if not _is_newest(who, screen):  # it was given out and never came back
            await self._client.unlink(self._keys.screen(screen.secret))
        return secret

    async def attend(self, known: Iterable[Who], now_ms: int) -> Mapping[str, PairedScreen]:
        """The screens behind these open streams as they are to be now, by id; notes that they answer, and ends the
        tokens whose successors are in use. One round trip, when there is nothing new. Raises STORE_ERRORS."""
        whos = list(known)
        screens = {one.id: one for one in [
            read(PairedScreen, text) for text in (await self._reader.hash(self._keys.screens)).values()]}
        await self.note({who.id for who in whos if who.id in screens}, now_ms)
        for who in whos:
            screen = screens.get(who.id)
            if screen is not None and screen.before and _is_newest(who, screen):
                await self._settle(who, screen)
        return screens

    async def note(self, ids: Iterable[str], now_ms: int) -> None:
        """These screens answer. May be repeated: it is written down once a minute."""
        due = [one for one in ids if not 0 <= now_ms - self._noted.get(one, -NOTED_EVERY_MS) < NOTED_EVERY_MS]
        if due:
            await self._client.hset(self._keys.screens_seen, mapping=dict.fromkeys(due, now_ms))
            self._noted.update(dict.fromkeys(due, now_ms))

    async def _pairing(self, code: str, now_ms: int) -> Pairing | None:
        raw: Any = await self._client.get(self._keys.pairing(code))
        found = read(Pairing, raw) if raw else None
        return found if found and now_ms < found.ends_ms else None

    async def _settle(self, who: Who, screen: PairedScreen) -> None:
        if await self._put(who, "", screen, replace(screen, before=""), "screen.settled") == "done":
            await self._client.unlink(self._keys.screen(screen.before))

    async def _put(self, who: Who, address: str, before: PairedScreen | None, after: PairedScreen | None, what: str
                   ) -> Outcome:
        one = after or before
        assert one is not None
        deed = Deed(who, what, one.id, one.name, told(before), told(after), address)
        return await self._changing.change(self._keys.screens, one.id, believed(before) if before else b"",
                                           written(after) if after else b"", deed)


def is_old(screen: PairedScreen, now_ms: int) -> bool:
    """Whether its token is to be renewed, so that its page is to be loaded."""
    return now_ms - screen.renewed_ms >= RENEWED_EVERY_MS


def _is_newest(who: Who, screen: PairedScreen) -> bool:
    return compare_digest(who.session, screen.secret)

"""Commands: begin, renew and end sessions. Threat: a session that is stolen or forgotten (OWASP ASVS 5, 7.3, 7.4).

A session ends when it was idle for too long, at the latest after its whole life, or when it is revoked; a new one
begins with every sign-in, so that an id from before is worth nothing (fixation).
"""

from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis

from opsmon.store.accounts.records import Session, read, written
from opsmon.store.accounts.secrets import hashed, new_secret
from opsmon.store.connection import Read, Reader
from opsmon.store.keys import Keys

# A password typed so recently is good for what only few may: people, screens, tokens, secrets.
PROVEN_MS = 30 * 60_000
_AGENT = 200


@dataclass(frozen=True, slots=True)
class Held:
    """A session as it is listed: `id` is the hash of its secret."""

    id: str
    session: Session


class Sessions:
    """The sessions of a site. `idle_ms` and `life_ms` bound each."""

    def __init__(self, client: Redis, keys: Keys, idle_ms: int, life_ms: int) -> None:
        self._client, self._keys, self.idle_ms, self.life_ms = client, keys, idle_ms, life_ms

    async def begin(self, person_id: str, now_ms: int, address: str, agent: str) -> str:
        """Begin one for somebody who has just proven who they are; its secret, to be given out once.

        Threat: an id from before (fixation, CWE-384).
        """
        secret = new_secret()
        session = Session(person_id, now_ms, now_ms + self.life_ms, now_ms, address, agent[:_AGENT])
        digest = hashed(secret)
        pipe = self._client.pipeline(transaction=False)
        pipe.zremrangebyscore(self._keys.sessions, 0, now_ms)
        pipe.zadd(self._keys.sessions, {f"{person_id} {digest}": session.ends_ms})
        pipe.set(self._keys.session(digest), written(session), px=min(self.idle_ms, self.life_ms))
        await pipe.execute()
        return secret

    async def touch(self, digest: str, now_ms: int) -> None:
        """It was used: let it live on, to its end at the latest. May be repeated."""
        kept = await self._kept(digest)
        if kept:
            left_ms = kept.ends_ms - now_ms
            await self._client.pexpire(self._keys.session(digest), max(min(self.idle_ms, left_ms), 1))

    async def prove(self, digest: str, now_ms: int) -> None:
        """The password was typed again. May be repeated."""
        kept = await self._kept(digest)
        if kept:
            proven = replace(kept, proven_ms=now_ms)
            await self._client.set(self._keys.session(digest), written(proven), keepttl=True, xx=True)

    async def is_proven(self, digest: str, now_ms: int) -> bool:
        """Whether the password was typed so recently that its owner is likely still there (threat: a browser that was
        left open; OWASP ASVS 5, 7.5.1)."""
        kept = await self._kept(digest)
        return kept is not None and now_ms - kept.proven_ms < PROVEN_MS

    async def end(self, person_id: str, digests: list[str]) -> None:
        """Revoke these. May be repeated.

        Threat: a session that cannot be ended (CWE-613).
        """
        if digests:
            pipe = self._client.pipeline(transaction=False)
            pipe.unlink(*(self._keys.session(digest) for digest in digests))
            pipe.zrem(self._keys.sessions, *(f"{person_id} {digest}" for digest in digests))
            await pipe.execute()

    async def end_all(self, person_id: str, but: str = "") -> int:
        """Revoke all of a person, but the one in hand; how many there were. May be repeated.

        Threat: a session that is left somewhere (CWE-613).
        """
        found = [one for one in await self._digests(person_id) if one != but]
        await self.end(person_id, found)
        return len(found)

    async def of(self, reader: Reader, person_id: str) -> list[Held]:
        """A person's sessions, the newest first."""
        digests = await self._digests(person_id)
        kept = await reader.many([Read("get", (self._keys.session(digest),)) for digest in digests]) if digests else []
        held = [Held(digest, read(Session, text)) for digest, text in zip(digests, kept, strict=True) if text]
        return sorted(held, key=lambda one: -one.session.begun_ms)

    async def _kept(self, digest: str) -> Session | None:
        raw: Any = await self._client.get(self._keys.session(digest))
        return read(Session, raw) if raw else None

    async def _digests(self, person_id: str) -> list[str]:
        members: Any = await self._client.zrange(self._keys.sessions, 0, -1)
        found = [member.decode().partition(" ") for member in members]
        return [digest for owner, _, digest in found if owner == person_id]

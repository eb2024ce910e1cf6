"""Commands: people and the one-time links that let them choose a password."""

from dataclasses import asdict, dataclass, replace
from typing import Literal

import orjson
from redis.asyncio import Redis

from opsmon.core.access import Role, Who
from opsmon.store.accounts.audit import Deed
from opsmon.store.accounts.changing import Changing, Outcome
from opsmon.store.accounts.records import Person, believed, read, told, written
from opsmon.store.accounts.secrets import hashed, new_secret
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys

LinkKind = Literal["invite", "reset"]
# How long a one-time link is good.
LINK_MS: dict[LinkKind, int] = {"invite": 7 * 86_400_000, "reset": 3_600_000}


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a one-time link is for, and which password it replaces: with another one it is worth nothing any more
    (threat: a link from before that is found later)."""

    person: str
    kind: LinkKind
    replaces: str = ""


async def everybody(reader: Reader, keys: Keys) -> list[Person]:
    """Those who have an account, by name."""
    found = [read(Person, text) for text in (await reader.hash(keys.people)).values()]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


class People:
    """The people of a site."""

    def __init__(self, client: Redis, reader: Reader, keys: Keys) -> None:
        self._client, self._reader, self._keys = client, reader, keys
        self._changing = Changing(client, keys)

    async def all(self) -> list[Person]:
        """Everybody, by name."""
        return await everybody(self._reader, self._keys)

    async def one(self, person_id: str) -> Person | None:
        """Somebody by id."""
        raw = (await self._reader.hash(self._keys.people)).get(person_id.encode())
        return read(Person, raw) if raw else None

    async def by_email(self, email: str) -> Person | None:
        """Somebody by e-mail address, lower-case."""
        return next((one for one in await self.all() if one.email == email), None)

    async def add(self, who: Who, address: str, email: str, name: str, role: Role, now_ms: int,
                  teams: tuple[str, ...] = ()) -> tuple[Outcome, Person, str]:
        """Make an account and the link that opens it: what came of it, the person, the link's secret ('' without)."""
        made = Person(new_secret()[:12], email, name, role, made_ms=now_ms, teams=teams)
        outcome = await self.change(who, address, None, made, "person.invited")
        return outcome, made, await self.link(made, "invite") if outcome == "done" else ""

    async def change(self, who: Who, address: str, before: Person | None, after: Person | None, what: str) -> Outcome:
        """Change somebody from what the caller saw; what came of it. May be repeated."""
        one = after or before
        assert one is not None
        after = replace(after, version=before.version + 1) if after and before else after
        deed = Deed(who, what, one.id, one.name, told(before), told(after), address)
        return await self._changing.change(self._keys.people, one.id, believed(before) if before else b"",
                                           written(after) if after else b"", deed)

    async def link(self, person: Person, kind: LinkKind) -> str:
        """Make a one-time link; its secret, to be given out once.

        Threat: a link that is guessed, or good for ever (CWE-640).
        """
        secret = new_secret()
        link = orjson.dumps(asdict(Link(person.id, kind, hashed(person.password))))
        await self._client.set(self._keys.invite(hashed(secret)), link, px=LINK_MS[kind])
        return secret

    async def linked(self, secret: str) -> tuple[Link, Person] | None:
        """Whom a link is for, while it is good.

        Threat: a link of yesterday (CWE-613).
        """
        raw = await self._client.get(self._keys.invite(hashed(secret)))
        link = Link(**orjson.loads(raw)) if raw else None
        found = await self.one(link.person) if link else None
        is_good = link and found and not found.is_off and link.replaces == hashed(found.password)
        return (link, found) if link and found and is_good else None

    async def use_link(self, secret: str) -> bool:
        """Use a link up; False when another was quicker. Only one call gets True.

        Threat: a link that is used twice (CWE-294).
        """
        return bool(await self._client.delete(self._keys.invite(hashed(secret))))

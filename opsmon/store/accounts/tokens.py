"""Commands: the tokens that programs show."""

from typing import Any

from redis.asyncio import Redis

from opsmon.core.access import Who
from opsmon.store.accounts.audit import Deed
from opsmon.store.accounts.changing import Changing, Outcome
from opsmon.store.accounts.records import Token, believed, read, told, written
from opsmon.store.accounts.secrets import hashed, new_secret
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys


class Tokens:
    """The tokens of a site."""

    def __init__(self, client: Redis, reader: Reader, keys: Keys) -> None:
        self._reader, self._keys = reader, keys
        self._changing = Changing(client, keys)

    async def all(self) -> list[Token]:
        """Every token, also those whose time is over, by name."""
        found = [read(Token, text) for text in (await self._reader.hash(self._keys.tokens)).values()]
        return sorted(found, key=lambda one: (one.name.casefold(), one.id))

    async def make(self, who: Who, address: str, name: str, scopes: tuple[str, ...], now_ms: int, ends_ms: int) -> str:
        """Make one; its secret, to be given out once: the store has its hash (threat: stolen backup; ASVS 5, 11.4)."""
        secret = new_secret()
        made = Token(hashed(secret), name, scopes, now_ms, who.id, ends_ms)
        await self._change(who, address, None, made, "token.made")
        return secret

    async def revoke(self, who: Who, address: str, token: Token) -> Outcome:
        """Take one away; what it opened is shut with the next request. May be repeated.

        Threat: a token that was found (CWE-613).
        """
        return await self._change(who, address, token, None, "token.revoked")

    async def _change(self, who: Who, address: str, before: Token | None, after: Token | None, what: str) -> Outcome:
        one = after or before
        assert one is not None
        deed = Deed(who, what, one.id[:12], one.name, _told(before), _told(after), address)
        return await self._changing.change(self._keys.tokens, one.id, believed(before) if before else b"",
                                           written(after) if after else b"", deed)


def _told(token: Token | None) -> dict[str, Any]:
    """What the audit says of it: not even the hash."""
    return {name: value for name, value in told(token).items() if name != "id"}

"""People, screens and programs for tests, put into the store as opsmon itself writes them."""

from collections.abc import Iterable

from redis.asyncio import Redis

from opsmon.core.access import Role
from opsmon.store.accounts.recognising import HAS_ADMIN
from opsmon.store.accounts.records import PairedScreen, Person, Session, Token, written
from opsmon.store.accounts.secrets import hashed, new_secret
from opsmon.store.keys import Keys

KEYS = Keys("main")
HOUR_MS = 3_600_000


async def with_admin(store: Redis) -> None:
    """Somebody has an account: nobody is let in unknown any more."""
    await store.hset(KEYS.meta, HAS_ADMIN, "1")


async def signed_in(store: Redis, role: Role, now_ms: int, person_id: str = "", lasts_ms: int = HOUR_MS) -> str:
    """A person of a role with a session; its Cookie header."""
    await with_admin(store)
    who = Person(person_id or role, f"{role}@shop.example", f"Ana {role}", role, made_ms=now_ms)
    secret = new_secret()
    await store.hset(KEYS.people, who.id, written(who))
    session = Session(who.id, now_ms, now_ms + lasts_ms, now_ms)
    await store.set(KEYS.session(hashed(secret)), written(session), px=lasts_ms)
    return f"opsmon-session={secret}"


async def paired(store: Redis, now_ms: int, *, sees_money: bool = False, screen_id: str = "hall") -> str:
    """A paired screen; its Cookie header."""
    await with_admin(store)
    secret = new_secret()
    record = PairedScreen(screen_id, "Hall", hashed(secret), sees_money=sees_money, paired_ms=now_ms)
    await store.hset(KEYS.screens, screen_id, written(record))
    await store.set(KEYS.screen(hashed(secret)), screen_id, px=400 * 24 * HOUR_MS)
    return f"opsmon-screen={secret}"


async def program(store: Redis, now_ms: int, scopes: Iterable[str], lasts_ms: int = HOUR_MS) -> str:
    """A program with a token; its Authorization header."""
    await with_admin(store)
    secret = new_secret()
    token = Token(hashed(secret), "Sheet", tuple(scopes), now_ms, "admin", now_ms + lasts_ms)
    await store.hset(KEYS.tokens, token.id, written(token))
    return f"Bearer {secret}"

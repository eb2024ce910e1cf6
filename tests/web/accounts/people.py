"""People who signed in with a password, and the forms they send: what the tests of the pages for accounts share."""

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode

from argon2 import PasswordHasher

from opsmon.core.access import Role
from opsmon.store.accounts.audit import AuditLine, read_audit
from opsmon.store.accounts.people import People
from opsmon.store.accounts.records import Person, Session, written
from opsmon.store.accounts.secrets import hashed, new_secret
from opsmon.store.connection import Reader
from tests.conftest import NOW_MS
from tests.http import Answer, request
from tests.line import Line
from tests.web.accounts.accounts import HOUR_MS, KEYS, with_admin

PASSWORD = "three odd herons"
# Quick to make: what it costs is no matter here.
KEPT = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass(frozen=True, slots=True)
class Someone:
    """Somebody with a session in their hand."""

    line: Line
    id: str
    cookie: str

    @property
    def session(self) -> str:
        """The hash of its secret."""
        return hashed(self.cookie.partition("=")[2])

    async def get(self, path: str) -> Answer:
        """Look at a page."""
        return await self.line.get(path, cookie=self.cookie)

    async def send(self, path: str, **fields: str) -> Answer:
        """Send a form of a page."""
        headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin",
                   "cookie": self.cookie}
        return await request(self.line.port, "POST", path, urlencode(fields).encode(), headers)

    async def person(self) -> Person:
        """How they are kept."""
        found = await People(self.line.store, Reader(self.line.store), KEYS).one(self.id)
        assert found is not None
        return found


async def someone(line: Line, role: Role = "admin", person_id: str = "", *, proven_ms: int = NOW_MS, agent: str = ""
                  ) -> Someone:
    """Somebody with a password and a session; of one who is there already another session."""
    await with_admin(line.store)
    person_id = person_id or role
    made = Person(person_id, f"{person_id}@shop.example", f"Ana {person_id}", role, KEPT, made_ms=NOW_MS)
    await line.store.hsetnx(KEYS.people, made.id, written(made))
    secret = new_secret()
    session = Session(made.id, NOW_MS, NOW_MS + 24 * HOUR_MS, proven_ms, "127.0.0.1", agent)
    await line.store.set(KEYS.session(hashed(secret)), written(session), px=12 * HOUR_MS)
    await line.store.zadd(KEYS.sessions, {f"{made.id} {hashed(secret)}": session.ends_ms})
    return Someone(line, made.id, f"opsmon-session={secret}")


async def deeds(line: Line) -> list[AuditLine]:
    """The audit, newest first."""
    return await read_audit(Reader(line.store), KEYS, 100)


def said(answer: Answer) -> str:
    """The notice of a page."""
    found = re.search(r'class="people__notice".*?<span>(.*?)</span>', answer.text, re.DOTALL)
    return unescape(found[1]) if found else ""


def errors(answer: Answer) -> list[str]:
    """What is wrong beside the fields."""
    return [unescape(one) for one in re.findall(r'class="field__error".*?</svg> (.*?)</p>', answer.text, re.DOTALL)]


def once(answer: Answer) -> str:
    """The secret that is shown once."""
    found = re.search(r'class="people__secret">(.*?)</code>', answer.text)
    return unescape(found[1]) if found else ""

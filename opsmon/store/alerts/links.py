"""Links that open one alert for a day, from a message, without signing in.

A link names the run of the alert, who it was sent to and when it ends, and is signed with a secret of the site. It
shows that alert and can answer it, nothing else; a new run of the alert is another link.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from opsmon.store.keys import Keys

LIFE_MS = 24 * 3_600_000
_FIELD = "link_secret"
_TOKEN = re.compile(r"([A-Za-z0-9_-]{8,300})\.([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says: which run of an alert, sent to which receiver, until when."""

    run: str
    receiver: str
    ends_ms: int

    @property
    def alert(self) -> str:
        """The fingerprint of the alert."""
        return self.run.rpartition("-")[0]


async def link_secret(client: Redis, keys: Keys) -> bytes:
    """The secret that links of a site are signed with; made when it is first asked for. May be repeated."""
    await client.hsetnx(keys.meta, _FIELD, secrets.token_hex(32))
    found: Any = await client.hget(keys.meta, _FIELD)
    return bytes(found)


def link_token(secret: bytes, link: Link) -> str:
    """The token of a link: what it says, and that we say so.

    Threat: a link that somebody makes up (CWE-345).
    """
    said = urlsafe_b64encode(f"{link.run}|{link.receiver}|{link.ends_ms}".encode()).decode().rstrip("=")
    return f"{said}.{_sign(secret, said)}"


def read_link(secret: bytes, token: str, now_ms: int) -> Link | None:
    """What a token says; None for one that is not ours, or is over.

    Threats: a link that is made up (CWE-345), one that is kept for ever (CWE-613). One sentence answers both, and the
    comparison takes as long whatever is wrong (CWE-208).
    """
    found = _TOKEN.fullmatch(token)
    if found is None or not hmac.compare_digest(_sign(secret, found[1]), found[2]):
        return None
    run, receiver, ends = urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)).decode().split("|")
    return Link(run, receiver, int(ends)) if now_ms < int(ends) else None


def _sign(secret: bytes, said: str) -> str:
    return urlsafe_b64encode(hmac.digest(secret, b"alert-link." + said.encode(), "sha256")).decode().rstrip("=")

"""What is asked of a request before it changes something on the boards: that there are tries left, and its seal."""

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope

from opsmon.clock import Clock
from opsmon.core.access import Who
from opsmon.core.said import Said
from opsmon.store.accounts.changing import Changing
from opsmon.store.connection import STORE_ERRORS
from opsmon.web.addresses import place_of
from opsmon.web.doors import WHO, Check
from opsmon.web.forms import FIELDS, WITH_FILE, read_seal, type_of
from opsmon.web.languages import N_
from opsmon.web.sealing import HEADER, is_sealed
from opsmon.web.security import is_by_token

# Of one account: 240 at once, then two a second; of one address, where many may sit, 1,000 and ten a second. Nobody
# presses buttons that fast, and no scanner scans so.
PER_ACCOUNT = (240, 500)
PER_ADDRESS = (1_000, 100)
# A store that is away refuses what is to be changed itself, in the words of its page.
_WITHIN_S = 0.3
_TOO_OFTEN = N_("Too many changes came from here in a short time. Try again in %(seconds)s s.")
_NO_SEAL = N_("This form was not made by a page of this opsmon for you, or you have signed in anew since. Open its "
              "page again and send it from there; a script sends the token of the page as x-csrf.")


def check_of(changing: Changing, clock: Clock) -> Check:
    """Bounded tries, then the seal; raises HTTPException with a sentence.

    Threats: a form that another site sends (CWE-352), and changes without end (CWE-770).
    """

    async def check(scope: Scope, receive: Receive) -> None:
        await take_turn(changing, clock, scope)
        await unseal(scope, receive)

    return check


async def take_turn(changing: Changing, clock: Clock, scope: Scope) -> None:
    """Take a try of the account and of the address, or raise 429 (threat: floods by whoever is signed in, and by
    whoever is not; OWASP ASVS 5, 2.4.1)."""
    who: Who | None = scope.get(WHO)
    place = place_of(str((scope["client"] or ("",))[0]))
    buckets = [(f"changes-from:{place}", *PER_ADDRESS)]
    if who is not None:
        buckets.append((f"changes-by:{who.kind}:{who.id}", *PER_ACCOUNT))
    wait_ms = 0
    with suppress(*STORE_ERRORS):
        async with asyncio.timeout(_WITHIN_S):
            wait_ms = await changing.take_try(clock.now_ms(), *buckets)
    if wait_ms:
        wait_s = -(-wait_ms // 1000)
        raise HTTPException(429, Said(_TOO_OFTEN, seconds=wait_s), {"retry-after": str(wait_s)})


async def unseal(scope: Scope, receive: Receive) -> None:
    """Let through what carries the token of its sender, in a header or as a field of a form, and what a program sends
    by a token of its own; raise 403 otherwise.

    Threat: CSRF (sealing.py). A form that is read here can be read again behind it.

    Threat: a form that another site sends (CWE-352; OWASP, CSRF prevention).
    """
    if is_by_token(scope):
        return
    given = dict(scope["headers"]).get(HEADER, b"").decode("latin-1")
    if is_sealed(scope, given):
        return
    if type_of(scope) in (FIELDS, WITH_FILE) and is_sealed(scope, await read_seal(Request(scope, receive))):
        return
    raise HTTPException(403, _NO_SEAL)

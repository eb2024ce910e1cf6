"""Under which names boards answer.

Threat: a web page elsewhere whose name is made to point here, so that a browser inside reads boards for it (DNS
rebinding, CWE-350); and a Host header that a cache or a link would repeat (CWE-644). Such a page has a name of its
own, never a bare address: those are all known, and the machine may be moved to another one without a setting.
"""

import re
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from opsmon.web.addresses import read_address
from opsmon.web.bodies import answer
from opsmon.web.identity import FIRST_RUN
from opsmon.web.languages import N_
from opsmon.web.wording import Wording

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(:[0-9]{1,5})?", re.ASCII)
_UNKNOWN = N_("This opsmon does not know itself as %(name)s. If that is how it is to be reached, start it with "
              "OPSMON_HOSTS=%(name)s, or with OPSMON_PUBLIC_URL=https://%(name)s where webhooks come that way too.")


class KnownHosts:
    """Answers 421 to any other name. While nobody has an account, boards are shown at this machine only, which is
    asked before (identity.py), and the link for the first account opens under any name: it has a secret.

    `wording` says so to whoever is refused.

    Threat: a page elsewhere whose name points here (DNS rebinding, CWE-350).
    """

    def __init__(self, app: ASGIApp, names: Collection[str], wording: Wording) -> None:
        self._app, self._names, self._wording = app, frozenset(name.lower() for name in names), wording

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope.get(FIRST_RUN):
            name = name_of(dict(scope["headers"]).get(b"host", b""))
            if not self.know(name):
                await answer(send, 421, self._wording.say(_UNKNOWN, name=name) + "\n")
                return
        await self._app(scope, receive, send)

    def know(self, name: str) -> bool:
        """Whether it is a name of this opsmon.

        Threat: DNS rebinding (CWE-350).
        """
        return (name in self._names or name == "localhost" or name.endswith(".localhost")
                or read_address(name.strip("[]")) is not None)


def name_of(host: bytes) -> str:
    """The name in a Host header, small, without its port and a last dot; '' for what is none."""
    found = _HOST.fullmatch(host.decode("latin-1").lower())
    return found[1].removesuffix(".") if found else ""

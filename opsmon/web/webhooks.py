"""POST /webhooks/{source} and /ingest/{source}: verify, append, answer. Nothing else happens on this path.

Raw ASGI: no client call but the append, no render, no second round trip. 200 means durable: in the store, or,
for a sender who never sends again, on this machine's disk.
"""

from collections import Counter
from collections.abc import Mapping
from time import perf_counter
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from opsmon.clock import Clock
from opsmon.core.errors import StoreUnavailable
from opsmon.sources.base import Accepted, Answered, Many, Outcome, Rejected, Single, Source, Unusable, take
from opsmon.store.appender import Appender
from opsmon.store.event_stream import checksum, encode
from opsmon.store.scripts import Taken
from opsmon.store.spool import Spool
from opsmon.telemetry import WEBHOOK_SECONDS, WEBHOOKS
from opsmon.web.bodies import ClientGone, answer, read_body

MAX_BODY = 1024 * 1024
BODY_DEADLINE_S = 5.0
_OK = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_NOTHING = {"type": "http.response.body", "body": b""}
OUTCOMES = ("event", "duplicate", "not_used", "dead", "unavailable", "refused", "answered", "spooled")


class Webhooks:
    """The endpoint. `refused` counts by `source:reason` what was not taken, and what was `spooled` first, until it
    goes to the store."""

    def __init__(self, sources: Mapping[str, Source], appender: Appender, clock: Clock, spool: Spool) -> None:
        self._sources, self._appender, self._clock, self.spool = sources, appender, clock, spool
        self.refused: Counter[str] = Counter()
        self._answered = {
            (name, outcome): WEBHOOKS.labels(name, outcome) for name in sources for outcome in OUTCOMES
        }

    def knows(self, path: str) -> bool:
        """Whether a path is one of a source: /webhooks/name or /ingest/name, and perhaps a token."""
        return path.split("/")[2] in self._sources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        _, _, name, *rest = scope["path"].split("/")
        source = self._sources.get(name) if len(rest) < 2 and rest != [""] else None
        if source is None:
            await answer(send, 404, f"No such source; known are {', '.join(sorted(self._sources))}.\n")
        elif scope["method"] != "POST" and (scope["method"] != "OPTIONS" or not hasattr(source, "greet")):
            await answer(send, 405, "Webhooks are POSTed.\n", ((b"allow", b"POST"),))
        else:
            await self._take(source, rest[0].encode() if rest else b"", scope, receive, send)
            WEBHOOK_SECONDS.observe(perf_counter() - started)

    async def _take(self, source: Source, token: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            body = await read_body(headers, receive, MAX_BODY, BODY_DEADLINE_S)
        except ClientGone:
            self.refused[f"{source.name}:client_gone"] += 1
            return
        except TimeoutError:
            await self._refuse(source, Rejected(408, "The body did not arrive in 5 s.\n", "slow_body"), send)
            return
        if body is None:
            outcome: Outcome = Rejected(413, f"The body is over the limit of {MAX_BODY} bytes.\n", "too_large")
        elif scope["method"] == "OPTIONS":
            outcome = source.greet(headers)  # type: ignore[attr-defined]  # asked by __call__
        else:
            token = token or _token_asked(scope["query_string"])
            outcome = take(source, headers, body, self._clock.now_ms(), token)
        if isinstance(outcome, Rejected):
            await self._refuse(source, outcome, send)
        elif isinstance(outcome, Answered):
            self._count(source, outcome.counter)
            await answer(send, outcome.status, outcome.text, outcome.headers)
        else:
            await self._store(source, outcome, send)

    async def _store(self, source: Source, outcome: Single | Many, send: Send) -> None:
        try:
            results = await self._append(source, outcome)
        except StoreUnavailable:
            self._answered[source.name, "unavailable"].inc()
            await answer(send, 503, "The store did not confirm in time: please send it again.\n",
                         ((b"retry-after", b"5"),))
            return
        for result in results:
            self._answered[source.name, result].inc()
        if "spooled" in results:
            self.refused[f"{source.name}:spooled"] += len(results)
        await send(_OK)
        await send(_NOTHING)

    async def _append(self, source: Source, outcome: Single | Many) -> list[str]:
        """What became of each: in the store or, from one who never sends again, on the disk."""
        if isinstance(outcome, Many):
            together = [taken(one, source.name) for one in outcome.outcomes]
            if source.is_patient:
                return [result.decode() for result in await self._appender.append_batch(together)]
            return await self.spool.take(together)
        if source.is_patient:
            return [await self._appender.append(taken(outcome, source.name))]
        return await self.spool.take([taken(outcome, source.name)])

    def _count(self, source: Source, counter: str) -> None:
        self.refused[f"{source.name}:{counter}"] += 1
        self._answered[source.name, "answered"].inc()

    async def _refuse(self, source: Source, rejected: Rejected, send: Send) -> None:
        self.refused[f"{source.name}:{rejected.counter}"] += 1
        self._answered[source.name, "refused"].inc()
        await answer(send, rejected.status, rejected.reason)


def _token_asked(query: bytes) -> bytes:
    """What `?access_token=` says (RFC 6750, section 2.3; CloudEvents' webhook specification), or `?token=`."""
    if not query:
        return b""
    asked = dict(parse_qsl(query.decode("latin-1"), max_num_fields=20) if query.count(b"&") < 20 else ())
    return (asked.get("access_token") or asked.get("token") or "").encode()


def taken(outcome: Single, source: str) -> Taken:
    """What an outcome stores."""
    if isinstance(outcome, Accepted):
        payload = encode(outcome.event)
        return Taken("event", source, outcome.seen, payload, checksum(payload))
    if isinstance(outcome, Unusable):
        return Taken("dead", source, outcome.seen, outcome.body, f"{outcome.about}: {outcome.reason}")
    return Taken("not_used", source, outcome.seen)

"""/receivers: who is told of alerts, how, in which order and hours; a test for each, and how deliveries went.

Threats: addresses that are secrets in themselves (write-only: shown masked, changed and never read back; CWE-522), an
alert that is led elsewhere by somebody at a browser that was left (the password once more; OWASP ASVS 5, 7.5.3).
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from secrets import token_bytes, token_hex
from typing import Any, cast

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsmon.core.alerting.hours import ALWAYS, Hours
from opsmon.core.alerting.receivers import (
    MOST_RECEIVERS,
    MOST_STEPS,
    Digests,
    Receiver,
    dump_digests,
    dump_receiver,
    dump_route,
    hours_of,
    masked,
    minute_of,
    parse_receiver,
    route_faults,
)
from opsmon.core.alerting.rules import Severity
from opsmon.core.alerting.telling import Route, Step
from opsmon.core.calendar import MINUTE_MS
from opsmon.core.people import name_of
from opsmon.store.accounts.audit import Deed
from opsmon.store.accounts.changing import Changing
from opsmon.store.alerts.outbox import Postbox
from opsmon.store.alerts.telling_queries import (
    DIGESTS,
    Saved,
    Standing,
    attempts,
    dead_notices,
    saved_telling,
    standings,
)
from opsmon.web.accounts.forms import marked
from opsmon.web.accounts.noting import address_of, who_of
from opsmon.web.accounts.office import Office
from opsmon.web.accounts.people_views import OnceView
from opsmon.web.forms import read_form
from opsmon.web.languages import N_
from opsmon.web.telling.receiver_views import (
    DAYS,
    ROUTED,
    RouteView,
    dead_view,
    digest_fields,
    receiver_fields,
    receiver_view,
    route_view,
    try_view,
)

MOST_TRIES = 20
DID = {"test": N_("The test is on its way. In a few seconds it stands below whether it came through."),
       "changed": N_("Saved."), "removed": N_("Removed."), "replayed": N_("It is sent again."),
       "discarded": N_("Discarded.")}
_ADDRESS = {"email": N_("Write an e-mail address, such as ana@shop.example."),
            "webhook": N_("Write an https:// address."),
            "apprise": N_("Write an address of Apprise for a service opsmon knows, such as slack://, discord://, "
                          "tgram://, pover:// or twilio://.")}
_FULL = N_("There are as many receivers as there may be. Remove some first.")
_ONCE = N_("The secret that %(name)s checks signatures with. It is shown only now.")
_GONE = N_("There is no such receiver any more.")


class ReceiversPage:
    """The page and its forms."""

    def __init__(self, office: Office, changing: Changing, postbox: Postbox, zone: str) -> None:
        self._office, self._zone, self._say = office, zone, office.wording.say
        self._changing, self._postbox = changing, postbox

    async def show(self, request: Request) -> Response:
        """Everybody who can be told."""
        return await self._listed(request, done=DID.get(request.query_params.get("did", ""), ""))

    async def act(self, request: Request) -> Response:
        """Add, change, test or remove one; save a route or the digests; send again what was given up."""
        form = await read_form(request)
        act = {"add": self._add, "change": self._change, "remove": self._remove, "test": self._test,
               "route": self._route, "digests": self._digests, "replay": self._replay, "discard": self._discard,
               }.get(form.get("act", ""))
        if act is None:
            raise HTTPException(400, N_("This cannot be done with receivers."))
        if act not in (self._test, self._replay, self._discard):
            if asks := await self._office.unproven(request, form):
                return asks
        return await act(request, form, await self._saved())

    async def _add(self, request: Request, form: dict[str, str], saved: Saved) -> Response:
        if len(saved.receivers) >= MOST_RECEIVERS:
            return await self._listed(request, 422, trouble=_FULL, said=form)
        secret = f"whsec_{b64encode(token_bytes(32)).decode()}" if form.get("kind") == "webhook" else ""
        made, wrong = self._read(form, None, {"id": token_hex(4), "kind": form.get("kind", ""), "secret": secret})
        if made is None:
            return await self._listed(request, 422, said=form, wrong=wrong)
        await self._write(request, "receiver.added", made.id, b"", made)
        once = OnceView(self._say(_ONCE, name=made.name), secret) if secret else None
        return await self._listed(request, once=once) if once else RedirectResponse("/receivers?did=changed", 303)

    async def _change(self, request: Request, form: dict[str, str], saved: Saved) -> Response:
        before = self._of(form, saved)
        made, wrong = self._read(form, before, {})
        if made is None:
            return await self._listed(request, 422, trouble=" ".join(wrong.values()))
        trouble = await self._write(request, "receiver.changed", before.id, saved.receivers[before.id], made, before)
        return await self._done(request, "changed", trouble)

    async def _remove(self, request: Request, form: dict[str, str], saved: Saved) -> Response:
        before = self._of(form, saved)
        trouble = await self._write(request, "receiver.removed", before.id, saved.receivers[before.id], None, before)
        return await self._done(request, "removed", trouble)

    async def _test(self, request: Request, form: dict[str, str], saved: Saved) -> Response:
        """Through the outbox, as any alert goes: what arrives so arrives."""
        receiver = self._of(form, saved)
        now_ms = self._office.clock.now_ms()
        await self._postbox.queue({"key": f"test-{token_hex(8)}", "word": "test", "receiver": receiver.id,
                                   "at": str(now_ms)})
        return RedirectResponse("/receivers?did=test", 303)

    async def _route(self, request: Request, form: dict[str, str], saved: Saved) -> Response:
        severity = cast(Severity, form.get("severity", ""))
        if severity not in ROUTED:
            raise HTTPException(400, N_("This cannot be done with receivers."))
        faults: list[str] = []
        route = self._read_route(severity, form, saved, faults)
        tested = [name for name, one in (await standings(self._office.reader, self._office.keys)).items()
                  if one.tested_ms]
        faults += [self._say(one) for one in route_faults(route, saved.telling.receivers, tested)]
        if faults:
            view = route_view(severity, saved.telling, self._office.wording, faults, route)
            return await self._listed(request, 422, trouble=" ".join(faults), route=view)
        after = orjson.dumps(dump_route(route))
        deed = Deed(who_of(request), "route.changed", severity, severity, _plain(saved.routes.get(severity)),
                    dump_route(route), address_of(request))
        outcome = await self._changing.change(self._office.keys.routes, severity, saved.routes.get(severity, b""),
                                              after, deed)
        return await self._done(request, "changed", self._office.why(outcome))

    async def _digests(self, request: Request, form: dict[str, str], saved: Saved) -> Response:
        try:
            minute = minute_of(form.get("at", ""))
        except ValueError as error:
            return await self._listed(request, 422, trouble=str(error))
        plan = Digests(_checked(form, "digest", saved), minute % 1440, form.get("kinds-daily") == "on",
                       form.get("kinds-weekly") == "on", form.get("kinds-empty") == "on",
                       form.get("kinds-monthly") == "on")
        deed = Deed(who_of(request), "digests.changed", DIGESTS, DIGESTS, _plain(saved.routes.get(DIGESTS)),
                    dump_digests(plan), address_of(request))
        outcome = await self._changing.change(self._office.keys.routes, DIGESTS, saved.routes.get(DIGESTS, b""),
                                              orjson.dumps(dump_digests(plan)), deed)
        return await self._done(request, "changed", self._office.why(outcome))

    async def _replay(self, request: Request, form: dict[str, str], saved: Saved) -> Response:
        for one in await dead_notices(self._office.reader, self._office.keys, 1_000):
            if one.id == form.get("id"):
                await self._postbox.replay(one.id, one.told, self._office.clock.now_ms())
        return RedirectResponse("/receivers?did=replayed", 303)

    async def _discard(self, request: Request, form: dict[str, str], saved: Saved) -> Response:
        if re.fullmatch(r"\d{1,16}-\d{1,9}", form.get("id", "")):
            await self._postbox.discard(form["id"])
        return RedirectResponse("/receivers?did=discarded", 303)

    async def _write(self, request: Request, what: str, name: str, believed: bytes, after: Receiver | None,
                     before: Receiver | None = None) -> str:
        """'' when it is written, else the sentence. The audit has addresses masked, and that a secret changed."""
        one = after or before
        assert one is not None
        deed = Deed(who_of(request), what, name, one.name, _audited(before), _audited(after), address_of(request))
        new = orjson.dumps(dump_receiver(after)) if after else b""
        return self._office.why(await self._changing.change(self._office.keys.receivers, name, believed, new, deed))

    def _read(self, form: Mapping[str, str], before: Receiver | None, more: Mapping[str, Any]
              ) -> tuple[Receiver | None, dict[str, str]]:
        """A receiver from its form, or by field what is wrong."""
        wrong: dict[str, str] = {}
        told: dict[str, Any] = dump_receiver(before) if before else {}
        try:
            told["name"] = name_of(form.get("name", ""))
        except ValueError as error:
            wrong["name"] = self._say(str(error))
        hours = self._hours(form, wrong)
        told |= {"otherwise": form.get("otherwise", ""), **more}
        told["to"] = form.get("to", "").strip() or told.get("to", "")
        made, faults = parse_receiver({**told, "name": told.get("name", "x")})
        if faults:
            wrong["to"] = self._say(_ADDRESS.get(told.get("kind", ""), _ADDRESS["email"]))
        return (None, wrong) if wrong or made is None else (replace(made, hours=hours), {})

    def _read_route(self, severity: Severity, form: Mapping[str, str], saved: Saved, faults: list[str]) -> Route:
        steps = []
        for at in range(1, MOST_STEPS + 1):
            named, minutes = _checked(form, f"to-{at}", saved), form.get(f"after-{at}", "").strip()
            if minutes and not re.fullmatch(r"[0-9]{1,4}", minutes):
                faults.append(self._say("Write waits as whole minutes, such as 5."))
            elif named or minutes:
                steps.append(Step(named, min(int(minutes or 0), 1440) * MINUTE_MS))
        wrong: dict[str, str] = {}
        hours = self._hours(form, wrong) if severity != "critical" else ALWAYS
        faults += list(wrong.values())
        return Route(severity, tuple(steps), hours)

    def _hours(self, form: Mapping[str, str], wrong: dict[str, str]) -> Hours:
        try:
            _, days = DAYS.get(form.get("days", ""), DAYS["all"])
            return hours_of(form.get("opens", ""), form.get("closes", ""), days, form.get("zone", "") or self._zone)
        except ValueError as error:
            wrong["opens"] = self._say(str(error))
            return ALWAYS

    def _of(self, form: Mapping[str, str], saved: Saved) -> Receiver:
        found = saved.telling.receivers.get(form.get("id", ""))
        if found is None:
            raise HTTPException(404, _GONE)
        return found

    async def _saved(self) -> Saved:
        return await saved_telling(self._office.reader, self._office.keys)

    async def _done(self, request: Request, did: str, trouble: str) -> Response:
        if trouble:
            return await self._listed(request, 409, trouble=trouble)
        return RedirectResponse(f"/receivers?did={did}", 303)

    async def _listed(self, request: Request, status: int = 200, *, trouble: str = "", done: str = "",
                      once: OnceView | None = None, said: Mapping[str, str] | None = None,
                      wrong: Mapping[str, str] | None = None, route: RouteView | None = None) -> Response:
        office, wording, now_ms = self._office, self._office.wording, self._office.clock.now_ms()
        telling = (await self._saved()).telling
        known = await standings(office.reader, office.keys)
        everybody = list(telling.receivers.values())
        names = {one.id: one.name for one in everybody}
        fields = marked(receiver_fields(None, everybody, wording), {"days": "all", **(said or {})}, wrong or {})
        return office.html(
            request, "receivers", N_("Receivers"), status, trouble=self._say(trouble), done=self._say(done), once=once,
            receivers=[receiver_view(one, known.get(one.id, Standing()), everybody, wording, now_ms)
                       for one in everybody],
            routes=[route if route and route.severity == severity else route_view(severity, telling, wording)
                    for severity in ROUTED],
            fields=fields if wrong else tuple(replace(one, focused=False) for one in fields),
            digests=digest_fields(telling.digests, telling, wording),
            tries=[try_view(one, names, wording) for one in await attempts(office.reader, office.keys, MOST_TRIES)],
            dead=[dead_view(one, names, wording) for one in await dead_notices(office.reader, office.keys, MOST_TRIES)])


def _checked(form: Mapping[str, str], name: str, saved: Saved) -> tuple[str, ...]:
    return tuple(one for one in saved.telling.receivers if form.get(f"{name}-{one}") == "on")


def _audited(one: Receiver | None) -> dict[str, Any]:
    """A receiver as the audit has it: its address masked, and only that a secret part changed."""
    return {**dump_receiver(one), "to": masked(one), "secret": one.to + one.secret} if one else {}


def _plain(raw: bytes | None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(raw) if raw else {}
    return found

"""Who can be told of alerts, and how: e-mail addresses, web addresses, and what Apprise knows. Pure.

Where a receiver is reached may be a secret in itself (a chat's address holds its token): it is kept, never shown whole.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from opsmon.core.alerting.hours import ALWAYS, Hours
from opsmon.core.alerting.rules import SEVERITIES, Severity
from opsmon.core.alerting.telling import Route, Step, unreachable
from opsmon.core.calendar import DAY_MS, MINUTE_MS
from opsmon.core.said import Said

ReceiverKind = Literal["email", "webhook", "apprise"]
KINDS: tuple[ReceiverKind, ...] = get_args(ReceiverKind)
MOST_RECEIVERS, MOST_STEPS, MOST_NAME, MOST_TARGET = 12, 3, 60, 500
# Services of one vendor whose address Apprise itself knows. Those of any host (json://, gotify://), of this machine
# (syslog://, dbus://) and of files would reach what a browser may not name: ALERTING D7, HARDENING T15.
SCHEMAS = frozenset({"slack", "discord", "tgram", "pover", "pagerduty", "opsgenie", "twilio", "vonage", "sinch",
                     "msgbird", "clicksend", "victorops", "whatsapp", "wxteams", "pbul"})
# What such an address may say behind its "?": to whom, and in which voice. Others make Apprise read a file or another
# address (template=), believe any certificate (verify=no) or wait (retry=, wait=, cto=, rto=).
OPTIONS = frozenset({"to", "from", "region", "mode", "method", "priority", "sound", "thread", "topic", "silent"})
# Sentences, as the page says them in its language.
UNREACHED = ("Step %(step)s is never reached: choose somebody to be told, and after the first step a wait of at least "
             "a minute.")
GONE = "There is no receiver %(name)s any more: choose another."
UNTESTED = "%(name)s was never tested: send a test first, so that somebody knows that it arrives."
NEVER_OPEN = "Nobody is ever told in these hours: choose at least one day on which they are open."
NO_ZONE, NO_TIME = "Choose a zone such as Europe/Berlin.", "Write times as 08:00."
NO_STRETCH = "Hours begin before they end, on one day: 08:00 to 18:00."
SENTENCES = (UNREACHED, GONE, UNTESTED, NEVER_OPEN, NO_ZONE, NO_TIME, NO_STRETCH)
# Told of what is over, and digests, when nobody said otherwise.
DIGEST_AT = 8 * 60
# What failed for so long, a long weekend of closed hours with it, nobody wants to hear any more.
STALE_MS = 4 * DAY_MS
# After one message about a rule to a receiver, the next about others of it waits so long: ALERTING D3.
GROUP_INTERVAL_MS: Mapping[str, int] = {"critical": MINUTE_MS, "high": 2 * MINUTE_MS, "medium": 5 * MINUTE_MS}
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_URL = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:[/?][\x21-\x7e]*)?", re.ASCII)
_APPRISE = re.compile(r"([a-z0-9]{2,20})://([\x21-\x7e]+?)(?:\?([\x21-\x7e]*))?", re.ASCII)
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}", re.ASCII)
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


@dataclass(frozen=True, slots=True)
class Receiver:
    """One who can be told. `to` is the address; `secret` signs webhooks. `otherwise` is the receiver that is told when
    this one cannot be. `hours` are its own, in its own zone: outside them it is told of what is critical alone."""

    id: str
    name: str
    kind: ReceiverKind
    to: str
    secret: str = ""
    otherwise: str = ""
    hours: Hours = ALWAYS


@dataclass(frozen=True, slots=True)
class Digests:
    """Who hears of a day, a week and a month, from which minute after local midnight on; `is_empty_told`: of quiet days
    and weeks too. A week's comes on Mondays, a month's on its first business day: it is a review of the rules."""

    receivers: tuple[str, ...] = ()
    at_minute: int = DIGEST_AT
    is_daily: bool = True
    is_weekly: bool = True
    is_empty_told: bool = False
    is_monthly: bool = True


@dataclass(frozen=True, slots=True)
class Telling:
    """Everything that says who is told: receivers by id, routes by severity, digests."""

    receivers: Mapping[str, Receiver]
    routes: Mapping[str, Route]
    digests: Digests

    def route(self, severity: Severity) -> Route:
        """The route of a severity: the one that was saved, or everybody at once. What is low is in digests alone."""
        if severity == "low":
            return Route("low", ())
        saved = self.routes.get(severity)
        if saved is not None:
            return saved
        everybody = tuple(self.receivers)
        return Route(severity, (Step(everybody),) if everybody else ())

    @property
    def digest_receivers(self) -> tuple[str, ...]:
        """Who gets digests: those that were chosen, else everybody with an e-mail address."""
        chosen = tuple(one for one in self.digests.receivers if one in self.receivers)
        return chosen or tuple(one.id for one in self.receivers.values() if one.kind == "email")


def masked(receiver: Receiver) -> str:
    """Where a receiver is, as it may be shown: an e-mail address whole, of others no more than the host."""
    if receiver.kind == "email":
        return receiver.to
    scheme, _, rest = receiver.to.partition("://")
    host = re.split(r"[/?#]", rest)[0].rpartition("@")[2] if receiver.kind == "webhook" else ""
    return f"{scheme}://{host}/•••" if host else f"{scheme}://•••"


def apprise_fault(to: str) -> str:
    """What is wrong with an address of Apprise, '' for nothing. Of one text Apprise makes several addresses: with a
    second "://" in it the first would be a vendor's, and the next of this machine.

    Threat: SSRF, reading of local files (CWE-918, CWE-73; HARDENING T15).
    """
    found = _APPRISE.fullmatch(to)
    if found is None or found[1] not in SCHEMAS:
        return f"an address of Apprise that begins with one of {', '.join(f'{one}://' for one in sorted(SCHEMAS))}"
    options = re.split("[&;?]", found[3] or "")
    strange = [name for one in options if (name := one.partition("=")[0]) and name not in OPTIONS]
    if "://" in to.partition("://")[2]:
        return "one address alone: make another receiver for the next one"
    return f"behind the ? only {', '.join(sorted(OPTIONS))}" if strange else ""


def dump_receiver(one: Receiver) -> dict[str, Any]:
    """A receiver as plain data; `parse_receiver` of it gives the same."""
    return {**asdict(one), "hours": dump_hours(one.hours)}


def parse_receiver(told: object) -> tuple[Receiver | None, list[str]]:
    """The receiver that plain data tell, or a sentence for everything that is wrong with them."""
    if not isinstance(told, Mapping):
        return None, ["a receiver is a table of names and values"]
    wrong: list[str] = []
    texts = {name: _text(told.get(name, ""), name, most, wrong) for name, most in (
        ("id", 40), ("name", MOST_NAME), ("kind", 10), ("to", MOST_TARGET), ("secret", 120), ("otherwise", 40))}
    if not _ID.fullmatch(texts["id"]):
        wrong.append("id: small letters, digits and hyphens, at most 40")
    if not texts["name"]:
        wrong.append("name: say who is told")
    wrong += _address_faults(texts["kind"], texts["to"], texts["secret"])
    if texts["otherwise"] == texts["id"]:
        wrong.append("otherwise: choose another receiver than this one")
    hours = parse_hours(told.get("hours"), wrong)
    return (None, wrong) if wrong else (Receiver(**{**texts, "hours": hours}), [])  # type: ignore[arg-type]


def dump_route(route: Route) -> dict[str, Any]:
    """A route as plain data."""
    steps = [{"receivers": list(step.receivers), "after_ms": step.after_ms} for step in route.steps]
    return {"severity": route.severity, "steps": steps, "hours": dump_hours(route.hours)}


def parse_route(told: object) -> tuple[Route | None, list[str]]:
    """The route that plain data tell, or what is wrong with them."""
    wrong: list[str] = []
    if not isinstance(told, Mapping) or told.get("severity") not in SEVERITIES:
        return None, [f"severity: one of {', '.join(SEVERITIES)}"]
    listed = told.get("steps")
    steps = [_step(one, wrong) for one in listed] if isinstance(listed, list) else []
    if len(steps) > MOST_STEPS:
        wrong.append(f"steps: at most {MOST_STEPS}")
    route = Route(told["severity"], tuple(steps), parse_hours(told.get("hours"), wrong))
    return (None, wrong) if wrong else (route, [])


def route_faults(route: Route, receivers: Mapping[str, Receiver], tested: Collection[str]
                 ) -> list[Said]:
    """What would keep a route from telling anybody, in sentences: ALERTING D4 (grafana/oncall 934). `tested` are
    the receivers to whom a test came through."""
    wrong: list[Said] = [Said(UNREACHED, step=at) for at in unreachable(route)]
    named = dict.fromkeys(one for step in route.steps for one in step.receivers)
    wrong += [Said(GONE, name=one) for one in named if one not in receivers]
    wrong += [Said(UNTESTED, name=receivers[one].name) for one in named if one in receivers and one not in tested]
    if not route.hours.is_always and not any(opens < closes for opens, closes in route.hours.week.values()):
        wrong.append(Said(NEVER_OPEN))
    return wrong


def dump_digests(one: Digests) -> dict[str, Any]:
    """Who gets digests, as plain data."""
    return asdict(one)


def parse_digests(told: object) -> Digests:
    """The same back; what cannot be read has its default."""
    if not isinstance(told, Mapping):
        return Digests()
    listed, minute = told.get("receivers"), told.get("at_minute", DIGEST_AT)
    return Digests(
        tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list | tuple) else (),
        minute if isinstance(minute, int) and 0 <= minute < 24 * 60 else DIGEST_AT,
        bool(told.get("is_daily", True)), bool(told.get("is_weekly", True)), bool(told.get("is_empty_told", False)),
        bool(told.get("is_monthly", True)))


def dump_hours(hours: Hours) -> dict[str, Any]:
    """Hours as plain data."""
    return {"zone": hours.zone, "week": {str(day): list(pair) for day, pair in hours.week.items()},
            "closed": sorted(day.isoformat() for day in hours.closed)}


def parse_hours(told: object, wrong: list[str]) -> Hours:
    """Hours from plain data; what is wrong goes to `wrong`, and the hours are then always."""
    if not isinstance(told, Mapping):
        return ALWAYS
    zone, week, closed = told.get("zone", "UTC"), told.get("week", {}), told.get("closed", [])
    try:
        ZoneInfo(zone)
        days = {int(day): (int(pair[0]), int(pair[1])) for day, pair in week.items()}
        found = Hours(zone, days, frozenset(map(date.fromisoformat, closed)))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OSError):
        wrong.append("hours: a zone such as Europe/Berlin, and from and until by weekday")
        return ALWAYS
    if not all(0 <= day <= 6 and 0 <= opens <= closes <= 24 * 60 for day, (opens, closes) in days.items()):
        wrong.append("hours: weekdays 0 to 6, each from an earlier to a later time of one day")
        return ALWAYS
    return found


def hours_of(opens: str, closes: str, days: Iterable[int], zone: str) -> Hours:
    """Hours as a form tells them, on these weekdays (0 is Monday); without times they are always. Raises ValueError
    with a sentence."""
    if not opens and not closes:
        return ALWAYS
    if zone not in available_timezones():
        raise ValueError(NO_ZONE)
    begins, ends = minute_of(opens), minute_of(closes)
    if begins >= ends:
        raise ValueError(NO_STRETCH)
    return Hours(zone, dict.fromkeys(sorted(days), (begins, ends)))


def minute_of(text: str) -> int:
    """'08:00' as minutes from midnight. Raises ValueError with a sentence."""
    if not _TIME.fullmatch(text):
        raise ValueError(NO_TIME)
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _step(told: object, wrong: list[str]) -> Step:
    named = told.get("receivers") if isinstance(told, Mapping) else None
    after_ms = told.get("after_ms", 0) if isinstance(told, Mapping) else None
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        wrong.append("steps: each names receivers")
        return Step(())
    if isinstance(after_ms, bool) or not isinstance(after_ms, int) or not 0 <= after_ms <= DAY_MS:
        wrong.append("steps: a wait of 0 to 1,440 minutes")
        return Step(())
    return Step(tuple(named), after_ms)


def _address_faults(kind: str, to: str, secret: str) -> list[str]:
    checks: Mapping[str, Callable[[str], str]] = {"email": _email_fault, "webhook": _url_fault,
                                                   "apprise": apprise_fault}
    if kind not in checks:
        return [f"kind: one of {', '.join(KINDS)}"]
    found = checks[kind](to)
    wrong = [f"to: {found}"] if found else []
    if kind == "webhook" and not _SECRET.fullmatch(secret):
        wrong.append("secret: whsec_ and at least 24 bytes in base64")
    return wrong


def _email_fault(to: str) -> str:
    return "" if _EMAIL.fullmatch(to) and len(to) <= 254 else "an e-mail address, like ana@shop.example"


def _url_fault(to: str) -> str:
    return "" if _URL.fullmatch(to) else "an https:// address"


def _text(value: object, name: str, most: int, wrong: list[str]) -> str:
    if not isinstance(value, str) or len(value) > most or any(ord(one) < 32 for one in value):
        wrong.append(f"{name}: expected a text of at most {most} characters, in one line")
        return ""
    return value.strip()

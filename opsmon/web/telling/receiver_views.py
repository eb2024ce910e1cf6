"""What the page of the receivers shows: each with its form, the routes, digests, and how deliveries went."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from opsmon.core.alerting.hours import Hours
from opsmon.core.alerting.receivers import MOST_STEPS, Digests, Receiver, Telling, masked
from opsmon.core.alerting.rules import Severity
from opsmon.core.alerting.telling import Route
from opsmon.core.calendar import MINUTE_MS
from opsmon.store.alerts.telling_queries import Attempt, Dead, Standing
from opsmon.web.accounts.forms import InputView, marked
from opsmon.web.languages import N_
from opsmon.web.telling.notice_words import SEVERITY
from opsmon.web.views import shown
from opsmon.web.wording import Wording

KINDS = {"email": N_("E-mail"), "webhook": N_("Signed webhook (https)"),
         "apprise": N_("Chat or text message (Apprise)")}
DAYS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "all": (N_("Every day"), tuple(range(7))), "week": (N_("Monday to Friday"), tuple(range(5))),
    "six": (N_("Monday to Saturday"), tuple(range(6)))}
ROUTED: tuple[Severity, ...] = ("critical", "high", "medium")
WORDS = {"fired": N_("fired"), "repeat": N_("still"), "resolved": N_("over"), "test": N_("test"),
         "daily": N_("daily digest"), "weekly": N_("weekly digest"),
         "monthly": N_("monthly review")}
# Why a notice was not sent.
WHY = {"acknowledged": N_("somebody sees to it"), "over": N_("over before it was sent"), "muted": N_("silenced"),
       "fired-again": N_("it fired anew"), "rule-gone": N_("its rule is gone or off"),
       "never-told": N_("never heard that it began"), "superseded": N_("a later word says it"),
       "twice": N_("sent already"), "nobody": N_("no such receiver"), "empty": N_("nothing to tell")}
OUTCOMES = {"accepted": N_("accepted"), "failed": N_("failed"), "failed for good": N_("failed for good"),
            "not sent": N_("not sent")}
_STEP = (N_("First tell"), N_("Then tell"), N_("Then tell"))
_NEVER, _ONCE = N_("Never tested"), N_("Last test came through %(age)s ago")
_FAILING = N_("Fails since %(time)s: %(why)s")
State = Literal["ok", "untested", "failing"]


@dataclass(frozen=True, slots=True)
class ReceiverView:
    """One receiver in the list."""

    id: str = shown("its id, which forms send")
    name: str = shown("who is told")
    kind: str = shown("how, in words")
    to: str = shown("where, without what is secret")
    state: State = shown("whether it works as far as is known")
    state_text: str = shown("the same in words")
    last: str = shown("when something came through last; ''")
    fields: tuple[InputView, ...] = shown("the form that changes it")


@dataclass(frozen=True, slots=True)
class RouteView:
    """The route of one severity."""

    severity: str = shown("'critical', which the form sends")
    title: str = shown("'Critical'")
    about: str = shown("who is told now, in a sentence")
    fields: tuple[InputView, ...] = shown("the form")
    faults: tuple[str, ...] = shown("what is wrong with it")


@dataclass(frozen=True, slots=True)
class TryView:
    """One try at telling somebody."""

    at: str = shown("when")
    whom: str = shown("who, and of what")
    outcome: str = shown("what became of it")


@dataclass(frozen=True, slots=True)
class DeadView:
    """What could not be delivered."""

    id: str = shown("of its entry, which forms send")
    whom: str = shown("who, and of what")
    why: str = shown("why not")


def receiver_view(one: Receiver, standing: Standing, others: Sequence[Receiver], wording: Wording, now_ms: int
                  ) -> ReceiverView:
    """A receiver with the form that changes it."""
    say = wording.say
    state: State = "failing" if standing.failing_ms else "ok" if standing.tested_ms else "untested"
    words = {"failing": say(_FAILING, time=wording.moment(standing.failing_ms), why=say(standing.why)),
             "untested": say(_NEVER)}.get(state) or say(_ONCE, age=wording.age(max(now_ms - standing.tested_ms, 0)))
    last = say("Last told %(age)s ago", age=wording.age(max(now_ms - standing.ok_ms, 0))) if standing.ok_ms else ""
    values = {"name": one.name, "otherwise": one.otherwise, **hours_values(one.hours)}
    fields = marked(receiver_fields(one, others, wording), values, {})
    return ReceiverView(one.id, one.name, say(KINDS[one.kind]), masked(one), state, words, last,
                        tuple(replace(field, focused=False) for field in fields))


def receiver_fields(one: Receiver | None, others: Sequence[Receiver], wording: Wording) -> tuple[InputView, ...]:
    """The form of a receiver, or of a new one."""
    say, place = wording.say, one.id if one else "new"
    kinds = tuple((kind, say(text)) for kind, text in KINDS.items())
    chosen = (("", say("Nobody")), *((other.id, other.name) for other in others if one is None or other.id != one.id))
    kind = () if one else (InputView("kind", say("How"), "select", choices=kinds, id="new-kind", width="half"),)
    return (
        InputView("name", say("Who"), id=f"{place}-name", width="half"), *kind,
        InputView("to", say("Where"), id=f"{place}-to", required=one is None,
                  hint=say("Leave it empty to keep what there is.") if one else
                  say("An e-mail address, an https:// address, or one of Apprise's such as slack://")),
        InputView("otherwise", say("If they cannot be told"), "select", choices=chosen, id=f"{place}-otherwise",
                  width="half"),
        *hours_fields(place, wording),
    )


def hours_fields(place: str, wording: Wording) -> tuple[InputView, ...]:
    """Hours in which somebody may be told of what is not critical."""
    say = wording.say
    days = tuple((key, say(text)) for key, (text, _) in DAYS.items())
    return (
        InputView("opens", say("From"), "time", id=f"{place}-opens", required=False, width="half",
                  hint=say("Empty: at any time. What is critical ignores hours.")),
        InputView("closes", say("Until"), "time", id=f"{place}-closes", required=False, width="half"),
        InputView("days", say("On"), "select", choices=days, id=f"{place}-days", width="half"),
        InputView("zone", say("Their zone"), id=f"{place}-zone", required=False, width="half"),
    )


def hours_values(hours: Hours) -> dict[str, str]:
    """Hours as a form holds them."""
    if hours.is_always:
        return {"days": "all"}
    opens, closes = next(iter(hours.week.values()), (0, 0))
    days = next((key for key, (_, listed) in DAYS.items() if set(listed) == set(hours.week)), "all")
    return {"opens": _time(opens), "closes": _time(closes), "days": days, "zone": hours.zone}


def route_view(severity: Severity, telling: Telling, wording: Wording, faults: Sequence[str] = (),
               route: Route | None = None) -> RouteView:
    """A route as a form: the one that is kept, or `route`, which could not be."""
    say = wording.say
    route = route or telling.route(severity)
    about = say("Saved for this severity.") if severity in telling.routes else (
        say("Everybody at once, until you say otherwise."))
    everybody = tuple((one.id, one.name) for one in telling.receivers.values())
    fields: list[InputView] = []
    for at in range(MOST_STEPS):
        step = route.steps[at] if at < len(route.steps) else None
        fields.append(InputView(f"to-{at + 1}", say(_STEP[at]), "checks", " ".join(step.receivers) if step else "",
                                choices=everybody, id=f"{severity}-to-{at + 1}"))
        minutes = str(step.after_ms // MINUTE_MS) if step and at else ""
        if at:
            fields.append(InputView(f"after-{at + 1}", say("if nobody answers within so many minutes"), value=minutes,
                                    id=f"{severity}-after-{at + 1}", required=False, width="half"))
    if severity != "critical":
        fields += [replace(one, value=hours_values(route.hours).get(one.name, one.value))
                   for one in hours_fields(severity, wording)]
    return RouteView(severity, say(SEVERITY[severity]), about, tuple(fields), tuple(faults))


def digest_fields(plan: Digests, telling: Telling, wording: Wording) -> tuple[InputView, ...]:
    """The form of digests."""
    say = wording.say
    everybody = tuple((one.id, one.name) for one in telling.receivers.values())
    kinds = (("daily", say("Daily")), ("weekly", say("Weekly, on Mondays")),
             ("monthly", say("Monthly: a review of the rules, on the first working day")),
             ("empty", say("Of quiet days too")))
    chosen = [name for name, is_set in (("daily", plan.is_daily), ("weekly", plan.is_weekly),
                                        ("monthly", plan.is_monthly), ("empty", plan.is_empty_told)) if is_set]
    return (
        InputView("digest", say("Who gets them"), "checks", " ".join(telling.digest_receivers), choices=everybody,
                  id="digest-to"),
        InputView("kinds", say("Which"), "checks", " ".join(chosen), choices=kinds, id="digest-kinds"),
        InputView("at", say("At"), "time", _time(plan.at_minute), id="digest-at", width="half"),
    )


def try_view(one: Attempt, names: Mapping[str, str], wording: Wording) -> TryView:
    """A try as a line."""
    say = wording.say
    plain, _, instead = one.outcome.partition(", in the place of ")
    outcome = say(OUTCOMES.get(plain, plain))
    if instead:
        outcome = say("%(outcome)s (in the place of %(who)s)", outcome=outcome, who=names.get(instead, instead))
    why = say(WHY.get(one.why, one.why)) if one.why else ""
    whom = f"{names.get(one.receiver, one.receiver)}: {one.rule} {say(WORDS.get(one.word, one.word))}"
    return TryView(wording.moment(one.at_ms), " ".join(whom.split()), f"{outcome}: {why}" if why else outcome)


def dead_view(one: Dead, names: Mapping[str, str], wording: Wording) -> DeadView:
    """A dead notice as a line."""
    told = one.told
    word = wording.say(WORDS.get(told["word"], told["word"]))
    whom = f"{names.get(told['receiver'], told['receiver'])}: {told.get('rule', '')} {word}"
    return DeadView(one.id, " ".join(whom.split()), wording.say(one.why))


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

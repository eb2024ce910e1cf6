"""What people do about an alert, from a form: which verb, what it needs, and what is said when somebody was first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException

from opsmon.core.access import Audience
from opsmon.core.alerting import life
from opsmon.core.alerting.life import Alert, Move
from opsmon.core.calendar import MINUTE_MS
from opsmon.web.alerts.words import CODES, VERDICTS
from opsmon.web.languages import N_
from opsmon.web.wording import Wording

Verb = Callable[[Alert], Move | None]
MOST_NOTE = 500
SNOOZES = {"30": 30 * MINUTE_MS, "120": 120 * MINUTE_MS}
# Whoever works on the floor sees to things and writes down what they saw; managers say what becomes of them.
ACTS: dict[str, Audience] = {"acknowledge": "floor", "take-back": "floor", "note": "floor", "judge": "floor",
                             "assign": "managers", "snooze": "managers", "close": "managers"}
DONE = {
    "acknowledge": N_("You see to it."), "take-back": N_("Nobody sees to it now."), "note": N_("Written down."),
    "judge": N_("Thank you. It counts where rules are reviewed."),
    "assign": N_("Given to %(who)s."), "snooze": N_("Nobody is told again before %(time)s."), "close": N_("Closed."),
}
_UNKNOWN = N_("An alert can be acknowledged, taken back, given to somebody, snoozed, closed, noted on, or judged.")
_NO_CODE = N_("Say what it was: fixed, a false alarm, nothing to be done, or known.")
_NO_NOTE = N_("Write what you saw or did, in at most %(most)s characters.")
_NOBODY = N_("There is nobody of this name.")
_NO_TIME = N_("It can be snoozed for 30 minutes or 2 hours.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants: the act, who they are, and what they typed."""

    act: str
    by: str
    form: Mapping[str, str]
    now_ms: int
    names: frozenset[str]

    @property
    def note(self) -> str:
        """What they wrote, in one line."""
        return " ".join(self.form.get("note", "").split())[:MOST_NOTE]


def verb_of(asked: Asked, wording: Wording) -> Verb:
    """The move they ask for. Raises HTTPException 400 with a sentence for what is none, 422 for what it lacks."""
    match asked.act:
        case "acknowledge":
            return lambda alert: life.acknowledge(alert, asked.by, asked.now_ms)
        case "take-back":
            return lambda alert: life.take_back(alert, asked.by)
        case "note":
            return _noted(asked, wording)
        case "assign":
            return _assigned(asked)
        case "snooze":
            return _snoozed(asked, wording)
        case "close":
            return _closed(asked)
        case "judge":
            return _judged(asked)
    raise HTTPException(400, _UNKNOWN)


def _noted(asked: Asked, wording: Wording) -> Verb:
    if not asked.note:
        raise HTTPException(422, wording.say(_NO_NOTE, most=wording.number(MOST_NOTE)))
    return lambda alert: life.note(alert, asked.note, asked.by)


def _assigned(asked: Asked) -> Verb:
    to = asked.form.get("to", "")
    if to not in asked.names:
        raise HTTPException(422, _NOBODY)
    return lambda alert: _with_note(life.assign(alert, to, asked.by), to)


def _snoozed(asked: Asked, wording: Wording) -> Verb:
    wait_ms = SNOOZES.get(asked.form.get("minutes", ""))
    if wait_ms is None:
        raise HTTPException(422, _NO_TIME)
    until_ms = asked.now_ms + wait_ms
    return lambda alert: _with_note(life.snooze(alert, until_ms, asked.by, asked.now_ms), wording.duration(wait_ms))


def _closed(asked: Asked) -> Verb:
    code = asked.form.get("code", "")
    if code not in CODES:
        raise HTTPException(422, _NO_CODE)
    return lambda alert: life.close(alert, code, asked.note, asked.by, asked.now_ms)


def _judged(asked: Asked) -> Verb:
    """Of the run that was shown: another one may have begun meanwhile."""
    verdict = next((one for one in VERDICTS if one == asked.form.get("verdict")), None)
    if verdict is None:
        raise HTTPException(400, _UNKNOWN)
    return lambda alert: life.judge(alert, verdict, asked.by) if alert.id == asked.form.get("run") else None


def _with_note(move: Move | None, note: str) -> Move | None:
    return None if move is None else replace(move, note=note)


def is_said(asked: Asked, alert: Alert) -> bool:
    """Whether an alert was judged so already: a second tap says the same."""
    return asked.act == "judge" and alert.id == asked.form.get("run") and alert.verdict == asked.form.get("verdict")


def first_words(alert: Alert | None, wording: Wording) -> str:
    """Why nothing was done: what somebody else did before, or that it is over."""
    if alert is None or not alert.is_open:
        return wording.say("This alert is over: there is nothing to be done any more.")
    if alert.is_acknowledged:
        return wording.say("%(who)s was first, and sees to it since %(time)s.", who=alert.acknowledged_by,
                           time=wording.time(alert.acknowledged_ms))
    return wording.say("Nothing changed: it was so already.")

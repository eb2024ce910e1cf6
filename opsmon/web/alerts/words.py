"""Alerts in words: how bad, how far, since when, who sees to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from opsmon.core.access import EVERYTHING, Sight, needs
from opsmon.core.alerting.built_in import BEHIND, EVERY_SOURCE, LOGINS, TELLING, is_no_kpi
from opsmon.core.alerting.life import OPEN, Alert, Code, Reason, Verdict
from opsmon.core.alerting.rules import SEVERITIES, Limit, Milestone, Rule, Severity
from opsmon.core.alerting.silences import Silence
from opsmon.core.calendar import DAY_MS
from opsmon.core.catalogue import Catalogue, Kpi
from opsmon.store.alerts.alert_queries import AlertBook, LogLine
from opsmon.store.alerts.alert_store import Stored
from opsmon.web.alerts.far import FarWords
from opsmon.web.alerts.shapes import AlertRowView, LineView, Standing
from opsmon.web.languages import N_
from opsmon.web.source_words import title as source_title
from opsmon.web.tile_words import row_name
from opsmon.web.wording import Wording

SEVERITY_WORDS: dict[Severity, str] = {"critical": N_("Critical"), "high": N_("High"), "medium": N_("Medium"),
                                       "low": N_("Low")}
CODES: dict[Code, str] = {"fixed": N_("Fixed"), "false": N_("False alarm"), "no-action": N_("Nothing had to be done"),
                          "known": N_("Known")}
# What somebody says of an alert when it is over.
VERDICTS: dict[Verdict, str] = {"acted": N_("It led to action"), "false-positive": N_("False positive"),
                                "not-actionable": N_("Not actionable"), "poor-details": N_("Poor details"),
                                "other": N_("Other")}
STATES = {"firing": N_("fired"), "recovering": N_("back within its limit"), "resolved": N_("over"),
          "pending": N_("beyond its limit"), "ok": N_("as it should be"), "no-data": N_("without a number"),
          "learning": N_("learning")}
REASONS: dict[Reason, str] = {
    "beyond": N_("Beyond its limit"), "held": N_("Fired: beyond its limit for long enough"),
    "over-before-it-lasted": N_("Over before it had lasted"), "back-within": N_("Back within its limit"),
    "stayed-within": N_("Over: it stayed within its limit"), "beyond-again": N_("Beyond its limit again"),
    "no-number": N_("There is no number"), "number-again": N_("There is a number again"),
    "learning": N_("Learning what is usual"), "learned": N_("Learned what is usual"),
    "rule-gone": N_("Its rule was switched off"), "acknowledged": N_("%(who)s sees to it"),
    "taken-back": N_("%(who)s took that back: nobody sees to it"), "assigned": N_("%(who)s gave it to %(note)s"),
    "snoozed": N_("%(who)s wants to hear of it again in %(note)s"), "closed": N_("%(who)s closed it: %(code)s"),
    "noted": N_("%(who)s wrote"), "judged": N_("%(who)s said of it: %(note)s"),
    "escalated": N_("Nobody had answered: the next ones were told"),
    "nobody-answered": N_("Nobody answered of all who were told"),
}
_FIRED = N_("Fired: beyond its limit")
# A day and a month alone would be another year's soon.
_LONG_AGO_MS = 180 * DAY_MS
# The note of these is part of their sentence.
_NOTED_WITHIN = frozenset({"assigned", "snoozed", "judged"})
# How far it was stands in the lines before these.
_WITHOUT_NUMBER = frozenset({"escalated", "nobody-answered"})
_WHO: dict[Standing, str] = {"open": N_("nobody sees to it yet"), "acknowledged": N_("%(who)s sees to it"),
                             "nobody": N_("nobody answered"), "quiet": "", "recovering": N_("back within its limit")}


@dataclass(frozen=True, slots=True)
class AlertWords:
    """Says what there is to say of alerts to somebody who sees this much of the numbers."""

    wording: Wording
    catalogue: Catalogue
    currency: str | None
    sees: frozenset[Sight] = EVERYTHING

    def title(self, rule: Rule, alert: Alert) -> str:
        """'Orders are past their time', and of several things which."""
        said = self.wording.say(rule.title) if rule.is_built_in else rule.title
        thing = self.thing(rule, alert.labels)
        return f"{said}: {thing}" if thing else said

    def thing(self, rule: Rule, labels: tuple[tuple[str, str], ...]) -> str:
        """What of several an alert is about; '' for the whole, and for names that are not for this reader."""
        told = dict(labels)
        if "source" in told:
            return source_title(told["source"], self.wording)
        kpi = self.kpi(rule)
        if self.is_nameless(rule) and ("row" in told or kpi is None):
            return ""
        if "row" not in told or kpi is None:
            return ", ".join(told.values())
        return ", ".join(filter(None, row_name(self.catalogue.rollup(kpi.rollup), told["row"], self.wording)))

    def kpi(self, rule: Rule) -> Kpi | None:
        """What a rule watches; None for a source and for opsmon itself."""
        return self.catalogue.kpi_by_id.get(rule.about)

    def is_nameless(self, rule: Rule) -> bool:
        """Whether the names of what it watches are not for this reader."""
        return "names" in self.hidden(rule)

    def is_known(self, rule: Rule) -> bool:
        """Whether anybody knows what a rule watched: not of one that is gone, nor of a number that is."""
        return self.kpi(rule) is not None or is_no_kpi(rule.about)

    def hidden(self, rule: Rule) -> frozenset[Sight]:
        """What of its alerts is not for this reader (threat: CWE-863)."""
        kpi = self.kpi(rule)
        if kpi is not None:
            return needs(kpi, self.catalogue.rollup(kpi.rollup)) - self.sees
        return frozenset() if self.is_known(rule) else EVERYTHING - self.sees

    def is_hidden(self, rule: Rule) -> bool:
        """Whether its amounts are not for this reader."""
        return "money" in self.hidden(rule)

    def rule_then(self, line: LogLine, rules: Mapping[str, Rule]) -> Rule:
        """The rule of a line as far as its numbers go: about what it was about then, whatever became of it."""
        now = rules.get(line.rule)
        if now is not None and line.about in ("", now.about):
            return now
        if not line.about:
            return Rule(line.rule, line.title, "", Milestone(1))
        then = Rule(line.rule, line.title, line.about, Limit(0))
        return replace(now, about=then.about, condition=then.condition) if now is not None else then

    def number(self, rule: Rule, value: float | None) -> str:
        """A value in the unit of what the rule watches; '' where there is none, or it is not for this reader."""
        if value is None or self.is_hidden(rule):
            return ""
        return self._far.number(rule, value)

    def far(self, rule: Rule, value: float | None, limit: float | None) -> str:
        """How far from its limit: '34%, over 20%'; '' where that is not known or not for this reader."""
        if value is None or self.is_hidden(rule):
            return ""
        return self.number(rule, value) if limit is None else self._far.far(rule, value, limit)

    @property
    def _far(self) -> FarWords:
        return FarWords(self.wording, self.catalogue, self.currency)

    def stands(self, rule: Rule, alert: Alert) -> str:
        """How far an alert is from its limit, and which are the foremost of what it counts."""
        return self.wording.sentences(self.far(rule, alert.value, alert.limit), self._far.foremost(alert))

    def row(self, book: AlertBook, stored: Stored, now_ms: int) -> AlertRowView:
        """An open alert in one line."""
        alert, rule = stored.alert, book.rules[stored.alert.rule]
        standing, who = self.standing(book, stored, now_ms)
        return AlertRowView(
            alert.fingerprint, rule.severity, self.wording.say(SEVERITY_WORDS[rule.severity]), self.title(rule, alert),
            self.far(rule, alert.value, alert.limit), alert.began_ms, self.at(alert.began_ms, now_ms), standing, who)

    def whole_row(self, book: AlertBook, stored: Stored, now_ms: int) -> AlertRowView:
        """The same where there is room for the foremost of what it counts: not on walls."""
        row = self.row(book, stored, now_ms)
        return replace(row, value=self.stands(book.rules[stored.alert.rule], stored.alert))

    def standing(self, book: AlertBook, stored: Stored, now_ms: int) -> tuple[Standing, str]:
        """How an open alert stands, and the same in words."""
        alert, wording = stored.alert, self.wording
        quiet = self._quiet(book, alert, now_ms)
        standing: Standing = (
            "recovering" if alert.state == "recovering" else "acknowledged" if alert.is_acknowledged
            else "quiet" if quiet else "nobody" if stored.told.is_nobody and stored.told.run == alert.id else "open")
        said = quiet if standing == "quiet" else (
            wording.say(_WHO[standing], who=alert.acknowledged_by) if standing == "acknowledged"
            else wording.say(_WHO[standing]))
        given = wording.say("given to %(who)s", who=alert.assigned_to) if alert.assigned_to else ""
        return standing, ", ".join(filter(None, (said, given)))

    def _quiet(self, book: AlertBook, alert: Alert, now_ms: int) -> str:
        """Why an alert is not told, '' where it is."""
        say, silence = self.wording.say, book.silence_of(alert, now_ms)
        if silence is not None:
            return say("muted until %(time)s", time=self.at(silence.until_ms, now_ms))
        if now_ms < alert.snoozed_until_ms:
            return say("snoozed until %(time)s", time=self.at(alert.snoozed_until_ms, now_ms))
        cause = book.inhibitor_of(alert)
        return "" if cause is None else say("follows from: %(title)s", title=self.title(book.rules[cause.rule], cause))

    def mute(self, book: AlertBook, silence: Silence, now_ms: int) -> str:
        """'Payments fail is muted until 14:30: stocktaking (Ana)'."""
        return self.wording.say("%(what)s: muted until %(time)s. %(reason)s (%(who)s)",
                                what=self.silenced(book, silence), time=self.at(silence.until_ms, now_ms),
                                reason=silence.reason, who=silence.author)

    def silenced(self, book: AlertBook, silence: Silence) -> str:
        """What a silence keeps quiet."""
        rule = book.rules.get(silence.rule)
        if rule is None:
            return self.wording.say("Everything") if not silence.rule else silence.rule
        return self.title(rule, Alert("", rule.id, silence.labels))

    def line(self, book: AlertBook, line: LogLine, now_ms: int = 0) -> LineView:
        """A line of the log, of whatever opsmon it is; its year is said where it is long before `now_ms`."""
        rule = self.rule_then(line, book.rules)
        said = REASONS.get(line.reason, line.reason)  # type: ignore[call-overload]
        if line.state == "firing" and line.reason == "beyond":
            said = _FIRED
        code = CODES.get(line.code, line.code)  # type: ignore[call-overload]
        note = self.wording.say(VERDICTS.get(line.note, line.note)) if (  # type: ignore[call-overload]
            line.reason == "judged") else line.note
        text = self.wording.say(said, who=line.by, note=note, code=self.wording.say(code)) if line.by else (
            self.wording.say(said))
        far = self.far(rule, line.value, line.limit) if not line.by and line.reason not in _WITHOUT_NUMBER else ""
        level: Severity = next((one for one in SEVERITIES if one == line.severity), "medium")
        is_long_ago = now_ms - line.at_ms > _LONG_AGO_MS
        at = f"{self.wording.date(line.at_ms)}, {self.wording.clock(line.at_ms)}" if is_long_ago else (
            self.wording.moment(line.at_ms))
        shown = Alert(line.alert, rule.id, line.labels)
        return LineView(line.id, at, line.alert, self.title(rule, shown), level,
                        self.wording.say(SEVERITY_WORDS[level]), _is_marked(line), ": ".join(filter(None, (text, far))),
                        "" if line.reason in _NOTED_WITHIN else line.note, line.state)

    def at(self, time_ms: int, now_ms: int) -> str:
        """The time of day; of another day with it."""
        is_near = abs(now_ms - time_ms) < 12 * 3_600_000
        return self.wording.time(time_ms) if is_near else self.wording.day_and_time(time_ms)

    def watched(self, rule: Rule) -> str:
        """What a rule looks at, by its name."""
        kpi, say = self.kpi(rule), self.wording.say
        if kpi is not None:
            return say(kpi.label)
        if rule.about == BEHIND:
            return say("How far opsmon is behind")
        if rule.about == TELLING:
            return say("Receivers that cannot be told")
        if rule.about == LOGINS:
            return say("Failed logins to opsmon")
        if rule.about == EVERY_SOURCE:
            return say("Every source")
        return source_title(rule.about.removeprefix("source:"), self.wording)


def _is_marked(line: LogLine) -> bool:
    """Whether a line is about what had fired: what only learns, waits, or is without a number has not."""
    return line.state in OPEN or line.state == "resolved" or bool(line.by)


def verdicts(alert: Alert, wording: Wording) -> tuple[tuple[str, str, bool], ...]:
    """What may be said of an alert that is over: (value, words, whether it was); nothing while it is open."""
    if alert.is_open or not alert.id:
        return ()
    return tuple((verdict, wording.say(text), verdict == alert.verdict) for verdict, text in VERDICTS.items())

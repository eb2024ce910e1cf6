"""The quality of alerts in words: figures of rules, what is wrong with them, what may be done, and the budget."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsmon.core.alerting.past_runs import Marks
from opsmon.core.alerting.quality import BUDGET, SHIFTS_AT, Quality, Review, Shift
from opsmon.core.alerting.remedies import Remedy, remedies
from opsmon.core.alerting.rules import Rule
from opsmon.store.alerts.quality_queries import Lately
from opsmon.store.alerts.rule_queries import SavedRule
from opsmon.web.alerts.quality_shapes import (
    BudgetView,
    FigureView,
    FlagView,
    QualityView,
    RemedyView,
    RuleQualityView,
    ShiftView,
)
from opsmon.web.alerts.review_words import FLAGS, budget_text, review_text, share
from opsmon.web.alerts.rule_writing import mark
from opsmon.web.alerts.words import SEVERITY_WORDS, VERDICTS
from opsmon.web.wording import Wording

MOST_SHIFTS = 8
_NONE = "–"


@dataclass(frozen=True, slots=True)
class QualityWords:
    """Says what there is to say of the rules of a site."""

    wording: Wording
    saved: Mapping[str, SavedRule]

    def page(self, found: Review, lately: Lately, marks: Mapping[str, Marks]) -> QualityView:
        """All of it. `marks` are those of the alerts of each rule."""
        say = self.wording.say
        fired = {one.rule for one in found.rules}
        quiet = sorted(self.title(one.rule) for name, one in self.saved.items() if name not in fired and one.rule.is_on)
        note = say("There are too many alerts to look at all of them: these are since %(time)s.",
                   time=self.wording.day_and_time(lately.since_ms)) if lately.since_ms is not None else ""
        return QualityView(
            review_text(found, self.wording), note, self._budget(found),
            tuple(self._rule(one, marks.get(one.rule, {}), found.until_ms) for one in found.rules),
            say("Not fired in 30 days: %(rules)s", rules=self.wording.both(quiet)) if quiet else "")

    def title(self, rule: Rule) -> str:
        """What a rule is called."""
        return self.wording.say(rule.title) if rule.is_built_in else rule.title

    def _rule(self, found: Quality, marks: Marks, now_ms: int) -> RuleQualityView:
        saved = self.saved[found.rule]
        rule, say = saved.rule, self.wording.say
        note = say("This rule stands in opsmon.toml, and is changed there.") if saved.is_fixed else ""
        offered = [] if saved.is_fixed else remedies(rule, marks, now_ms)
        return RuleQualityView(
            rule.id, self.title(rule), rule.severity, say(SEVERITY_WORDS[rule.severity]), rule.off_reason, note,
            tuple(FlagView(one, say(FLAGS[one])) for one in found.flags), tuple(self._figures(found)),
            tuple(map(self._remedy, offered)), say(FLAGS[found.flags[0]]) if found.flags else "", mark(saved.raw))

    def _figures(self, one: Quality) -> Iterable[FigureView]:
        say, many, number = self.wording.say, self.wording.many, self.wording.number
        yield FigureView(say("Fired"), number(one.fired), many("%(num)s incident", "%(num)s incidents", one.incidents))
        answered = say("usually after %(time)s", time=self.wording.age(round(one.to_acknowledge_ms))) if (
            one.to_acknowledge_ms is not None) else ""
        yield FigureView(say("Acknowledged"), share(one.acknowledged, one.fired, self.wording), answered)
        yield FigureView(say("Acted on"), share(one.acted, one.over, self.wording),
                         many("of %(num)s that ended", "of %(num)s that ended", one.over) if one.over else "")
        lasts = self.wording.age(round(one.to_resolve_ms)) if one.to_resolve_ms is not None else _NONE
        yield FigureView(say("Over after"), lasts, say("usually") if one.over else "")
        yield FigureView(say("Over in 2 min"), share(one.brief, one.over, self.wording),
                         say("by itself") if one.over else "")
        yield FigureView(say("Outside hours"), share(one.outside, one.fired, self.wording))
        yield FigureView(say("Escalated"), number(one.escalated))
        told = [f"{say(text)} {number(one.verdicts[verdict])}" for verdict, text in VERDICTS.items()
                if one.verdicts.get(verdict)]
        yield FigureView(say("Feedback"), number(sum(one.verdicts.values())), ", ".join(told))

    def _remedy(self, remedy: Remedy) -> RemedyView:
        say, rule = self.wording.say, remedy.rule
        match remedy.kind:
            case "later":
                label = say("Fire only after %(time)s", time=self.wording.age(rule.timing.for_ms))
                value = str(rule.for_ms)
            case "lower":
                label = say("Lower to %(severity)s", severity=say(SEVERITY_WORDS[rule.severity]))
                value = rule.severity
            case _:
                label, value = say("Retire it"), ""
        return RemedyView(remedy.kind, label, self.effect(remedy), value)

    def effect(self, remedy: Remedy) -> str:
        """'It would have fired 3 instead of 12 times in the last 30 days.'"""
        if remedy.times == remedy.instead_of:
            return self.wording.many("It would have fired as often: %(num)s time.",
                                     "It would have fired as often: %(num)s times.", remedy.times)
        return self.wording.many("It would have fired %(num)s instead of %(before)s times.",
                                 "It would have fired %(num)s instead of %(before)s times.", remedy.times,
                                 before=self.wording.number(remedy.instead_of))

    def _budget(self, found: Review) -> BudgetView:
        say, wording, beyond = self.wording.say, self.wording, found.beyond
        about = wording.many("What is critical or high interrupts, unless it is held until somebody works. A shift has "
                             "a budget of %(num)s.",
                             "What is critical or high interrupts, unless it is held until somebody works. A shift has "
                             "a budget of %(num)s.", BUDGET)
        left = len(beyond) - MOST_SHIFTS
        return BudgetView(
            budget_text(found, wording), about, bool(beyond), tuple(map(_hours, SHIFTS_AT)), self._row_of(found.shifts),
            tuple(_shift(one, wording) for one in found.shifts), wording.date(found.since_ms),
            wording.date(found.until_ms), tuple(map(self._beyond, beyond[:MOST_SHIFTS])),
            say("and %(num)s more", num=wording.number(left)) if left > 0 else "")

    def _row_of(self, shifts: tuple[Shift, ...]) -> int:
        """In which row of the picture the first shift stands."""
        middle_ms = (shifts[0].start_ms + shifts[0].end_ms) // 2
        return next((at for at, hour in enumerate(SHIFTS_AT) if hour <= int(self.wording.hour(middle_ms)) < hour + 8),
                    len(SHIFTS_AT) - 1)

    def _beyond(self, shift: Shift) -> tuple[str, str]:
        wording = self.wording
        rules = sorted(shift.rules.items(), key=lambda pair: (-pair[1], pair[0]))
        by = [f"{self.title(self.saved[name].rule)} {wording.number(times)}" for name, times in rules]
        # The middle of the night belongs to the day on which its shift began.
        when = f"{wording.date(shift.start_ms)}, {wording.time(shift.start_ms)}–{wording.time(shift.end_ms)}"
        return when, wording.many("%(num)s time: %(rules)s", "%(num)s times: %(rules)s", shift.times,
                                  rules=", ".join(by))


def _shift(one: Shift, wording: Wording) -> ShiftView:
    if not one.times:
        return ShiftView("none", "")
    return ShiftView("beyond" if one.is_beyond else "some", wording.number(one.times))


def _hours(hour: int) -> str:
    """'06–14'."""
    return f"{hour:02}–{(hour + 8) % 24:02}"

"""How far something is from its limit, in words: the same on screens and in messages."""

from dataclasses import dataclass

from opsmon.core.alerting.built_in import BEHIND
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.rules import (
    Burst,
    Late,
    Limit,
    Milestone,
    Missing,
    Outlier,
    Pace,
    Quiet,
    Rule,
    RunsOut,
    Unusual,
)
from opsmon.core.catalogue import Catalogue
from opsmon.web.languages import N_
from opsmon.web.wording import Wording

# Of these the words are the same everywhere; of the others a message is shorter.
ALIKE = RunsOut | Pace | Late | Outlier | Burst


@dataclass(frozen=True, slots=True)
class FarWords:
    """Says numbers and limits of rules."""

    wording: Wording
    catalogue: Catalogue
    currency: str | None

    def number(self, rule: Rule, value: float) -> str:
        """A value in the unit of what the rule watches."""
        wording, kpi = self.wording, self.catalogue.kpi_by_id.get(rule.about)
        if rule.about == BEHIND or isinstance(rule.condition, Quiet):
            return wording.age(round(value))
        if isinstance(rule.condition, RunsOut):
            return wording.number(round(value, 1))
        if isinstance(rule.condition, Missing | Pace | Late | Burst) or kpi is None:
            return wording.number(round(value))
        if kpi.unit == "money":
            return wording.money(round(value), self.currency) if self.currency else wording.number(round(value))
        if kpi.unit == "share":
            return wording.fine_share(value)
        if kpi.unit == "ms":
            return wording.milliseconds(value) if value < 1000 else wording.seconds(value)
        return wording.number(round(value, 2))

    def far(self, rule: Rule, value: float, limit: float) -> str:
        """'34%, over 20%'."""
        length = self.wording.hours(_length_ms(rule))
        return self.wording.say(_far(rule, value, limit), value=self.number(rule, value),
                                limit=self.number(rule, limit), length=length)

    def foremost(self, alert: Alert) -> str:
        """'The oldest: #1001 (Nov 19, 14:03), #1004 (Nov 19, 16:20)'; '' of what has no names."""
        named = ", ".join(f"{name} ({self.wording.day_and_time(since_ms)})" for name, since_ms in alert.things)
        return self.wording.say("The oldest: %(orders)s", orders=named) if named else ""


def _length_ms(rule: Rule) -> int:
    match rule.condition:
        case Late(older_ms=length_ms) | Burst(within_ms=length_ms):
            return length_ms
    return 0


def _far(rule: Rule, value: float, limit: float) -> str:
    match rule.condition:
        case Quiet():
            return N_("silent for %(value)s, at most %(limit)s is usual")
        case Missing():
            return N_("%(value)s were expected, none came")
        case Milestone():
            return N_("%(limit)s reached")
        case Unusual():
            return N_("%(value)s, usually at most %(limit)s") if value > limit else N_(
                "%(value)s, usually at least %(limit)s")
        case RunsOut():
            return N_("lasts %(value)s days, %(limit)s are needed")
        case Pace():
            return N_("%(value)s an hour, %(limit)s are needed")
        case Late():
            return N_("%(value)s for longer than %(length)s")
        case Burst():
            return N_("%(value)s within %(length)s")
        case Outlier(limit=None):
            return N_("%(value)s, usually at most %(limit)s")
        case Limit() | Outlier():
            if value == limit:
                return N_("%(value)s, limit %(limit)s")
            return N_("%(value)s, over %(limit)s") if value > limit else N_("%(value)s, below %(limit)s")

"""The form of a rule: its fields by kind, what was typed, read as a rule or with what is wrong with each field."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from opsmon.core.alerting.built_in import BEHIND, EVERY_SOURCE, LOGINS, TELLING
from opsmon.core.alerting.own_rules import can_be_counted, wrong_about
from opsmon.core.alerting.records import dump_rule, parse_rule
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
from opsmon.core.alerting.worktime import read_time, read_week
from opsmon.core.catalogue import AMOUNTS, Catalogue, Kpi, Unit
from opsmon.core.goods import DAYS_LEFT
from opsmon.core.limits import hint, read_limit
from opsmon.core.money import exponent
from opsmon.web.accounts.forms import InputView, marked
from opsmon.web.alerts.words import SEVERITY_WORDS
from opsmon.web.languages import N_
from opsmon.web.source_words import title as source_title
from opsmon.web.wording import Wording

KINDS: dict[str, tuple[str, str]] = {
    "limit": (N_("Limit"), N_("A number that is above or below a fixed limit.")),
    "unusual": (N_("Unusual"), N_("The last 60 minutes against the same hour of earlier weeks. It needs three weeks.")),
    "missing": (N_("Nothing comes"), N_("Nothing came, though by chance alone something would have.")),
    "quiet": (N_("Silent source"), N_("A source of which nothing was heard for too long.")),
    "late": (N_("Late orders"), N_("Orders that wait for too long, in one alert that names the oldest.")),
    "pace": (N_("Too slow"), N_("What is done in an hour, against what has to be until the cutoff.")),
    "runs-out": (N_("Runs out"),
                 N_("Stock that, at the pace it sells, lasts for fewer days than it takes to get more.")),
    "outlier": (N_("Large order"), N_("An order of an amount far beyond what is usual, or beyond a limit.")),
    "burst": (N_("Burst"), N_("So many within a few minutes, like failed payments or logins.")),
    "milestone": (N_("Milestone"), N_("Each time a number reaches another so many. Said on walls alone.")),
}
_MOST_ID = 40
# Where the form of a new one is: no rule is called so.
NEW = "new"
_SIDES = {"above": N_("above"), "below": N_("below")}
_DIRECTIONS = {"low": N_("too low"), "high": N_("too high"), "both": N_("either")}
_SENSITIVITIES = {"low": N_("seldom, and surely"), "normal": N_("as usual"), "high": N_("early, and sometimes wrongly")}
# What a kind watches as a rule.
_BEGUN = {"late": "active-orders", "pace": "completed-1h", "burst": "payment-failures"}
_NO_LENGTH = N_("A length of time with its unit is needed, like 90 s, 15 min or 2 h.")
_NO_LIMIT = N_("This is not %(example)s.")


@dataclass(frozen=True, slots=True)
class RuleForms:
    """Makes and reads the forms of one site."""

    catalogue: Catalogue
    sources: Collection[str]
    currency: str | None
    wording: Wording

    def typed(self, rule: Rule) -> dict[str, str]:
        """A rule as it would be typed."""
        found = {"title": rule.title, "about": rule.about, "severity": rule.severity, "owner": rule.owner,
                 "action": rule.action, "rows": "on" if rule.by_row else "",
                 "only": ", ".join(f"{name}={value}" for name, value in rule.only),
                 "for": _length(rule.for_ms), "keep": _length(rule.keep_ms),
                 "risk": self._amount(rule.per_hour_minor, "money"), "kind": rule.condition.kind}
        return found | self._condition_typed(rule)

    def fields(self, kind: str, typed: Mapping[str, str], wrong: Mapping[str, str]) -> tuple[InputView, ...]:
        """The fields of a kind, with what was typed and what is wrong with it."""
        say = self.wording.say
        first = (InputView("title", say("Name"), hint=say("As it is called when it fires, like Payments fail.")),
                 InputView("about", say("What it watches"), "select", choices=self._watched(kind)))
        last = (
            InputView("severity", say("How bad"), "select", width="half", choices=self._said(SEVERITY_WORDS)),
            InputView("owner", say("Owner"), required=False, width="half"),
            InputView("for", say("Fires after"), required=False, width="half",
                      hint=say("How long it has to last, like 5 min. Empty: 10 min.") if kind == "pace" else
                      say("How long it has to last, like 5 min. Empty: as usual for how bad it is.")),
            InputView("keep", say("Over after"), required=False, width="half",
                      hint=say("How long it has to be well again, like 10 min.")),
            InputView("action", say("What to do"), required=False),
            InputView("risk", say("Money at risk per hour"), required=False, width="half"),
            *self._narrowing(kind))
        begun = {"severity": "medium", **typed, "about": typed.get("about") or _BEGUN.get(kind, "")}
        return marked((*first, *self._of_kind(kind), *last), begun, wrong)

    def read(self, rule_id: str, typed: Mapping[str, str]) -> tuple[Rule | None, dict[str, str]]:
        """The rule that was typed, or by field what is wrong. Money is read in the site's currency."""
        wrong: dict[str, str] = {}
        unit = self._unit(typed)
        told: dict[str, Any] = {
            "id": rule_id, **{name: typed.get(name, "") for name in ("title", "about", "severity", "owner", "action")},
            "by_row": typed.get("rows-each") == "on" or typed.get("rows") == "on", "only": _only(typed, wrong, self),
            "for_ms": self._number(typed, "for", "ms", wrong), "keep_ms": self._number(typed, "keep", "ms", wrong),
            "per_hour_minor": self._number(typed, "risk", "money", wrong),
            "condition": self._condition(typed, unit, wrong)}
        whole = {name: int(value) if isinstance(value, float) else value for name, value in told.items()}
        rule, found = parse_rule(whole)
        for one in found:
            wrong.setdefault(one.field, self.wording.say(one.sentence))
        if rule is not None:
            wrong |= {{"by_row": "rows"}.get(field, field): self.wording.say(text)
                      for field, text in wrong_about(rule, self.catalogue, self.sources)}
        return (None, wrong) if wrong else (rule, {})

    def differences(self, mine: Mapping[str, str], theirs: Mapping[str, str], kind: str) -> list[tuple[str, str, str]]:
        """(label, typed here, what it is now) of what two people have otherwise."""
        return [(one.label, mine.get(one.name, ""), theirs.get(one.name, "")) for one in self.fields(kind, {}, {})
                if mine.get(one.name, "") != theirs.get(one.name, "")]

    def _condition(self, typed: Mapping[str, str], unit: Unit, wrong: dict[str, str]) -> dict[str, Any]:
        kind = typed.get("kind", "")
        match kind:
            case "limit":
                limit = self._number(typed, "limit", unit, wrong, is_needed=True)
                clear, least = self._number(typed, "clear", unit, wrong), self._number(typed, "least", "count", wrong)
                return {"kind": kind, "limit": limit or 0.0, "clear": clear,
                        "is_lowest": typed.get("side") == "below", "least": int(least if least is not None else 1)}
            case "quiet":
                return {"kind": kind, "after_ms": int(self._number(typed, "after", "ms", wrong) or 0)}
            case "missing":
                per_week = self._number(typed, "false_per_week", "count", wrong)
                return {"kind": kind, "false_per_week": 0.1 if per_week is None else per_week}
            case "unusual":
                return {"kind": kind, "direction": typed.get("direction", "low"),
                        "sensitivity": typed.get("sensitivity", "normal"),
                        "sigmas": self._number(typed, "sigmas", "count", wrong) or 0.0}
            case "milestone":
                every = self._number(typed, "every", unit, wrong, is_needed=True)
                return {"kind": kind, "every": 1.0 if every is None else every}
        return self._of_orders(kind, typed, wrong)

    def _of_orders(self, kind: str, typed: Mapping[str, str], wrong: dict[str, str]) -> dict[str, Any]:
        """The kinds that look at single orders, goods and minutes."""
        match kind:
            case "late":
                older = self._number(typed, "older", "ms", wrong, is_needed=True)
                return {"kind": kind, "older_ms": int(older or 1), "hours": self._written(typed, "hours", wrong)}
            case "pace":
                slack = self._number(typed, "slack", "ms", wrong)
                return {"kind": kind, "hours": self._written(typed, "hours", wrong, is_needed=True),
                        "need": typed.get("need") or "active-orders", "placed_by": self._written(
                            typed, "placed_by", wrong), **({} if slack is None else {"slack_ms": int(slack)})}
            case "runs-out":
                lead = self._number(typed, "lead_days", "count", wrong, is_needed=True)
                return {"kind": kind, "lead_days": lead or 0.0}
            case "outlier":
                return {"kind": kind, "limit": self._number(typed, "limit", "money", wrong),
                        "sensitivity": typed.get("sensitivity", "normal")}
            case "burst":
                count = self._number(typed, "count", "count", wrong, is_needed=True)
                within = self._number(typed, "within", "ms", wrong, is_needed=True)
                return {"kind": kind, "count": count or 0.0, "within_ms": int(within or 1)}
        return {"kind": kind}

    def _written(self, typed: Mapping[str, str], name: str, wrong: dict[str, str], *, is_needed: bool = False) -> str:
        """Hours or a time as they were typed; '' where they are not or are wrong."""
        text = " ".join(typed.get(name, "").lower().split())[:200]
        try:
            if text or is_needed:
                (read_time if name == "placed_by" else read_week)(text)
        except ValueError as error:
            wrong[name] = self.wording.say(error.args[0])
            return ""
        return text

    def _number(self, typed: Mapping[str, str], name: str, unit: Unit, wrong: dict[str, str], *,
                is_needed: bool = False) -> float | None:
        """What was typed in a field, in the KPI's own unit; None where it is empty, or wrong."""
        text = typed.get(name, "").strip()
        if not text and not is_needed:
            return None
        found = read_limit(text, unit)
        if found is None:
            wrong[name] = self.wording.say(_NO_LENGTH) if unit == "ms" else self.wording.say(
                _NO_LIMIT, example=self.wording.say(hint(unit)))
            return None
        return float(found.scaleb(exponent(self.currency)) if unit == "money" and self.currency else found)

    def _unit(self, typed: Mapping[str, str]) -> Unit:
        kpi = self.catalogue.kpi_by_id.get(typed.get("about", ""))
        return "ms" if typed.get("about") == BEHIND else kpi.unit if kpi else "count"

    def _amount(self, value: float | None, unit: Unit) -> str:
        """A value as it is typed: 0.2 as '20 %', 120000 ms as '2 min'."""
        if value is None:
            return ""
        if unit == "share":
            return f"{value * 100:.6g} %"
        if unit == "ms":
            return _length(round(value))
        scale = 10 ** exponent(self.currency) if unit == "money" and self.currency else 1
        return f"{value / scale:.12g}"

    def _condition_typed(self, rule: Rule) -> dict[str, str]:
        unit = self._unit({"about": rule.about})
        match rule.condition:
            case Limit() as limit:
                return {"limit": self._amount(limit.limit, unit), "clear": self._amount(limit.clear, unit),
                        "least": str(limit.least), "side": "below" if limit.is_lowest else "above"}
            case Quiet() as quiet:
                return {"after": _length(quiet.after_ms or None)}
            case Missing() as missing:
                return {"false_per_week": f"{missing.false_per_week:g}"}
            case Unusual() as unusual:
                return {"direction": unusual.direction, "sensitivity": unusual.sensitivity,
                        "sigmas": f"{unusual.sigmas:g}" if unusual.sigmas else ""}
            case Milestone() as milestone:
                return {"every": self._amount(milestone.every, unit)}
            case Late() as late:
                return {"older": _length(late.older_ms), "hours": late.hours}
            case Pace() as pace:
                return {"hours": pace.hours, "need": pace.need, "slack": _length(pace.slack_ms),
                        "placed_by": pace.placed_by}
            case RunsOut() as runs_out:
                return {"lead_days": f"{runs_out.lead_days:.12g}"}
            case Outlier() as outlier:
                return {"limit": self._amount(outlier.limit, "money"), "sensitivity": outlier.sensitivity}
            case Burst() as burst:
                return {"count": str(burst.count), "within": _length(burst.within_ms)}

    def _of_kind(self, kind: str) -> tuple[InputView, ...]:
        say = self.wording.say
        match kind:
            case "limit":
                return (InputView("side", say("Fires when it is"), "select", choices=self._said(_SIDES), width="half"),
                        InputView("limit", say("Limit"), width="half",
                                  hint=say("In the number's own unit: 40, 49.90, 5 %, 15 min.")),
                        InputView("clear", say("Over at"), required=False, width="half",
                                  hint=say("Empty: a tenth on the good side of the limit.")),
                        InputView("least", say("At least so many counted"), required=False, width="half",
                                  hint=say("Of fewer a share or a mean says nothing.")))
            case "quiet":
                return (InputView("after", say("Silent for"), required=False, width="half",
                                  hint=say("Like 30 min. Empty: longer than is usual at this hour.")),)
            case "missing":
                return (InputView("false_per_week", say("False alerts a week"), required=False, width="half",
                                  hint=say("How many are put up with: 0.1 is one in ten weeks.")),)
            case "unusual":
                return (InputView("direction", say("Which way"), "select", choices=self._said(_DIRECTIONS),
                                  width="half"),
                        InputView("sensitivity", say("How soon"), "select", choices=self._said(_SENSITIVITIES),
                                  width="half"),
                        InputView("sigmas", say("Or mean and so many deviations"), required=False,
                                  hint=say("The plain rule, like 2: it warns some five times a week of nothing.")))
            case "milestone":
                return (InputView("every", say("Every"), width="half"),)
        return self._fields_of_orders(kind)

    def _fields_of_orders(self, kind: str) -> tuple[InputView, ...]:
        say = self.wording.say
        example = say("Like mon-fri 08:00-16:30, sat 09:00-12:00, in the site's zone.")
        match kind:
            case "late":
                return (InputView("older", say("Longer than"), width="half", hint=say("Like 24 h or 90 min.")),
                        InputView("hours", say("Of the hours"), required=False, width="half",
                                  hint=" ".join((example, say("Holidays are left out. Empty: every hour counts.")))))
            case "pace":
                needs = tuple((kpi.id, say(kpi.label)) for kpi in self.catalogue.kpis if self._is_left(kpi))
                return (InputView("hours", say("Hours, until the cutoff"), hint=example),
                        InputView("need", say("What is left to do"), "select", choices=needs, value="active-orders"),
                        InputView("slack", say("To spare"), required=False, width="half",
                                  hint=say("Like 30 min. It fires when less is left.")),
                        InputView("placed_by", say("Ordered until"), required=False, width="half",
                                  hint=say("Like 14:00: what is ordered later may wait. Empty: nothing may.")))
            case "runs-out":
                return (InputView("lead_days", say("Days until there is more"), width="half",
                                  hint=say("Fires for each SKU that lasts for fewer.")),)
            case "outlier":
                return (InputView("limit", say("Limit"), required=False, width="half",
                                  hint=say("An amount, like 2000. Empty: far beyond what is usual.")),
                        InputView("sensitivity", say("How soon"), "select", choices=self._said(_SENSITIVITIES),
                                  width="half"))
            case "burst":
                return (InputView("count", say("So many"), width="half"),
                        InputView("within", say("Within"), width="half", hint=say("Like 5 min.")))
        return ()

    def _is_left(self, kpi: Kpi) -> bool:
        """Whether a number says how much is to be done."""
        return kpi.window.kind == "now" and kpi.unit in ("orders", "count", "pieces") and kpi.show == ""

    def _narrowing(self, kind: str) -> tuple[InputView, ...]:
        say = self.wording.say
        if kind in ("quiet", "pace", "outlier"):
            return ()
        only = InputView("only", say("Only"), required=False, width="half",
                         hint=say("Like stage=packing. Empty: all.") if kind == "late" else
                         say("Like channel=web. Empty: all."))
        if kind not in ("limit", "late"):
            return (only,)
        return (only, InputView("rows", say("Rows"), "checks", choices=(("each", say("An alert for each row")),)))

    def _watched(self, kind: str) -> tuple[tuple[str, str], ...]:
        say = self.wording.say
        if kind == "quiet":
            return ((EVERY_SOURCE, say("Every source")),
                    *((f"source:{name}", source_title(name, self.wording)) for name in self.sources))
        kpis = tuple((kpi.id, say(kpi.label)) for kpi in self.catalogue.kpis if self._can_watch(kind, kpi))
        own = {"limit": ((BEHIND, say("How far opsmon is behind")), (TELLING, say("Receivers that cannot be told"))),
               "burst": ((LOGINS, say("Failed logins to opsmon")),)}
        return *kpis, *own.get(kind, ())

    def _can_watch(self, kind: str, kpi: Kpi) -> bool:
        rollup = self.catalogue.rollup(kpi.rollup)
        match kind:
            case "late":
                return rollup.measure == "open" and (kpi.show == "" and kpi.older_ms == 0)
            case "runs-out":
                return kpi.show == DAYS_LEFT
            case "outlier":
                return rollup.id == AMOUNTS
            case "burst" | "pace":
                return can_be_counted(rollup)
        return True

    def _said(self, found: Mapping[Any, str]) -> tuple[tuple[str, str], ...]:
        return tuple((str(name), self.wording.say(text)) for name, text in found.items())


def new_id(title: str, taken: Collection[str]) -> str:
    """An id for a rule of this name that no other has."""
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:_MOST_ID - 4] or "rule"
    plain = plain if plain[0].isalpha() else f"rule-{plain}"
    return next(name for at in range(1, 10_000) if (name := plain if at == 1 else f"{plain}-{at}") not in (*taken, NEW))


def told_of(rule: Rule | None) -> dict[str, Any]:
    """A rule as the audit tells of it."""
    if rule is None:
        return {}
    told = dump_rule(rule)
    return {name: value for name, value in told.items() if value not in (None, "", {}, False)}


def _only(typed: Mapping[str, str], wrong: dict[str, str], forms: RuleForms) -> dict[str, str]:
    text = typed.get("only", "").strip()
    pairs = [part.partition("=") for part in text.split(",")] if text else []
    if any(not name.strip() or not value.strip() for name, _, value in pairs):
        wrong["only"] = forms.wording.say("Write it like channel=web, several with commas between.")
        return {}
    return {name.strip(): value.strip() for name, _, value in pairs}


def _length(length_ms: int | None) -> str:
    if length_ms is None:
        return ""
    for unit, size_ms in (("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if length_ms and length_ms % size_ms == 0:
            return f"{length_ms // size_ms} {unit}"
    return f"{length_ms} ms" if length_ms else "0 s"



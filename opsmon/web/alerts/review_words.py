"""A review of rules in words: how many fired, what is wrong with some, how often people were interrupted."""

from collections.abc import Iterable, Mapping
from typing import Any

from opsmon.core.alerting.quality import Flag, Quality, Review
from opsmon.web.languages import N_
from opsmon.web.wording import Wording

FLAGS: dict[Flag, str] = {
    "idle": N_("It never led to action in 30 days."),
    "brief": N_("More than half ended by themselves within 2 minutes."),
    "often": N_("It fires more than 3 times a day."),
}


def review_text(found: Review, wording: Wording) -> str:
    """'108 alerts fired in the last 30 days. 3 rules want a look.'"""
    if found.is_empty:
        return wording.say("No rule fired in the last 30 days.")
    fired = wording.many("%(num)s alert fired in the last 30 days.", "%(num)s alerts fired in the last 30 days.",
                         sum(one.fired for one in found.rules))
    wrong = sum(bool(one.flags) for one in found.rules)
    looks = wording.many("%(num)s rule wants a look.", "%(num)s rules want a look.", wrong) if wrong else (
        wording.say("No rule wants a look."))
    return f"{fired} {looks}"


def budget_text(found: Review, wording: Wording) -> str:
    """'In 2 of 91 shifts people were interrupted too often.'"""
    if not found.beyond:
        return wording.say("In no shift people were interrupted too often.")
    return wording.many("In %(num)s of %(all)s shifts people were interrupted too often.",
                        "In %(num)s of %(all)s shifts people were interrupted too often.", len(found.beyond),
                        all=wording.number(len(found.shifts)))


def share(some: int, whole: int, wording: Wording) -> str:
    """'40%', a dash of nothing."""
    return wording.share(some / whole) if whole else "–"


def rule_text(one: Quality, title: str, wording: Wording) -> str:
    """A rule that wants a look, in one line."""
    said = wording.many("%(title)s: fired %(num)s time, acted on %(share)s.",
                        "%(title)s: fired %(num)s times, acted on %(share)s.", one.fired, title=title,
                        share=share(one.acted, one.over, wording))
    return " ".join([said, *(wording.say(FLAGS[flag]) for flag in one.flags)])


def review_data(rules: Iterable[Quality], titles: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Rules as programs read them."""
    return [{"rule": one.rule, "title": titles[one.rule], "fired": one.fired, "incidents": one.incidents,
             "acknowledged": one.acknowledged, "over": one.over, "acted": one.acted, "brief": one.brief,
             "flags": list(one.flags)} for one in rules]

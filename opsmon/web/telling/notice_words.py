"""What a notice says: state, thing, how far, since when, what to do, and where to answer. One message for each bundle.

Everything here goes into subjects and plain text of mail, chats and text messages: what came from outside (names of
rows, what people typed) is put into one line first (threat: header and mark-up injection, CWE-93; HARDENING T16).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsmon.core.alerting.built_in import BEHIND
from opsmon.core.alerting.digests import Digest
from opsmon.core.alerting.life import Alert
from opsmon.core.alerting.messages import Bundle, Item, Message
from opsmon.core.alerting.quality import Review
from opsmon.core.alerting.rules import Quiet, Rule
from opsmon.core.catalogue import Catalogue
from opsmon.store.alerts.links import LIFE_MS, Link, link_token
from opsmon.web.alerts.far import ALIKE, FarWords
from opsmon.web.alerts.review_words import budget_text, review_data, review_text, rule_text
from opsmon.web.languages import N_, NN_
from opsmon.web.wording import Wording

SEVERITY = {"critical": N_("Critical"), "high": N_("High"), "medium": N_("Medium"), "low": N_("Low")}
MOST_SUBJECT, MOST_LISTED = 120, 20
_FIRED, _STILL, _OVER = N_("%(severity)s: %(what)s"), N_("Still %(severity)s: %(what)s"), N_("Over: %(what)s")
_FAR = N_("%(value)s, limit %(limit)s")
_MORE = NN_("%(what)s (%(num)s alert)", "%(what)s (%(num)s alerts)")
_DIGEST = {"daily": N_("opsmon: the day until %(time)s"), "weekly": N_("opsmon: the week until %(time)s")}
_REVIEW = N_("opsmon: are the alerts worth it? A review of 30 days")
_TEST = N_("Test from opsmon")
_TEST_TEXT = N_("This is a test: alerts for %(receiver)s arrive here.")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """Puts bundles into words. `base_url` is where links lead, '' where nobody knows; `secret` signs them."""

    wording: Wording
    catalogue: Catalogue
    currency: str
    base_url: str
    secret: bytes

    def message(self, bundle: Bundle, now_ms: int) -> Message:
        """What a bundle says, now."""
        if bundle.word == "test":
            text = self.wording.say(_TEST_TEXT, receiver=plain(bundle.receiver))
            return Message(bundle.key, self.wording.say(_TEST), text, {"word": "test"})
        if bundle.data is not None:
            return self._review(bundle, bundle.data["review"], bundle.data["titles"]) if bundle.word == "monthly" else (
                self._digest(bundle, bundle.data["digest"]))
        return self._alerts(bundle, now_ms)

    def what(self, alert: Alert, rule: Rule) -> str:
        """'Payments fail', or with what it is about: 'Orders are past their time: DHL'."""
        named = ", ".join(plain(value) for _, value in alert.labels)
        title = plain(self.wording.say(rule.title))
        return f"{title}: {named}" if named else title

    def far(self, alert: Alert, rule: Rule) -> str:
        """'34%, limit 20%'; '' without a number."""
        if alert.value is None:
            return ""
        if alert.limit is None:
            return self.value(rule, alert.value)
        if isinstance(rule.condition, ALIKE):
            words = FarWords(self.wording, self.catalogue, self.currency)
            return plain(self.wording.sentences(words.far(rule, alert.value, alert.limit), words.foremost(alert)))
        return self.wording.say(_FAR, value=self.value(rule, alert.value), limit=self.value(rule, alert.limit))

    def value(self, rule: Rule, value: float) -> str:
        """A number in the unit of what a rule watches."""
        if isinstance(rule.condition, ALIKE):
            return FarWords(self.wording, self.catalogue, self.currency).number(rule, value)
        kpi = self.catalogue.kpi_by_id.get(rule.about)
        unit = "ms" if rule.about == BEHIND or isinstance(rule.condition, Quiet) else kpi.unit if kpi else "count"
        if unit == "money" and self.currency:
            return self.wording.money(value, self.currency)
        if unit == "share":
            return self.wording.fine_share(value)
        return self.wording.seconds(value) if unit == "ms" else self.wording.number(round(value, 1))

    def link(self, alert: Alert, receiver: str, now_ms: int) -> str:
        """Where this one alert is answered, for a day; '' where nobody knows the address of this opsmon."""
        token = link_token(self.secret, Link(alert.id, receiver, now_ms + LIFE_MS))
        return f"{self.base_url}/a/{token}" if self.base_url else ""

    def _alerts(self, bundle: Bundle, now_ms: int) -> Message:
        first, say = bundle.items[0], self.wording.say
        severity = say(SEVERITY[bundle.severity])
        what = self.what(first.alert, first.rule)
        if len(bundle.items) > 1:
            what = self.wording.many(*_MORE, len(bundle.items), what=plain(say(first.rule.title)))
        pattern = {"fired": _FIRED, "repeat": _STILL}.get(bundle.word, _OVER)
        subject = say(pattern, severity=severity, what=what)
        texts = [self._one(item, bundle, now_ms) for item in bundle.items[:MOST_LISTED]]
        left = len(bundle.items) - MOST_LISTED
        texts += [say("and %(num)s more", num=self.wording.number(left))] if left > 0 else []
        data = {"word": bundle.word, "severity": bundle.severity,
                "alerts": [self._data(item, bundle, now_ms) for item in bundle.items]}
        return Message(bundle.key, shortened(subject), "\n\n".join(texts), data)

    def _one(self, item: Item, bundle: Bundle, now_ms: int) -> str:
        """One alert in a few lines."""
        say, alert, rule = self.wording.say, item.alert, item.rule
        what, far = self.what(alert, rule), self.far(alert, rule)
        lines = [self.wording.sentences(what, far)]
        lasts = self.wording.age(max((alert.ended_ms if bundle.word == "resolved" else now_ms) - alert.began_ms, 0))
        if bundle.word == "resolved":
            lines.append(say("It lasted %(duration)s.", duration=lasts))
            lines += [say("At its worst: %(value)s.", value=self.value(rule, alert.peak))
                      ] if alert.peak is not None else []
            url = self.link(alert, bundle.receiver, now_ms)
            return "\n".join([*lines, *([say("Was it worth it? Say so: %(url)s", url=url)] if url else [])])
        since = self.wording.time(alert.began_ms)
        lines.append(say("Since %(time)s, for %(duration)s.", time=since, duration=lasts) if bundle.word == "repeat"
                     else say("Since %(time)s.", time=since))
        lines += [say("To do: %(action)s", action=plain(say(rule.action)))] if rule.action else []
        url = self.link(alert, bundle.receiver, now_ms)
        return "\n".join([*lines, *([say("See it and answer: %(url)s", url=url)] if url else [])])

    def _data(self, item: Item, bundle: Bundle, now_ms: int) -> Mapping[str, Any]:
        """One alert as programs read it."""
        alert, rule = item.alert, item.rule
        return {"key": item.queued.key, "id": alert.id, "rule": rule.id, "title": rule.title, "state": alert.state,
                "severity": rule.severity, "labels": dict(alert.labels), "value": alert.value, "limit": alert.limit,
                "peak": alert.peak, "began_ms": alert.began_ms, "ended_ms": alert.ended_ms or None,
                "action": rule.action, "url": self.link(alert, bundle.receiver, now_ms)}

    def _digest(self, bundle: Bundle, found: Digest) -> Message:
        """What a day or a week was like."""
        say, many = self.wording.say, self.wording.many
        subject = say(_DIGEST[bundle.word], time=self.wording.day_and_hour(found.until_ms))
        lines = [many("%(num)s alert fired", "%(num)s alerts fired", found.fired) + ", "
                 + many("%(num)s is over", "%(num)s are over", found.resolved) + ", "
                 + many("%(num)s was acknowledged", "%(num)s were acknowledged", found.acknowledged)]
        for text, named in ((N_("Open now: %(alerts)s"), found.is_open),
                            (N_("Came and went while nobody was to be told: %(alerts)s"), found.held)):
            lines += [say(text, alerts=", ".join(plain(say(one)) for one in named))] if named else []
        rang = ", ".join(f"{plain(say(title))} ({self.wording.number(times)})" for title, times in found.noisy)
        lines += [say("Most often: %(alerts)s", alerts=rang)] if rang else []
        data = {"word": bundle.word, "fired": found.fired, "resolved": found.resolved,
                "acknowledged": found.acknowledged, "open": list(found.is_open), "held": list(found.held)}
        return Message(bundle.key, shortened(subject), "\n".join(lines), data)


    def _review(self, bundle: Bundle, found: Review, titles: Mapping[str, str]) -> Message:
        """What to look at once a month: the rules that people no longer believe."""
        said = {name: plain(self.wording.say(title)) for name, title in titles.items()}
        wrong = [one for one in found.rules if one.flags][:MOST_LISTED]
        lines = [review_text(found, self.wording), budget_text(found, self.wording),
                 *(rule_text(one, said[one.rule], self.wording) for one in wrong)]
        if self.base_url:
            lines.append(self.wording.say("See all of it, and better the rules: %(url)s",
                                          url=f"{self.base_url}/alerts/quality"))
        data = {"word": bundle.word, "shifts": len(found.shifts), "shifts_beyond": len(found.beyond),
                "rules": review_data(found.rules, titles)}
        return Message(bundle.key, shortened(self.wording.say(_REVIEW)), "\n".join(lines), data)


def plain(text: str) -> str:
    """A text in one line, without what steers a terminal, a mail or the way lines run."""
    return " ".join(_CONTROL.sub(" ", text).split())


def shortened(subject: str) -> str:
    """A subject that is shown whole where subjects are short."""
    return subject if len(subject) <= MOST_SUBJECT else subject[:MOST_SUBJECT - 1] + "…"

"""Alerts -> what the panel, the band and the live list show."""

from collections.abc import Mapping, Sequence

from opsmon.core.access import EVERYTHING
from opsmon.core.alerting.rules import Rule
from opsmon.core.parts import ALERTS, PARTS
from opsmon.core.slots import Options
from opsmon.store.alerts.alert_queries import AlertBook
from opsmon.store.alerts.alert_store import Stored
from opsmon.web.alerts.acting import SNOOZES
from opsmon.web.alerts.shapes import AlertsView, BandView, ChoicesView, CountView, May, OpenAlertView, OpenView
from opsmon.web.alerts.words import CODES, AlertWords
from opsmon.web.tile_words import definition_words
from opsmon.web.views import SparkView

MOST_ROWS = 6
# A page of more is no page anybody sees to: the worst of them.
MOST_OPEN = 50


def alerts_view(options: Options, book: AlertBook, words: AlertWords, zone: str, now_ms: int) -> AlertsView:
    """The panel: what is open, the worst first; while nothing is, how many rules look after it."""
    wording, found = words.wording, book.open
    rows = tuple(words.row(book, one, now_ms) for one in found[:MOST_ROWS])
    more = len(found) - len(rows)
    label = options.title or wording.say(PARTS[ALERTS].kpi.label)
    return AlertsView(ALERTS, label, "live", "", rows, wording.say("and %(num)s more", num=wording.number(more))
                      if more else "", "" if rows else quiet_words(book, words),
                      definition_words([PARTS[ALERTS].kpi.definition], zone, wording))


def band_view(book: AlertBook, words: AlertWords, now_ms: int) -> BandView:
    """The line above the tiles: the worst of what nobody sees to, else the worst."""
    rows = [words.row(book, one, now_ms) for one in book.open]
    pressing = [row for row in rows if row.standing in ("open", "nobody")]
    worst = next(iter(pressing or rows), None)
    more = len(rows) - 1
    return BandView(worst, words.wording.many("%(num)s more", "%(num)s more", more) if more > 0 else "", len(rows),
                    any(row.level in ("critical", "high") for row in pressing),
                    tuple(words.mute(book, one, now_ms) for one in book.running(now_ms)))


def count_view(book: AlertBook, words: AlertWords) -> CountView:
    """How many are open, beside the way to them."""
    count = len(book.open)
    text = words.wording.many("Alerts: %(num)s open", "Alerts: %(num)s open", count) if count else ""
    return CountView(text, is_any=count > 0)


def open_view(book: AlertBook, words: AlertWords, sparks: Mapping[str, SparkView], now_ms: int,
              people: Sequence[str] = ()) -> OpenView:
    """The live list, for readers who see as much as these words do; managers may give one to any of the `people`."""
    found, wording = book.open, words.wording
    rows = tuple(_whole(book, one, words, sparks.get(one.alert.fingerprint), now_ms) for one in found[:MOST_OPEN])
    text = wording.many("%(num)s alert is open", "%(num)s alerts are open", len(found)) if found else (
        quiet_words(book, words))
    return OpenView(rows, text, "", tuple(words.mute(book, one, now_ms) for one in book.running(now_ms)),
                    "live" if rows else "empty", choices_of(people, words) if _may(words) == "act" else None)


def choices_of(people: Sequence[str], words: AlertWords) -> ChoicesView:
    """What managers choose from when they say what becomes of an alert."""
    wording = words.wording
    return ChoicesView(tuple(people), tuple((code, wording.say(text)) for code, text in CODES.items()),
                       tuple((name, wording.duration(wait_ms)) for name, wait_ms in SNOOZES.items()))


def quiet_words(book: AlertBook, words: AlertWords) -> str:
    """That nothing is wrong, as far as how many rules tell."""
    on = [rule for rule in book.rules.values() if rule.is_on]
    learning = {one.alert.rule for one in book.alerts if one.alert.state == "learning"} & {rule.id for rule in on}
    text = words.wording.many("Nothing is wrong: %(num)s rule looks.", "Nothing is wrong: %(num)s rules look.", len(on))
    if not learning:
        return text
    still = words.wording.many("%(num)s still learns what is usual.", "%(num)s still learn what is usual.",
                               len(learning))
    return f"{text} {still}"


def _whole(book: AlertBook, stored: Stored, words: AlertWords, spark: SparkView | None, now_ms: int) -> OpenAlertView:
    alert, rule, wording = stored.alert, book.rules[stored.alert.rule], words.wording
    first, peak = words.number(rule, alert.at_first), words.number(rule, alert.peak)
    is_further = bool(first and peak and first != peak)
    then = wording.say("at first %(first)s, furthest %(peak)s", first=first, peak=peak) if is_further else ""
    return OpenAlertView(
        words.whole_row(book, stored, now_ms), then, wording.age(max(now_ms - alert.began_ms, 0)),
        action_of(rule, words), rule.owner, risk_of(rule, words), spark, _may(words))


def action_of(rule: Rule, words: AlertWords) -> str:
    """What to do."""
    return words.wording.say(rule.action) if rule.is_built_in else rule.action


def risk_of(rule: Rule, words: AlertWords) -> str:
    """Money at risk per hour, for who may see money."""
    if rule.per_hour_minor is None or words.currency is None or "money" not in words.sees:
        return ""
    return words.wording.whole_money(rule.per_hour_minor, words.currency)


def _may(words: AlertWords) -> May:
    """What who sees this much may do: people of the floor see names, managers see all."""
    return "act" if words.sees == EVERYTHING else "answer" if "names" in words.sees else "read"

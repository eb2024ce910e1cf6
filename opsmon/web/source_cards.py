"""Facts of sources -> the views that the page of the sources shows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from opsmon.core.source_health import Poll, SourceFacts, SourceState, judge_source
from opsmon.web.source_words import CAUSES, STOPPED, WORDS, state_word, title
from opsmon.web.views import PollView, RefusalView, SourceCardView, SourcesView, StepView, TrialView
from opsmon.web.wording import Wording

_SECOND_MS = 1_000
_OPTIONAL = "Nothing has come by this door. It is there for programs of your own."
_WAY_OUTSIDE = "It takes the way from outside, and no number counts it."
_WAY_HERE = "It goes no further than this machine, and no number counts it."


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before it says anything: kind, address, set-up; `hint` what its address lacks."""

    name: str
    kind: str = ""
    url: str = ""
    hint: str = ""
    steps: tuple[StepView, ...] = ()
    testable: bool = False
    is_patient: bool = True


def card(info: SourceInfo, facts: SourceFacts | None, wording: Wording, now_ms: int) -> SourceCardView:
    """One card; `facts` None: a door that nothing ever came by."""
    if facts is None:
        return _unknown(info)
    state, totals, refusals = judge_source(facts, now_ms), facts.totals, facts.refusals
    last_ms, gap_ms, dead = facts.heard.last_ms, facts.heard.usual_gap_ms, totals.get("dead", 0)
    return SourceCardView(
        name=info.name, title=title(info.name), kind=title(info.kind) if info.kind not in ("", info.name) else "",
        known=True, state=state, word=state_word(state, facts.heard, wording),
        sentence=_sentence(state, facts, wording) if info.kind or state != "never" else _OPTIONAL,
        last_ms=last_ms, last="" if last_ms is None else wording.day_and_hour(last_ms),
        in_5_minutes=wording.number(facts.in_5_minutes), in_an_hour=wording.number(facts.in_an_hour),
        lag=lag_words(facts.lag_ms, wording),
        usual="" if gap_ms is None else wording.duration(gap_ms),
        counts=tuple(_counts(info, facts, wording)) if any(totals.values()) else (),
        dead=wording.number(dead) if dead else "",
        refusals=tuple(RefusalView(reason, wording.number(count), CAUSES.get(reason, ""))
                       for reason, count in refusals.items()),
        refused=wording.number(sum(refusals.values())),
        poll=_poll(facts.poll, wording),
        spool="" if info.is_patient or facts.spooled is None else spool_words(facts.spooled, wording),
        url="" if any(info.url in text for text in _texts(info.steps)) else info.url,
        hint=info.hint, steps=info.steps, is_open=state == "never" and bool(info.kind),
        way="" if not info.testable else _WAY_HERE if info.hint else _WAY_OUTSIDE,
        trial=TrialView(facts.trial.went_well, facts.trial.at_ms, facts.trial.text) if facts.trial else None,
    )


def whole(cards: Sequence[SourceCardView], at_odds: Sequence[str] = ()) -> SourcesView:
    """All sources in one sentence, what needs a hand is named; then what the site counts otherwise than a shop."""
    view = _of_all(cards)
    return replace(view, text=". ".join([view.text, *at_odds])) if at_odds else view


def _of_all(cards: Sequence[SourceCardView]) -> SourcesView:
    known = [one for one in cards if one.known]
    if not known:
        return SourcesView("late", "No source is set up")
    ill = [one for one in known if one.state in ("refusing", "stopped", "silent")]
    new = [one for one in known if one.state == "never"]
    if ill:
        named = "; ".join(f"{one.title}: {one.word[0].lower()}{one.word[1:]}" for one in ill)
        return SourcesView("stopped" if any(one.state != "silent" for one in ill) else "late", named)
    if len(new) == len(known):
        return SourcesView("late", "Nothing has come yet")
    heard = len(known) - len(new)
    few = "The source that was heard is" if heard == 1 else f"All {heard} sources that were heard are"
    return SourcesView("ok", f"{few} well")


def _texts(steps: Sequence[StepView]) -> list[str]:
    return [part.text for step in steps for part in step.parts]


def _unknown(info: SourceInfo) -> SourceCardView:
    return SourceCardView(
        name=info.name, title=title(info.name), kind="", known=False, state="never", word=WORDS["never"],
        sentence="", last_ms=None, last="", in_5_minutes="0", in_an_hour="0", lag="–", usual="", counts=(), dead="",
        refusals=(), refused="0", poll=None, spool="", url=info.url, hint="", steps=(), is_open=False, way="",
        trial=None)


def _sentence(state: SourceState, facts: SourceFacts, wording: Wording) -> str:
    row = facts.row
    if state == "refusing" and row is not None:
        many = f"The last {wording.number(row.count)} deliveries were all"
        them = "The last delivery was" if row.count == 1 else many
        return f"{them} refused."
    if state == "silent" and facts.heard.usual_gap_ms is not None:
        usual = wording.duration(facts.heard.usual_gap_ms)
        return f"At this hour something usually comes within {usual}. Is it still connected?"
    if state == "never":
        return "Nothing has come yet. Follow the steps below, then send a test event."
    return STOPPED if state == "stopped" else ""


def _counts(info: SourceInfo, facts: SourceFacts, wording: Wording) -> list[tuple[str, str]]:
    totals = Counter(facts.totals)
    usual = [("Accepted", "accepted"), ("Duplicates", "duplicate"), ("Not used", "not_used")]
    odd = [("Out of order", "out-of-order"), ("Late by over 1 h", "late"), ("Dated in the future", "future"),
           ("Too old to count", "too-old"), ("Gaps filled", "reconciled"), ("Pings and handshakes", "answered")]
    totals["answered"] = sum(totals[name] for name in ("ping", "handshake", "empty"))
    # Of a vendor it is good to know that there are none; a file is late by nature.
    kept = ("out-of-order", "late") if info.kind else ()
    return [(label, wording.number(totals[name])) for label, name in usual] + [
        (label, wording.number(totals[name])) for label, name in odd
        if name in kept or (totals[name] and info.name != "import")]


def _poll(poll: Poll | None, wording: Wording) -> PollView | None:
    if poll is None:
        return None
    return PollView(poll.last_ms, poll.next_ms, poll_words(poll, wording), poll.error)


def poll_words(poll: Poll, wording: Wording) -> str:
    """What asking brought: '12 found, 1 of them new'."""
    return f"{wording.number(poll.found)} found, {wording.number(poll.new)} of them new"


def spool_words(waiting: int, wording: Wording) -> str:
    """What waits on disks: '3 wait on this machine's disk for the store'."""
    return f"{wording.number(waiting)} wait on this machine's disk for the store" if waiting else "Empty"


def lag_words(lag_ms: int | None, wording: Wording) -> str:
    """How long deliveries were on their way; a dash where none came."""
    if lag_ms is None:
        return "–"
    return wording.milliseconds(lag_ms) if lag_ms < _SECOND_MS else wording.duration(lag_ms)

"""Facts of sources -> the views that the page of the sources shows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from opsmon.core.source_health import Poll, SourceFacts, SourceState, judge_source
from opsmon.web.languages import N_
from opsmon.web.source_words import STOPPED, WORDS, cause, state_word, title
from opsmon.web.views import PollView, RefusalView, SourceCardView, SourcesView, StepView, TrialView
from opsmon.web.wording import Wording

_SECOND_MS = 1_000
_OPTIONAL = N_("Nothing has come by this door. It is there for programs of your own.")
_WAY_OUTSIDE = N_("It takes the way from outside, and no number counts it.")
_WAY_HERE = N_("It goes no further than this machine, and no number counts it.")
_USUAL = ((N_("Accepted"), "accepted"), (N_("Duplicates"), "duplicate"), (N_("Not used"), "not_used"))
_ODD = ((N_("Out of order"), "out-of-order"), (N_("Late by over 1 h"), "late"), (N_("Dated in the future"), "future"),
        (N_("Too old to count"), "too-old"), (N_("Gaps filled"), "reconciled"),
        (N_("Pings and handshakes"), "answered"))


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
        return _unknown(info, wording)
    state, totals, refusals = judge_source(facts, now_ms), facts.totals, facts.refusals
    last_ms, gap_ms, dead = facts.heard.last_ms, facts.heard.usual_gap_ms, totals.get("dead", 0)
    return SourceCardView(
        name=info.name, title=title(info.name, wording),
        kind=title(info.kind, wording) if info.kind not in ("", info.name) else "",
        known=True, state=state, word=state_word(state, facts.heard, wording),
        sentence=_sentence(state, facts, wording) if info.kind or state != "never" else wording.say(_OPTIONAL),
        last_ms=last_ms, last="" if last_ms is None else wording.day_and_hour(last_ms),
        in_5_minutes=wording.number(facts.in_5_minutes), in_an_hour=wording.number(facts.in_an_hour),
        lag=lag_words(facts.lag_ms, wording),
        usual="" if gap_ms is None else wording.duration(gap_ms),
        counts=tuple(_counts(info, facts, wording)) if any(totals.values()) else (),
        dead=wording.number(dead) if dead else "",
        refusals=tuple(RefusalView(reason, wording.number(count), cause(reason, wording))
                       for reason, count in refusals.items()),
        refused=wording.number(sum(refusals.values())),
        poll=_poll(facts.poll, wording),
        spool="" if info.is_patient or facts.spooled is None else spool_words(facts.spooled, wording),
        url="" if any(info.url in text for text in _texts(info.steps)) else info.url,
        hint=info.hint, steps=info.steps, is_open=state == "never" and bool(info.kind),
        way="" if not info.testable else wording.say(_WAY_HERE if info.hint else _WAY_OUTSIDE),
        trial=TrialView(facts.trial.went_well, facts.trial.at_ms, facts.trial.text) if facts.trial else None,
    )


def whole(cards: Sequence[SourceCardView], wording: Wording, at_odds: Sequence[str] = ()) -> SourcesView:
    """All sources in one sentence, what needs a hand is named; then what the site counts otherwise than a shop."""
    view = _of_all(cards, wording)
    return replace(view, text=wording.sentences(view.text, *at_odds)) if at_odds else view


def _of_all(cards: Sequence[SourceCardView], wording: Wording) -> SourcesView:
    known = [one for one in cards if one.known]
    if not known:
        return SourcesView("late", wording.say("No source is set up"))
    ill = [one for one in known if one.state in ("refusing", "stopped", "silent")]
    new = [one for one in known if one.state == "never"]
    if ill:
        named = "; ".join(f"{one.title}: {one.word[0].lower()}{one.word[1:]}" for one in ill)
        return SourcesView("stopped" if any(one.state != "silent" for one in ill) else "late", named)
    if len(new) == len(known):
        return SourcesView("late", wording.say("Nothing has come yet"))
    heard = len(known) - len(new)
    return SourcesView("ok", wording.many("The source that was heard is well",
                                          "All %(num)s sources that were heard are well", heard))


def _texts(steps: Sequence[StepView]) -> list[str]:
    return [part.text for step in steps for part in step.parts]


def _unknown(info: SourceInfo, wording: Wording) -> SourceCardView:
    return SourceCardView(
        name=info.name, title=title(info.name, wording), kind="", known=False, state="never",
        word=wording.say(WORDS["never"]),
        sentence="", last_ms=None, last="", in_5_minutes="0", in_an_hour="0", lag="–", usual="", counts=(), dead="",
        refusals=(), refused="0", poll=None, spool="", url=info.url, hint="", steps=(), is_open=False, way="",
        trial=None)


def _sentence(state: SourceState, facts: SourceFacts, wording: Wording) -> str:
    row = facts.row
    if state == "refusing" and row is not None:
        return wording.many("The last delivery was refused.", "The last %(num)s deliveries were all refused.",
                            row.count)
    if state == "silent" and facts.heard.usual_gap_ms is not None:
        usual = wording.duration(facts.heard.usual_gap_ms)
        return wording.say("At this hour something usually comes within %(length)s. Is it still connected?",
                           length=usual)
    if state == "never":
        return wording.say("Nothing has come yet. Follow the steps below, then send a test event.")
    return wording.say(STOPPED) if state == "stopped" else ""


def _counts(info: SourceInfo, facts: SourceFacts, wording: Wording) -> list[tuple[str, str]]:
    totals = Counter(facts.totals)
    totals["answered"] = sum(totals[name] for name in ("ping", "handshake", "empty"))
    # Of a vendor it is good to know that there are none; a file is late by nature.
    kept = ("out-of-order", "late") if info.kind else ()
    return [(wording.say(label), wording.number(totals[name])) for label, name in _USUAL] + [
        (wording.say(label), wording.number(totals[name])) for label, name in _ODD
        if name in kept or (totals[name] and info.name != "import")]


def _poll(poll: Poll | None, wording: Wording) -> PollView | None:
    if poll is None:
        return None
    return PollView(poll.last_ms, poll.next_ms, poll_words(poll, wording), poll.error)


def poll_words(poll: Poll, wording: Wording) -> str:
    """What asking brought: '12 found, 1 of them new'."""
    return wording.say("%(found)s found, %(new)s of them new", found=wording.number(poll.found),
                       new=wording.number(poll.new))


def spool_words(waiting: int, wording: Wording) -> str:
    """What waits on disks: '3 wait on this machine's disk for the store'."""
    if not waiting:
        return wording.say("Empty")
    return wording.many("%(num)s waits on this machine's disk for the store",
                        "%(num)s wait on this machine's disk for the store", waiting)


def lag_words(lag_ms: int | None, wording: Wording) -> str:
    """How long deliveries were on their way; a dash where none came."""
    if lag_ms is None:
        return "–"
    return wording.milliseconds(lag_ms) if lag_ms < _SECOND_MS else wording.duration(lag_ms)

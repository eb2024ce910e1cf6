"""What the templates of dead letters receive, and how it is worded from what the store tells."""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

import orjson

from opsmon.core.dead_letters import indented, masked
from opsmon.store.dead_letters import MOST_FAILURES
from opsmon.store.dead_queries import STREAM, Group, Letter, Line, Wanted
from opsmon.web.languages import NN_
from opsmon.web.source_words import title
from opsmon.web.views import shown
from opsmon.web.wording import Wording

PATH = "/dead-letters"
# A page shows so much of a payload, and lets so much be corrected in it.
MOST_SHOWN = 64 * 1024
_VERBS = {
    "replayed": NN_("Replayed %(num)s letter", "Replayed %(num)s letters"),
    "edited": NN_("Corrected and replayed %(num)s letter", "Corrected and replayed %(num)s letters"),
    "discarded": NN_("Discarded %(num)s letter", "Discarded %(num)s letters"),
}
_OTHER_VERB = NN_("%(verb)s: %(num)s letter", "%(verb)s: %(num)s letters")


@dataclass(frozen=True, slots=True)
class DeadGroupView:
    """The letters of one source that are held for one reason."""

    source: str = shown("'Shopify'")
    source_key: str = shown("the source as forms name it: 'shopify'")
    reason: str = shown("the sentence they share, details left out")
    reason_id: str = shown("its short name, as forms name it")
    href: str = shown("where its letters are listed")
    letters: str = shown("how many there are: '1,204'")
    noun: str = shown("'letter' or 'letters'")
    size: str = shown("how large they are together: '3.1 MB'")
    oldest: str = shown("when the oldest was put aside: 'Nov 20, 14:03:22'")
    newest: str = shown("when the newest was put aside")


@dataclass(frozen=True, slots=True)
class DeadRowView:
    """One letter in a list."""

    href: str = shown("where it is shown whole")
    at: str = shown("when it was put aside: 'Nov 20, 14:03:22'")
    reason: str = shown("why, with its details")
    size: str = shown("'2 kB'")


@dataclass(frozen=True, slots=True)
class JournalLineView:
    """What somebody did with letters."""

    at: str = shown("when: 'Nov 20, 14:03:22'")
    by: str = shown("who: 'local' until there are accounts")
    text: str = shown("what, with how many, and what came of it")
    about: str = shown("of which source and reason, '' when of several")


@dataclass(frozen=True, slots=True)
class NoticeView:
    """What came of the button that was pressed."""

    tone: Literal["ok", "warn"] = shown("warn: something could not be done")
    text: str = shown("in a sentence")


@dataclass(frozen=True, slots=True)
class DeadView:
    """All that is held."""

    state: Literal["ok", "late", "stopped"] = shown("ok: nothing is held; late: something; stopped: too much")
    text: str = shown("one sentence for the whole")
    stopped: tuple[str, ...] = shown("a sentence for each source that is stopped")
    notice: NoticeView | None = shown("what came of the button that was pressed")
    groups: tuple[DeadGroupView, ...] = shown("by source and reason, the largest first")
    journal: tuple[JournalLineView, ...] = shown("what was done, newest first")


@dataclass(frozen=True, slots=True)
class DeadReasonView:
    """One reason, and the letters that are held for it."""

    group: DeadGroupView | None = shown("None when none is held for it any more")
    notice: NoticeView | None = shown("what came of the button that was pressed")
    error: str = shown("what is wrong with the words given for discarding, else ''")
    rows: tuple[DeadRowView, ...] = shown("the newest letters")
    more: str = shown("'1,104 older ones are not listed', else ''")


@dataclass(frozen=True, slots=True)
class WholeLetterView:
    """One letter, with all that is known of it."""

    href: str = shown("its own address, where its forms go")
    group_href: str = shown("where the letters of the same reason are listed")
    reason: str = shown("why it could not be used, with its details")
    facts: tuple[tuple[str, str, str], ...] = shown("(name, text, '') for the macro facts")
    headers: tuple[tuple[str, str, str], ...] = shown("the headers it is read again by, secrets masked, likewise")
    payload: str = shown("what came: JSON over lines, anything else as it is")
    cut: str = shown("why only a part of it is shown, else ''")
    text: str = shown("what stands in the field for correcting it")
    fixed: str = shown("why it cannot be corrected here, else ''")
    error: str = shown("why it still cannot be used as it is, else ''")
    text_error: str = shown("why its correction cannot be used, else ''")
    because_error: str = shown("what is wrong with the words given for discarding, else ''")


def dead_view(groups: Sequence[Group], lines: Sequence[Line], stopped: Mapping[str, tuple[int, int]],
              notice: NoticeView | None, wording: Wording) -> DeadView:
    """All that is held, in words."""
    held = sum(group.letters for group in groups)
    return DeadView(
        state="stopped" if stopped else "late" if held else "ok",
        text=_held_text(held, len(groups), wording),
        stopped=stopped_sentences(stopped, wording),
        notice=notice,
        groups=tuple(group_view(group, wording) for group in groups),
        journal=tuple(_line_view(line, wording) for line in lines),
    )


def _held_text(held: int, reasons: int, wording: Wording) -> str:
    if not held:
        return wording.say("Nothing is held: all that came could be used")
    if reasons > 1:
        return wording.many("%(num)s dead letter is held, for %(reasons)s reasons",
                            "%(num)s dead letters are held, for %(reasons)s reasons", held,
                            reasons=wording.number(reasons))
    return wording.many("%(num)s dead letter is held", "%(num)s dead letters are held", held)


def stopped_sentences(stopped: Mapping[str, tuple[int, int]], wording: Wording) -> tuple[str, ...]:
    """What is said of each source whose next unusable delivery is not taken."""
    return tuple(
        wording.many("%(source)s is stopped: %(num)s dead letter, %(size)s, has to be looked at. What more it sends "
                     "and cannot be used is answered 503; the rest is taken.",
                     "%(source)s is stopped: %(num)s dead letters, %(size)s, have to be looked at. What more it sends "
                     "and cannot be used is answered 503; the rest is taken.",
                     held, source=source_name(source, wording), size=wording.size(size_bytes))
        for source, (held, size_bytes) in stopped.items())


def group_view(group: Group, wording: Wording) -> DeadGroupView:
    """A reason in words."""
    return DeadGroupView(
        source=source_name(group.source, wording), source_key=group.source,
        reason=group.reason or wording.say("no reason was given"),
        reason_id=group.id, href=address(Wanted(group.source, group.id)), letters=wording.number(group.letters),
        noun=wording.many("letter", "letters", group.letters), size=_size(group.size_bytes, wording),
        oldest=wording.moment(group.oldest_ms), newest=wording.moment(group.newest_ms))


def reason_view(group: Group | None, letters: Sequence[Letter], notice: NoticeView | None, error: str,
                wording: Wording) -> DeadReasonView:
    """A reason and its letters in words."""
    older = group.letters - len(letters) if group else 0
    return DeadReasonView(
        group=group_view(group, wording) if group else None,
        notice=notice, error=error,
        rows=tuple(DeadRowView(f"{PATH}/{one.id}", wording.moment(one.at_ms), one.reason,
                               _size(len(one.payload), wording)) for one in letters),
        more=wording.many("%(num)s older one is not listed.", "%(num)s older ones are not listed.", older
                          ) if older > 0 else "")


def letter_view(letter: Letter, wording: Wording, *, text: str | None = None, error: str = "",
                because_error: str = "") -> WholeLetterView:
    """A letter in words. `error` is why it, or with `text` what it was corrected to, cannot be used."""
    payload, fixed, say = payload_text(letter.payload), _fixed(letter, wording), wording.say
    facts = {say("Source"): source_name(letter.source, wording), say("Put aside"): wording.moment(letter.at_ms),
             say("Tries"): wording.number(letter.tries), say("Size"): _bytes(len(letter.payload), wording),
             "Id": letter.id}
    return WholeLetterView(
        href=f"{PATH}/{letter.id}",
        group_href=address(Wanted(letter.source, group_id_of(letter))),
        reason=letter.reason, facts=_facts(facts), headers=_facts(masked(letter.headers)),
        payload=payload[:MOST_SHOWN],
        cut=say("This is its beginning. All of it: %(command)s", command=f"opsmon dead show {letter.id}"
                ) if len(payload) > MOST_SHOWN else "",
        text="" if fixed else payload if text is None else text,
        fixed=fixed, error=error if text is None else "", text_error="" if text is None else error,
        because_error=because_error)


def payload_text(payload: bytes) -> str:
    """What came, to be looked at: JSON over lines, anything else as it is; bytes that are no text as \\xff."""
    text = payload.decode("utf-8", "backslashreplace")
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError:
        return text
    return indented(text)


def deed_text(line: Line, wording: Wording) -> str:
    """What was done and what came of it, in a sentence."""
    said = wording.many(*_VERBS.get(line.what, _OTHER_VERB), line.settled, verb=line.what)
    if line.duplicates:
        said += ", " + wording.many("%(num)s had been taken before", "%(num)s had been taken before", line.duplicates)
    if line.failed:
        said += "; " + _failed(line, wording)
    if line.because:
        said += ", " + wording.say("because: %(because)s", because=line.because)
    if line.was_hash:
        said += "; " + wording.say("what came had %(size)s, BLAKE2b %(hash)s", size=_bytes(line.was_bytes, wording),
                                   hash=line.was_hash)
    return said


def _failed(line: Line, wording: Wording) -> str:
    if line.failed >= MOST_FAILURES:
        return wording.many("%(num)s still cannot be used, and the others were left alone: %(why)s",
                            "%(num)s still cannot be used, and the others were left alone: %(why)s",
                            line.failed, why=line.why)
    return wording.many("%(num)s still cannot be used: %(why)s", "%(num)s still cannot be used: %(why)s", line.failed,
                        why=line.why)


def source_name(source: str, wording: Wording) -> str:
    """A source as people call it."""
    return wording.say("A worker") if source == STREAM else title(source, wording)


def address(wanted: Wanted, **more: str) -> str:
    """Where letters of a reason are listed."""
    asked = {"source": wanted.source, "reason": wanted.reason, **more}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{PATH}?{query}" if query else PATH


def group_id_of(letter: Letter) -> str:
    """The short name of a letter's reason."""
    return Group(letter.source, letter.group, 0, 0, 0, 0, "").id


def _facts(named: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, said or "–", "") for name, said in named.items())


def _fixed(letter: Letter, wording: Wording) -> str:
    how = f"opsmon dead replay {letter.id} --payload FILE"
    if len(letter.payload) > MOST_SHOWN:
        return wording.say("It is too large to be corrected here; in a terminal: %(command)s", command=how)
    try:
        letter.payload.decode()
    except UnicodeDecodeError:
        return wording.say("It is no text and cannot be corrected here; in a terminal: %(command)s", command=how)
    return ""


def _line_view(line: Line, wording: Wording) -> JournalLineView:
    about = source_name(line.source, wording) + (f": {line.reason}" if line.reason else "")
    return JournalLineView(wording.moment(line.at_ms), line.by, deed_text(line, wording), about if line.source else "")


def _size(size_bytes: int, wording: Wording) -> str:
    return wording.size(size_bytes) if size_bytes >= 1024 else _bytes(size_bytes, wording)


def _bytes(size_bytes: int, wording: Wording) -> str:
    return wording.many("%(num)s byte", "%(num)s bytes", size_bytes)

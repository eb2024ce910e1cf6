"""Whatever stands in a text of a slot: the page has the elements it had, and the stream the events that were sent."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError

from opsmon.web import samples
from opsmon.web.hub import Hub, event
from opsmon.web.rendering import partial, slot
from tests.web.naughty import HARMLESS, NAUGHTY, shape
from tests.web.wire import Dispatched, as_html_reads, dispatched, partials

# All of them in one: a slot has no bound.
ALL = "".join(NAUGHTY.values())
Put = Callable[[str], Any]


def texts(value: Any, put: Put, path: str = "") -> Iterator[tuple[str, Put]]:
    """Every text in a view: where it is, and the view with another one there."""
    if isinstance(value, str):
        yield path, put
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            yield from texts(item, lambda text, at=at, put=put, value=value: put(  # type: ignore[misc]
                (*value[:at], text, *value[at + 1:])), f"{path}[{at}]")
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from texts(getattr(value, one.name), lambda text, name=one.name, put=put, value=value: put(  # type: ignore[misc]
                replace(value, **{name: text})), f"{path}.{one.name}")


def views() -> list[Any]:
    """What a slot shows, in every state of the samples."""
    found = samples.GALLERY
    named = (*found.tiles, *found.healths, *found.setups, *found.cards)
    return [*(one for _, _, one in found.kpis), *(one for _, one in named), *samples.SOURCES]


def html_of(view: Any) -> str:
    return str(slot(view, 1, slot_id="kpi-x"))


def slots() -> dict[str, Put]:
    """Every text of every view that may be any text: those that choose a sign or a colour can only be one of few."""
    found: dict[str, Put] = {}
    seen = Counter[str]()
    for number, view in enumerate(views()):
        for path, put in texts(view, lambda whole: whole):
            # Of rows and of tiles that are alike a few are enough.
            kind = f"{type(view).__name__}{re.sub('[0-9]+', '', path)}"
            seen[kind] += 1
            if seen[kind] > 3:
                continue
            try:
                html_of(put(HARMLESS))
            except (UndefinedError, TemplateNotFound, KeyError):
                continue
            found[f"{number} {type(view).__name__}{path}"] = put
    return found


SLOTS = slots()
# Mostly what parsers of streams look for.
STREAMS = st.text(st.sampled_from("\r\n\0:\ufeff \u2028\x85data:event:id:retry:0<>&\"'") | st.characters(codec="utf-8"))
REVISIONS = st.integers(1, 2**53)


def test_no_text_of_a_slot_is_more_than_a_text() -> None:
    """The same tags with the same attributes as with harmless words, in every text of every tile, card and note."""
    kinds = {name.split(".")[0].split(" ")[1].split("[")[0] for name in SLOTS}
    assert kinds >= {"KpiView", "RankedView", "MapView", "SourceCardView", "HealthView", "SetupView", "SourcesView"}
    assert [name for name, put in SLOTS.items() if shape(html_of(put(ALL))) != shape(html_of(put(HARMLESS)))] == []


def test_a_text_that_is_more_would_be_seen() -> None:
    """The proof can fail, for every kind that is a tag or an attribute somewhere."""
    ways = ("<p>{}</p>", '<p title="{}">', "<p title='{}'>", "<p title={}>", "<title>{}</title>", '<a href="{}">')
    harmful = {name for name, text in NAUGHTY.items() for way in ways
               if not is_shaped(way.format(text), way.format(HARMLESS.replace(" ", "-")))}
    assert harmful >= set(list(NAUGHTY)[:9]) - {"a template", "written as entities"}


def is_shaped(html: str, as_html: str) -> bool:
    try:
        return shape(html) == shape(as_html)
    except AssertionError:
        return False


@given(st.lists(st.tuples(st.sampled_from(sorted(SLOTS)), STREAMS), min_size=1, max_size=3), REVISIONS)
def test_a_frame_is_one_event_whatever_stands_in_its_slots(told: list[tuple[str, str]], revision: int) -> None:
    """As the standard reads a stream: one event, no name, the id of the hub; and each slot as it was drawn."""
    hub = Hub(partial, "boot")
    shown = {f"kpi-{number}": SLOTS[name](text) for number, (name, text) in enumerate(told)}
    hub.update(shown.items(), revision)
    drawn = [as_html_reads(partial(name, view, hub.revision)) for name, view in shown.items()]
    assert dispatched(hub.frame(0)) == [Dispatched("", "\n".join(drawn), hub.id)]


@given(STREAMS)
def test_a_signal_is_one_event_whatever_it_says(text: str) -> None:
    """A screen shows its name by one: no name ends it, or makes another."""
    said = dispatched(event("identify", text, 500) + event("hb", "1"))
    assert [(one.event, one.data, one.last_id) for one in said] == [
        ("identify", as_html_reads(text), ""), ("hb", "1", "")]


@given(st.text())
def test_two_slots_stay_two_whatever_they_say(text: str) -> None:
    """No text ends the partial it stands in and begins another."""
    name = next(name for name in SLOTS if name.endswith("KpiView.label"))
    both = {"kpi-a": SLOTS[name](text), "kpi-b": SLOTS[name]("</hx-partial>")}
    hub = Hub(partial, "boot")
    hub.update(both.items(), 1)
    (message,) = dispatched(hub.frame(0))
    assert list(partials(message.data)) == ["kpi-a", "kpi-b"]

"""What the page of the entry form receives: tabs, fields with what was typed and what is wrong, what was entered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from opsmon.sources.manual_entries import FIELDS, Field, What
from opsmon.web.languages import N_
from opsmon.web.wording import Wording

TABS: Mapping[What, str] = {"order": N_("Order"), "count": N_("Count"), "gauge": N_("Gauge"), "move": N_("Move"),
                             "scan": N_("Scan")}
BUTTONS: Mapping[What, str] = {"order": N_("Enter order"), "count": N_("Enter count"), "gauge": N_("Set gauge"),
                                "move": N_("Move order"), "scan": N_("Enter scan")}
ABOUT: Mapping[What, str] = {
    "order": N_("Counts like an order of the shop: in orders, revenue and sales by channel."),
    "count": N_("Adds to today's counters."),
    "gauge": N_("Replaces what the gauge showed before."),
    "move": N_("Puts an order into another stage, and counts as output of the line, the station and the person."),
    "scan": N_("Counts one scan for the person, the station and the line."),
}
# What is the same for the next one stands there again: a person scans many things at one station.
KEPT: Mapping[What, frozenset[str]] = {
    "order": frozenset({"currency", "channel"}), "count": frozenset({"name"}), "gauge": frozenset({"name"}),
    "move": frozenset({"stage", "station", "person", "line"}), "scan": frozenset({"station", "person", "line"}),
}
# What is rarely filled in folds away.
_FOLDED: Mapping[What, frozenset[str]] = {
    "order": frozenset({"time", "country", "channel"}), "count": frozenset({"time"}),
    "move": frozenset(), "gauge": frozenset(), "scan": frozenset(),
}
_HINTS: Mapping[tuple[What, str], str] = {
    ("order", "time"): N_("Now, if left empty"), ("count", "time"): N_("Now, if left empty"),
    ("order", "country"): N_("Germany, or DE"), ("order", "channel"): N_("manual, if left empty"),
    ("count", "value"): N_("Below 0 takes away"), ("scan", "quantity"): N_("1, if left empty"),
}
# Where the names are that were told before, to choose from.
CHOICES: Mapping[What, Mapping[str, tuple[str, ...]]] = {
    "order": {"channel": ("sales-by-channel",)},
    "count": {"name": ("counters",)},
    "gauge": {"name": ("gauges",)},
    "move": {"stage": ("stages",), "person": ("output-by-person", "scans-by-person"),
             "station": ("output-by-station", "scans-by-station"), "line": ("output-by-line",)},
    "scan": {"person": ("output-by-person", "scans-by-person"), "station": ("output-by-station", "scans-by-station"),
             "line": ("output-by-line",)},
}
_TYPES = {"time": "datetime-local"}
# Keyboards of phones for numbers: that for whole ones has no sign on some, so it is for where none is needed.
_KEYBOARDS = {"amount": "decimal", "quantity": "numeric"}


Width = Literal["whole", "large", "half", "small"]
_WIDTHS: Mapping[str, Width] = {"amount": "large", "currency": "small", "sku": "large", "quantity": "small",
                                "station": "half", "line": "half"}


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field: what it is called, what stands in it, what is wrong with it ('' when nothing is), and what was
    told there before, to choose from."""

    name: str
    label: str
    value: str
    error: str
    hint: str
    type: str
    keyboard: str
    required: bool
    focused: bool
    width: Width
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TabView:
    """One kind of entry."""

    what: str
    label: str
    current: bool


@dataclass(frozen=True, slots=True)
class DoneView:
    """What was entered last, in words, and the hidden fields of its undo (none: it is not offered)."""

    text: str
    undo: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EntryView:
    """The page: one form of one kind. `is_open`: the folded fields are shown, for something is wrong in them."""

    what: str
    form_id: str
    tabs: tuple[TabView, ...]
    about: str
    fields: tuple[FieldView, ...]
    folded: tuple[FieldView, ...]
    is_open: bool
    button: str
    trouble: str
    done: DoneView | None


def entry_view(what: What, form_id: str, values: Mapping[str, str], wrong: Mapping[str, str], wording: Wording, *,
               trouble: str = "", done: DoneView | None = None, choices: Mapping[str, Sequence[str]] | None = None
               ) -> EntryView:
    """A form with these values; after a try the first field that wants attention has the focus."""
    names = [one.name for one in FIELDS[what]]
    empty = [one.name for one in FIELDS[what] if done and not values.get(one.name)]
    focused = next((name for name in names if name in wrong), None) or (empty[0] if empty else "")
    made = [_field(what, one, values.get(one.name, ""), wrong.get(one.name, ""), one.name == focused,
                   tuple((choices or {}).get(one.name, ())), wording) for one in FIELDS[what]]
    folded = tuple(view for view in made if view.name in _FOLDED[what])
    is_open = any(view.error or (view.value and view.name not in KEPT[what]) for view in folded)
    return EntryView(
        what, form_id, tuple(TabView(one, wording.say(label), one == what) for one, label in TABS.items()),
        wording.say(ABOUT[what]),
        tuple(view for view in made if view.name not in _FOLDED[what]), folded, is_open,
        wording.say(BUTTONS[what]), trouble, done,
    )


def _field(what: What, one: Field, value: str, error: str, focused: bool, choices: tuple[str, ...],
           wording: Wording) -> FieldView:
    hint = wording.say(_HINTS.get((what, one.name), ""))
    return FieldView(one.name, wording.say(one.label), value, error, hint, _TYPES.get(one.read, "text"),
                     _KEYBOARDS.get(one.name, ""), one.required, focused, _WIDTHS.get(one.name, "whole"), choices)

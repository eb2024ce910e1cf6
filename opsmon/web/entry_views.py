"""What the page of the entry form receives: tabs, fields with what was typed and what is wrong, what was entered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from opsmon.sources.manual_entries import FIELDS, Field, What

TABS: Mapping[What, str] = {"order": "Order", "count": "Count", "gauge": "Gauge", "move": "Move", "scan": "Scan"}
BUTTONS: Mapping[What, str] = {"order": "Enter order", "count": "Enter count", "gauge": "Set gauge",
                               "move": "Move order", "scan": "Enter scan"}
ABOUT: Mapping[What, str] = {
    "order": "Counts like an order of the shop: in orders, revenue and sales by channel.",
    "count": "Adds to today's counters.",
    "gauge": "Replaces what the gauge showed before.",
    "move": "Puts an order into another stage, and counts as output of the line, the station and the person.",
    "scan": "Counts one scan for the person, the station and the line.",
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
    ("order", "time"): "Now, if left empty", ("count", "time"): "Now, if left empty",
    ("order", "country"): "Germany, or DE", ("order", "channel"): "manual, if left empty",
    ("count", "value"): "Below 0 takes away", ("scan", "quantity"): "1, if left empty",
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


def entry_view(what: What, form_id: str, values: Mapping[str, str], wrong: Mapping[str, str], *, trouble: str = "",
               done: DoneView | None = None, choices: Mapping[str, Sequence[str]] | None = None) -> EntryView:
    """A form with these values; after a try the first field that wants attention has the focus."""
    names = [one.name for one in FIELDS[what]]
    empty = [one.name for one in FIELDS[what] if done and not values.get(one.name)]
    focused = next((name for name in names if name in wrong), None) or (empty[0] if empty else "")
    made = [_field(what, one, values.get(one.name, ""), wrong.get(one.name, ""), one.name == focused,
                   tuple((choices or {}).get(one.name, ()))) for one in FIELDS[what]]
    folded = tuple(view for view in made if view.name in _FOLDED[what])
    is_open = any(view.error or (view.value and view.name not in KEPT[what]) for view in folded)
    return EntryView(
        what, form_id, tuple(TabView(one, label, one == what) for one, label in TABS.items()), ABOUT[what],
        tuple(view for view in made if view.name not in _FOLDED[what]), folded, is_open, BUTTONS[what], trouble, done,
    )


def _field(what: What, one: Field, value: str, error: str, focused: bool, choices: tuple[str, ...]) -> FieldView:
    return FieldView(one.name, one.label, value, error, _HINTS.get((what, one.name), ""), _TYPES.get(one.read, "text"),
                     _KEYBOARDS.get(one.name, ""), one.required, focused, _WIDTHS.get(one.name, "whole"), choices)

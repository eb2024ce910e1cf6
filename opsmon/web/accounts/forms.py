"""What the pages of accounts are made of: a form, its fields, and what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

FieldType = Literal["text", "email", "password", "select"]


@dataclass(frozen=True, slots=True)
class InputView:
    """One field. `autocomplete` tells password managers what it is; `choices` are (value, label) of a select."""

    name: str
    label: str
    type: FieldType = "text"
    value: str = ""
    error: str = ""
    hint: str = ""
    autocomplete: str = "off"
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = True
    focused: bool = False


@dataclass(frozen=True, slots=True)
class FormView:
    """A page that is one form. `hidden` are fields nobody sees, `links` (url, text) what else may be done."""

    title: str
    about: str
    action: str
    button: str
    fields: tuple[InputView, ...]
    hidden: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    trouble: str = ""
    done: str = ""


def marked(fields: Sequence[InputView], values: Mapping[str, str], wrong: Mapping[str, str]) -> tuple[InputView, ...]:
    """Fields with what was typed and what is wrong; the first that wants attention has the focus. Passwords are
    typed again."""
    first = next((one.name for one in fields if one.name in wrong), fields[0].name if fields else "")
    return tuple(
        InputView(one.name, one.label, one.type, "" if one.type == "password" else values.get(one.name, one.value),
                  wrong.get(one.name, ""), one.hint, one.autocomplete, one.choices, one.required, one.name == first)
        for one in fields)

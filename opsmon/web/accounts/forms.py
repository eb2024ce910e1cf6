"""What the pages of accounts are made of: a form, its fields, and what is wrong with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

FieldType = Literal["text", "email", "password", "select", "time", "date", "checks"]


@dataclass(frozen=True, slots=True)
class InputView:
    """One field. `autocomplete` tells password managers what it is; `choices` are (value, label) of a select, or of
    checks, whose `value` is those that are set with blanks between; `id` tells fields of one name apart."""

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
    id: str = ""
    width: Literal["", "half"] = ""


@dataclass(frozen=True, slots=True)
class FormView:
    """A page that is one form. `action` is where it goes, '' for the address it is on, which is not repeated then.
    `hidden` are fields nobody sees, `links` (url, text) what else may be done."""

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
        replace(one, value="" if one.type == "password" else values.get(one.name, one.value),
                error=wrong.get(one.name, ""), focused=one.name == first)
        for one in fields)


def checked(said: Mapping[str, str], reads: Mapping[str, Callable[[str], Any]], say: Callable[[str], str]
            ) -> tuple[dict[str, Any], dict[str, str]]:
    """What was typed, read field by field, and of those that cannot be read what is wrong with them."""
    found: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, read in reads.items():
        try:
            found[name] = read(said.get(name, ""))
        except ValueError as error:
            wrong[name] = say(str(error))
    return found, wrong

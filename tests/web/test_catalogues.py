"""German and Japanese are complete: every text that a page can show is in their catalogues, with its values."""

import re
from collections import Counter

import pytest
from babel.messages.catalog import Message

from opsmon.web.languages import LOCALES
from tests.translations import catalogue, languages, plain, template, unsaid, updated

LANGUAGES = pytest.mark.parametrize("language", languages())
VALUES = re.compile(r"(?<=%\()\w+(?=\)s)|\{\w+\}|[<>&]")


def values(text: str) -> Counter[str]:
    """What is put into a text, and the markup in it."""
    return Counter(VALUES.findall(text))


def texts(language: str) -> list[Message]:
    """A catalogue without its head."""
    return [one for one in catalogue(language) if one.id]


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Of a text of a number of things each form, of any other the one there is."""
    return (text,) if isinstance(text, str) else tuple(text)


def test_german_and_japanese_are_spoken() -> None:
    """Beside English, which needs no catalogue."""
    assert {"de", "ja"} <= set(languages())


@LANGUAGES
def test_a_catalogue_has_the_texts_there_are_and_no_others(language: str) -> None:
    """`python -m tests.translations` brings it up to date; then what is new is to be said."""
    ids, had = ({forms(one.id) for one in made} for made in (template(), catalogue(language)))
    assert (sorted(ids - had), sorted(had - ids)) == ([], [])


@LANGUAGES
def test_a_catalogue_says_all_of_them(language: str) -> None:
    """In every form of number the language has; nothing is a guess, nothing is left from before."""
    found = catalogue(language)
    assert (unsaid(found), [str(one.id) for one in found if one.fuzzy and one.id], list(found.obsolete)) == ([], [], [])


@LANGUAGES
def test_a_translation_has_the_values_of_its_text(language: str) -> None:
    """A value that is missing would be left out of a sentence, one too many would end the page. Markup stays as it is;
    of one thing the number may go without saying."""
    wrong = []
    for one in texts(language):
        many, (*few, said) = forms(one.id)[-1], forms(one.string)
        wrong += [form for form in few if {**values(form), "num": 0} != {**values(many), "num": 0}]
        wrong += [said] if values(said) != values(many) else []
    assert wrong == []


@LANGUAGES
def test_a_translation_does_not_begin_or_end_otherwise(language: str) -> None:
    """What is put together with other words keeps its blanks to itself."""
    said = [form for one in texts(language) for form in forms(one.string)]
    assert [text for text in said if text != text.strip()] == []


@LANGUAGES
def test_a_catalogue_is_kept_as_the_command_writes_it(language: str) -> None:
    """So that a change shows what was said otherwise, and nothing else."""
    kept = (LOCALES / language / "messages.po").read_bytes()
    # Not the two texts themselves: what differs between them would take minutes to be told.
    is_kept = kept == plain(updated(language), language)
    assert is_kept, f"run python -m tests.translations {language}"

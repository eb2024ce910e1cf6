"""Pages speak the site's language: what a catalogue is, which one is taken, and what happens where there is none."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from opsmon.core.calendar import SiteCalendar
from opsmon.web import languages, rendering
from opsmon.web.samples import NOW_MS
from opsmon.web.views import ErrorView, PageView
from opsmon.web.wording import Wording

SWEDISH = '''msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Boards"
msgstr "Tavlor"

msgid "%(num)s order"
msgid_plural "%(num)s orders"
msgstr[0] "%(num)s beställning"
msgstr[1] "%(num)s beställningar"

#, fuzzy
msgid "Sources"
msgstr "Resurser"
'''


def wording(locale: str) -> Wording:
    """How a site of this locale writes."""
    return Wording(locale, SiteCalendar(ZoneInfo("Europe/Stockholm")))


@pytest.fixture
def swedish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wording]:
    """A language that opsmon does not come with: one file."""
    (tmp_path / "sv").mkdir()
    (tmp_path / "sv" / "messages.po").write_text(SWEDISH, encoding="utf-8")
    monkeypatch.setattr(languages, "LOCALES", tmp_path)
    yield wording("sv_SE")
    languages.messages.cache_clear()
    rendering.environment.cache_clear()


def test_a_new_language_is_one_file(swedish: Wording) -> None:
    """Nothing is registered, listed or compiled."""
    assert (swedish.language, swedish.spoken, swedish.say("Boards")) == ("sv", "sv-SE", "Tavlor")


def test_what_a_catalogue_lacks_is_said_in_english(swedish: Wording) -> None:
    """A half-finished translation is of use; a guess marked fuzzy is not shown."""
    assert (swedish.say("Sources"), swedish.say("Not in it")) == ("Sources", "Not in it")


@pytest.mark.parametrize("count, said", [
    (0, "0 beställningar"), (1, "1 beställning"), (1.5, "1,5 beställningar"), (12345, "12\xa0345 beställningar")])
def test_a_number_of_things_is_said_in_the_form_it_needs(swedish: Wording, count: float, said: str) -> None:
    """And the number is written as the locale does."""
    assert swedish.many("%(num)s order", "%(num)s orders", count) == said


def test_a_percent_sign_stays_one_where_no_value_is_put_in(swedish: Wording) -> None:
    """A title a site gave to a KPI of its own is no format."""
    assert (swedish.say("100 % on time"), swedish.say("%(a)s %%", a=7)) == ("100 % on time", "7 %")


def test_an_empty_text_stays_empty(swedish: Wording) -> None:
    """For gettext the empty text is the head of the catalogue."""
    assert swedish.say("") == ""


def test_the_templates_speak_it_too(swedish: Wording) -> None:
    """The shell of a page names the language; its words come from the same file."""
    shell = PageView("Fel", "board", "auto", swedish.tag, "Europe/Stockholm", 5, "a.1", "b", "/live", NOW_MS,
                     language=swedish.language, spoken=swedish.spoken, direction=swedish.direction)
    html = rendering.page("error", shell, error=ErrorView("404", "Fel", ""))
    assert '<html lang="sv-SE" dir="ltr" data-locale="sv-SE"' in html


@pytest.mark.parametrize("locale, language", [("en_GB", "en"), ("fr_CA", "en"), ("de", "de"), ("de_AT", "de")])
def test_a_locale_speaks_the_nearest_catalogue(locale: str, language: str) -> None:
    """A country has its numbers, and the words of its language."""
    assert languages.language_of(locale) == language


@pytest.mark.parametrize("locale, tags", [
    ("en_GB", ("en-GB", "en-GB")), ("fr_CA", ("en", "fr-CA")), ("de_AT", ("de-AT", "de-AT"))])
def test_a_page_says_in_which_language_its_words_are(locale: str, tags: tuple[str, str]) -> None:
    """A screen reader must not read English words as French, where there is no French catalogue."""
    assert (wording(locale).spoken, wording(locale).tag) == tags


@pytest.mark.parametrize("locale, direction", [
    ("ar", "rtl"), ("he_IL", "rtl"), ("fa_IR", "rtl"), ("en_GB", "ltr"), ("ja_JP", "ltr")])
def test_lines_run_as_the_script_does(locale: str, direction: str) -> None:
    """Arabic, Hebrew and Persian boards are laid out from right to left."""
    assert wording(locale).direction == direction


@pytest.mark.parametrize("locale, said", [
    ("en", ["It lasted 10 min.", "Since 14:03, for 10 min.", "10 min. Then more"]),
    ("de", ["Es dauerte 10 Min.", "Seit 14:03, seit 10 Min.", "10 Min. Then more"]),
    ("ja", ["継続時間は10 分。", "14:03から10 分継続。", "10 分。Then more"])])
def test_a_sentence_ends_with_one_full_stop(locale: str, said: list[str]) -> None:
    """Also where it ends with an abbreviation that has one."""
    here = wording(locale)
    lasts = here.age(10 * 60_000)
    assert [here.say("It lasted %(duration)s.", duration=lasts),
            here.say("Since %(time)s, for %(duration)s.", time="14:03", duration=lasts),
            here.sentences(lasts, "", "Then more")] == said


def test_other_stops_stay(swedish: Wording) -> None:
    """Three dots, a stop within a value, and a percent sign that is written."""
    assert [swedish.say(text, name="a.") for text in ("%(name)s...", "%(name)s and", "%%(name)s. %(name)s.")] == [
        "a....", "a. and", "%(name)s. a."]
    assert swedish.sentences("Why?", "So!", "a.", "b") == "Why? So! a. b"


def test_a_number_of_things_ends_so_too(swedish: Wording) -> None:
    """As one thing does."""
    assert swedish.many("%(num)s in %(time)s.", "%(num)s in %(time)s.", 2, time="3 min.") == "2 in 3 min."

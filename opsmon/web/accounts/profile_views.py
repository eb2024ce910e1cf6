"""What the page of one's own profile shows."""

# `shown` is a field() call, which is what dataclass defaults are for.

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from babel import Locale

from opsmon.core.people import NEWS
from opsmon.store.accounts.records import Person
from opsmon.store.accounts.sessions import Held
from opsmon.web.accounts.forms import InputView, marked
from opsmon.web.languages import ENGLISH, LOCALES, N_
from opsmon.web.views import shown
from opsmon.web.wording import Wording

THEMES = {"": N_("As the device is set"), "light": N_("Light"), "dark": N_("Dark")}
CLOCKS = {"": N_("14:30, as the site has it"), "h12": N_("2:30 PM")}
_NEWS = {"silent": N_("A source goes silent"), "stopped": N_("Counting stops"),
         "limits": N_("A number goes beyond its limit"), "letters": N_("Deliveries cannot be used")}
# What a browser calls itself, the first that fits: others call themselves by these names too.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
             ("FxiOS/", "Firefox"), ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
_WORD = re.compile(r"[\w.-]{1,40}")


@dataclass(frozen=True, slots=True)
class SessionView:
    """A place where one is signed in."""

    id: str = shown("what the form sends that ends it")
    agent: str = shown("'Firefox on Windows'")
    address: str = shown("from where it was begun")
    since: str = shown("when it was begun, in words")
    used: str = shown("when it was last used, in words")
    is_here: bool = shown("whether it is the one that looks")


@dataclass(frozen=True, slots=True)
class ProfileView:
    """One's own profile."""

    email: str = shown("what one signs in with")
    version: int = shown("which version of oneself the page shows")
    fields: tuple[InputView, ...] = shown("name, language, theme, time format, quiet hours, news")
    password: tuple[InputView, ...] = shown("the old and the new one")
    sessions: tuple[SessionView, ...] = shown("the newest first")
    has_others: bool = shown("whether there is another than the one that looks")
    trouble: str = shown("why nothing was saved, '' when it was", default="")
    done: str = shown("what was done", default="")


def own_fields(person: Person, wording: Wording, said: Mapping[str, str], wrong: Mapping[str, str]
               ) -> tuple[InputView, ...]:
    """The fields of a profile, with what is kept or was typed."""
    say = wording.say
    fields = (
        InputView("name", say("Your name"), autocomplete="name"),
        InputView("theme", say("Theme"), "select", choices=_choices(THEMES, wording), width="half"),
        InputView("clock", say("Time of day"), "select", choices=_choices(CLOCKS, wording), width="half",
                  hint=say("For clocks and ages. Numbers that all screens share stay as the site writes them.")),
        InputView("locale", say("Language of messages to you"), "select",
                  choices=_choices(languages_of(wording), wording)),
        InputView("quiet_from", say("Quiet from"), "time", required=False, width="half",
                  hint=say("No messages in these hours, on the site's clock.")),
        InputView("quiet_until", say("Quiet until"), "time", required=False, width="half"),
        InputView("notify", say("Tell me when"), "checks", choices=_choices(_NEWS, wording),
                  hint=say("Kept for the time when this opsmon sends messages.")),
    )
    kept = {name: getattr(person, name) for name in ("name", "theme", "clock", "locale", "quiet_from", "quiet_until")}
    news = [one for one in NEWS if said.get(f"notify-{one}") == "on"] if said else person.notify
    found = marked(fields, {**kept, **said, "notify": " ".join(news)}, wrong)
    return found if wrong else tuple(replace(one, focused=False) for one in found)


def password_fields(wording: Wording, wrong: Mapping[str, str]) -> tuple[InputView, ...]:
    """The fields that change a password."""
    say = wording.say
    fields = (InputView("old", say("Your password now"), "password", autocomplete="current-password"),
              InputView("password", say("The new one"), "password", autocomplete="new-password",
                        hint=say("At least 10 characters. Three words that do not belong together are good.")))
    found = marked(fields, {}, wrong)
    return found if wrong else tuple(replace(one, focused=False) for one in found)


def session_view(held: Held, used_ms: int | None, wording: Wording, now_ms: int, *, is_here: bool) -> SessionView:
    """A session as a row."""
    say, session = wording.say, held.session
    age_ms = now_ms - max(used_ms or 0, session.begun_ms)
    used = say("Used just now") if is_here or age_ms < 2 * 60_000 else say("Last used %(age)s ago",
                                                                         age=wording.age(age_ms))
    since = say("since %(when)s", when=wording.day_and_time(session.begun_ms))
    return SessionView(held.id, agent_words(session.agent, wording), session.address, since, used, is_here)


def agent_words(agent: str, wording: Wording) -> str:
    """'Firefox on Windows' of what a browser calls itself; of another program the first word."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser and system:
        return wording.say("%(browser)s on %(system)s", browser=browser, system=system)
    word = _WORD.match(agent)
    return browser or system or (word[0] if word else wording.say("A browser that does not say its name"))


def languages_of(wording: Wording) -> dict[str, str]:
    """The languages that opsmon speaks: '' is the site's; each is called as it calls itself."""
    names = sorted({ENGLISH, *(path.parent.name for path in LOCALES.glob("*/messages.po"))})
    return {"": N_("The site's"), **{name: str(Locale.parse(name).get_display_name()).capitalize() for name in names}}


def _choices(words: Mapping[str, str], wording: Wording) -> tuple[tuple[str, str], ...]:
    return tuple((value, wording.say(text)) for value, text in words.items())

"""/a/{token}: one alert, from the link in a message, without signing in. GET shows, POST answers.

Programs that look through mail open every link they find: a GET changes nothing (MicrosoftDocs 6451). Whoever has the
link sees this alert and may answer it, for a day; what they did is written down with whose link it was.
"""

# `shown` is a field() call, which is what dataclass defaults are for.
# ruff: noqa: RUF009

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from opsmon.clock import Clock
from opsmon.core.alerting.life import Alert, Code, Move, Verdict, acknowledge, close, judge
from opsmon.core.alerting.rules import Rule, Severity
from opsmon.store.accounts.changing import Changing
from opsmon.store.alerts.alert_store import AlertStore
from opsmon.store.alerts.links import Link, read_link
from opsmon.store.alerts.rule_queries import all_rules
from opsmon.store.alerts.telling_queries import telling_of
from opsmon.store.connection import Reader
from opsmon.store.keys import Keys
from opsmon.web import rendering
from opsmon.web.accounts.noting import address_of
from opsmon.web.addresses import place_of
from opsmon.web.alerts.words import verdicts
from opsmon.web.forms import read_form
from opsmon.web.languages import N_
from opsmon.web.pages import Pages
from opsmon.web.telling.notice_words import SEVERITY, NoticeWords, plain
from opsmon.web.views import shown

# Of one address: thirty at once, then one in two seconds; nobody guesses 256 bits so.
PER_ADDRESS = (30, 2_000)
LINK_BYTES = 4 * 1024
# A search engine that finds the link does not list it, and no page elsewhere is told it.
_PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
CODES: dict[Code, str] = {"fixed": N_("Fixed"), "false": N_("False alarm"), "no-action": N_("Nothing to do"),
                          "known": N_("Known already")}
_GONE = N_("This link is over, or was never one of this opsmon. Sign in to see what is open.")
_TOO_OFTEN = N_("Too many tries. Try again in a minute.")
_BY_LINK = N_("%(name)s, by a link")
# What is said after an answer; `late`: somebody else was first.
DID = {"judged": N_("Thank you. It counts where rules are reviewed."),
       "acknowledged": N_("You see to it: nobody else is called."), "closed": N_("It is closed."),
       "late": N_("Somebody was quicker. This is how it is now.")}


@dataclass(frozen=True, slots=True)
class LinkView:
    """One alert on a phone."""

    level: Severity = shown("how bad it is")
    word: str = shown("the same in a word: 'High'")
    tone: Literal["open", "seen", "over"] = shown("whether somebody has to do something")
    what: str = shown("what is wrong, and with which row")
    far: str = shown("how far, against which limit; '' without a number")
    since: str = shown("since when and for how long, or how long it lasted")
    state: str = shown("who sees to it, or that nobody does, or that it is over")
    action: str = shown("what to do; ''")
    said: str = shown("what became of an answer; ''")
    can_acknowledge: bool = shown("whether nobody sees to it yet")
    can_close: bool = shown("whether it is open")
    codes: tuple[tuple[str, str], ...] = shown("what it may have been: (value, words)")
    verdicts: tuple[tuple[str, str, bool], ...] = shown("what may be said of it now that it is over: (value, words, "
                                                        "whether it was); nothing while it is open")


class LinkPage:
    """The page of one link."""

    def __init__(self, pages: Pages, store: AlertStore, reader: Reader, keys: Keys, changing: Changing,
                 words: Callable[[], Awaitable[NoticeWords]], clock: Clock, own: Sequence[Rule] = ()) -> None:
        """`words` ask the store for the secret that links are signed with; `own` are the rules of the site's file."""
        self._pages, self._store, self._reader, self._keys = pages, store, reader, keys
        self._changing, self._words, self._clock, self._own = changing, words, clock, own

    async def answer(self, request: Request) -> Response:
        """Show the alert, or do what the form asks.

        Threats: a link that is guessed (CWE-307) or made up (CWE-345), a link that a program opens (CWE-352).
        """
        bucket = (f"link:{place_of(address_of(request))}", *PER_ADDRESS)
        if await self._changing.take_try(self._clock.now_ms(), bucket):
            raise HTTPException(429, _TOO_OFTEN, {"retry-after": "60"})
        words = await self._words()
        link = read_link(words.secret, request.path_params["token"], self._clock.now_ms())
        found = await self._found(link) if link else None
        if link is None or found is None:
            raise HTTPException(410, _GONE)
        if request.method == "POST":
            return await self._act(request, link, found[1], words)
        return self._shown(request, *found, words, link)

    async def _found(self, link: Link) -> tuple[Alert, Rule] | None:
        """The alert and its rule. A run that is over and followed by another is shown as over."""
        stored = await self._store.one(link.alert)
        rule = (await all_rules(self._reader, self._keys, self._own)).get(stored.alert.rule) if stored else None
        return (stored.alert, rule) if stored and rule else None

    async def _act(self, request: Request, link: Link, rule: Rule, words: NoticeWords) -> Response:
        form = await read_form(request)
        receiver = (await telling_of(self._reader, self._keys)).receivers.get(link.receiver)
        if receiver is None:
            # Who is told no more may answer no more.
            raise HTTPException(410, _GONE)
        by, now_ms = words.wording.say(_BY_LINK, name=receiver.name), self._clock.now_ms()
        verb, did = _verb(form, by, now_ms)

        def of_this_run(alert: Alert) -> Move | None:
            return verb(alert) if alert.id == link.run else None

        _, is_done = await self._store.act(link.alert, of_this_run, lambda _: rule, now_ms)
        # A second tap says the same.
        return RedirectResponse(f"{request.url.path}?did={did if is_done or did == 'judged' else 'late'}", 303,
                                _PRIVATE)

    def _shown(self, request: Request, alert: Alert, rule: Rule, words: NoticeWords, link: Link) -> Response:
        view = link_view(alert, rule, words, alert.id == link.run, self._clock.now_ms(),
                         DID.get(request.query_params.get("did", ""), ""))
        page = self._pages.view(plain(words.wording.say(rule.title)), "board", request)
        return HTMLResponse(rendering.page("alert_link", page=page, alert=view), 200, _PRIVATE)


def link_view(alert: Alert, rule: Rule, words: NoticeWords, is_this_run: bool, now_ms: int, said: str) -> LinkView:
    """One alert as its link shows it."""
    say, wording = words.wording.say, words.wording
    is_open = alert.is_open and is_this_run
    lasts = wording.age(max((now_ms if is_open else alert.ended_ms) - alert.began_ms, 0))
    since = (say("Since %(time)s, for %(duration)s.", time=wording.time(alert.began_ms), duration=lasts)
             if is_open else say("It lasted %(duration)s.", duration=lasts) if is_this_run else "")
    return LinkView(
        rule.severity, say(SEVERITY[rule.severity]),
        ("seen" if alert.is_acknowledged else "open") if is_open else "over",
        words.what(alert, rule), words.far(alert, rule) if is_open else "", since, _state(alert, is_open, words),
        plain(say(rule.action)) if is_open else "", say(said), is_open and not alert.is_acknowledged, is_open,
        tuple((code, say(text)) for code, text in CODES.items()),
        verdicts(alert, wording) if is_this_run else ())


def _state(alert: Alert, is_open: bool, words: NoticeWords) -> str:
    say = words.wording.say
    if not is_open:
        return say("It is over.")
    if alert.is_acknowledged:
        return say("%(name)s sees to it since %(time)s.", name=plain(alert.acknowledged_by),
                   time=words.wording.time(alert.acknowledged_ms))
    return say("Nobody sees to it yet.")


def _verb(form: dict[str, str], by: str, now_ms: int) -> tuple[Callable[[Alert], Move | None], str]:
    """What the form asks for, and what it is called afterwards. Raises HTTPException."""
    if form.get("act") == "acknowledge":
        return lambda alert: acknowledge(alert, by, now_ms), "acknowledged"
    verdict = form.get("verdict", "")
    if form.get("act") == "judge" and verdict in get_args(Verdict):
        return lambda alert: judge(alert, cast(Verdict, verdict), by), "judged"
    code = form.get("code", "")
    if form.get("act") == "close" and code in get_args(Code):
        note = plain(form.get("note", ""))[:280]
        return lambda alert: close(alert, cast(Code, code), note, by, now_ms), "closed"
    raise HTTPException(400, N_("An alert can be acknowledged, closed or judged."))

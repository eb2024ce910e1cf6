"""Whatever people type, vendors send and links ask: every page has the elements that it has with harmless words (T10).

Every slot is tried with all texts in test_slots_naughty.py; here those are that get furthest.
"""

import pytest
from redis.asyncio import Redis

from opsmon.clock import ManualClock
from opsmon.settings import Settings
from tests.http import Answer
from tests.line import Line
from tests.web.naughty import HARMLESS, NAUGHTY, shape
from tests.web.naughty_site import addresses, forms_on, letters, naughty_line, send

pytestmark = pytest.mark.anyio

# By what was asked: the status, and the elements of the page.
Shapes = dict[str, tuple[int, list[str]]]
WORST = ("an element", "an end first", "out of double quotes", "out of single quotes", "a partial of its own",
         "an address that runs", "half an element", "one more attribute")
TEXTS = NAUGHTY | {"all of them": "".join(NAUGHTY.values())}
FORMS = ("out of double quotes", "frames of a stream", "all of them")
FORMS_OF = ("/boards", "/b/own/edit", "/b/today/edit", "/b/own/add", "/enter?what=order", "/enter?what=count",
            "/enter?what=gauge", "/enter?what=move", "/enter?what=scan", "/people", "/profile", "/tokens", "/screens",
            "/screens/pair", "/sources", "/login", "/dead-letters")
# With harmless words: looked at once.
known_pages: Shapes = {}
known_tags: set[str] = set()


def shaped(answer: Answer) -> tuple[int, list[str]]:
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return answer.status, shape(answer.text) if is_page else []


async def pages(line: Line, cookie: str, text: str) -> Shapes:
    """Every page, plain and asked for the text."""
    paths = [*addresses(text), *((f"letter {number}", path) for number, path in enumerate(await letters(line)))]
    return {name: shaped(await line.get(path, cookie=cookie)) for name, path in paths}


async def forms(line: Line, cookie: str, text: str) -> Shapes:
    """What every form answers, with the text in what is typed, and in what is hidden too."""
    found: Shapes = {}
    for path in (*FORMS_OF, *await letters(line)):
        for number, form in enumerate(await forms_on(line, cookie, path)):
            for also_hidden in (True, False):
                answer = await send(line, cookie, form, text, also_hidden=also_hidden)
                found[f"{path.partition('?')[0]} {number} {also_hidden}"] = shaped(answer)
    return found


def pairs(tags: list[str]) -> set[tuple[str, str]]:
    """Every tag with each of its attributes, or without any."""
    return {(tag, name) for tag, _, names in (one.partition(" ") for one in tags) for name in names.split() or [""]}


@pytest.mark.parametrize("name", WORST)
async def test_no_text_on_a_page_is_more_than_a_text(settings: Settings, clock: ManualClock, store: Redis, name: str
                                                      ) -> None:
    """Names of people, screens, tokens, boards, tiles, KPIs, products, stations; letters, the audit, addresses."""
    if not known_pages:
        async with naughty_line(settings, clock, store, HARMLESS) as (line, cookie):
            known_pages.update(await pages(line, cookie, HARMLESS))
        await store.flushall()
    async with naughty_line(settings, clock, store, TEXTS[name]) as (line, cookie):
        found = await pages(line, cookie, TEXTS[name])
    assert {name: tags for name, (_, tags) in found.items() if tags != known_pages[name][1]} == {}
    assert {name: status for name, (status, _) in found.items() if status != known_pages[name][0]} == {}


@pytest.mark.parametrize("name", FORMS)
async def test_no_text_that_is_typed_comes_back_as_more(settings: Settings, clock: ManualClock, store: Redis, name: str
                                                        ) -> None:
    """Every form of every page, also of a page that was tampered with: an answer has no element, and no attribute of
    one, that none has where words or nothing was typed; and never a fault."""
    for text in (HARMLESS, "") if not known_tags else ():
        async with naughty_line(settings, clock, store, HARMLESS) as (line, cookie):
            answers = [await pages(line, cookie, HARMLESS), await forms(line, cookie, text)]
            known_tags.update(pair for found in answers for _, tags in found.values() for pair in pairs(tags))
        await store.flushall()
    async with naughty_line(settings, clock, store, HARMLESS) as (line, cookie):
        found = await forms(line, cookie, TEXTS[name])
    assert {name: status for name, (status, _) in found.items() if status >= 500} == {}
    strange = {name: pairs(tags) - known_tags for name, (_, tags) in found.items()}
    assert {name: tags for name, tags in strange.items() if tags} == {}

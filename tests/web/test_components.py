"""Every component in every state: what the live stream, the style sheets and the readers rely on."""

import dataclasses
import re
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from opsmon.web import edit_samples, part_shapes, samples, tile_shapes, views
from opsmon.web.alerts.samples import BANDS
from opsmon.web.alerts.shapes import NO_COUNT
from opsmon.web.sealing import csrf
from opsmon.web.tile_samples import sample

TEMPLATES = Path(__file__).parents[2] / "templates"
HOSTILE = "\"><script>alert('x')</script><b hx-get=/x onclick=y style=z>"
VIEWS = [c for module in (views, tile_shapes, part_shapes) for c in vars(module).values()
         if dataclasses.is_dataclass(c) and isinstance(c, type) and c.__module__ == module.__name__]
TILES = pytest.mark.parametrize("view", [view for _, view in samples.GALLERY.tiles],
                                ids=[name for name, _ in samples.GALLERY.tiles])
SETS = pytest.mark.parametrize("name", samples.BOARDS)


class Elements(HTMLParser):
    """The elements of some HTML: (tag, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.found if "id" in attributes]


def environment() -> Environment:
    jinja = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"])
    jinja.install_gettext_translations(NullTranslations(), newstyle=True)
    jinja.globals |= {"asset": lambda path: f"/static/b1/{path}", "csrf": csrf}
    return jinja


def macro(path: str, name: str):
    return getattr(environment().get_template(path).module, name)


def page(board: str = "board") -> views.PageView:
    return views.PageView("Packing hall", board, "auto", "en-GB", "Europe/Berlin", 5, "a1.1763", "b1",
                          f"/live?v=b1&view={board}", samples.NOW_MS)


def render(template: str, name: str = "busy", **context: object) -> str:
    kpis, health, setup = samples.BOARDS[name]
    revs = {"health": 7, "setup": 7, "band": 7, "alerts": 7} | {f"kpi-{kpi.id}": 7 for kpi in kpis}
    shell = page("wall" if template == "wall" else "board")
    cells = tuple(views.CellView("normal", kpi) for kpi in context.pop("kpis", kpis))
    rows = (views.RowView("live", "", "", cells[:3]), views.RowView("near", "every 30 s", "30 s", cells[3:]))
    wall = views.WallView(28, "many", 20, "22:00-06:00", (), (views.WallPageView("Packing hall", "", True, rows),))
    return environment().get_template(f"pages/{template}.jinja").render(
        {"page": shell, "wall": wall, "rows": rows, "is_of_orders": True, "health": health, "setup": setup,
         "band": BANDS["none"], "count": NO_COUNT, "revs": revs} | context)


def slots(name: str) -> list[tuple[str, str]]:
    kpis, health, setup = samples.BOARDS[name]
    kpi_slot = macro("partials/kpi.jinja", "kpi_slot")
    made = [(f"kpi-{kpi.id}", kpi_slot(kpi, 1763730202000001)) for kpi in kpis]
    made.append(("health", macro("partials/health.jinja", "health_slot")(health, 1763730202000001)))
    made.append(("setup", macro("partials/setup.jinja", "setup_slot")(setup, 1763730202000001)))
    return [(slot_id, str(html)) for slot_id, html in made]


def hostile(view: object) -> object:
    """The same view with markup in every free text. Closed sets and numbers stay, and what is ours alone."""
    hints = {f.name: str(f.type) for f in dataclasses.fields(view)}
    changes = {}
    for name, hint in hints.items():
        value = getattr(view, name)
        if dataclasses.is_dataclass(value):
            changes[name] = hostile(value)
        elif isinstance(value, tuple):
            changes[name] = tuple(
                hostile(item) if dataclasses.is_dataclass(item) else (HOSTILE, HOSTILE) for item in value)
        elif isinstance(value, str) and hint in ("<class 'str'>", "str") and name != "sums":
            changes[name] = HOSTILE
    return dataclasses.replace(view, **changes)


@SETS
def test_a_slot_is_one_element_with_its_id_and_revision(name):
    """A push replaces exactly one element, found by its id and judged by its revision."""
    for slot_id, html in slots(name):
        first = Elements(html).found[0][1]
        assert (first["id"], first["data-rev"]) == (slot_id, "1763730202000001")
        assert (html[0], html[-1]) == ("<", ">")


@SETS
def test_slots_carry_no_behaviour(name):
    """Only the shell has htmx attributes; nothing has inline scripts or styles."""
    for _, html in slots(name):
        names = [key for _, attributes in Elements(html).found for key in attributes]
        assert [key for key in names if key.startswith(("hx-", "on", "data-hx-")) or key == "style"] == []


@SETS
@pytest.mark.parametrize("template", ["board", "wall"])
def test_a_page_has_every_slot_once(template, name):
    """First paint has the numbers in it, whatever the order of the KPIs."""
    ids = Elements(render(template, name, kpis=samples.BOARDS[name][0][::-1])).ids()
    assert len(ids) == len(set(ids))
    assert {slot_id for slot_id, _ in slots(name)} <= set(ids)


def shape(html: str) -> tuple[set[str], set[str]]:
    """Which elements and which attributes there are."""
    found = Elements(html).found
    return {tag for tag, _ in found}, {name for _, attributes in found for name in attributes}


@pytest.mark.parametrize("view", [samples.ORDERS, samples.HOURLY, samples.MINUTELY], ids=lambda view: view.id)
def test_text_from_outside_stays_text(view):
    """A shop's name for something never becomes markup."""
    view = dataclasses.replace(view, note="one more line")
    kpi_slot = macro("partials/kpi.jinja", "kpi_slot")
    assert shape(str(kpi_slot(hostile(view), 1))) == shape(str(kpi_slot(view, 1)))


@TILES
def test_text_from_outside_stays_text_in_tiles(view):
    """Products, countries, endpoints and stages have the names that others gave them."""
    tags, names = shape(str(macro("partials/kpi.jinja", "kpi_slot")(hostile(view), 1)))
    assert ("script" in tags, names & {"onclick", "hx-get", "style"}) == (False, set())


@TILES
def test_a_tile_is_one_slot_without_behaviour(view):
    """Whatever is in it: one element with its id, revision and state; no style, no script, no id inside."""
    found = Elements(str(macro("partials/kpi.jinja", "kpi_slot")(view, 7))).found
    first = found[0][1]
    assert (first["id"], first["data-rev"], first["data-state"]) == (f"kpi-{view.id}", "7", view.state)
    names = [key for _, attributes in found[1:] for key in attributes]
    assert [key for key in names if key.startswith(("hx-", "on", "data-hx-")) or key in ("style", "id")] == []


@TILES
def test_a_chart_says_what_it_shows(view):
    """A drawing either has its finding in words, or stands beside the same numbers as text and is hidden."""
    drawings = [attributes for tag, attributes in Elements(str(macro("components/tile.jinja", "tile")(view))).found
                if tag == "svg"]
    assert [one for one in drawings if one.get("aria-hidden") != "true" and not one.get("aria-label")] == []


def test_a_ranked_table_of_ten_is_light():
    """2.5 KB at most: a board has a dozen of them, and each change sends one again."""
    rows = [(f"Stoneware mug no. {at}, blue", 1_000_000 - at) for at in range(10)]
    assert len(str(macro("partials/kpi.jinja", "kpi_slot")(sample("revenue-by-region", rows), 7)).encode()) <= 2_560


def test_text_from_outside_stays_text_in_health_and_setup():
    """Addresses, source names and sentences are escaped too."""
    health = dataclasses.replace(samples.LATE, latency="12 ms", sources=(samples.SILENT,))
    health_slot = macro("partials/health.jinja", "health_slot")
    setup_slot = macro("partials/setup.jinja", "setup_slot")
    setup = dataclasses.replace(samples.NEEDED, progress="61 %")
    assert shape(str(health_slot(hostile(health), 1))) == shape(str(health_slot(health, 1)))
    assert shape(str(setup_slot(hostile(setup), 1))) == shape(str(setup_slot(setup, 1)))


@pytest.mark.parametrize("name", samples.CARDS)
def test_text_from_outside_stays_text_in_cards_of_sources(name):
    """Names, causes and answers of other machines are escaped."""
    view = samples.CARDS[name]
    source_slot = macro("partials/source.jinja", "source_slot")
    assert shape(str(source_slot(hostile(view), 1))) == shape(str(source_slot(view, 1)))


@pytest.mark.parametrize("name", samples.CARDS)
def test_a_card_is_one_element_without_behaviour(name):
    """As every slot; its button is a plain form."""
    html = str(macro("partials/source.jinja", "source_slot")(samples.CARDS[name], 7))
    found = Elements(html).found
    names = [key for _, attributes in found for key in attributes if key.startswith(("hx-", "on")) or key == "style"]
    assert (found[0][1]["id"], found[0][1]["data-rev"], html[-1], names) == (
        f"source-{samples.CARDS[name].name}", "7", ">", [])


@pytest.mark.parametrize("name", samples.CARDS)
def test_the_state_of_a_source_is_a_word_too(name):
    """Nobody has to tell it by the colour."""
    view = samples.CARDS[name]
    assert f"</svg> {view.word}</p>" in str(macro("components/source_card.jinja", "source_card")(view))


def test_a_door_nothing_came_by_has_a_hidden_place():
    """So that its first delivery can be shown without a reload."""
    unheard = dataclasses.replace(samples.CARDS["never"], known=False)
    html = str(macro("partials/source.jinja", "source_slot")(unheard, 7))
    assert html == ('<article id="source-odoo" data-rev="7" class="source-card" data-state="never" hidden>\n</article>')


def test_kinds_that_are_not_connected_are_shown_with_their_steps():
    """Each folded away under its name."""
    kinds = (views.KindView("woocommerce", "WooCommerce", (views.StepView((
        views.StepPartView("Write ", False), views.StepPartView("[[source]]", True))),)),)
    slots = {"sources": (samples.SOURCES[0], 1), "health": (samples.WELL, 1),
             "source-shopify": (samples.CARDS["well"], 1)}
    html = render("sources", slots=slots, names=["shopify"], kinds=kinds)
    assert ('<summary class="sources__name">WooCommerce</summary>' in html,
            '<code class="steps__code">[[source]]</code>' in html) == (True, True)


def test_the_connection_is_a_leaf_and_first_in_the_body():
    """An ancestor that is processed twice would open two streams (LIVE 2.2, T7)."""
    body = render("wall").split("<body>")[1].lstrip()
    assert body.startswith('<div id="live" hidden hx-sse:connect="/live?v=b1&amp;view=wall"')
    assert body.split(">")[1].startswith("</div")


def test_only_the_wall_stays_connected_in_the_background():
    """A phone in a pocket lets go of the stream; a wall never does."""
    assert "sse.pauseOnBackground:false" in render("wall")
    assert "sse.pauseOnBackground" not in render("board")


def test_a_partial_has_no_blank_around_its_slot():
    """Each blank would stay in the page as a text node, with every push."""
    html = str(macro("components/htmx.jinja", "partial")("health", Markup(" <section></section>\n")))
    assert html == '<hx-partial hx-target="#health" hx-swap="outerMorph"><section></section></hx-partial>'


def test_htmx_attributes_come_from_one_file():
    """Whoever changes htmx changes one file."""
    written = [p.name for p in TEMPLATES.rglob("*.jinja") if re.search(r"[\s\"]hx-[a-z:]+=", p.read_text())]
    assert written == ["htmx.jinja"]


def test_templates_have_no_inline_style_or_script():
    """The page is served with script-src and style-src 'self'."""
    for path in TEMPLATES.rglob("*.jinja"):
        assert re.search(r"\sstyle=|\son[a-z]+=|<style|<script>", path.read_text()) is None, path


@SETS
def test_slots_are_small(name):
    """A slot fits one frame (16 KB), a page 64 KB (LIVE 5.4)."""
    assert max(len(html.encode()) for _, html in slots(name)) < 16_384
    assert len(render("board", name).encode()) < 65_536


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_field_says_what_it_is_for(view):
    """A template's author reads the help, not the code that fills it."""
    assert [f.name for f in dataclasses.fields(view) if len(f.metadata.get("help", "")) < 5] == []


def test_without_javascript_the_page_says_that_it_is_not_live():
    """The banner is in the page and hidden only by heartbeats."""
    html = render("board")
    assert 'data-fresh="stale"' in html
    assert "<noscript>JavaScript is off" in html


def test_the_gallery_shows_every_state():
    """What is not in the gallery is not looked at."""
    html = gallery()
    states = {a["data-state"] for _, a in Elements(html).found if "data-state" in a}
    assert {"live", "empty", "catching-up", "error", "ok", "late", "stopped", "store-down",
            "silent", "never", "heard", "complete", "well", "refusing"} <= states
    directions = {a["data-direction"] for _, a in Elements(html).found if "data-direction" in a}
    assert directions == {"good", "bad", "same", "none"}


def test_the_gallery_shows_what_boards_are_made_with():
    """A tile in the editor, a KPI that is offered, two edits that met, a board that was deleted."""
    html = gallery()
    shown = [tag for tag, a in Elements(html).found if a.get("class") in (
        "edit__tile", "edit__offer", "edit__both", "edit__gone", "edit__trouble")]
    assert shown == ["li", "li", "li", "p", "li", "li", "p", "div", "form"]


def gallery():
    return environment().get_template("pages/components.jinja").render(
        page=page(), samples=samples.GALLERY, edits=edit_samples)


def test_status_and_error_pages_are_not_streams():
    """They are as of one instant and say so."""
    status = views.StatusView(
        "store-down", "The store cannot be reached", "14:03:22",
        (views.StatusSourceView("Shopify", "never", "Never heard", None, "0", "0", "–", "0", "0", ("Spool: 3 wait",),
                                "0", "0", "0", "2", "The secret is another one.", "1"),),
        "0", "0", (views.DeadLetterView(1, "Shopify", "too many lines"),), None,
        (views.MemoryRowView("Counts by the minute", "12", "3.1 MB", "OPSMON_KEEP_MINUTES"),),
        ("sales-by-country has more rows than it tells apart.",), "", (("opsmon", "0.1.0"),))
    html = render("status", status=status)
    error = render("error", error=views.ErrorView("404", "No such page", "The address may be old."))
    assert "The secret is another one." in html and "too many lines" in html
    assert "Counts by the minute" in html and "sales-by-country has more rows" in html
    assert "hx-" not in error.replace("htmx-config", "")

"""The style sheets and scripts, judged as text: colours, contrast, motion, no polling."""

import gzip
import math
import re
from itertools import combinations
from pathlib import Path

import pytest

from opsmon.core.parts import PARTS
from opsmon.web.assets import public_script

STATIC = Path(__file__).parents[2] / "static"
CSS = {str(p.relative_to(STATIC / "css")): p.read_text() for p in (STATIC / "css").rglob("*.css")}
# What the shop's own pages run is no part of a board; the service worker is no part of a page.
JS = {p.name: p.read_text() for p in (STATIC / "js").glob("*.js") if not p.name.endswith(("pixel.js", "sw.js"))}
TOKENS = CSS["tokens.css"]
THEMES = pytest.mark.parametrize("theme", ["dark", "light"])
MACHADO = {  # severity 1.0, Machado et al. 2009, on linear RGB
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
}


def without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.S)


def block(theme: str) -> dict[str, str]:
    start = TOKENS.index({"light": ':root, [data-theme="light"] {', "dark": '[data-theme="dark"] {'}[theme])
    return dict(re.findall(r"--([\w-]+): ([^;]+);", TOKENS[start:TOKENS.index("}", start)]))


def rgb(theme: str, meaning: str) -> tuple[float, ...]:
    """Linear RGB of an opaque colour token."""
    return linear(re.fullmatch(r"oklch\(var\(--([\w-]+)\)\)", block(theme)[f"color-{meaning}"]).group(1))


def linear(raw: str) -> tuple[float, ...]:
    """A raw colour of tokens.css, in linear RGB."""
    lightness, chroma, hue = map(float, re.search(rf"--{raw}: ([\d. ]+);", TOKENS).group(1).split())
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3  # noqa: E741
    m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return clip((4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
                 -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
                 -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))


def clip(colour: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(min(1.0, max(0.0, part)) for part in colour)


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (one, other))
    return (light + 0.05) / (dark + 0.05)


def seen_by(kind: str, colour: tuple[float, ...]) -> tuple[float, ...]:
    return clip(tuple(sum(k * part for k, part in zip(row, colour, strict=True)) for row in MACHADO[kind]))


def lab(colour: tuple[float, ...]) -> tuple[float, ...]:
    r, g, b = colour
    xyz = ((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b,
           (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))


@pytest.mark.parametrize("name", sorted(CSS))
def test_colours_are_tokens(name):
    """A colour has a meaning; what it looks like is said in tokens.css only; the map's are steps of it."""
    literal = (r"#[0-9a-fA-F]{3,8}\b(?=[\s;,)])|\b(?:rgb|hsl|lab|lch|oklab|oklch|color)a?\("
               r"|:\s*(?:white|black|red|gr[ae]y)\b")
    assert name in ("tokens.css", "tokens-map.css") or re.findall(literal, without_comments(CSS[name])) == []


@THEMES
def test_text_can_be_read_in_glare(theme):
    """On a wall text has at least 7:1 (UX W6), graph marks 3:1."""
    ground = rgb(theme, "ground")
    assert min(contrast(rgb(theme, text), ground) for text in ("text", "quiet")) >= 7
    assert min(contrast(rgb(theme, mark), ground) for mark in ("bar", "accent", "ghost", "rule")) >= 3


@THEMES
@pytest.mark.parametrize("state", ["ok", "warn", "crit"])
def test_words_on_a_status_can_be_read(theme, state):
    """A status is a fill with words on it."""
    assert contrast(rgb(theme, state), rgb(theme, f"on-{state}")) >= 6


@THEMES
@pytest.mark.parametrize("kind", sorted(MACHADO))
def test_statuses_differ_for_colour_blind_eyes(theme, kind):
    """One man in twelve tells ok, warn and crit apart too (UX W7)."""
    colours = [lab(seen_by(kind, rgb(theme, state))) for state in ("ok", "warn", "crit")]
    assert min(math.dist(one, other) for one, other in combinations(colours, 2)) >= 20


def test_dark_is_the_same_whether_chosen_or_preferred():
    """The dark tokens are written twice, for the button and for the device."""
    start = TOKENS.index(':root[data-theme="auto"]')
    preferred = dict(re.findall(r"--([\w-]+): ([^;]+);", TOKENS[start:TOKENS.index("}", start)]))
    assert preferred == block("dark")


def test_every_animation_ends_visible_and_none_is_endless():
    """The dead-man switch shows the banner even when nothing runs any more (LIVE 2.4)."""
    everything = "".join(CSS.values())
    frames = re.findall(r"@keyframes [\w-]+ \{(.+)\}", everything)
    assert len(frames) == 3
    assert all(re.fullmatch(r" 0%, 99% \{ opacity: 0; \} to \{ opacity: 1; \} ", f) for f in frames)
    assert "infinite" not in everything


def test_a_change_blinks_once_and_briefly():
    """At most 400 ms, by opacity, and not for who wants no motion (UX W8)."""
    blink = re.search(r"animate\(\{ opacity: \[[\d., ]+\] \}, \{ duration: (\d+)", JS["flash.js"])
    assert int(blink.group(1)) <= 400
    assert "prefers-reduced-motion: reduce" in JS["flash.js"]


def test_nothing_polls():
    """One timer draws ages and watches heartbeats; data comes by the stream alone, what a number means when asked, what
    a rule would have said while it is typed."""
    timers = {name: text.count("setInterval") for name, text in JS.items() if "setInterval" in text}
    assert timers == {"clock.js": 1}
    assert [name for name, text in JS.items() if re.search(r"\bfetch\(|XMLHttpRequest|\bevery ", text)] == [
        "explain.js", "rule-try.js"]


def test_scripts_need_no_eval():
    """The page is served without unsafe-eval and unsafe-inline."""
    unsafe = r"\beval\(|new Function|innerHTML|\.style\b"
    assert [name for name, text in JS.items() if re.search(unsafe, text)] == []


@pytest.mark.parametrize("name", sorted(set(CSS) - {
    "tokens.css", "tokens-wall.css", "tokens-letters.css", "tokens-map.css", "ops.css", "tiles.css", "board.css",
    "map.css", "rest.css", "band.css"}))
def test_rules_live_in_layers(name):
    """The order of the layers decides, not the length of a selector."""
    outside = re.sub(r'@layer [\w]+ \{.*?\n\}|@import url\(".+?"\);', "", without_comments(CSS[name]), flags=re.S)
    assert re.sub(r"@keyframes .*", "", outside).strip() == ""


@pytest.mark.parametrize("chars", range(1, 21))
def test_every_length_of_number_has_a_size(chars):
    """A number never clips: its size is enumerated, for there are no inline styles."""
    assert f'[data-chars="{chars}"] {{ --chars:' in CSS["components/tile.css"]


def test_every_sheet_is_imported_or_belongs_to_one_page():
    """A file nobody asks for is not part of the design."""
    sheets = ("ops.css", "tiles.css", "wall.css", "wall-letters.css", "board.css", "rest.css", "map.css", "rtl.css",
              "band.css", "tile-alerts.css")
    imported = {name for sheet in sheets for name in re.findall(r'@import url\("(.+?)"\);', CSS[sheet])}
    assert set(CSS) - imported == {
        *sheets, "components/status.css", "components/gallery.css", "components/pair.css", "components/screens.css",
        "components/source-card.css",
        "desk.css", "components/dead.css", "components/edit.css", "components/form.css", "components/kpi-page.css",
        "components/narrowed.css", "components/open-alerts.css", "me.css", "components/people.css",
        "components/telling.css", "components/judge.css", "components/quality.css",
        *(f"tile-{part.name}.css" for part in PARTS.values())} - imported


def test_the_ways_of_a_desk_weigh_little():
    """At most 1.5 KB gzipped, and only where they are of use."""
    assert len(gzip.compress(public_script("desk.js"), 9)) <= 1_536

"""The Jinja environments, one per language, and the assets: every static URL carries a hash of them all."""

import re
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from opsmon.web.alerts.shapes import AlertsView, BandView, CountView, OpenView
from opsmon.web.languages import ENGLISH, messages
from opsmon.web.part_shapes import PART_VIEWS
from opsmon.web.sealing import csrf, csrf_token
from opsmon.web.tile_views import TILE_VIEWS
from opsmon.web.views import HealthView, PageView, SetupView, SourceCardView, SourcesView

_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_HERE = Path(__file__).resolve().parent.parent


@cache
def folder(name: str) -> Path:
    """templates/ or static/: inside the package in a wheel, beside it in a checkout."""
    inside = _HERE / name
    return inside if inside.is_dir() else _HERE.parent / name


@cache
def build() -> str:
    """A hash of templates and static files: another one makes open screens load the page again."""
    digest = blake2b(digest_size=6)
    for name in ("templates", "static"):
        for path in sorted(folder(name).rglob("*")):
            if path.is_file():
                digest.update(str(path.relative_to(folder(name))).encode() + path.read_bytes())
    return digest.hexdigest()


def asset(path: str) -> str:
    """The URL of a static file, good for as long as this build is."""
    return f"/static/{build()}/{path}"


class Templates(FileSystemLoader):
    """Templates without their indents, which no reader of a page needs and each frame would carry."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """A template's text, its path, and whether it is still the same."""
        text, path, is_fresh = super().get_source(environment, template)
        return _INDENT.sub("", text), path, is_fresh


@cache
def environment(language: str = ENGLISH) -> Environment:
    """Templates: strict about names, escaping everything, saying `_("…")` in one language."""
    made = Environment(
        loader=Templates(folder("templates")), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False, extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(messages(language), newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"asset": asset, "csrf": csrf, "csrf_token": csrf_token}
    return made


def page(template: str, page: PageView, **context: Any) -> str:
    """A whole page, in the language its shell names."""
    return environment(page.language).get_template(f"pages/{template}.jinja").render(page=page, **context)


def partial(slot_id: str, view: object, revision: int, language: str = ENGLISH) -> str:
    """One slot on its way to the page: the same macro that drew it there."""
    html = slot(view, revision, language, slot_id)
    module: Any = environment(language).get_template("components/htmx.jinja").module
    return str(module.partial(slot_id, html))


def slot(view: object, revision: int, language: str = ENGLISH, slot_id: str = "") -> Any:
    """One slot as it stands on the page. Of a KPI there may be several: they have ids of their own."""
    name = _MACRO[type(view)]
    module: Any = environment(language).get_template(f"partials/{name}.jinja").module
    place = (slot_id,) if name in ("kpi", "open") else ()
    return getattr(module, f"{name}_slot")(view, revision, *place)


_MACRO: dict[type, str] = {
    **dict.fromkeys((*TILE_VIEWS, *PART_VIEWS, AlertsView), "kpi"), BandView: "band", OpenView: "open",
    CountView: "count",
    HealthView: "health", SetupView: "setup", SourceCardView: "source", SourcesView: "sources",
}

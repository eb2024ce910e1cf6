"""Static files under a URL that changes with them, without comments and blanks. What a page needs goes out as one:
`css/ops,tiles.css` are two sheets, `js/clock,live.js` two scripts. Scripts for the shop's pages."""

import re
from functools import cache, lru_cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from opsmon.web import rendering

_IMPORT = re.compile(r'@import url\("([\w/.-]+)"\);')
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# A blank before a colon may join two selectors; around these it says nothing.
_AROUND = re.compile(r" ?([{};,>]) ?")
# Quotes around a word, and the nought before a point.
_NEEDLESS = re.compile(r'(?<==)"([a-z][\w-]*)"|(?<![\d.])0(?=\.\d)')
# Behind a line of code. In a text it would be followed by the text's end.
_REMARK = re.compile(r" // [^\"'`]*$")
# Raw colours: they go out where they are used.
_RAW = re.compile(r"--(lch-[\w-]+): ?([^;}]+);?")
_RAW_USED = re.compile(r"var\(--(lch-[\w-]+)\)")
_JOINED = re.compile(r"(css|js)/([\w,-]+)\.\1")
# Texts of a script, and blanks that say nothing beside such a sign. A line with ` stays: those may stand in each other.
_BLANKS = re.compile(r"""(^.*`.*$|"[^"\n]*"|'[^'\n]*')| *([{}();,=<>?:&|*]) *""", re.MULTILINE)
_VENDOR = {"htmx": "htmx.min.js", "hx-sse": "hx-sse.min.js"}
_FROM = re.compile(r"^import .*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:const|function) (\w+)", re.MULTILINE)
_EXPORT_WORD = re.compile(r"^export ", re.MULTILINE)
_TYPES = {"css": "text/css", "js": "text/javascript"}


class HashedFiles(StaticFiles):
    """static/: a browser may keep every file for good."""

    def __init__(self) -> None:
        super().__init__(directory=rendering.folder("static"))

    async def get_response(self, path: str, scope: Scope) -> Response:
        is_asked = scope["method"] in ("GET", "HEAD")
        body = joined(path) if is_asked else None
        if body is not None:
            response: Response = Response(body, media_type=_TYPES[path.partition("/")[0]])
        else:
            response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


@lru_cache(64)
def joined(path: str) -> bytes | None:
    """The files that such a path names, in its order, as one; None where it names anything else."""
    named = _JOINED.fullmatch(path)
    names = named[2].split(",") if named else []
    if named is None or len(set(names)) < len(names) or not all(_is_there(named[1], name) for name in names):
        return None
    return _program(names) if named[1] == "js" else "".join(sheet(_path("css", name)) for name in names).encode()


def _is_there(kind: str, name: str) -> bool:
    return (kind == "js" and name in _VENDOR) or (_static(_path(kind, name))).is_file()


def _path(kind: str, name: str) -> str:
    """A sheet is that of pages, or that of a component."""
    path = f"{kind}/{name}.{kind}"
    return path if kind == "js" or _static(path).is_file() else f"css/components/{name}.css"


def _program(names: list[str]) -> bytes:
    """Scripts as one. One alone is a module as it is written. Of several, each keeps its names to itself but those it
    exports: they are for all that come after it, also in another file of the page."""
    vendor = b"\n".join((_static("vendor") / _VENDOR[name]).read_bytes() for name in names if name in _VENDOR)
    ours = [public_script(f"{name}.js").decode() for name in names if name not in _VENDOR]
    if len(names) == 1:
        return vendor or _tight(ours[0]).encode()
    return b";\n".join(filter(None, [vendor, "\n".join(map(_closed, ours)).encode()]))


def _closed(script: str) -> str:
    """A module as a part of a larger script: its names are its own, but those it exports."""
    names = ",".join(_EXPORT.findall(script))
    inside = _EXPORT_WORD.sub("", _FROM.sub("", script))
    given, giving = (f"const {{{names}}}=", f"return{{{names}}}") if names else ("", "")
    return f"{given}(()=>{{'use strict';{_tight(inside)}\n{giving}}})();"


def _tight(script: str) -> str:
    tight = _BLANKS.sub(lambda found: found[1] or found[2] or "", script)
    return re.sub(r"(?<=[{;,])\n", "", tight)


@cache
def sheet(path: str) -> str:
    """A sheet that imports others, whole: each replaced by its file, comments and blanks gone."""
    whole = re.sub(r"\s+", " ", _COMMENT.sub("", _inlined(_static(path))))
    short = _AROUND.sub(r"\1", _RAW.sub("", whole)).replace(": ", ":").replace(";}", "}")
    return _NEEDLESS.sub(r"\1", _RAW_USED.sub(lambda used: _raw()[used[1]], short))


@cache
def _raw() -> dict[str, str]:
    return dict(_RAW.findall((_static("css") / "tokens.css").read_text()))


@cache
def public_script(name: str) -> bytes:
    """A script without comments and indents: what a browser does not need is a quarter of it."""
    lines = [_REMARK.sub("", line).strip() for line in
             (_static("js") / name).read_text().splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/**"))).encode()


def _static(name: str) -> Path:
    return rendering.folder("static") / name


def _inlined(path: Path) -> str:
    return _IMPORT.sub(lambda found: _inlined(path.parent / found[1]), path.read_text())

"""Static files under a URL that changes with them, without comments and blanks; style sheets go out as one. Scripts for
the shop's pages."""

import re
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from opsmon.web import rendering

_IMPORT = re.compile(r'@import url\("([\w/.-]+)"\);')
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# A blank before a colon may join two selectors; around these it says nothing.
_AROUND = re.compile(r" ?([{};,>]) ?")
# Behind a line of code. In a text it would be followed by the text's end.
_REMARK = re.compile(r" // [^\"'`]*$")
_SHEETS = frozenset({"css/ops.css", "css/tiles.css", "css/wall.css"})


class HashedFiles(StaticFiles):
    """static/: a browser may keep every file for good."""

    def __init__(self) -> None:
        super().__init__(directory=rendering.folder("static"))

    async def get_response(self, path: str, scope: Scope) -> Response:
        is_asked = scope["method"] in ("GET", "HEAD")
        if path in _SHEETS and is_asked:
            response: Response = Response(sheet(path), media_type="text/css")
        elif path in _scripts() and is_asked:
            response = Response(public_script(_scripts()[path]), media_type="text/javascript")
        else:
            response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


@cache
def sheet(path: str) -> str:
    """A sheet that imports others, whole: each replaced by its file, comments and blanks gone."""
    whole = re.sub(r"\s+", " ", _COMMENT.sub("", _inlined(rendering.folder("static") / path)))
    return _AROUND.sub(r"\1", whole).replace(": ", ":").replace(";}", "}")


@cache
def public_script(name: str) -> bytes:
    """A script without comments and indents: what a browser does not need is a quarter of it."""
    lines = [_REMARK.sub("", line).strip() for line in
             (rendering.folder("static") / "js" / name).read_text().splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/**"))).encode()


@cache
def _scripts() -> dict[str, str]:
    """Our own scripts: the path they are asked by, and their file."""
    return {f"js/{path.name}": path.name for path in (rendering.folder("static") / "js").glob("*.js")}


def _inlined(path: Path) -> str:
    return _IMPORT.sub(lambda found: _inlined(path.parent / found[1]), path.read_text())

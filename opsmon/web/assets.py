"""Static files under a URL that changes with them; the style sheets go out as one. Scripts for the shop's pages."""

import re
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from opsmon.web import rendering

_IMPORT = re.compile(r'@import url\("([\w/.-]+)"\);')
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SHEETS = frozenset({"css/ops.css", "css/tiles.css"})


class HashedFiles(StaticFiles):
    """static/: a browser may keep every file for good."""

    def __init__(self) -> None:
        super().__init__(directory=rendering.folder("static"))

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path in _SHEETS and scope["method"] in ("GET", "HEAD"):
            response: Response = Response(sheet(path), media_type="text/css")
        else:
            response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


@cache
def sheet(path: str) -> str:
    """A sheet that imports others, whole: each replaced by its file, comments and blanks gone."""
    whole = _inlined(rendering.folder("static") / path)
    return re.sub(r"\s+", " ", _COMMENT.sub("", whole))


@cache
def public_script(name: str) -> bytes:
    """A script for pages that are not ours, which stands at one address for good: without comments and indents."""
    lines = [line.strip() for line in (rendering.folder("static") / "js" / name).read_text().splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


def _inlined(path: Path) -> str:
    return _IMPORT.sub(lambda found: _inlined(path.parent / found[1]), path.read_text())

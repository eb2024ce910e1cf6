"""What makes the boards an app on a phone: the manifest, the service worker, and a page for when there is neither a
connection nor a kept board. Boards are kept by static/js/keep.js and shown by static/js/sw.js."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opsmon.web import rendering
from opsmon.web.assets import public_script
from opsmon.web.pages import Pages
from opsmon.web.security import HEADERS

# --lch-paper-0 and --lch-night-0 of tokens.css, for whoever cannot read those.
LIGHT, DARK = "#fbfaf7", "#0b1015"
_USUAL_SITE = "main"
_ICONS = (("icons/192.png", "192x192", "any"), ("icons/512.png", "512x512", "any"),
          ("icons/maskable.png", "512x512", "maskable"), ("icons/opsmon.svg", "any", "any"))
# What templates/pages/offline.jinja needs.
_OF_OFFLINE = ("css/ops,board.css", "js/theme.js")
# Asked for with every visit, so that a new build is noticed at once.
_ALWAYS_ASK = {"cache-control": "no-cache"}


class Phone:
    """The three files of the app. `site` tells the apps of two sites apart on one screen."""

    def __init__(self, site: str, pages: Pages) -> None:
        self._name = "opsmon" if site == _USUAL_SITE else f"opsmon {site}"
        self._pages = pages

    async def manifest(self, request: Request) -> Response:
        """What a phone needs to know to install the boards."""
        icons = [{"src": rendering.asset(path), "sizes": sizes, "purpose": purpose, "type": _type(path)}
                 for path, sizes, purpose in _ICONS]
        said = {"name": self._name, "short_name": self._name, "id": "/", "start_url": "/", "scope": "/",
                "display": "standalone", "background_color": DARK, "theme_color": DARK, "icons": icons}
        return Response(orjson.dumps(said), media_type="application/manifest+json", headers=_ALWAYS_ASK)

    async def worker(self, request: Request) -> Response:
        """The service worker of this build. A kept page is served with the headers it came with."""
        shell = ["/offline", *map(rendering.asset, _OF_OFFLINE)]
        known = {"BUILD": rendering.build(), "SHELL": shell, "HEADERS": _headers()}
        said = "".join(f"const {name} = {orjson.dumps(value).decode()};\n" for name, value in known.items())
        return Response(said.encode() + public_script("sw.js"), media_type="text/javascript", headers=_ALWAYS_ASK)

    async def offline(self, request: Request) -> Response:
        """What is shown without a connection for a board that was never opened here."""
        view = self._pages.view("opsmon", "board", request)
        return HTMLResponse(rendering.page("offline", page=view), headers=_ALWAYS_ASK)


def _headers() -> dict[str, Any]:
    return {"content-type": "text/html; charset=utf-8", **{name.decode(): value.decode() for name, value in HEADERS}}


def _type(path: str) -> str:
    return "image/svg+xml" if path.endswith(".svg") else "image/png"

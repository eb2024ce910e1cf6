"""How a browser reads the stream, from the standards alone: server-sent events, and HTML's newlines."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

_LINE = re.compile(r"\r\n|\r|\n")
_NEWLINE = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Dispatched:
    """One event as the standard dispatches it: `last_id` is the stream's last event id by then."""

    event: str
    data: str
    last_id: str
    retry_ms: int | None = None


def dispatched(stream: bytes) -> list[Dispatched]:
    """Parse a whole stream (HTML 9.2.6): a last block without its empty line is dropped."""
    found: list[Dispatched] = []
    data, event, last_id, retry = "", "", "", None
    *lines, _ = _LINE.split(stream.decode("utf-8", "replace").removeprefix("\ufeff"))
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                found.append(Dispatched(event, data.removesuffix("\n"), last_id, retry))
            data, event, retry = "", "", None
        elif name == "data":
            data += value + "\n"
        elif name == "event":
            event = value
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            retry = int(value)
    return found


def as_html_reads(text: str) -> str:
    """Newlines as an HTML parser normalises them before anything else (HTML 13.2.3.5)."""
    return _NEWLINE.sub("\n", text)


@dataclass(slots=True)
class Element:
    """A start tag with its attributes."""

    tag: str
    attributes: dict[str, str]


class Elements(HTMLParser):
    """All start tags of some HTML, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, {name: value or "" for name, value in attrs}))

    def ids(self) -> list[str]:
        """Every id, in order."""
        return [element.attributes["id"] for element in self.found if "id" in element.attributes]


_PARTIAL = re.compile(r'<hx-partial hx-target="#([\w-]+)" hx-swap="outerMorph">(.*?)</hx-partial>', re.DOTALL)


def partials(data: str) -> dict[str, str]:
    """A frame's data as target id -> HTML."""
    return dict(_PARTIAL.findall(data))

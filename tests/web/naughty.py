"""Texts that would like to be more than text, by what they try, and how a page looks to whoever parses it.

The kinds are those of OWASP's cheat sheets (XSS prevention, XSS filter evasion) and of the Big List of Naughty Strings;
the strings are our own.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

HARMLESS = "Plain words"
# What a browser does with it where it is not escaped.
NAUGHTY = {
    "an element": "<script>alert(1)</script>",
    "an end first": "</title></textarea></p><script>alert(1)</script>",
    "out of double quotes": '"><img src=x onerror=alert(1)>',
    "out of single quotes": "'><svg/onload=alert(1)>",
    "out of no quotes": "x onfocus=alert(1) autofocus ",
    "one more attribute": '" onmouseover="alert(1)" x="',
    "a handler of htmx": '" hx-on:load="alert(1)" hx-get="/x',
    "an address that runs": "javascript:alert(1)",
    "an address that is a page": "data:text/html,<script>alert(1)</script>",
    "a partial of its own": '</hx-partial><hx-partial hx-target="body">',
    "a template": "{{ 7 * 7 }}{% raw %}${7*7}<%= 7 %>",
    "written as entities": "&lt;script&gt;alert(1)&lt;/script&gt;",
    "a comment": "<!-- --!><b>--></b>",
    "a section of XML": "<![CDATA[<b>]]><?php b ?>",
    "foreign elements": "<math><mi//xlink:href=x><svg><style><b>",
    "a policy of its own": '<meta http-equiv="refresh" content="0;url=//x"><base href="//x/">',
    "half an element": "<b id=x",
    "half a character": "&#x3c;b&#62;&amp",
    "a style": "<style>*{display:none}</style><p style=color:red>",
    "ends of lines": "a\r\nb\nc\rd\u2028e\u2029f\x85g",
    "frames of a stream": "a\n\nevent: bye\ndata: <b>\n\n",
    "an order of its own": "\u202e\u2066gnp\u2069.exe\u200f",
    "many marks": "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319",
    "letters beyond": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \u00e4\u00df\u0130\ufb01 \ud7ff\uffff",
    "no letters": "\u200b\u3164\u00a0\ufeff",
    "a formula": "=HYPERLINK(\"//x\")",
    "what databases read": "'; DROP TABLE orders; --",
    "what shells read": "$(id) `id` | id & %00 ../../etc/passwd",
    "what formats read": "%s %(x)s {0} {x!r} %n",
}


@dataclass(slots=True)
class Shape(HTMLParser):
    """The tags of a page in their order, each with the names of its attributes, and where its addresses lead."""

    tags: list[str] = field(default_factory=list)
    schemes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(" ".join([tag, *sorted(name for name, _ in attrs)]))
        for name, value in attrs:
            if name in ("href", "src", "action", "formaction", "hx-get", "hx-post", "data"):
                scheme, colon, _ = (value or "").strip().lower().partition(":")
                self.schemes.update([scheme] if colon and "/" not in scheme else [])

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.tags.append("<!-- -->")

    def unknown_decl(self, data: str) -> None:
        self.tags.append("<![ ]>")

    def handle_pi(self, data: str) -> None:
        self.tags.append("<? ?>")


def shape(html: str) -> list[str]:
    """What a page is made of whatever its texts say. Raises AssertionError for an address that would run."""
    found = Shape()
    found.feed(html)
    found.close()
    assert found.schemes <= {"http", "https", "mailto"}, found.schemes
    return found.tags

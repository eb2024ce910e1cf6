"""Effect: bring one test delivery to an address as a sender from outside would, and tell how it went.

Blocks for up to 5 s a step: for a thread, never for the event loop. May be repeated: each delivery has an
identity of its own. Redirects are not followed, because no sender of webhooks follows them.
"""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import perf_counter
from urllib.parse import urlsplit

from opsmon.web.wording import Wording

TIMEOUT_S = 5.0
_LONGEST_ANSWER = 300


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody answered: the status, the first line of what was said, where a redirect points, after how long."""

    status: int
    text: str
    location: str
    took_ms: int


@dataclass(frozen=True, slots=True)
class Unreached:
    """Nobody answered: why, in the user's words."""

    why: str


def reach(url: str, headers: Mapping[str, str], body: bytes, wording: Wording, timeout_s: float = TIMEOUT_S
          ) -> Reached | Unreached:
    """POST once. Raises nothing that the network or the other side can cause."""
    parts, started = urlsplit(url), perf_counter()
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("POST", parts.path, body, dict(headers))
        answer = connection.getresponse()
        text = answer.read(_LONGEST_ANSWER).decode("utf-8", "replace")
        return Reached(answer.status, _first_line(text, answer.getheader("content-type", "")),
                       answer.getheader("location", "")[:_LONGEST_ANSWER], round((perf_counter() - started) * 1000))
    except (OSError, HTTPException, UnicodeError) as error:
        return Unreached(why(error, parts.hostname or "", wording, timeout_s))
    finally:
        connection.close()


def why(error: Exception, host: str, wording: Wording, timeout_s: float = TIMEOUT_S) -> str:
    """What an error of the way means, and what to look at."""
    say = wording.say
    match error:
        case socket.gaierror():
            return say("the name %(host)s is not known (DNS): is it spelt right, and does its record point here?",
                       host=host)
        case ssl.SSLCertVerificationError():
            return say("the certificate of %(host)s is not good: %(why)s.", host=host, why=error.verify_message)
        case ssl.SSLError():
            return say("%(host)s speaks no TLS there: is https right, and the port?", host=host)
        case TimeoutError():
            return say("no answer within %(seconds)s s: a firewall or a router may drop it on the way.",
                       seconds=wording.number(timeout_s))
        case ConnectionRefusedError():
            return say("nothing listens at %(host)s: is the proxy or the tunnel running?", host=host)
        case ConnectionError():
            return say("%(host)s hung up before it answered.", host=host)
        case HTTPException():
            return say("what answers at %(host)s speaks no HTTP.", host=host)
    return f"{host}: {getattr(error, 'strerror', None) or type(error).__name__}."


def _first_line(text: str, content_type: str) -> str:
    """What a person may read of an answer: nothing of a page of HTML."""
    if not content_type.startswith("text/plain"):
        return ""
    line = text.strip().partition("\n")[0]
    return "".join(letter if letter.isprintable() else " " for letter in line)[:_LONGEST_ANSWER]

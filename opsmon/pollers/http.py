"""A small client for vendors' JSON APIs: bounded in time and size, follows no redirects, tells no secrets.

http.client blocks, so each request has a thread.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson

from opsmon.core.errors import OpsmonError
from opsmon.threads import in_thread

MAX_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 20.0
# Of what is streamed: a line is one object.
MAX_LINE_BYTES = 4 * 1024 * 1024
_LINES_AT_ONCE = 500

T = TypeVar("T")


class HttpError(OpsmonError):
    """A vendor's API did not answer as hoped. `status` is None when there was no answer at all."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole. Names of headers are small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read. Raises HttpError for what is no JSON."""
        try:
            return orjson.loads(self.body)
        except (orjson.JSONDecodeError, RecursionError):
            raise HttpError(f"the answer ({self.status}) is not JSON; it begins {self.body[:60]!r}",
                            self.status) from None


class JsonClient:
    """Asks one host. `base` is https://host or http://host:port; `headers` go with every request, untold."""

    def __init__(self, base: str, headers: Mapping[str, str] | None = None, *, timeout_s: float = TIMEOUT_S,
                 max_bytes: int = MAX_BYTES) -> None:
        self._base, self._headers = base.rstrip("/"), dict(headers or {})
        self._timeout_s, self._max_bytes = timeout_s, max_bytes

    async def post(self, path: str, content: object) -> Answer:
        """POST as JSON. Raises HttpError; a status of 400 and more is an answer like another."""
        return await self._ask("POST", path, orjson.dumps(content))

    async def get(self, path: str) -> Answer:
        """GET. Raises HttpError."""
        return await self._ask("GET", path, None)

    async def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        headers = {"Accept": "application/json", **self._headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        # The time-out of a socket is that of each read: who drips must not hold us for ever.
        try:
            async with asyncio.timeout(3 * self._timeout_s):
                return await in_thread(lambda: self._asked(method, path, body, headers))
        except TimeoutError:
            raise HttpError(f"{urlsplit(self._base).hostname}{path.partition('?')[0]} did not finish its answer in "
                            f"{3 * self._timeout_s:g} s") from None

    def _asked(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        with _Request(self._base + path, self._timeout_s) as request:
            answer = request.ask(method, body, headers)
            taken = request.read(answer, self._max_bytes + 1)
        if len(taken) > self._max_bytes:
            raise HttpError(f"{request.where} answered with more than {self._max_bytes} bytes", answer.status)
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, taken)


async def stream_lines(url: str, *, timeout_s: float = TIMEOUT_S) -> AsyncIterator[list[bytes]]:
    """A file at a URL that a vendor gave, some lines at a time: of any length, in little memory. Raises HttpError."""
    request = _Request(url, timeout_s)
    try:
        answer = await in_thread(lambda: request.ask("GET", None, {}))
        if answer.status != 200:
            raise HttpError(f"{request.where} answered {answer.status} to a download", answer.status)
        while lines := await in_thread(lambda: request.lines(answer)):
            yield lines
    finally:
        request.close()


class _Request:
    """One connection. Errors name host and path only: an address may hold a token in its query."""

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        self.where = f"{parts.hostname}{parts.path}"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s = timeout_s
        self._answer: HTTPResponse | None = None
        if parts.scheme == "https":
            self._http: HTTPConnection = HTTPSConnection(
                parts.hostname or "", parts.port, timeout=timeout_s, context=ssl.create_default_context())
        elif parts.scheme == "http":
            self._http = HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        else:
            raise HttpError("the address is neither https:// nor http://")

    def __enter__(self) -> "_Request":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()
        self._http.close()

    def ask(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> HTTPResponse:
        answer = self._guarded(lambda: self._sent(method, body, headers))
        if 300 <= answer.status < 400:
            raise HttpError(f"{self.where} answered {answer.status}, a redirect, which is not followed: is the "
                            "address right?", answer.status)
        return answer

    def _sent(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> HTTPResponse:
        self._http.request(method, self._path, body, dict(headers))
        self._answer = self._http.getresponse()
        return self._answer

    def read(self, answer: HTTPResponse, most: int) -> bytes:
        taken = self._guarded(lambda: answer.read(most))
        if answer.length and len(taken) < most:
            raise HttpError(f"the answer of {self.where} was cut off", answer.status)
        return taken

    def lines(self, answer: HTTPResponse) -> list[bytes]:
        return self._guarded(lambda: [line for _ in range(_LINES_AT_ONCE) if (line := self._line(answer))])

    def _line(self, answer: HTTPResponse) -> bytes:
        line = answer.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES:
            raise HttpError(f"a line of {self.where} has more than {MAX_LINE_BYTES} bytes")
        return line

    def _guarded(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except TimeoutError:
            raise HttpError(f"{self.where} did not answer in {self._timeout_s:g} s") from None
        except ssl.SSLError as error:
            raise HttpError(f"{self.where}: no secure connection ({error.reason or 'TLS'})") from None
        except OSError as error:
            raise HttpError(f"{self.where} cannot be reached ({error.strerror or type(error).__name__})") from None
        except (HTTPException, ValueError) as error:
            raise HttpError(f"{self.where} does not speak HTTP as expected ({type(error).__name__})") from None

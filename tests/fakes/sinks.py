"""Those who are told, for tests: a mail server, an https address, and a way of telling people that fails as asked."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from opsmon.core.alerting.messages import Message
from opsmon.core.alerting.receivers import Receiver
from opsmon.notify.ports import DeliveryFailed


@dataclass
class Mailbox:
    """What a mail server took. `says` answers RCPT in place of 250, `is_cut` breaks off after DATA; `hears` is called
    when somebody comes, when a mail was taken, and when that was said."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    says: str = ""
    is_cut: bool = False
    hears: Callable[[], None] = lambda: None


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    """A mail server on this machine that takes what it is given."""
    box = Mailbox()
    server = await asyncio.start_server(lambda r, w: _take_mail(box, r, w), "127.0.0.1", 0, limit=2**24)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


async def _take_mail(box: Mailbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    def say(text: str) -> None:
        writer.write(f"{text}\r\n".encode())

    box.hears()
    say("220 sink")
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while line := await reader.readline():
            word = line[:4].upper().strip()
            box.commands.append(line.rstrip())
            if word == b"DATA":
                say("354 go on")
                body = await reader.readuntil(b"\r\n.\r\n")
                if box.is_cut:
                    break
                box.mails.append(body.removesuffix(b".\r\n"))
                box.hears()
            if word == b"QUIT":
                say("221 bye")
                break
            say(box.says if word == b"RCPT" and box.says else "250 fine")
            if word == b"DATA":
                await writer.drain()
                box.hears()
    writer.close()


@dataclass
class Sink:
    """What an https address was sent. `status` is answered; `seconds` before it; `is_cut` breaks off instead; `hears`
    is called when somebody comes, when a request was taken, and when it was answered."""

    port: int = 0
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0
    status: str = "204 No Content"
    headers: str = ""
    seconds: float = 0.0
    is_cut: bool = False
    answer: bytes | None = None
    hears: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}/hook"


@asynccontextmanager
async def https_sink(folder: Path) -> AsyncIterator[tuple[Sink, ssl.SSLContext]]:
    """An https address on this machine, and what believes its certificate, which is made anew in `folder`."""
    sink, (server_side, client_side) = Sink(), contexts(folder)
    server = await asyncio.start_server(lambda r, w: _take_post(sink, r, w), "127.0.0.1", 0, ssl=server_side)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink, client_side
    finally:
        server.close()


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The two sides of TLS with a certificate of 127.0.0.1 and hook.example."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", key, "-out", cert, "-days", "3650", "-subj", "/CN=hook.example", "-addext",
                        "subjectAltName=IP:127.0.0.1,DNS:hook.example"], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))


async def _take_post(sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    sink.connections += 1
    sink.hears()
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        sink.asked.append((first, headers, body))
        sink.hears()
        await asyncio.sleep(sink.seconds)
        if not sink.is_cut:
            said = f"HTTP/1.1 {sink.status}\r\n{sink.headers}Content-Length: 0\r\n\r\n".encode()
            writer.write(said if sink.answer is None else sink.answer)
            await writer.drain()
            sink.hears()
    writer.transport.abort()


@dataclass
class Channel:
    """A way of telling people that keeps what it was given. `trouble` is asked before each: what it returns is raised;
    `after` is called when a message was taken."""

    got: list[tuple[str, Message]] = field(default_factory=list)
    trouble: Callable[[Receiver, Message], DeliveryFailed | None] = lambda receiver, message: None
    after: Callable[[], None] = lambda: None

    async def send(self, receiver: Receiver, message: Message, now_ms: int) -> None:
        """Take a message, or fail."""
        failed = self.trouble(receiver, message)
        if failed is not None:
            raise failed
        self.got.append((receiver.id, message))
        self.after()

    @property
    def keys(self) -> list[str]:
        """Of every message that came, its key."""
        return [message.key for _, message in self.got]

    @property
    def subjects(self) -> list[str]:
        """Their subjects."""
        return [message.subject for _, message in self.got]

"""uvicorn as opsmon runs it: quick parsers, no access log, and a shutdown that sends screens away first."""

import asyncio
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_BACKLOG = 2048


class Protocol(HttpToolsProtocol):
    """Lets the stream endpoint reach its socket, to bound what a stalled screen can hoard."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["opsmon.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class Server(uvicorn.Server):
    """uvicorn never ends open streams by itself, so `before_shutdown` does."""

    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and Ctrl-C. uvicorn's own raises the signal again, and the process is gone before
        anything else is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Start-up's objects live for ever: the collector need not walk them again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._before_shutdown()
        await asyncio.sleep(0)
        await super().shutdown(sockets)


def serve(app: ASGIApp, sockets: list[socket.socket], before_shutdown: Callable[[], None]) -> Server:
    """A server for these sockets; await its `serve(sockets)`."""
    # Addresses hold tokens: whoever turns logging up must not find them written down.
    logging.getLogger("uvicorn.access").disabled = True
    config = uvicorn.Config(
        app, http=Protocol, interface="asgi3", ws="none", loop="uvloop", lifespan="off", proxy_headers=False,
        access_log=False, server_header=False, log_config=None, timeout_keep_alive=5, timeout_graceful_shutdown=2,
        backlog=_BACKLOG,
    )
    return Server(config, before_shutdown)

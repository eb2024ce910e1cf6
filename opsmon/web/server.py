"""uvicorn as opsmon runs it: quick parsers, no access log, and a shutdown that sends screens away first."""

import asyncio
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from opsmon.web.addresses import LOOPBACK, Networks
from opsmon.web.holding import Bounds, Crowd
from opsmon.web.protocol import Protocol

_BACKLOG = 2048
# What uvicorn would write of every request that is none: whoever likes to could fill a disk with it.
_NOISE = ("Invalid HTTP request received.", "Unsupported upgrade request.")


class Server(uvicorn.Server):
    """uvicorn never ends open streams by itself, so `before_shutdown` does; nor connections that are over their
    bounds, so this looks at them."""

    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None], bounds: Bounds) -> None:
        super().__init__(config)
        self._before_shutdown, self._bounds = before_shutdown, bounds
        self._looking: asyncio.TimerHandle | None = None

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
        self._look()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(self._bounds.look_every_s, self._look)
        now_s = loop.time()
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol):
                connection.look(now_s)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self._before_shutdown()
        await asyncio.sleep(0)
        await super().shutdown(sockets)


def serve(app: ASGIApp, sockets: list[socket.socket], before_shutdown: Callable[[], None], bounds: Bounds | None = None,
          excepted: Callable[[str], bool] | None = None) -> Server:
    """A server for these sockets; await its `serve(sockets)`. `excepted` says of an address whether it may hold any
    number of connections: without it, of this machine's."""
    # Addresses hold tokens: whoever turns logging up must not find them written down.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    bounds = bounds or Bounds()
    protocol = partial(Protocol, bounds=bounds, crowd=Crowd(bounds.most_each, excepted or Networks(LOOPBACK).hold))
    config = uvicorn.Config(
        app, http=protocol, interface="asgi3", ws="none", loop="uvloop", lifespan="off", proxy_headers=False,  # type: ignore[arg-type]
        access_log=False, server_header=False, log_config=None, timeout_keep_alive=bounds.idle_s,  # type: ignore[arg-type]
        timeout_graceful_shutdown=2, backlog=_BACKLOG,
    )
    return Server(config, before_shutdown, bounds)


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_NOISE)

"""How log lines are written: one for each event, whatever is in it.

Threat: a sender who has a line break, or what moves a terminal's cursor, written into the log, so that it reads as
something else (CWE-117; OWASP ASVS 5, 16.4.1).
"""

import logging
from types import TracebackType
from typing import TextIO

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    0x2028: "\\u2028", 0x2029: "\\u2029"}
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class OneLine(logging.Formatter):
    """Writes control characters by their codes; the lines of a traceback stand indented behind their own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = record.message.translate(_CONTROLS)
        return super().formatMessage(record)

    def formatException(self, ei: _ExcInfo) -> str:
        return "\n".join(f"    {line.translate(_CONTROLS)}" for line in super().formatException(ei).splitlines())


def write_logs(stream: TextIO) -> None:
    """Log from INFO on to a stream; of the server's own only what is wrong."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)

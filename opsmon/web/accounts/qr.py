"""A QR code as one path of an SVG. Drawn by segno, of the extra `people`; without it there is the code to be typed."""

from dataclasses import dataclass
from itertools import groupby

# White around it that a camera needs, in modules (ISO/IEC 18004, 9.1).
QUIET = 4


@dataclass(frozen=True, slots=True)
class QrView:
    """A square of `size` modules, quiet zone and all, and the path of its dark ones."""

    size: int
    path: str


def qr_view(text: str) -> QrView | None:
    """A text as a QR code that is read also with 15 % of it hidden; None without segno, or when it is too long."""
    try:
        import segno
    except ImportError:
        return None
    try:
        rows = [list(row) for row in segno.make_qr(text, error="m").matrix]
    except segno.DataOverflowError:
        return None
    return QrView(len(rows) + 2 * QUIET, "".join(_runs(number, row) for number, row in enumerate(rows)))


def _runs(number: int, row: list[int]) -> str:
    """The dark stretches of a row, each as a box one module high."""
    path, at = [], 0
    for is_dark, modules in groupby(row, bool):
        width = len(list(modules))
        path += [f"M{at + QUIET} {number + QUIET}h{width}v1h-{width}z"] if is_dark else []
        at += width
    return "".join(path)

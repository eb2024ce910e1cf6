"""Samples of the panel and the band: nothing wrong, one, many, seen to, kept quiet, and nobody answered."""

from collections.abc import Iterator
from dataclasses import replace

from opsmon.core.calendar import MINUTE_MS
from opsmon.core.parts import ALERTS
from opsmon.web.alerts.shapes import AlertRowView, AlertsView, BandView
from opsmon.web.tile_samples import NOW_MS

_PAYMENTS = AlertRowView("5f0c1d2e3a4b5c6d", "critical", "Critical", "Payments fail", "34%, over 20%",
                         NOW_MS - 9 * MINUTE_MS, "13:54", "open", "nobody sees to it yet")
_LATE = AlertRowView("6f0c1d2e3a4b5c6d", "high", "High", "Orders are past their time", "12, over 0",
                     NOW_MS - 41 * MINUTE_MS, "13:22", "acknowledged", "Ana sees to it, given to Ben")
_SILENT = AlertRowView("7f0c1d2e3a4b5c6d", "high", "High", "A source is silent: Odoo",
                       "silent for 75 min, at most 20 min is usual", NOW_MS - 55 * MINUTE_MS, "13:08", "quiet",
                       "muted until 14:30")
_FEW = AlertRowView("8f0c1d2e3a4b5c6d", "medium", "Medium", "Far fewer orders than usual", "12, usually at least 33",
                    NOW_MS - 5 * MINUTE_MS, "13:58", "recovering", "back within its limit")
_LETTERS = AlertRowView("9f0c1d2e3a4b5c6d", "low", "Low", "Deliveries could not be used", "3, over 0",
                        NOW_MS - 500 * MINUTE_MS, "5:43", "nobody", "nobody answered")
_NAMELESS = replace(_PAYMENTS, title="<b>Zahlungsdienstleisterverbindungsabbrüche</b> & more", value="")
_MUTE = "Everything: muted until 14:30. Stocktaking (Ana)"
_LABEL, _WHAT = "Alerts", "Each open alert, the worst first. Local time of Europe/Berlin."
BANDS: dict[str, BandView] = {
    "none": BandView(None, "", 0, is_loud=False, mutes=()),
    "one": BandView(_PAYMENTS, "", 1, is_loud=True, mutes=()),
    "many": BandView(_PAYMENTS, "4 more", 5, is_loud=True, mutes=()),
    "acknowledged": BandView(_LATE, "", 1, is_loud=False, mutes=()),
    "silenced": BandView(_SILENT, "", 1, is_loud=False, mutes=(_MUTE,)),
    "nobody answered": BandView(replace(_LATE, standing="nobody", who="nobody answered"), "", 1, is_loud=True,
                                mutes=()),
    "could not be read": BandView(None, "", 0, is_loud=False, mutes=(), note="As of 13:58.", state="error"),
}


def alert_tiles() -> Iterator[tuple[str, AlertsView]]:
    """(what it shows, the panel)."""
    quiet = AlertsView(ALERTS, _LABEL, "live", "", (), "", "Nothing is wrong: 8 rules look.", _WHAT)
    yield "alerts, none", quiet
    for name, rows, more in (("one", (_PAYMENTS,), ""), ("acknowledged", (_LATE,), ""), ("silenced", (_SILENT,), ""),
                             ("nobody answered", (_LETTERS,), ""), ("a long name", (_NAMELESS,), ""),
                             ("many", (_PAYMENTS, _LATE, _SILENT, _FEW, _LETTERS), "and 3 more")):
        yield f"alerts, {name}", replace(quiet, rows=rows, more=more, empty="")
    yield "alerts, error", replace(quiet, state="error", rows=(_PAYMENTS,), empty="", note="As of 13:58.")

"""Sample views for the gallery at /components and for the tests that look at it: every state once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from opsmon.web import dead_views as d
from opsmon.web import views as v
from opsmon.web.alerts.samples import BANDS, alert_tiles
from opsmon.web.alerts.shapes import AlertsView, BandView
from opsmon.web.history_samples import EXPLAINED, HISTORIES, ROWS
from opsmon.web.history_views import ExplainedView, HistoryView, RowsView
from opsmon.web.part_samples import part_tiles
from opsmon.web.part_shapes import AnyPart
from opsmon.web.tile_samples import tiles
from opsmon.web.tile_views import TileView

NOW_MS = 1_763_730_202_000  # Fri 2025-11-21 14:03:22 in Berlin

MORE = v.ComparisonView("Last Friday by 14:03: 412", "12 %", "good", "more than last Friday by 14:03", "up")
LESS = v.ComparisonView("Last Friday by 14:03: 502", "8 %", "bad", "less than last Friday by 14:03", "down")
SAME = v.ComparisonView("Last Friday by 14:03: 463", "About the same", "same", "as last Friday by 14:03")
FIRST_WEEK = v.ComparisonView("No comparison yet (first week)", "", "none")


def _spark(values: list[int]) -> v.SparkView:
    top = max(max(values), 4)
    points = [(i * 10, round(100 - value / top * 92, 1)) for i, value in enumerate(values)]
    line = " ".join(f"{x},{y}" for x, y in points)
    last_x, last_y = points[-1]
    rows = tuple((f"13:{i:02d}", str(value)) for i, value in enumerate(values))
    sentence = f"Most in a minute: {max(values)}, at 13:{values.index(max(values)):02d}"
    over, moving = line.rpartition(" ")[0], " ".join(line.split(" ")[-2:])
    area = f"0,100 {over} {last_x - 10},100"
    return v.SparkView(over, area, last_x, moving, str(last_x), str(last_y), sentence, rows)


def _bars(values: list[int], ghosts: list[int], expected: int, lines: tuple[int, ...], absent: int = 0) -> v.BarsView:
    top = lines[-1] if lines else 1

    def bar(i: int) -> v.BarView:
        live, hour = i == 23, (15 + i) % 24
        height = values[i] / top * 100
        rise = expected / top * 100
        return v.BarView(
            x=f"{i * 10 + 1.2:g}", y=f"{100 - height:g}", width="7.6",
            label=f"{hour:02d}" if i % 3 == 2 else "", name=f"{hour:02d}:00", text=str(values[i]),
            state="live" if live else "absent" if i < absent else "complete",
            ghost_y=f"{100 - ghosts[i] / top * 100:g}" if ghosts else None,
            expected_y=f"{100 - rise:g}" if live and expected else None,
            expected_height=f"{rise:g}" if live and expected else None,
        )

    grid = tuple(v.GridLineView(f"{100 - line / top * 100:g}", str(line)) for line in lines)
    said = f"{values[-1]} so far" + (f", on course for {expected}" if expected else "")
    return v.BarsView(240, tuple(bar(i) for i in range(24)), grid, said, str(absent * 10))


MINUTES = [int(2 + (i * 7 % 5) + (3 if 35 < i < 44 else 0) - (i % 4 == 1) * 2) for i in range(60)]
HOURS = [52, 48, 55, 61, 66, 58, 40, 27, 14, 8, 4, 3, 2, 2, 5, 11, 24, 39, 51, 58, 64, 71, 63, 19]
LAST_WEEK = [49, 50, 47, 58, 60, 61, 44, 25, 12, 9, 5, 2, 1, 3, 4, 13, 22, 35, 49, 55, 57, 62, 60, 40]

ORDERS = v.KpiView(
    "orders-today", "Orders today", "412", 3, "412", "live", "",
    "Orders placed since the start of the business day, paid or not, cancelled ones included.",
    MORE, None, None)
REVENUE = v.KpiView(
    "revenue-today", "Revenue today", "€24,918.40", 10, "2491840", "live", "",
    "Order totals with tax and shipping, minus refunds on the day they were given.", LESS, None, None)
HOURLY = v.KpiView(
    "orders-per-hour", "Orders per hour", "19", 2, "19", "live", "",
    "The bars show the last 24 hours, the marks the same hours a week ago.", None, None,
    _bars(HOURS, LAST_WEEK, 45, (0, 20, 40, 60, 80)))
MINUTELY = v.KpiView(
    "orders-per-minute", "Orders per minute", "4", 1, "4", "live", "6 in the minute before",
    "Orders placed in the present minute; the line shows the last 60 minutes.", None, _spark(MINUTES), None)
AVERAGE = v.KpiView(
    "aov-1h", "Average order, last hour", "€60.48", 6, "6048", "live", "41 orders in the last hour",
    "Order totals before returns divided by orders, over the last 60 minutes.", None, None, None)
BUSY = (ORDERS, REVENUE, HOURLY, MINUTELY, AVERAGE)

QUIET = (
    replace(ORDERS, text="10", chars=2, value="10", comparison=SAME),
    replace(REVENUE, text="€312.00", chars=7, comparison=FIRST_WEEK),
    replace(HOURLY, text="1", chars=1, bars=_bars([0] * 18 + [1, 0, 3, 2, 0, 1], [], 0, tuple(range(5)), 9)),
    replace(MINUTELY, text="0", chars=1, note="none for 18 minutes", spark=_spark([0] * 41 + [1] + [0] * 18)),
    replace(AVERAGE, text="€28.50", note="2 orders in the last hour"))
BIG = (
    replace(ORDERS, text="1,284,903", chars=9),
    replace(REVENUE, text="€123,456,789.00", chars=15, note="also US$12,480.00 and £9,310.50"),
    replace(HOURLY, bars=_bars([n * 1000 for n in HOURS], [n * 1000 for n in LAST_WEEK], 45000,
                               (0, 20000, 40000, 60000, 80000))),
    replace(MINUTELY, text="12,480", chars=6, spark=_spark([n * 2000 for n in MINUTES])),
    replace(AVERAGE, text="€1,023,456.78", chars=13))
_WEEK_AGO = "als letzten Freitag bis 14:03"
_THEN = "Letzten Freitag bis 14:03"
GERMAN = (
    replace(ORDERS, label="Bestellungen heute", text="1.284", chars=5, comparison=v.ComparisonView(
        f"{_THEN}: 1.146", "12 %", "good", f"mehr {_WEEK_AGO}", "up")),
    replace(REVENUE, label="Umsatz heute, brutto", text="123.456.789,00 €", chars=16,
            comparison=v.ComparisonView(f"{_THEN}: 134.192.161,00 €", "8 %", "bad", f"weniger {_WEEK_AGO}", "down")),
    replace(HOURLY, label="Bestellungen je Stunde"),
    replace(MINUTELY, label="Bestellungen je Minute", note="6 in der Minute davor"),
    replace(AVERAGE, label="Durchschnittlicher Bestellwert, letzte Stunde", text="60,48 €", chars=7))
NOTHING = tuple(
    replace(kpi, text="0", chars=1, value="0", state="empty", note="", spark=None, bars=None,
            comparison=replace(FIRST_WEEK, text="No orders yet today. Yesterday by now: 12")
            if kpi is ORDERS else None)
    for kpi in BUSY)
BEHIND = tuple(replace(kpi, state="catching-up") for kpi in BUSY)
FAILED = (ORDERS, replace(REVENUE, state="error", note="could not be computed since 13:58"), *BUSY[2:])

SHOPIFY = v.SourceView("Shopify", NOW_MS - 42_000, False, "")
ODOO = v.SourceView("Odoo", NOW_MS - 190_000, False, "")
SILENT = replace(SHOPIFY, silent=True, text="No Shopify event since 13:02 (usually every 6 min)")
UNHEARD = v.SourceView("Shopify", None, False, "")
WELL = v.HealthView("ok", "", NOW_MS - 42_000, "order to screen 12 ms", (SHOPIFY, ODOO))
QUIET_SOURCE = replace(WELL, sources=(SILENT, ODOO))
LATE = replace(WELL, state="late", text="Catching up, 1,240 events behind", latency="")
STOPPED = replace(LATE, state="stopped", text="The worker has stopped, 1,240 events wait")
STORE_DOWN = replace(LATE, state="store-down", text="The store cannot be reached", processed_ms=None)
UNSEEN = v.HealthView("ok", "", None, "", (UNHEARD,))

READY = v.SetupView(False, "https://ops.example.com/webhooks/shopify", "opsmon send-test shopify", "", "")
NEEDED = replace(READY, needed=True)
FILLING = replace(READY, progress="Filling in 8 weeks: 61 %")

MANY_DEAD = d.DeadGroupView(
    "Shopify", "shopify", "orders/create from paper-boat.myshopify.com: the body is not JSON: line … column …",
    "3fa07de0", "/dead-letters?source=shopify&reason=3fa07de0", "1,204", "letters", "3.1 MB", "Nov 20, 08:12:01",
    "Nov 21, 14:03:20")
ONE_DEAD = replace(MANY_DEAD, source="A worker", reason="the event cannot be counted: KeyError …", letters="1",
                   noun="letter", size="412 bytes")
_HEARD = v.SourceCardView(
    name="shopify", title="Shopify", kind="", known=True, state="well", word="Well", sentence="",
    last_ms=NOW_MS - 42_000, last="Fri 14:02", in_5_minutes="12", in_an_hour="140", lag="0.8 sec", usual="6 min",
    counts=(("Accepted", "12,480"), ("Duplicates", "311"), ("Not used", "42"), ("Out of order", "17"),
            ("Late by over 1 h", "3"), ("Gaps filled", "5")),
    dead="2", refusals=(v.RefusalView("slow_body", "1", "The body did not arrive within its time."),), refused="1",
    poll=v.PollView(NOW_MS - 60_000, NOW_MS + 240_000, "12 found, 1 of them new", ""), spool="",
    url="", hint="", is_open=False,
    steps=(v.StepView((v.StepPartView("In Shopify, send webhooks to ", False),
                       v.StepPartView("https://ops.example.com/webhooks/shopify", True))),),
    way="It takes the way from outside, and no number counts it.",
    trial=v.TrialView(True, NOW_MS, "Arrived and counted in 38 ms."))
CARDS = {
    "well": _HEARD,
    "silent": replace(_HEARD, state="silent", word="Silent since 13:02", sentence="Usually within 6 min.",
                      poll=v.PollView(None, None, "", "the token was refused"),
                      trial=v.TrialView(False, NOW_MS, "Could not be reached: nothing listens at ops.example.com.")),
    "refusing": replace(_HEARD, name="woo", title="woo", kind="WooCommerce", state="refusing", poll=None, trial=None,
                        word="Refusing everything", sentence="The last 45 deliveries were all refused.", last_ms=None,
                        refusals=(v.RefusalView("bad_signature", "41", "Signed with another secret."),
                                  v.RefusalView("brand_new", "4", ""))),
    "never": replace(_HEARD, name="odoo", title="Odoo", state="never", word="Never heard",
                     sentence="Nothing has come yet.", last_ms=None, counts=(), dead="", refusals=(), poll=None,
                     trial=None, spool="Empty", is_open=True, url="https://ops.example.com/webhooks/odoo",
                     hint="Set OPSMON_PUBLIC_URL."),
    "stopped": replace(_HEARD, state="stopped", word="Stopped", sentence="Too many dead letters."),
}
SOURCES = (v.SourcesView("ok", "All 3 sources that were heard are well"),
           v.SourcesView("late", "Shopify: silent since 13:02"), v.SourcesView("stopped", "woo: refusing everything"))

BOARDS = {
    "busy": (BUSY, WELL, READY), "quiet": (QUIET, QUIET_SOURCE, READY), "big": (BIG, WELL, READY),
    "german": (GERMAN, WELL, READY), "nothing": (NOTHING, WELL, READY), "behind": (BEHIND, LATE, READY),
    "failed": (FAILED, STORE_DOWN, READY), "first-run": (NOTHING, UNSEEN, NEEDED),
    "filling": (BUSY, WELL, FILLING),
}


@dataclass(frozen=True, slots=True)
class Gallery:
    """What templates/pages/components.jinja shows."""

    kpis: tuple[tuple[str, str, v.KpiView], ...]
    tiles: tuple[tuple[str, TileView | AnyPart | AlertsView], ...]
    bands: tuple[tuple[str, BandView], ...]
    healths: tuple[tuple[str, v.HealthView], ...]
    setups: tuple[tuple[str, v.SetupView], ...]
    dead: tuple[tuple[str, d.DeadGroupView], ...]
    notices: tuple[tuple[str, d.NoticeView], ...]
    cards: tuple[tuple[str, v.SourceCardView], ...]
    histories: tuple[tuple[str, HistoryView], ...]
    rows: tuple[tuple[str, RowsView], ...]
    explained: tuple[tuple[str, ExplainedView], ...]


def _kpis() -> Iterator[tuple[str, str, v.KpiView]]:
    sizes = {"orders-today": "hero", "revenue-today": "hero", "orders-per-hour": "wide"}
    for name, (kpis, _, _) in BOARDS.items():
        if name not in ("first-run", "filling"):
            yield from ((f"{kpi.id}, {name}", sizes.get(kpi.id, "normal"), kpi) for kpi in kpis)


GALLERY = Gallery(
    tuple(_kpis()),
    (*tiles(), *part_tiles(), *alert_tiles()),
    tuple(BANDS.items()),
    (("well", WELL), ("silent source", QUIET_SOURCE), ("late", LATE), ("stopped", STOPPED),
     ("store down", STORE_DOWN), ("never heard", UNSEEN)),
    (("needed", NEEDED), ("filling in", FILLING)),
    (("many", MANY_DEAD), ("one", ONE_DEAD)),
    (("done", d.NoticeView("ok", "Replayed 212 letters, 3 had been taken before.")),
     ("not all of it", d.NoticeView("warn", "Replayed 0 letters; 1 still cannot be used: the body is not JSON."))),
    tuple(CARDS.items()),
    HISTORIES, ROWS, EXPLAINED,
)

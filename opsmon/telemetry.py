"""Our own metrics: each name typed once, with its kind, unit and what to do about it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1, 2.5, 5)

WEBHOOK_SECONDS = Histogram(
    "opsmon_webhook_seconds", "From the headers of a webhook to its answer. Above 0.5 s: look at the disk.",
    buckets=_SECONDS, registry=REGISTRY)
WEBHOOKS = Counter(
    "opsmon_webhooks", "Webhooks answered by this process. outcome=unavailable: the store did not confirm.",
    ("source", "outcome"), registry=REGISTRY)
SCREEN_SECONDS = Histogram(
    "opsmon_screen_seconds", "From the arrival of an event to the partial on its way to all screens.",
    buckets=_SECONDS, registry=REGISTRY)
SCREENS = Gauge("opsmon_screens", "Open streams of this process.", registry=REGISTRY)
RENDERS = Counter("opsmon_renders", "Partials rendered.", ("slot",), registry=REGISTRY)
PUSHED_BYTES = Counter("opsmon_pushed_bytes", "Bytes pushed to screens.", registry=REGISTRY)
DROPPED_SCREENS = Counter(
    "opsmon_dropped_screens", "Screens dropped because they took nothing for 10 s; they resume by revision.",
    registry=REGISTRY)
LAG = Gauge("opsmon_stream_lag_events", "Events not yet read by a worker. Growing: add a worker.",
            registry=REGISTRY)
PENDING = Gauge("opsmon_stream_pending_events", "Events read but not yet counted.", registry=REGISTRY)
DEAD = Gauge("opsmon_dead_letters", "Dead letters held. Above 0: see /status for the reasons.",
             registry=REGISTRY)
COUNTS = Gauge("opsmon_source_total", "Running totals of a site, from the store.", ("source", "outcome"),
               registry=REGISTRY)

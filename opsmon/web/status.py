"""Query and words of /status: what came in, what waits, how the store does."""

from dataclasses import asdict
from typing import Any

import opsmon
from opsmon.core.health import judge
from opsmon.store import health_queries
from opsmon.store.connection import Reader
from opsmon.store.fsync import FsyncTimes
from opsmon.store.health_queries import DeadEntry, StoreFacts
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.notes import read_memory
from opsmon.web.presenting import SOURCE_NAMES
from opsmon.web.views import DeadLetterView, MemoryRowView, StatusSourceView, StatusView, StoreView
from opsmon.web.wording import Wording

_SLOW_FSYNC_US = 10_000
_CAUSES = {
    "no_secret": "No signing secret is set for their shop: put it into OPSMON_SHOPIFY_SECRETS.",
    "bad_signature": "Signed with another secret (admin-made and app webhooks differ), or the body was "
                     "changed on the way.",
    "unsigned": "Deliveries without X-Shopify-Hmac-Sha256: not from Shopify, or a proxy removes the header.",
    "bad_headers": "Topic, shop or webhook id were missing or odd.",
    "too_large": "Bodies over 1 MiB are not taken.",
    "slow_body": "Bodies did not arrive within 5 s.",
    "client_gone": "Senders hung up before the body was whole.",
}
# What is kept: its name, and the setting that says for how long.
_KINDS = {
    "minutes": ("Counts by the minute", "OPSMON_KEEP_MINUTES"),
    "hours": ("Counts by the hour", "OPSMON_KEEP_HOURS"),
    "days": ("Counts by the day", "OPSMON_KEEP_DAYS"),
    "now": ("What holds now", ""),
    "entity": ("Orders, customers, visitors", "OPSMON_KEEP_ORDERS"),
    "open": ("What is open", ""),
    "events": ("Raw events", "OPSMON_RETENTION, OPSMON_STREAM_MEMORY"),
    "visits": ("Raw events of pages", "OPSMON_RETENTION, OPSMON_VISITS_MEMORY"),
    "seen": ("Marks of deliveries", ""),
    "dead": ("Dead letters", ""),
}


async def gather(reader: Reader, keys: Keys, kpis: KpiQueries, sources: tuple[str, ...],
                 latency_ms: tuple[int, int] | None, fsync: FsyncTimes | None, now_ms: int) -> dict[str, Any]:
    """Everything /status and `opsmon status --json` tell, as plain values: times epoch ms, sizes bytes."""
    backlog = await health_queries.backlog(reader, keys)
    workers = await health_queries.workers(reader, keys)
    heard = await health_queries.heard(reader, keys, kpis, sources, now_ms)
    health = judge(backlog, {n: (w.seen_ms, w.trouble) for n, w in workers.items()}, heard, now_ms)
    held, letters = await health_queries.dead_letters(reader, keys)
    totals = await health_queries.totals(reader, keys)
    memory = await read_memory(reader, keys)
    return {
        "now_ms": now_ms,
        "state": health.state,
        "trouble": health.trouble,
        "lag": backlog.unread,
        "pending": backlog.pending,
        "behind_ms": health.behind_ms,
        "workers": {name: asdict(note) for name, note in sorted(workers.items())},
        "sources": {source.name: {"last_ms": source.last_ms, "usual_gap_ms": source.usual_gap_ms,
                                  "silent": source in health.silent, "totals": _of(source.name, totals)}
                    for source in heard},
        "memory": asdict(memory) if memory else None,
        "dead_letters": {"held": held, "newest": [asdict(letter) for letter in letters]},
        "store": asdict(await health_queries.store_facts(reader)),
        "fsync_us": {"median": fsync.median_us, "p99": fsync.p99_us} if fsync else None,
        "latency_ms": {"median": latency_ms[0], "p99": latency_ms[1]} if latency_ms else None,
        "version": opsmon.__version__,
    }


def status_view(facts: dict[str, Any], wording: Wording) -> StatusView:
    """The same in words."""
    state = facts["state"]
    latency = facts["latency_ms"]
    store = StoreFacts(**facts["store"])
    return StatusView(
        state=state,
        text=_summary(facts),
        at=wording.clock(facts["now_ms"]),
        sources=tuple(_source(name, source, wording) for name, source in facts["sources"].items()),
        lag=wording.number(facts["lag"]),
        pending=wording.number(facts["pending"]),
        dead_letters=tuple(_letter(DeadEntry(**letter)) for letter in facts["dead_letters"]["newest"]),
        store=_store(store, facts["fsync_us"], wording),
        memory=_memory(facts["memory"], wording),
        full=tuple(f"{rollup} has more rows than it tells apart: the rest is in other."
                   for rollup in (facts["memory"] or {}).get("full", ())),
        latency="" if latency is None else f"median {wording.milliseconds(latency['median'])}, "
                                           f"p99 {wording.milliseconds(latency['p99'])}",
        versions=(("opsmon", facts["version"]), (store.name, store.version)),
    )


def _summary(facts: dict[str, Any]) -> str:
    if facts["trouble"]:
        return str(facts["trouble"])
    waiting = facts["lag"] + facts["pending"]
    words: dict[str, str] = {
        "ok": "Everything that arrived is counted",
        "late": f"Catching up: {waiting} events wait",
        "stopped": f"No worker is running: {waiting} events wait",
    }
    return words[facts["state"]]


def _source(name: str, source: dict[str, Any], wording: Wording) -> StatusSourceView:
    totals = source["totals"]
    refused = {reason: totals[reason] for reason in _CAUSES if totals.get(reason)}
    return StatusSourceView(
        name=SOURCE_NAMES.get(name, name),
        last_ms=source["last_ms"],
        accepted=wording.number(totals.get("accepted", 0)),
        duplicates=wording.number(totals.get("duplicate", 0)),
        unused=wording.number(totals.get("not_used", 0)),
        refused=wording.number(sum(refused.values())),
        refused_cause=" ".join(f"{_CAUSES[reason]} ({wording.number(n)})" for reason, n in refused.items()),
        dead_letters=wording.number(totals.get("dead", 0)),
    )


def _letter(letter: DeadEntry) -> DeadLetterView:
    return DeadLetterView(letter.at_ms, SOURCE_NAMES.get(letter.source, letter.source), letter.reason)


def _store(store: StoreFacts, fsync_us: dict[str, int] | None, wording: Wording) -> StoreView:
    bound = f" of {wording.size(store.max_bytes)}" if store.max_bytes else ""
    full = store.max_bytes and store.used_bytes > 0.8 * store.max_bytes
    slow = fsync_us is not None and fsync_us["median"] > _SLOW_FSYNC_US
    return StoreView(
        name=f"{store.name} {store.version}",
        memory=wording.size(store.used_bytes) + bound,
        memory_warning="Nearly full: raise OPSMON_STORE_MEMORY or shorten OPSMON_RETENTION." if full else "",
        appendfsync=store.appendfsync or "unknown",
        fsync=wording.milliseconds(fsync_us["median"] / 1000) if fsync_us else "not measured",
        fsync_warning="The disk is slow to confirm writes: webhooks will wait for it." if slow else "",
    )


def _memory(memory: dict[str, Any] | None, wording: Wording) -> tuple[MemoryRowView, ...]:
    named = [(_KINDS[one["kind"]], one) for one in (memory or {}).get("footprints", ()) if one["kind"] in _KINDS]
    return tuple(MemoryRowView(name, wording.number(one["keys"]), wording.size(one["size_bytes"]), bound)
                 for (name, bound), one in named)


def _of(source: str, totals: dict[str, int]) -> dict[str, int]:
    prefix = f"{source}:"
    return {name.removeprefix(prefix): count for name, count in sorted(totals.items())
            if name.startswith(prefix) and name != f"{prefix}last_ms"}

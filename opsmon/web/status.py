"""Query and words of /status: what came in, what waits, how the store does."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import opsmon
from opsmon.core.health import Heard, is_silent, judge
from opsmon.core.privacy import DEADLINE_MS
from opsmon.core.source_health import Poll, SourceFacts, judge_source
from opsmon.store import dead_queries, health_queries
from opsmon.store.connection import Reader
from opsmon.store.fsync import FsyncTimes
from opsmon.store.health_queries import DeadEntry, StoreFacts
from opsmon.store.keys import Keys
from opsmon.store.kpi_queries import KpiQueries
from opsmon.store.notes import read_memory, read_spools
from opsmon.store.privacy_queries import read_open
from opsmon.store.source_queries import EVENTS, read_sources
from opsmon.web.dead_views import stopped_sentences
from opsmon.web.languages import N_
from opsmon.web.source_cards import lag_words, poll_words, spool_words
from opsmon.web.source_words import STOPPED, cause, state_word, title
from opsmon.web.views import DeadLetterView, MemoryRowView, StatusSourceView, StatusView, StoreView
from opsmon.web.wording import Wording

_SLOW_FSYNC_US = 10_000
# What is kept: its name, and the setting that says for how long.
_KINDS = {
    "minutes": (N_("Counts by the minute"), "OPSMON_KEEP_MINUTES"),
    "hours": (N_("Counts by the hour"), "OPSMON_KEEP_HOURS"),
    "days": (N_("Counts by the day"), "OPSMON_KEEP_DAYS"),
    "now": (N_("What holds now"), ""),
    "entity": (N_("Orders, customers, visitors"), "OPSMON_KEEP_ORDERS"),
    "open": (N_("What is open"), ""),
    "events": (N_("Raw events"), "OPSMON_RETENTION, OPSMON_STREAM_MEMORY"),
    "visits": (N_("Raw events of pages"), "OPSMON_RETENTION, OPSMON_VISITS_MEMORY"),
    "seen": (N_("Marks of deliveries"), ""),
    "dead": (N_("Dead letters"), ""),
}


async def gather(reader: Reader, keys: Keys, kpis: KpiQueries, sources: tuple[str, ...],
                 latency_ms: tuple[int, int] | None, fsync: FsyncTimes | None, now_ms: int) -> dict[str, Any]:
    """Everything /status and `opsmon status --json` tell, as plain values: times epoch ms, sizes bytes."""
    backlog = await health_queries.backlog(reader, keys)
    workers = await health_queries.workers(reader, keys)
    found = await read_sources(reader, keys, kpis, (*sources, EVENTS), now_ms)
    heard = tuple(one.heard for one in found)
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
        "sources": {one.heard.name: _told(one, now_ms) for one in found},
        "memory": asdict(memory) if memory else None,
        "dead_letters": {"held": held, "newest": [asdict(letter) for letter in letters],
                         "stopped": dead_queries.stopped(totals)},
        "store": asdict(await health_queries.store_facts(reader)),
        "fsync_us": {"median": fsync.median_us, "p99": fsync.p99_us} if fsync else None,
        "latency_ms": {"median": latency_ms[0], "p99": latency_ms[1]} if latency_ms else None,
        "privacy": [{"id": one.id, "kind": one.kind, "stage": one.stage, "asked_ms": one.asked_ms,
                     "until_ms": one.asked_ms + DEADLINE_MS} for one in await read_open(reader, keys)],
        "spools": {name: asdict(spool) for name, spool in sorted((await read_spools(reader, keys)).items())},
        "at_odds": await kpis.at_odds(),
        "version": opsmon.__version__,
    }


def status_view(facts: dict[str, Any], wording: Wording) -> StatusView:
    """The same in words."""
    state = facts["state"]
    latency = facts["latency_ms"]
    store = StoreFacts(**facts["store"])
    return StatusView(
        state=state,
        text=_summary(facts, wording),
        at=wording.clock(facts["now_ms"]),
        sources=tuple(_source(name, source, wording) for name, source in facts["sources"].items()),
        lag=wording.number(facts["lag"]),
        pending=wording.number(facts["pending"]),
        dead_letters=tuple(_letter(DeadEntry(**letter), wording) for letter in facts["dead_letters"]["newest"]),
        stopped=stopped_sentences(facts["dead_letters"]["stopped"], wording),
        store=_store(store, facts["fsync_us"], wording),
        memory=_memory(facts["memory"], wording),
        full=tuple(wording.say("%(rollup)s has more rows than it tells apart: the rest is in other.", rollup=rollup)
                   for rollup in (facts["memory"] or {}).get("full", ())),
        latency="" if latency is None else wording.say(
            "median %(median)s, p99 %(p99)s", median=wording.milliseconds(latency["median"]),
            p99=wording.milliseconds(latency["p99"])),
        to_do=(*_spools(facts["spools"], wording), *_privacy(facts["privacy"], wording), *facts["at_odds"]),
        versions=(("opsmon", facts["version"]), (store.name, store.version)),
    )


def _summary(facts: dict[str, Any], wording: Wording) -> str:
    if facts["trouble"]:
        return str(facts["trouble"])
    spooled = sum(spool["waiting"] for spool in facts["spools"].values())
    waiting = facts["lag"] + facts["pending"] + spooled
    if facts["state"] == "ok" and not spooled:
        return wording.say("Everything that arrived is counted")
    if facts["state"] in ("ok", "late"):
        return wording.many("Catching up: %(num)s event waits", "Catching up: %(num)s events wait", waiting)
    return wording.many("No worker is running: %(num)s event waits", "No worker is running: %(num)s events wait",
                        waiting)


def _told(facts: SourceFacts, now_ms: int) -> dict[str, Any]:
    """A source as plain values. `silent` is asked of the hour's usual gap, whatever else is wrong."""
    told = asdict(facts)
    heard = told.pop("heard")
    return {"state": judge_source(facts, now_ms), "last_ms": heard["last_ms"], "usual_gap_ms": heard["usual_gap_ms"],
            "silent": is_silent(facts.heard, now_ms), "refused": facts.refusals, **told}


def _source(name: str, told: dict[str, Any], wording: Wording) -> StatusSourceView:
    totals, refused = told["totals"], told["refused"]
    heard = Heard(name, told["last_ms"], told["usual_gap_ms"])
    return StatusSourceView(
        name=title(name, wording),
        state=told["state"],
        word=state_word(told["state"], heard, wording),
        last_ms=told["last_ms"],
        in_5_minutes=wording.number(told["in_5_minutes"]),
        in_an_hour=wording.number(told["in_an_hour"]),
        lag=lag_words(told["lag_ms"], wording),
        out_of_order=wording.number(totals.get("out-of-order", 0)),
        late=wording.number(totals.get("late", 0)),
        more=tuple(_more(told, wording)),
        accepted=wording.number(totals.get("accepted", 0)),
        duplicates=wording.number(totals.get("duplicate", 0)),
        unused=wording.number(totals.get("not_used", 0)),
        refused=wording.number(sum(refused.values())),
        refused_cause=" ".join(f"{cause(reason, wording) or reason} ({wording.number(n)})"
                               for reason, n in refused.items()),
        dead_letters=wording.number(totals.get("dead", 0)),
    )


def _more(told: dict[str, Any], wording: Wording) -> Iterator[str]:
    if told["state"] == "stopped":
        yield wording.say(STOPPED)
    if told["poll"]:
        poll = Poll(**told["poll"])
        yield _asked(poll, wording) + (f" {wording.say(poll.error)}" if poll.error else "")
    if told["totals"].get("reconciled"):
        yield wording.say("Gaps filled by asking: %(count)s.", count=wording.number(told["totals"]["reconciled"]))
    if told["spooled"]:
        yield wording.say("Spool: %(waiting)s.", waiting=spool_words(told["spooled"], wording))


def _asked(poll: Poll, wording: Wording) -> str:
    found = poll_words(poll, wording)
    if not poll.next_ms:
        return wording.say("Asked: %(found)s.", found=found)
    return wording.say("Asked: %(found)s, again at %(time)s.", found=found, time=wording.clock(poll.next_ms))


def _spools(spools: dict[str, dict[str, Any]], wording: Wording) -> Iterator[str]:
    """What was answered for and is on a disk yet: if its process is gone, it waits there until that one is back."""
    for name, spool in spools.items():
        if spool["waiting"]:
            yield wording.many("%(num)s delivery waits on the disk of %(process)s since %(time)s.",
                               "%(num)s deliveries wait on the disk of %(process)s since %(time)s.",
                               spool["waiting"], process=name, time=wording.clock(spool["since_ms"]))


def _privacy(requests: list[dict[str, Any]], wording: Wording) -> Iterator[str]:
    """What waits for a person, and what is late."""
    waiting = [one["until_ms"] for one in requests if one["kind"] == "export"]
    if waiting:
        yield wording.many("%(num)s data request waits, to be answered by %(day)s: opsmon privacy list.",
                           "%(num)s data requests wait, to be answered by %(day)s: opsmon privacy list.",
                           len(waiting), day=wording.date(min(waiting)))
    erasing = [one["until_ms"] for one in requests if one["kind"] != "export"]
    if erasing:
        yield wording.many("%(num)s request to erase somebody's data under way, to be done by %(day)s.",
                           "%(num)s requests to erase somebody's data under way, to be done by %(day)s.",
                           len(erasing), day=wording.date(min(erasing)))


def _letter(letter: DeadEntry, wording: Wording) -> DeadLetterView:
    return DeadLetterView(letter.at_ms, title(letter.source, wording), letter.reason)


def _store(store: StoreFacts, fsync_us: dict[str, int] | None, wording: Wording) -> StoreView:
    used = wording.size(store.used_bytes)
    full = store.max_bytes and store.used_bytes > 0.8 * store.max_bytes
    slow = fsync_us is not None and fsync_us["median"] > _SLOW_FSYNC_US
    return StoreView(
        name=f"{store.name} {store.version}",
        memory=wording.say("%(some)s of %(all)s", some=used, all=wording.size(store.max_bytes)
                           ) if store.max_bytes else used,
        memory_warning=wording.say("Nearly full: raise OPSMON_STORE_MEMORY or shorten OPSMON_RETENTION."
                                   ) if full else "",
        appendfsync=store.appendfsync or wording.say("unknown"),
        fsync=wording.milliseconds(fsync_us["median"] / 1000) if fsync_us else wording.say("not measured"),
        fsync_warning=wording.say("The disk is slow to confirm writes: webhooks will wait for it.") if slow else "",
    )


def _memory(memory: dict[str, Any] | None, wording: Wording) -> tuple[MemoryRowView, ...]:
    named = [(_KINDS[one["kind"]], one) for one in (memory or {}).get("footprints", ()) if one["kind"] in _KINDS]
    return tuple(MemoryRowView(wording.say(name), wording.number(one["keys"]), wording.size(one["size_bytes"]), bound)
                 for (name, bound), one in named)

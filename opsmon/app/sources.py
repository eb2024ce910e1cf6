"""What the boards say of sources."""

from collections.abc import Mapping
from functools import partial

from opsmon.app.site import declared_sources, ingest_tokens, local_url
from opsmon.app.wording import wording_of
from opsmon.settings import Settings
from opsmon.sources.base import Source, SourceSettings
from opsmon.sources.kinds import KINDS
from opsmon.sources.probing import event_probe, has_probe, probe
from opsmon.web.source_cards import SourceInfo
from opsmon.web.source_words import (
    EVENT_STEPS,
    FLOOR_STEPS,
    IMPORT_STEPS,
    NOT_PUBLIC,
    PIXEL_STEPS,
    UNKNOWN_STEPS,
    steps_of,
    title,
)
from opsmon.web.trials import Door
from opsmon.web.views import KindView
from opsmon.web.wording import Wording


def source_infos(settings: Settings) -> list[SourceInfo]:
    """Every place on the page of the sources: those declared, and the doors of opsmon's own."""
    wording = wording_of(settings)
    infos = [_info(settings, source, wording) for source in declared_sources(settings).values()]
    base, hint = _address(settings, wording)
    url = f"{base}/ingest/events"
    events = SourceInfo("events", "", url, hint, steps_of(EVENT_STEPS, "events", url, wording), testable=True)
    doors = (("import", IMPORT_STEPS, ""), ("pixel", PIXEL_STEPS, base), ("floor", FLOOR_STEPS, local_url(settings)),
             ("recon", (), ""))
    return [*infos, events,
            *(SourceInfo(name, steps=steps_of(steps, name, url, wording)) for name, steps, url in doors)]


def kinds_left(settings: Settings) -> list[KindView]:
    """The kinds of which the site has no source, and how one is connected."""
    wording = wording_of(settings)
    base, _ = _address(settings, wording)
    had = {source.kind for source in declared_sources(settings).values()}
    return [KindView(kind, title(kind, wording), steps_of(_steps(kind), kind, f"{base}/webhooks/{kind}", wording))
            for kind in KINDS if kind not in had]


def _info(settings: Settings, source: SourceSettings, wording: Wording) -> SourceInfo:
    base, hint = _address(settings, wording)
    url = f"{base}/webhooks/{source.name}"
    return SourceInfo(source.name, source.kind, url, hint,
                      steps_of(_steps(source.kind), source.name, url, wording),
                      has_probe(source), KINDS[source.kind](source, settings.site).is_patient)


def _steps(kind: str) -> tuple[str, ...]:
    return tuple(getattr(KINDS[kind], "steps", ())) or UNKNOWN_STEPS


def _address(settings: Settings, wording: Wording) -> tuple[str, str]:
    """Where this machine is reached from outside, and what is to be done while that is not known."""
    base = local_url(settings)
    return (settings.public_url, "") if settings.public_url else (base, wording.say(NOT_PUBLIC, base=base))


def doors_of(settings: Settings, heard: Mapping[str, Source]) -> dict[str, Door]:
    """Where a source can be tried: by its name, its address and how a delivery is made for it."""
    base = settings.public_url or local_url(settings)
    doors = {name: Door(name, f"{base}/webhooks/{name}", partial(probe, source), heard[name])
             for name, source in declared_sources(settings).items() if has_probe(source)}
    tokens = ingest_tokens(settings)
    return doors | {"events": Door("events", f"{base}/ingest/events", partial(event_probe, tokens))}

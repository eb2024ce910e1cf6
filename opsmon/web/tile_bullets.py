"""Numbers on a scale from nothing: how the day will end, and what is done of what must be done."""

from dataclasses import replace

from opsmon.core.outlook import Outlook
from opsmon.core.readings import Reading
from opsmon.web.languages import N_
from opsmon.web.tile_shapes import BulletView
from opsmon.web.tile_shown import Shown, part
from opsmon.web.tile_words import filled_by
from opsmon.web.wording import room_of

# What is drawn last does not touch the edge.
_ROOM = 1.04


def outlook_view(shown: Shown) -> BulletView:
    """Today so far as a bar, the range of how it may end as a band, the likely end as a mark."""
    coming = shown.reading.outlook
    if coming is None:
        return _unknown(shown, shown.wording.say(
            "No outlook yet (first week): it needs the same weekday a week before."))
    top = max(coming.high, coming.so_far) * _ROOM
    text = shown.wording.about(shown.reading, coming.likely)
    return BulletView(
        *shown.head("", _outlook_sentence(shown, coming), is_empty=False),
        text=text, chars=room_of(text), value=str(coming.likely), width=part(coming.so_far, top),
        band_x=part(coming.low, top), band_width=part(coming.high - coming.low, top), mark_x=part(coming.likely, top),
        verdict="none", rows=_outlook_rows(shown, coming),
    )


def needed_view(shown: Shown) -> BulletView:
    """What was done as a bar, what is needed, which the first reading beside it says, as a mark."""
    reading, needed = shown.reading, shown.beside[0]
    done, need = reading.value or 0, needed.value or 0
    top = max(done, need) * _ROOM
    is_empty = not done and not need
    text = shown.text(reading.value)
    return BulletView(
        *shown.head("", "" if is_empty else _needed_sentence(shown, needed), is_empty=is_empty),
        text=text, chars=room_of(text), value=str(done), width=part(done, top), band_x="", band_width="",
        mark_x=part(need, top), verdict="none" if is_empty else "enough" if done >= need else "short",
        rows=() if is_empty else ((shown.wording.say(reading.kpi.label), text),
                                  (shown.wording.say(needed.kpi.label), shown.wording.value(needed, need))),
    )


def _outlook_sentence(shown: Shown, coming: Outlook) -> str:
    """'€12,400 so far. From 14:03 on the last 4 Fridays brought €8,100 to €9,900 more.'"""
    words = shown.wording
    so_far, low, high = (words.about(shown.reading, value) for value in (coming.so_far, coming.low, coming.high))
    least, most = (words.about(shown.reading, value - coming.so_far) for value in (coming.low, coming.high))
    known = {"so_far": so_far, "time": words.time(coming.from_ms), "day": words.weekday(coming.from_ms), "least": least}
    if coming.days == 1:
        return words.say("%(so_far)s so far. From %(time)s on last %(day)s brought %(least)s more.", **known)
    return words.say(
        "%(so_far)s so far. From %(time)s on the last %(days)s %(day)ss brought %(least)s to %(most)s more: %(low)s to "
        "%(high)s in all.", days=words.number(coming.days), most=most, low=low, high=high, **known)


def _outlook_rows(shown: Shown, coming: Outlook) -> tuple[tuple[str, str], ...]:
    found = ((N_("So far"), coming.so_far), (N_("Least"), coming.low), (N_("Likely"), coming.likely),
             (N_("Most"), coming.high))
    return tuple((shown.wording.say(name), shown.wording.about(shown.reading, value)) for name, value in found)


def _needed_sentence(shown: Shown, needed: Reading) -> str:
    done, need = shown.reading.value or 0, needed.value or 0
    known = {"done": shown.text(done), "needed": shown.wording.value(needed, need)}
    if done >= need:
        return shown.wording.say("%(done)s done, %(needed)s needed: enough", **known)
    return shown.wording.say("%(done)s done, %(needed)s needed: %(few)s too few",
                             few=shown.wording.number(need - done), **known)


def _unknown(shown: Shown, why: str) -> BulletView:
    """No number yet, and why."""
    view = BulletView(*shown.head("", "", is_empty=True), text="–", chars=1, value="", width="0%", band_x="",
                      band_width="", mark_x="", verdict="none", rows=())
    return replace(view, empty=f"{why} {filled_by(shown.rollup, shown.wording)}")

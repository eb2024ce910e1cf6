"""How a site speaks."""

from opsmon.app.site import local_url, named_url
from opsmon.core.calendar import SiteCalendar
from opsmon.settings import Settings
from opsmon.web.telling.notice_words import NoticeWords
from opsmon.web.wording import Wording


def wording_of(settings: Settings) -> Wording:
    """How the site speaks and writes."""
    return Wording(settings.locale, SiteCalendar(settings.timezone, settings.day_start_ms))


def notice_words(settings: Settings, secret: bytes) -> NoticeWords:
    """What puts notices into words."""
    return NoticeWords(wording_of(settings), settings.catalogue, settings.currency or "",
                       settings.public_url or named_url(settings) or local_url(settings), secret)

"""What pages say, in the site's language: gettext catalogues of which each is one file, English where there is none.

`opsmon/locales/<language>/messages.po` is read as text when a process first needs it; nothing is compiled
beforehand. <language> is a locale (`pt_BR`) or only its language (`de`), and the more exact one is taken.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ENGLISH = "en"
LOCALES = Path(__file__).resolve().parent.parent / "locales"


def N_(text: str) -> str:
    """Mark a text that is said later, by a name or from a table, so that it stands in the catalogues."""
    return text


def NN_(one: str, more: str) -> tuple[str, str]:
    """The same of a number of things: of one, and of more."""
    return one, more


def language_of(locale: str) -> str:
    """The catalogue that serves a locale: 'de' for de_AT as long as there is none for Austria; 'en' without any."""
    known = Locale.parse(locale)
    names = (str(known), f"{known.language}_{known.territory}", f"{known.language}_{known.script}", known.language)
    return next((name for name in names if (LOCALES / name / "messages.po").is_file()), ENGLISH)


@cache
def messages(language: str) -> NullTranslations:
    """A catalogue, read once. Entries marked fuzzy are left out: they are somebody's guess."""
    if language == ENGLISH:
        return NullTranslations()
    compiled = BytesIO()
    with (LOCALES / language / "messages.po").open("rb") as written:
        write_mo(compiled, read_po(written, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)

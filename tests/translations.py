"""The catalogues and what they have to hold: `python -m tests.translations [language ...]` brings them up to date.

Ids are found in the templates and in opsmon/web, where `_`, `say`, `many`, `N_` and `NN_` mark them, and taken from the
tables of core and sources, which know nothing of languages. A language that is named and has no catalogue gets one.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from opsmon.core.alerting.built_in import BUILT_IN as BUILT_IN_RULES
from opsmon.core.alerting.receivers import SENTENCES
from opsmon.core.board_records import CADENCES
from opsmon.core.boards import BOARDS
from opsmon.core.catalogue import Measure, Unit
from opsmon.core.explaining import exactness
from opsmon.core.filling import FAMILIES, OWN
from opsmon.core.kpis import BUILT_IN
from opsmon.core.limits import hint
from opsmon.core.parts import PARTS
from opsmon.sources.kinds import KINDS
from opsmon.sources.manual_entries import FIELDS
from opsmon.web.languages import LOCALES

ROOT = Path(__file__).parents[1]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "say": None, "_say": None, "many": (1, 2), "N_": None,
            "NN_": (1, 2), "Said": None, "Fault": (2,), "BadCell": None, "CannotEdit": None, "Unfit": None}
JINJA = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}
Id = str | tuple[str, str]


@cache
def written() -> tuple[tuple[str, Id], ...]:
    """What is marked: (file, id)."""
    return tuple(_written())


def _written() -> Iterator[tuple[str, Id]]:
    for folder, ending, method, options in (("templates", "jinja", "jinja2.ext:babel_extract", JINJA),
                                            ("opsmon", "py", "python", {})):
        for path in sorted((ROOT / folder).rglob(f"*.{ending}")):
            with path.open("rb") as file:
                for _, found, _, _ in extract(method, file, keywords=KEYWORDS, options=options):
                    yield str(path.relative_to(ROOT)), found if isinstance(found, str) else (found[0], found[1])


def borrowed() -> Iterator[tuple[str, str]]:
    """What is said of core's and sources' tables."""
    for kpi in BUILT_IN.kpis:
        yield from (("opsmon/core/kpis.py", text) for text in (kpi.label, kpi.definition))
        yield "opsmon/core/kpis.py", kpi.label.rpartition(",")[0] if kpi.show.startswith("p") else ""
    yield from (("opsmon/core/parts.py", text) for part in PARTS.values()
                for text in (part.kpi.label, part.kpi.definition))
    yield from (("opsmon/core/boards.py", board.title) for board in BOARDS)
    yield "opsmon/core/boards.py", "Own"
    yield from (("opsmon/core/filling.py", text) for text in (OWN, *(family.filled_by for family in FAMILIES)))
    yield from (("opsmon/core/alerting/built_in.py", text) for rule in BUILT_IN_RULES
                for text in (rule.title, rule.action))
    yield from (("opsmon/core/alerting/receivers.py", text) for text in SENTENCES)
    some = BUILT_IN.rollups[0]
    yield from (("opsmon/core/explaining.py", exactness(replace(some, measure=one))) for one in get_args(Measure))
    yield from (("opsmon/core/limits.py", hint(unit)) for unit in get_args(Unit))
    yield from (("opsmon/core/board_records.py", text) for text in (*CADENCES, "warn", "critical"))
    yield from (("opsmon/sources/manual_entries.py", field.label) for fields in FIELDS.values() for field in fields)
    yield from (("opsmon/sources/kinds.py", step) for kind in KINDS.values() for step in getattr(kind, "steps", ()))
    yield from (("opsmon/store/notes.py", text) for text in ("Counting anew", "Filling in 8 weeks"))


def template() -> Catalog:
    """Every id, in the order of the files."""
    made = Catalog(fuzzy=False)
    for path, found in (*written(), *borrowed()):
        # Names of programs and formats are the same in every language, and so is nothing at all.
        if found and found != "opsmon":
            made.add(found, locations=[(path, 0)])
    return made


def catalogue(language: str) -> Catalog:
    """A catalogue as it is."""
    with (LOCALES / language / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def languages() -> list[str]:
    """Those there are."""
    return sorted(path.parent.name for path in LOCALES.glob("*/messages.po"))


def plain(made: Catalog, language: str) -> bytes:
    """A catalogue as it is kept: no dates, no lines, so that only what was said differs between two of them."""
    out = BytesIO()
    write_po(out, made, width=100, no_location=False, include_lineno=False, omit_header=True, sort_output=True)
    head = (f'# opsmon, {made.locale.english_name if made.locale else language}.\nmsgid ""\nmsgstr ""\n'
            f'"Language: {language}\\n"\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
            f'"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: {made.plural_forms}\\n"\n\n')
    return head.encode() + out.getvalue()


def updated(language: str) -> Catalog:
    """A catalogue with the ids there are now: what was said is kept, what is new is empty, what has gone is gone."""
    path = LOCALES / language / "messages.po"
    made = catalogue(language) if path.is_file() else Catalog(locale=language, fuzzy=False)
    made.update(template(), no_fuzzy_matching=True)
    made.obsolete.clear()
    return made


def unsaid(made: Catalog) -> list[str]:
    """What a catalogue does not say yet; of plurals any form."""
    return [str(one.id) for one in made if one.id
            and not all(one.string if isinstance(one.string, tuple | list) else (one.string,))]


def main() -> None:
    """Bring the catalogues up to date, and say what they lack."""
    for language in sys.argv[1:] or languages():
        made = updated(language)
        path = LOCALES / language / "messages.po"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(plain(made, language))
        print(f"{language}: {len(made)} texts, {len(unsaid(made))} to be said")


if __name__ == "__main__":
    main()

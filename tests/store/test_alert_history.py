"""What became of alerts, read from files and store as one: in order, each line once, however old and however rare."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from opsmon.core.calendar import DAY_MS, HOUR_MS
from opsmon.store.alerts.alert_queries import SoughtLines, line_of
from opsmon.store.alerts.archive import Archive
from opsmon.store.alerts.history import History
from opsmon.store.alerts.month_file import MonthFile, place_of
from opsmon.store.alerts.quality_queries import lately
from opsmon.store.connection import Reader
from tests.conftest import NOW_MS
from tests.store.alert_lines import KEYS, in_files, lines, put

pytestmark = pytest.mark.anyio

# 400 lines over 100 days, of which the last 30 are in the store alone and 100 in both.
ALL = lines(400, step_ms=12 * HOUR_MS)
IDS = [entry_id for entry_id, _ in ALL]
SOUGHT = [SoughtLines(), SoughtLines(rule="rule-3"), SoughtLines(severity="high"), SoughtLines(state="resolved"),
          SoughtLines(rule="rule-3", state="firing", is_of_people=False), SoughtLines(alert="32"),
          SoughtLines(alert="32", state="resolved"), SoughtLines(is_of_people=False), SoughtLines(rule="no such rule"),
          SoughtLines(rule="rule-1", severity="low")]


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    """The files of a site."""
    made = Archive(tmp_path / "alerts")
    yield made
    await made.close()


@pytest.fixture
async def history(archive: Archive, store: Redis) -> History:
    """All there is."""
    await archive.keep(ALL[:370])
    await put(store, ALL[270:])
    return History(Reader(store), KEYS, archive)


async def pages(history: History, sought: SoughtLines, count: int) -> list[str]:
    """All lines, page by page."""
    found, before = list[str](), ""
    while True:
        page = await history.page(sought, count, before)
        found += [line.id for line in page.lines]
        if not page.last:
            return found
        before = page.last


@pytest.mark.parametrize("sought", SOUGHT, ids=str)
@pytest.mark.parametrize("count", [1, 7, 30, 500])
async def test_pages_tell_every_line_once_newest_first(history: History, sought: SoughtLines, count: int) -> None:
    """Whatever is looked for, from the store into the files and over the ends of months."""
    wanted = [entry_id for entry_id, fields in reversed(ALL) if sought.has(line_of(entry_id, fields))]
    assert await pages(history, sought, count) == wanted


@pytest.mark.parametrize("sought", SOUGHT, ids=str)
async def test_a_span_tells_every_line_of_it_once_oldest_first(history: History, sought: SoughtLines) -> None:
    """From its first instant on, and before its last."""
    since_ms, until_ms = NOW_MS - 80 * DAY_MS, NOW_MS - 3 * DAY_MS
    wanted = [line for entry_id, fields in ALL if sought.has(line := line_of(entry_id, fields))
              and since_ms <= line.at_ms < until_ms]
    assert [line async for line in history.between(since_ms, until_ms, sought)] == wanted


async def test_what_is_looked_at_for_quality_is_there_when_it_left_the_store(archive: Archive, store: Redis) -> None:
    """A storm left the store early; the 30 days are whole."""
    storm = lines(300, step_ms=HOUR_MS)
    await archive.keep(storm)
    await put(store, storm[-10:])
    reader, history = Reader(store), History(Reader(store), KEYS, archive)
    whole, kept = [await lately(reader, KEYS, NOW_MS + 1, history=one) for one in (history, None)]
    assert ([len(one.entries) for one in (whole, kept)], whole.since_ms) == ([300, 10], None)


async def test_lines_of_a_clock_that_differs_are_told_by_when_they_were(archive: Archive, store: Redis) -> None:
    """The store gives ids by its clock, whoever moved the alert says when that was by their own."""
    late = [(entry_id, {**fields, "at": str(int(fields["at"]) - 365 * DAY_MS)}) for entry_id, fields in ALL]
    await archive.keep(late[:200])
    await put(store, late[200:])
    found = History(Reader(store), KEYS, archive).between(0, NOW_MS - 365 * DAY_MS - 1)
    assert [line.id async for line in found] == IDS[:-2]


async def test_without_files_the_store_answers(archive: Archive, store: Redis) -> None:
    """On a machine where nothing was archived yet."""
    await put(store, ALL)
    assert await pages(History(Reader(store), KEYS, archive), SoughtLines(), 30) == IDS[::-1]


async def test_nothing_yet_is_nothing(archive: Archive, store: Redis) -> None:
    """No file is made by looking."""
    page = await History(Reader(store), KEYS, archive).page(SoughtLines(), 30)
    assert (page.lines, page.last, archive.folder.exists()) == ((), "", False)


@pytest.mark.parametrize("before", ["0-0", "1-1", "99999999999999-0", "18446744073709551615-18446744073709551615"])
async def test_a_page_from_nowhere_is_a_page(history: History, before: str) -> None:
    """An address that somebody changed by hand."""
    expected = 0 if before in ("0-0", "1-1") else 30
    assert len((await history.page(SoughtLines(), 30, before)).lines) == expected


async def test_what_an_older_opsmon_wrote_is_still_read(archive: Archive, store: Redis) -> None:
    """A line of before there were labels, peaks and the instant of its own: the id tells when."""
    old = {"alert": "5f2a", "rule": "late", "state": "firing", "reason": "beyond", "value": "34"}
    await archive.keep([("1700000000123-4", old)])
    (line,) = (await History(Reader(store), KEYS, archive).page(SoughtLines(rule="late"), 30)).lines
    assert line == replace(line_of("1700000000123-4", old), at_ms=1_700_000_000_123)
    assert (line.at_ms, line.value, line.labels, line.severity) == (1_700_000_000_123, 34.0, (), "")
    found = History(Reader(store), KEYS, archive).between(line.at_ms, line.at_ms + 1)
    assert [one async for one in found] == [line]


async def test_what_a_newer_opsmon_added_is_kept_as_it_is(archive: Archive) -> None:
    """Going back a version loses nothing of what is archived."""
    new = [("1700000000123-4", {"alert": "5f2a", "rule": "late", "mood": "calm", "at": "soon"})]
    await archive.keep(new)
    assert await in_files(archive) == new


async def test_keeping_twice_keeps_once(archive: Archive) -> None:
    """Who was killed before it could say so does it again."""
    await archive.keep(ALL[:100])
    await archive.keep(ALL[50:150])
    assert await in_files(archive) == ALL[:150]


async def test_a_line_that_is_not_as_it_was_written_is_found(archive: Archive) -> None:
    """So many are read back as they are, up to it."""
    await archive.keep([*ALL[:5], (IDS[5], {"rule": "another"}), *ALL[6:10]])
    assert await archive.count_kept(ALL[:10]) == 5


async def test_months_are_files_that_others_may_not_read(archive: Archive) -> None:
    """One for each month; the folder is ours alone."""
    await archive.keep(ALL)
    assert sorted(path.name for path in archive.folder.iterdir()) == [
        "2026-08.sqlite", "2026-09.sqlite", "2026-10.sqlite", "2026-11.sqlite"]
    assert archive.folder.stat().st_mode & 0o777 == 0o700


async def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """synchronous is EXTRA: the file, its journal and the folder's entry."""
    file = MonthFile(tmp_path / "2026-11.sqlite")
    assert file._db.execute("pragma synchronous").fetchone() == (3,)
    file.close()


async def test_a_damaged_month_is_left_out_and_named(archive: Archive, history: History) -> None:
    """The others are read; the page says which one is not."""
    await archive.close()
    (archive.folder / "2026-10.sqlite").write_bytes(b"not a database" * 400)
    page = await history.page(SoughtLines(), 500)
    wanted = [entry_id for entry_id in IDS if not 1_790_812_800_000 <= place_of(entry_id)[0] < 1_793_491_200_000]
    assert ([line.id for line in page.lines], page.unread) == (wanted[::-1], ("2026-10",))


async def test_a_damaged_month_makes_room_for_a_new_one(archive: Archive) -> None:
    """It is kept aside: what is in it may be mended by hand."""
    await archive.keep(ALL)
    await archive.close()
    (archive.folder / "2026-11.sqlite").write_bytes(b"not a database" * 400)
    await archive.keep(ALL[-30:])
    assert (await in_files(archive))[-30:] == ALL[-30:]
    assert len(list(archive.folder.glob("2026-11.sqlite.damaged-*"))) == 1


async def test_a_file_that_another_process_put_there_is_read(archive: Archive) -> None:
    """A month restored by hand needs no start anew."""
    await archive.keep(ALL[-30:])
    other = Archive(archive.folder.parent / "others")
    await other.keep(ALL[-60:])
    await other.close()
    (other.folder / "2026-11.sqlite").replace(archive.folder / "2026-11.sqlite")
    assert await in_files(archive) == ALL[-60:]


async def test_a_file_that_was_begun_and_has_no_lines_is_empty(archive: Archive) -> None:
    """Who was killed while making it left that."""
    archive.folder.mkdir()
    sqlite3.connect(archive.folder / "2026-11.sqlite").close()
    (archive.folder / "2026-10.sqlite").touch()
    assert (await in_files(archive), await archive.newest()) == ([], (0, 0))

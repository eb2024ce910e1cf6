"""Campaigns and holidays: what is read as one, and what is left to learn of when much was wrong."""

from datetime import date

import pytest

from opsmon.core.alerting.baselines import without_alerted
from opsmon.core.alerting.rules import Direction
from opsmon.core.alerting.special_days import (
    NO_DAY,
    NO_KIND,
    NO_NAME,
    NO_STRETCH,
    OddTimes,
    SpecialDays,
    dump_days,
    parse_days,
    read_calendar,
)

FRIDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 30)
SALE = SpecialDays("black-friday", "Black Friday", "campaign", FRIDAY, MONDAY, "Ana")
FEAST = SpecialDays("feast", "Feast", "holiday", date(2026, 12, 24), date(2026, 12, 26))
TOLD = {"name": "Black Friday", "kind": "campaign", "first": "2026-11-27", "last": "2026-11-30"}


def test_days_are_read_as_they_were_written() -> None:
    """From what is kept, from a form and from a file, which knows days."""
    assert parse_days(dump_days(SALE)) == (SALE, {})
    assert parse_days({**TOLD, "first": FRIDAY, "last": MONDAY}) == parse_days(TOLD)


def test_without_a_last_day_it_is_one_and_its_id_says_which() -> None:
    """Next year's has another."""
    found, _ = parse_days({**TOLD, "name": "Größter  Tag!", "last": ""})
    assert found == SpecialDays("gr-ter-tag-2026-11-27", "Größter Tag!", "campaign", FRIDAY, FRIDAY)


@pytest.mark.parametrize(("change", "wrong"), [
    ({"name": " "}, {"name": NO_NAME}), ({"name": "x" * 61}, {"name": NO_NAME}), ({"kind": "party"}, {"kind": NO_KIND}),
    ({"first": "27.11.2026"}, {"first": NO_DAY}), ({"first": None}, {"first": NO_DAY}),
    ({"last": "soon"}, {"last": NO_DAY}),
    ({"last": "2026-11-26"}, {"last": NO_STRETCH}), ({"last": "2027-02-27"}, {"last": NO_STRETCH}),
    ({"first": "1999-12-31", "last": ""}, {"first": NO_DAY, "last": NO_DAY}),
    ({"colour": "red"}, {"colour": "there is no such field"})])
def test_what_is_wrong_is_said_by_field(change: dict[str, object], wrong: dict[str, str]) -> None:
    """In words that say what would be right."""
    assert parse_days({**TOLD, **change}) == (None, wrong)


def test_three_months_are_the_most() -> None:
    """The 92nd day is one of them, the 93rd is not."""
    assert [parse_days({**TOLD, "last": last})[0] is not None for last in ("2027-02-26", "2027-02-27")] == [True, False]


def test_a_file_has_each_once() -> None:
    """Of two of one name on one day the second is a mistake; so is what is no table."""
    days, problems = read_calendar([TOLD, TOLD, "Christmas"])
    assert ([one.name for one in days], [(one.index, one.field) for one in problems]) == (
        ["Black Friday"], [(1, "id"), (2, "")])


@pytest.mark.parametrize(("day", "is_special"), [
    (date(2026, 11, 26), False), (FRIDAY, True), (MONDAY, True), (date(2026, 12, 1), False)])
def test_the_first_and_the_last_day_are_among_them(day: date, is_special: bool) -> None:
    """Both ends."""
    assert OddTimes((SALE,)).is_special(day) == is_special


@pytest.mark.parametrize(("direction", "rests"), [
    ("low", (False, True, False)), ("high", (True, False, False)), ("both", (True, True, False))])
def test_rules_rest_when_they_have_nothing_to_go_by(direction: Direction, rests: tuple[bool, ...]) -> None:
    """Too many orders are no news in a campaign, too few are; of a holiday it is the other way round."""
    odd = OddTimes((SALE, FEAST))
    assert tuple(odd.rests(direction, day) for day in (FRIDAY, FEAST.first, date(2026, 12, 1))) == rests


def test_holidays_are_every_day_of_them_and_no_campaign() -> None:
    """Three."""
    assert OddTimes((SALE, FEAST)).holidays == {date(2026, 12, day) for day in (24, 25, 26)}


def test_an_hour_is_odd_for_what_counts_the_facts_that_were_wrong() -> None:
    """Orders were; visitors were not. Of a silent source everything is."""
    odd = OddTimes(alerted=frozenset({("order.placed", 3_600_000), ("", 7_200_000)}))
    asked = [(("order.placed", "order.cancelled"), 3_600_000), (("page.viewed",), 3_600_000),
             (("page.viewed",), 7_200_000)]
    assert [odd.is_alerted(*one) for one in asked] == [True, False, True]


def test_weeks_in_which_something_was_wrong_are_left_out() -> None:
    """Of eight two."""
    assert without_alerted([(100, False)] * 6 + [(10, True)] * 2) == [100] * 6


def test_what_is_wrong_for_six_weeks_is_how_it_is_now() -> None:
    """With two weeks left nobody could be told anything; so all are taken."""
    weeks = [(100.0, False)] * 2 + [(40.0, True)] * 6
    assert without_alerted(weeks) == [100.0] * 2 + [40.0] * 6
    assert without_alerted([(100.0, False)] * 3 + [(40.0, True)] * 5) == [100.0] * 3

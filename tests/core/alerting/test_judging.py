"""Whether a rule holds: limits with their way back, silences, hours of the week."""

import pytest

from opsmon.core.alerting.baselines import HOURS_OF_WEEK, Baseline, band, learn, least_missing, sigma_band
from opsmon.core.alerting.judging import (
    Hour,
    Silence,
    judge_hour,
    judge_limit,
    judge_milestone,
    judge_missing,
    judge_quiet,
)
from opsmon.core.alerting.rules import Limit, Milestone, Missing, Unusual

FLAT = learn([[100.0, 101.0, 99.0, 100.0]] * HOURS_OF_WEEK)


@pytest.mark.parametrize(("value", "found"), [
    (10, "clear"), (50, "between"), (55, "between"), (56, "breach"), (49.5, "clear")])
def test_above_a_limit_with_a_tenth_on_the_way_back(value: float, found: str) -> None:
    """55 is allowed, 56 is not, and it is over at 49.5."""
    assert judge_limit(Limit(55), value, None).found == found


@pytest.mark.parametrize(("value", "found"), [(49, "breach"), (50, "between"), (54, "between"), (55, "clear")])
def test_below_a_limit(value: float, found: str) -> None:
    """Too few: the way back is upwards."""
    assert judge_limit(Limit(50, is_lowest=True), value, None).found == found


def test_a_share_of_too_few_is_no_number() -> None:
    """One error of two requests is not half of all."""
    rule = Limit(0.05, least=20)
    assert (judge_limit(rule, 0.5, 2).found, judge_limit(rule, 0.5, 20).found) == ("unknown", "breach")


def test_a_silence_is_measured_against_what_is_usual() -> None:
    """And where nothing is usual yet nobody is warned."""
    found = [judge_quiet(9, 6).found, judge_quiet(6, 6).found, judge_quiet(9, None).found]
    assert found == ["breach", "clear", "unknown"]


def test_a_milestone_is_reached_once() -> None:
    """The thousandth order, and then the next thousand."""
    rule = Milestone(1_000)
    assert [judge_milestone(rule, value, told).found for value, told in ((999, 0), (1_000, 0), (1_001, 1_000))] == [
        "clear", "breach", "clear"]


@pytest.mark.parametrize(("value", "found"), [
    (100, "clear"), (71, "between"), (80, "clear"), (60, "breach"), (200, "clear")])
def test_far_fewer_than_usual_at_this_hour(value: float, found: str) -> None:
    """Chance alone moves a hundred by ten; thirty is three times that."""
    assert judge_hour(Unusual(), Hour(value, 10, 0.5), FLAT)[0].found == found


def test_far_more_than_usual_is_a_rule_of_its_own() -> None:
    """A burst is unusual as well, for who asks for it."""
    assert judge_hour(Unusual("high"), Hour(200, 10, 0.5), FLAT)[0].found == "breach"


def test_it_learns_for_three_weeks() -> None:
    """Of two weeks one may have been odd."""
    assert judge_hour(Unusual(), Hour(0, 10, 0.0), learn([[100.0, 100.0]] * HOURS_OF_WEEK))[0].found == "learning"


def test_one_promotion_and_one_outage_move_the_usual_little() -> None:
    """The median of eight weeks, not their mean."""
    spoilt = learn([[100.0, 101, 99, 100, 300, 10, 100, 98]] * HOURS_OF_WEEK)
    assert spoilt.expected(10) == pytest.approx(100, abs=1)


def test_an_hour_between_two_is_expected_between_theirs() -> None:
    """At half past, half of each."""
    weeks = [[40.0] * 3 if hour % 2 else [80.0] * 3 for hour in range(HOURS_OF_WEEK)]
    assert learn(weeks).expected(11, 0.5) == pytest.approx(60)


def test_a_band_never_goes_below_nothing() -> None:
    """There are no minus three orders."""
    assert band(0, 4, 0.1, 3).low == 0


def test_the_plain_rule_is_mean_and_deviations() -> None:
    """70, 80, 90: 80 give or take 8.2."""
    found = sigma_band(60, [70, 80, 90], 2)
    assert (round(found.low, 1), round(found.high, 1), found.z < -2) == (63.7, 96.3, True)


def test_how_many_may_be_missing_follows_from_how_often_one_is_wrong() -> None:
    """2,800 orders a week and one false alert in ten: 10.2, as ALERTING D1 reckons."""
    assert round(least_missing(2_800), 1) == 10.2


def test_nothing_came_though_much_was_expected() -> None:
    """Twelve minutes of a hundred an hour are twenty missing: more than chance leaves out."""
    silences = [Silence(0, [(10, share)]) for share in (0.05, 0.2)]
    assert [judge_missing(Missing(), one, FLAT).found for one in silences] == ["clear", "breach"]


def test_days_that_differ_widen_the_band() -> None:
    """A shop whose Mondays range from 60 to 140 is not warned of a 65."""
    wild = learn([[60.0, 140, 80, 120, 100, 90, 110, 70]] * HOURS_OF_WEEK)
    assert (wild.cv > 0.2, judge_hour(Unusual(), Hour(62, 9, 0), wild)[0].found) == (True, "clear")


def test_a_baseline_without_anything_expects_nothing() -> None:
    """No week, no word."""
    assert Baseline((None,) * HOURS_OF_WEEK, 0.0).expected(3, 0.3) is None

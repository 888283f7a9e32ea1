import numpy as np
import pytest

from bench.accuracy.statistics import ratio_by_person, rule_of_three, threshold_at


def test_no_case_in_so_many_trials_is_an_upper_bound() -> None:
    assert rule_of_three(1_000) == 0.003
    assert rule_of_three(1) == 1


def test_the_interval_is_of_people_not_of_their_passes() -> None:
    few = ratio_by_person([1, 1, 0, 0], [1, 1, 1, 1], ["a", "a", "b", "b"])
    many = ratio_by_person([1, 1, 0, 0], [1, 1, 1, 1], ["a", "b", "c", "d"])
    assert few.value == many.value == 0.5
    assert (few.low, few.high) == (0, 1)
    assert many.low <= few.high


def test_seconds_weigh_by_their_length() -> None:
    assert ratio_by_person([1, 3], [2, 8], ["a", "b"]).value == 0.4


def test_what_never_failed_is_bounded_by_the_number_of_people() -> None:
    never = ratio_by_person([0] * 60, [1] * 60, [f"{number}" for number in range(60)])
    assert (never.value, never.low, never.high) == (0, 0, 0.05)
    always = ratio_by_person([1] * 60, [1] * 60, [f"{number}" for number in range(60)])
    assert (always.value, always.low, always.high) == (1, 0.95, 1)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="something to be a rate of"):
        ratio_by_person([0], [0], ["a"])


def test_the_threshold_lets_at_most_the_wanted_share_of_impostors_in() -> None:
    impostors = np.arange(1, 1_001) / 1_000
    for rate in (0.0, 0.001, 0.01, 0.5):
        assert (impostors < threshold_at(impostors, rate)).mean() == rate

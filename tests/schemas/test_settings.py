import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import ClipSettings, confidence_of, distance_of


@given(st.floats(0, 2), st.floats(0, 2))
def test_a_smaller_distance_is_never_less_confident(near: float, far: float) -> None:
    near, far = sorted((near, far))
    assert confidence_of(near) >= confidence_of(far)


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_stricter_threshold_never_reaches_further(lax: float, strict: float) -> None:
    lax, strict = sorted((lax, strict))
    assert distance_of(strict) <= distance_of(lax)


@pytest.mark.parametrize(("distance", "percent"), [(0, 100), (0.25, 75), (0.5, 50), (1, 0)])
def test_the_ends_and_the_default_are_exact(distance: float, percent: float) -> None:
    assert (confidence_of(distance), distance_of(percent)) == (percent, distance)


@pytest.mark.parametrize("distance", [1.0000001, 1.7, 50.0, float("inf")])
def test_beyond_a_distance_of_one_there_is_no_confidence(distance: float) -> None:
    assert confidence_of(distance) == 0


@given(st.floats(0, 100))
def test_percent_to_distance_and_back(percent: float) -> None:
    assert confidence_of(distance_of(percent)) == pytest.approx(percent, abs=1e-12)


@given(st.floats(0, 1))
def test_distance_to_percent_and_back(distance: float) -> None:
    assert distance_of(confidence_of(distance)) == pytest.approx(distance, abs=1e-12)


@pytest.mark.parametrize("name", ClipSettings.__struct_fields__)
def test_a_setting_far_out_of_range_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.convert({name: -1}, ClipSettings)

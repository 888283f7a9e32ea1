import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import ClipSettings, confidence_of, distance_of


@given(st.floats(0, 2), st.floats(0, 2))
def test_a_smaller_distance_is_never_less_confident(near: float, far: float) -> None:
    near, far = sorted((near, far))
    assert confidence_of(near) >= confidence_of(far)


@given(st.floats(1, 99))
def test_the_threshold_in_percent_and_in_distance_are_one(percent: float) -> None:
    assert confidence_of(distance_of(percent)) == pytest.approx(percent)


@pytest.mark.parametrize("name", ClipSettings.__struct_fields__)
def test_a_setting_far_out_of_range_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.convert({name: -1}, ClipSettings)

"""Times as the page writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.search_view import ceiling_hms, floor_hms


@pytest.mark.parametrize(
    ("time_ms", "floor", "ceiling"),
    [
        (0, "00:00:00", "00:00:00"),
        (1, "00:00:00", "00:00:01"),
        (42_999, "00:00:42", "00:00:43"),
        (43_000, "00:00:43", "00:00:43"),
        (3_599_001, "00:59:59", "01:00:00"),
        (360_000_000, "100:00:00", "100:00:00"),
    ],
)
def test_floor_and_ceiling(time_ms: int, floor: str, ceiling: str) -> None:
    """Whole seconds stay, others go outwards."""
    assert (floor_hms(time_ms), ceiling_hms(time_ms)) == (floor, ceiling)


@given(st.integers(0, 10**9))
def test_what_is_told_covers_what_plays(time_ms: int) -> None:
    """The floor is at or before the moment, the ceiling at or after it, less than a second away."""

    def ms(text: str) -> int:
        hours, minutes, seconds = map(int, text.split(":"))
        return ((hours * 60 + minutes) * 60 + seconds) * 1000

    assert 0 <= time_ms - ms(floor_hms(time_ms)) < 1000
    assert 0 <= ms(ceiling_hms(time_ms)) - time_ms < 1000

"""A picture every 40 ticks unless said otherwise; a hole is more than 1000."""

from collections.abc import Iterable

from streams.media.picture_times import PictureTimes

HOLE = 1_000


def times_of(pictures: Iterable[tuple[int, int, int]], *, start: int = 0) -> PictureTimes:
    """From (shown, decoded, duration) of each."""
    times = PictureTimes(start, HOLE)
    for shown, decoded, duration in pictures:
        times.add(shown, decoded, duration)
    return times


def in_order(*shown: int) -> list[tuple[int, int, int]]:
    return [(tick, tick - 80, 40) for tick in shown]


def test_where_pictures_follow_each_other_there_is_no_hole() -> None:
    times = times_of(in_order(*range(0, 4_000, 40)))
    assert times.end == 4_000
    assert list(times.holes(5_000)) == []
    assert list(times.holes(5_001)) == [(4_000, 5_001)]
    assert list(times.holes(None)) == []


def test_where_times_jump_there_is_one() -> None:
    assert list(times_of(in_order(0, 40, 2_000, 2_040)).holes(2_080)) == [(80, 2_000)]
    assert list(times_of(in_order(0, 40, 1_080)).holes(None)) == []


def test_a_picture_that_stands_long_is_none() -> None:
    """In MP4 the duration is that of the decoding, which may lie at another picture."""
    pictures = [(0, -80, 40), (80, -40, 40), (40, 0, 3_000), (3_040, 3_000, 40), (3_080, 3_040, 40)]
    assert list(times_of(pictures).holes(None)) == []


def test_pictures_decoded_after_a_later_one_may_be_lost_with_the_hole() -> None:
    """120 was decoded, 80 was to follow."""
    pictures = [(0, -80, 40), (40, -40, 40), (120, 0, 40), (3_000, 2_900, 40), (3_040, 2_940, 40), (3_080, 2_980, 40)]
    assert list(times_of(pictures).holes(None)) == [(80, 3_000)]


def test_pictures_before_the_span_only_say_where_the_last_of_them_ended() -> None:
    times = times_of(in_order(*range(0, 400, 40), 3_000, 3_040), start=2_000)
    assert list(times.holes(3_080)) == [(400, 3_000)]
    assert times.spoilt_from() == {3_000: 3_000, 3_040: 3_040}
    assert list(times_of(in_order(0, 40), start=2_000).holes(3_000)) == [(80, 3_000)]


def test_no_picture_at_all_is_a_hole_up_to_the_end() -> None:
    times = times_of([], start=2_000)
    assert times.end is None
    assert list(times.holes(4_000)) == [(2_000, 4_000)]


def test_what_is_decoded_later_and_shown_earlier_is_spoilt_too() -> None:
    pictures = [(0, -80, 40), (120, -40, 40), (40, 0, 40), (80, 40, 40), (160, 80, 40)]
    assert times_of(pictures).spoilt_from() == {0: 0, 120: 40, 40: 40, 80: 80, 160: 160}

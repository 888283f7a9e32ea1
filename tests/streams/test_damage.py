from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.damage import MAX_RANGES, damage_sentence, joined, merged

RANGES = st.lists(
    st.tuples(st.integers(0, 100_000), st.integers(0, 3_000)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1])),
    max_size=250,
)


@given(ranges=RANGES)
def test_merged_ranges_are_few_apart_ascending_and_cover_all(ranges: list[tuple[int, int]]) -> None:
    whole = merged(ranges)
    assert len(whole) <= MAX_RANGES
    assert all(one[1] < other[0] for one, other in pairwise(whole))
    assert all(any(start <= first and last <= end for start, end in whole) for first, last in ranges)
    assert merged(whole) == whole


@given(ranges=RANGES.filter(lambda ranges: len(ranges) <= MAX_RANGES), cut=st.integers(0, MAX_RANGES))
def test_the_order_in_which_they_come_does_not_matter(ranges: list[tuple[int, int]], cut: int) -> None:
    assert merged((*merged(ranges[cut:]), *ranges[:cut])) == merged(ranges)


def test_of_too_many_the_nearest_become_one() -> None:
    ranges = [(1_000 * n, 1_000 * n + 10) for n in range(MAX_RANGES)]
    assert merged([*ranges, (2_015, 2_020)]) == (*ranges[:2], (2_000, 2_020), *ranges[3:])


def test_what_is_no_farther_apart_than_the_gap_becomes_one() -> None:
    assert joined([(30, 40), (0, 20), (5, 8)], gap_ms=10) == [(0, 40)]
    assert joined([(30, 40), (0, 20), (5, 8)], gap_ms=9) == [(0, 20), (30, 40)]


def test_the_sentence_names_the_first_few() -> None:
    assert damage_sentence(((0, 1_249),)) == "pictures are damaged or missing: 0.0-1.2 s"
    many = tuple((1_000 * n, 1_000 * n + 500) for n in range(8))
    assert damage_sentence(many).endswith("4.0-4.5 s and 3 more")

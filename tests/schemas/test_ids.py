import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import SOURCE_VIDEO_KEY, canonical_request_id, clip_id, clip_path

PARTS = st.lists(st.integers() | st.text(), max_size=5)


@given(parts=PARTS, other=PARTS)
def test_clip_ids_repeat_for_equal_parts_and_differ_otherwise(parts: list[str | int], other: list[str | int]) -> None:
    same = [str(part) for part in parts] == [str(part) for part in other]
    assert (clip_id(b"secret", *parts) == clip_id(b"secret", *other)) == same


def test_a_clip_id_is_a_version_8_uuid_that_needs_the_secret() -> None:
    first, second = clip_id(b"secret", 456, "a"), clip_id(b"other", 456, "a")
    assert first != second
    assert (uuid.UUID(first).version, uuid.UUID(first).variant) == (8, uuid.RFC_4122)


def test_a_clip_is_addressed_as_the_partner_api_says() -> None:
    assert clip_path(456, "r", "c") == "vids/456/motion/selfie/r/c.mp4"


def test_request_ids_have_one_spelling() -> None:
    upper = "DDC661A7-8861-4793-9437-AF42A82D12F8"
    assert canonical_request_id(upper) == upper.lower()


@pytest.mark.parametrize(
    "text", ["", "x" * 36, "ddc661a7886147939437af42a82d12f8", "{ddc661a7-8861-4793-9437-af42a82d}"]
)
def test_what_is_not_a_uuid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_request_id(text)


@pytest.mark.parametrize(
    ("key", "fits"), [("12", True), ("cam-1.mp4", True), ("..", False), ("a/b", False), ("", False)]
)
def test_a_source_key_needs_no_escaping_anywhere(key: str, *, fits: bool) -> None:
    assert bool(SOURCE_VIDEO_KEY.fullmatch(key)) == fits

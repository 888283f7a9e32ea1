from hypothesis import given
from hypothesis import strategies as st

from streams.media.units import is_broken, length_prefix_bytes, unit_spans
from tests.streams.media.prefixed import prefixed

H264_SLICE, H264_SEI = b"\x65", b"\x06"
HEVC_SLICE, HEVC_SEI = b"\x26\x01", b"\x4e\x01"
FINE = b"\x88\x84\x00\x00\x03\x01\x17"  # what would be forbidden is escaped


def test_the_length_of_prefixes_stands_in_the_configuration() -> None:
    assert length_prefix_bytes("h264", b"\x01\x64\x00\x1f\xff\xe1") == 4
    assert length_prefix_bytes("hevc", b"\x01" + bytes(20) + b"\x0e" + bytes(4)) == 3
    assert length_prefix_bytes("hevc", b"\x01" + bytes(20)) == 0
    assert length_prefix_bytes("h264", b"\x00\x00\x00\x01\x67\x64") == 0
    assert length_prefix_bytes("h264", None) == 0
    assert length_prefix_bytes("vp9", b"\x01" * 40) == 0


def test_units_lie_one_after_the_other() -> None:
    assert list(unit_spans(prefixed(b"ab", b"c"), 4)) == [(4, 6), (10, 11)]
    assert list(unit_spans(prefixed(b"ab", b"c")[:-1], 4)) == [(4, 6)]


def test_a_packet_that_adds_up_is_whole() -> None:
    assert not is_broken(prefixed(H264_SEI + FINE, H264_SLICE + FINE), 4, "h264")
    assert not is_broken(prefixed(HEVC_SLICE + FINE), 4, "hevc")
    for length in range(1, 11):
        assert is_broken(prefixed(H264_SLICE + FINE)[:length], 4, "h264")


def test_zeros_in_a_slice_break_it_but_behind_it_and_elsewhere_they_do_not() -> None:
    for last in (b"\x00", b"\x01", b"\x02"):
        assert is_broken(prefixed(H264_SLICE + FINE + b"\x00\x00" + last + FINE), 4, "h264")
        assert is_broken(prefixed(HEVC_SLICE + FINE + b"\x00\x00" + last + FINE), 4, "hevc")
    assert not is_broken(prefixed(H264_SLICE + FINE + bytes(9)), 4, "h264")
    assert not is_broken(prefixed(H264_SEI + bytes(9) + FINE), 4, "h264")
    assert not is_broken(prefixed(HEVC_SEI + bytes(9) + FINE), 4, "hevc")


@given(st.binary(max_size=200), st.integers(1, 4), st.sampled_from(["h264", "hevc"]))
def test_any_bytes_get_an_answer(packet: bytes, length_bytes: int, codec: str) -> None:
    spans = list(unit_spans(packet, length_bytes))
    assert is_broken(packet, length_bytes, codec) or not packet or spans[-1][1] == len(packet)

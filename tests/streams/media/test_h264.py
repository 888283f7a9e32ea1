from hypothesis import given
from hypothesis import strategies as st

from streams.media.h264 import parse_config, read_units
from tests.streams.media.prefixed import prefixed

SPS, PPS = b"\x67\x64\x00\x1f\xac", b"\x68\xeb\xe3"
AVCC = b"\x01\x64\x00\x1f\xff\xe1\x00\x05" + SPS + b"\x01\x00\x03" + PPS


def test_a_configuration_gives_profile_prefix_and_parameter_sets() -> None:
    config = parse_config(AVCC)
    assert config is not None
    assert (config.profile, config.length_bytes, config.parameter_sets) == (100, 4, frozenset({SPS, PPS}))


def test_what_is_no_configuration_is_none() -> None:
    assert parse_config(None) is None
    assert parse_config(b"\x00\x00\x00\x01" + SPS) is None
    for length in range(len(AVCC)):
        assert parse_config(AVCC[:length]) is None


def test_units_are_told_apart() -> None:
    found = read_units(prefixed(b"\x06\x01", SPS, b"\x65\x88\x84"), 4)
    assert (found.has_idr, found.whole, found.parameter_sets) == (True, True, frozenset({SPS}))
    assert not read_units(prefixed(b"\x41\x9a"), 4).has_idr


def test_units_that_do_not_add_up_are_not_whole() -> None:
    packet = prefixed(b"\x65\x88\x84", b"\x41\x9a")
    assert read_units(packet, 4).whole
    for length in range(len(packet)):
        assert read_units(packet[:length], 4).whole == (length == 7)
    assert not read_units(b"\x7f\xff\xff\xff" + packet[4:], 4).whole


@given(st.binary(max_size=200), st.integers(1, 4))
def test_no_bytes_make_the_readers_fail(data: bytes, length_bytes: int) -> None:
    config = parse_config(data)
    assert config is None or data[0] == 1
    assert not read_units(data, length_bytes).whole or len(data) > length_bytes


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=8))
def test_any_prefixed_units_are_whole(units: list[bytes]) -> None:
    assert read_units(prefixed(*units), 4).whole

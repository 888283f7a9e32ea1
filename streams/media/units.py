"""Coded units of H.264 and HEVC in packets of MP4 and Matroska, where each is led by its length.

Sources: ISO/IEC 14496-15 5.3.3.1 and 8.3.3.1 (decoder configurations `avcC` and `hvcC`), ITU-T H.264 7.4.1 and H.265
7.4.2, table 7-1 of both (unit types, and the bytes that no unit may hold).
"""

from collections.abc import Iterator

Bytes = bytes | memoryview

_LENGTH_AT = {"h264": 4, "hevc": 21}
H264_SLICES = range(1, 6)
HEVC_SLICES = range(32)


def length_prefix_bytes(codec: str, extradata: bytes | None) -> int:
    """Bytes of each length prefix; 0 where units begin with start codes, or the codec (FFmpeg's name) has no units."""
    at = _LENGTH_AT.get(codec)
    if at is None or extradata is None or len(extradata) <= at or extradata[0] != 1:
        return 0
    return (extradata[at] & 3) + 1


def unit_spans(packet: Bytes, length_bytes: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of each unit that lies in the packet, in order; ends at the first that does not."""
    at = 0
    while at + length_bytes < len(packet):
        start = at + length_bytes
        stop = start + int.from_bytes(packet[at:start], "big")
        if stop == start or stop > len(packet):
            return
        yield start, stop
        at = stop


def is_broken(packet: bytes, length_bytes: int, codec: str) -> bool:
    """Whether a packet's units do not add up to it, or a picture's holds what none may: two zero bytes and 0 to 2.

    This finds stretches of zeros, as lost blocks of a file leave them, which an HEVC decoder takes for the unit's end
    and says nothing about. Zeros at the end of a unit are allowed for: some cameras pad.
    """
    end = 0
    for start, stop in unit_spans(packet, length_bytes):
        end = stop
        kind = packet[start] & 0x1F if codec == "h264" else packet[start] >> 1 & 0x3F
        if kind in (H264_SLICES if codec == "h264" else HEVC_SLICES) and _holds_forbidden(packet[start:stop]):
            return True
    return end != len(packet)


def _holds_forbidden(unit: bytes) -> bool:
    unit = unit.rstrip(b"\0")
    at = unit.find(b"\0\0")
    while 0 <= at < len(unit) - 2:
        if unit[at + 2] < 3:
            return True
        at = unit.find(b"\0\0", at + 3)
    return False

"""What a byte check can tell about H.264 in MP4: length-prefixed units and the parameter sets beside them.

Sources: ISO/IEC 14496-15 5.3.3.1 (decoder configuration, ``avcC``), ITU-T H.264 table 7-1 (unit types).
"""

from dataclasses import dataclass

from streams.media.units import Bytes, unit_spans

IDR_SLICE = 5
SEQUENCE_PARAMETER_SET = 7
PICTURE_PARAMETER_SET = 8


@dataclass(frozen=True)
class DecoderConfig:
    """The ``avcC`` record: profile number, bytes per length prefix and the parameter sets, as they stand."""

    profile: int
    length_bytes: int
    parameter_sets: frozenset[bytes]


@dataclass(frozen=True)
class PacketUnits:
    """What one packet holds. ``whole`` is False when the length prefixes do not add up to the packet."""

    has_idr: bool
    whole: bool
    parameter_sets: frozenset[bytes]


def parse_config(extradata: bytes | None) -> DecoderConfig | None:
    """The decoder configuration, or None when the stream is not length-prefixed or its record is cut short."""
    if extradata is None or len(extradata) < 7 or extradata[0] != 1:
        return None
    sets: set[bytes] = set()
    at = 5
    for mask in (0x1F, 0xFF):
        if at >= len(extradata):
            return None
        count = extradata[at] & mask
        at += 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            unit = extradata[at + 2 : at + 2 + size]
            if not size or len(unit) != size:
                return None
            sets.add(unit)
            at += 2 + size
    return DecoderConfig(profile=extradata[1], length_bytes=(extradata[4] & 3) + 1, parameter_sets=frozenset(sets))


def read_units(packet: Bytes, length_bytes: int) -> PacketUnits:
    """Walks the units of one packet by their length prefixes."""
    idr = False
    sets: set[bytes] = set()
    end = 0
    for start, stop in unit_spans(packet, length_bytes):
        end = stop
        kind = packet[start] & 0x1F
        idr = idr or kind == IDR_SLICE
        if kind in {SEQUENCE_PARAMETER_SET, PICTURE_PARAMETER_SET}:
            sets.add(bytes(packet[start:stop]))
    return PacketUnits(has_idr=idr, whole=len(packet) > 0 and end == len(packet), parameter_sets=frozenset(sets))

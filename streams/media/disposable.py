"""Tells from a packet's bytes whether its picture may be left undecoded: no other picture refers to it.

Sources: ITU-T H.264 7.4.1 (`nal_ref_idc`), ITU-T H.265 table 7-1 (sub-layer non-reference pictures); ISO/IEC 14496-15
5.3.3.1 and 8.3.3.1 (the decoder configurations `avcC` and `hvcC`).
"""

import re
from collections.abc import Callable
from functools import partial

from streams.media.units import H264_SLICES, HEVC_SLICES, Bytes, length_prefix_bytes, unit_spans

IsDisposable = Callable[[Bytes], bool]

_START_CODE = re.compile(rb"\x00\x00\x01")
_H264_PARAMETER_SETS = frozenset({7, 8, 13, 15})
_HEVC_PARAMETER_SETS = frozenset({32, 33, 34})
# Even types below 16: nothing of the same temporal layer refers to them.
_HEVC_NON_REFERENCE = range(0, 16, 2)
_HVCC_LAYERS_AT = 21


def disposable_test(codec: str, extradata: bytes | None) -> IsDisposable:
    """Returns a test for packets of one stream: True only where leaving the packet out changes no other picture.

    Args:
        codec: FFmpeg's name. Codecs other than `h264` and `hevc` have no such pictures here: the test is never True.
            Nor is it for a packet that does not add up: a decoder has to say what is wrong with it.
        extradata: the stream's decoder configuration; with none, units are told apart by start codes.
    """
    if codec == "h264":
        return partial(_h264, length_prefix_bytes(codec, extradata))
    if codec == "hevc":
        length_bytes = length_prefix_bytes(codec, extradata)
        layers = (extradata[_HVCC_LAYERS_AT] >> 3) & 7 if extradata is not None and length_bytes else 1
        return partial(_hevc, length_bytes, layers - 1)
    return lambda _packet: False


def _h264(length_bytes: int, packet: Bytes) -> bool:
    slices = 0
    for at in _units(packet, length_bytes) or ():
        kind = packet[at] & 0x1F
        if kind in _H264_PARAMETER_SETS or (kind in H264_SLICES and packet[at] & 0x60):
            return False
        slices += kind in H264_SLICES
    return slices > 0


def _hevc(length_bytes: int, highest_layer: int, packet: Bytes) -> bool:
    slices = 0
    for at in _units(packet, length_bytes) or ():
        if at + 1 >= len(packet):
            return False
        kind, layer = (packet[at] >> 1) & 0x3F, (packet[at + 1] & 7) - 1
        if kind in _HEVC_PARAMETER_SETS:
            return False
        if kind in HEVC_SLICES:
            if kind not in _HEVC_NON_REFERENCE or layer != highest_layer:
                return False
            slices += 1
    return slices > 0


def _units(packet: Bytes, length_bytes: int) -> list[int] | None:
    """Where each unit of a packet begins; None where length prefixes do not add up to the packet: it is damaged."""
    if not length_bytes:
        return [code.end() for code in _START_CODE.finditer(packet) if code.end() < len(packet)]
    spans = list(unit_spans(packet, length_bytes))
    return [start for start, _ in spans] if spans and spans[-1][1] == len(packet) else None

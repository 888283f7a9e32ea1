"""Copies of videos that are damaged at known places."""

from collections.abc import Callable
from pathlib import Path

import av

Spoil = Callable[[bytes], bytes]


def foreign_rest(packet: bytes) -> bytes:
    """Other bytes from the middle on: the unit's header stays and its slice breaks."""
    half = len(packet) // 2
    return packet[:half] + bytes((7 * n + 31) % 256 for n in range(len(packet) - half))


def zero_block(packet: bytes) -> bytes:
    """Zeros in the middle, as a lost block leaves them."""
    third = len(packet) // 3
    return packet[:third] + bytes(third) + packet[2 * third :]


def all_foreign(packet: bytes) -> bytes:
    """Other bytes throughout."""
    return bytes((151 * n + 77) % 256 for n in range(len(packet)))


def one_bit(packet: bytes) -> bytes:
    """One bit in the middle turned over."""
    half = len(packet) // 2
    return packet[:half] + bytes([packet[half] ^ 16]) + packet[half + 1 :]


def spoil_packets(path: Path, target: Path, first_ms: int, last_ms: int, spoil: Spoil) -> list[int]:
    """Writes a copy whose pictures shown in `[first_ms, last_ms]` are spoilt; returns their times."""
    data = bytearray(path.read_bytes())
    hit = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.pts is None or packet.pos is None:
                continue
            time_ms = round(packet.pts * packet.time_base * 1000)
            if first_ms <= time_ms <= last_ms:
                data[packet.pos : packet.pos + packet.size] = spoil(bytes(packet))
                hit.append(time_ms)
    target.write_bytes(data)
    return sorted(hit)


def lose_bytes(path: Path, target: Path, first_share: float, last_share: float) -> Path:
    """Writes a copy that lacks a part of the file."""
    data = path.read_bytes()
    target.write_bytes(data[: int(len(data) * first_share)] + data[int(len(data) * last_share) :])
    return target


def remuxed(path: Path, target: Path, *, moov_first: bool = False) -> Path:
    """Writes the picture into another container."""
    options = {"movflags": "+faststart"} if moov_first else {}
    with av.open(str(path)) as source, av.open(str(target), "w", options=options) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return target

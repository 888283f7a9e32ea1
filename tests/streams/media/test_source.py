"""Packets of a source whose demuxer has to be asked more than once."""

import errno
import io
from collections.abc import Iterator
from typing import Any, cast

import av
import pytest
from av.container import InputContainer
from av.packet import Packet

from streams.media.source import MAX_ASKED_AGAIN, read_packets


class Damaged:
    """A container in which FFmpeg says "try again" so many times, with two packets behind each."""

    def __init__(self, again: int) -> None:
        self.again = again

    def demux(self, _stream: object) -> "Iterator[Packet[Any]]":
        yield Packet(b"one")
        yield Packet(b"two")
        if self.again:
            self.again -= 1
            raise av.error.BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        yield Packet()


def sizes(again: int) -> list[int]:
    with av.open(io.BytesIO(), "w", format="mp4") as other:
        stream = cast("Any", other.add_stream("mpeg4"))
        return [packet.size for packet in read_packets(cast("InputContainer", Damaged(again)), stream)]


@pytest.mark.parametrize("again", [0, 1, 3])
def test_what_lies_behind_damage_is_read(again: int) -> None:
    assert sizes(again) == [3] * 2 * (again + 1) + [0]


def test_trying_again_comes_to_an_end() -> None:
    assert sizes(10 * MAX_ASKED_AGAIN) == [3] * 2 * MAX_ASKED_AGAIN + [0]

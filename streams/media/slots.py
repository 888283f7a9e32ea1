"""The slots of a video's timeline that one sample each is taken from, and the packets that those samples need."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from av.packet import Packet
from av.video.stream import VideoStream

from streams.media.disposable import IsDisposable
from streams.media.facts import Timeline

# What cannot be told from this many packets is decoded. H.264 and HEVC reorder 16 pictures at most.
_MAX_WAITING = 64


@dataclass(frozen=True)
class Slots:
    """Slots of `1 / rate` seconds from the first shown picture on.

    Attributes:
        timeline: of the source.
        rate: slots per second.
    """

    timeline: Timeline
    rate: Fraction

    def of(self, pts: int) -> int:
        """The number of the slot that a time, in ticks, lies in."""
        return (pts - self.timeline.origin) * self.timeline.time_base * self.rate // 1

    def middle(self, slot: int) -> Fraction:
        """The middle of a slot, in ticks."""
        return self.timeline.origin + (slot + Fraction(1, 2)) / (self.rate * self.timeline.time_base)


@dataclass
class _Seen:
    """What is known of a slot: its first picture, and its first one that must be decoded anyway, in ticks."""

    first: int
    reference: int | None = None


@dataclass(eq=False)
class NeededPackets:
    """Leaves out packets whose pictures nobody needs: no picture refers to them and their slot has its sample without.

    A slot's sample is its first picture; or, where nothing refers to that one, the first picture of the slot's first
    half that must be decoded anyway. So two samples are never nearer than half a slot, and which pictures are samples
    depends on the stream alone, not on where reading begins. Packets go on in the order in which they came.
    """

    slots: Slots
    is_disposable: IsDisposable
    _seen: dict[int, _Seen] = field(default_factory=dict)
    _waiting: "deque[tuple[Packet[VideoStream], bool]]" = field(default_factory=deque)

    def of(self, packets: "Iterable[Packet[VideoStream]]") -> "Iterator[Packet[VideoStream]]":
        """Yields the packets that have to be decoded."""
        for packet in packets:
            self._waiting.append((packet, self._note(packet)))
            # No picture that comes later is shown before this.
            yield from self._decided(packet.dts if packet.dts is not None else packet.pts)
        yield from self._decided(None)

    def _note(self, packet: "Packet[VideoStream]") -> bool:
        """Takes a packet's picture into its slot; tells whether it may be left out at all."""
        if packet.pts is None or packet.dts is None or packet.is_discard:
            return False
        slot = self.slots.of(packet.pts)
        seen = self._seen.setdefault(slot, _Seen(packet.pts))
        seen.first = min(seen.first, packet.pts)
        if not packet.is_keyframe and not packet.is_corrupt and self.is_disposable(memoryview(packet)):
            return True
        seen.reference = packet.pts if seen.reference is None else min(seen.reference, packet.pts)
        return False

    def _decided(self, horizon: int | None) -> "Iterator[Packet[VideoStream]]":
        """The packets at the front about which nothing new can come; all of them where `horizon` is None."""
        while self._waiting:
            packet, is_disposable = self._waiting[0]
            if is_disposable and packet.pts is not None:
                slot = self.slots.of(packet.pts)
                seen, middle = self._seen[slot], self.slots.middle(slot)
                has_other = seen.reference is not None and seen.reference < middle
                known = horizon is None or has_other or (horizon >= middle and horizon >= packet.pts)
                if not known and len(self._waiting) < _MAX_WAITING:
                    return
                if not has_other and packet.pts == seen.first:
                    yield packet
            else:
                yield packet
            self._waiting.popleft()
        self._forget(horizon)

    def _forget(self, horizon: int | None) -> None:
        if horizon is not None and len(self._seen) > _MAX_WAITING:
            last = self.slots.of(horizon)
            self._seen = {slot: seen for slot, seen in self._seen.items() if slot >= last}

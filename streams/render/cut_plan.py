"""How a window is cut: copied as it is, or encoded anew. Pure: facts in, a plan out.

A copy costs about a hundredth of an encode and loses nothing, but it must begin at a keyframe: what lies before the
wanted start stays in the file and an edit list hides it. Browsers honour that edit list, so a copy is right wherever a
browser can play the source's own stream; everything else is encoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from streams.media.facts import PacketFacts, StreamFacts, Timeline

MP4_FORMAT = "mov"
COPIED_PROFILES = frozenset({66, 77, 100})  # Baseline, Main, High: ITU-T H.264 annex A.2
COPIED_PIX_FMTS = frozenset({"yuv420p", "yuvj420p"})
COPIED_AUDIO = frozenset({"aac"})


@dataclass(frozen=True, kw_only=True)
class CopyPolicy:
    """When a copy is good enough.

    Attributes:
        max_hidden_ms: Most footage between the keyframe and the wanted start. Chromium took 0.9 s to show the first
            picture of a 1080p clip with 9.4 s hidden and 0.2 s with 1.4 s hidden; the hidden part of a 2 s group also
            stays under a fifth of the file.
        max_snap_ms: Most time by which the start may move back to the picture on screen. Footage with pictures that
            stand longer is encoded, which can start in the middle of one.
    """

    max_hidden_ms: int = 2_500
    max_snap_ms: int = 150


class AudioPlan(StrEnum):
    """What becomes of the sound."""

    COPY = "copy"
    ENCODE = "encode"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class CopyPlan:
    """Copy the first ``packets`` pictures of those read and show them from ``start`` on.

    ``keyframe`` and ``start`` are ticks of the video stream: the first packet's time and the first shown picture's.
    ``hidden_ms`` is what the edit list hides between them; ``start_ms`` and ``end_ms`` are those of what plays.
    """

    keyframe: int
    start: int
    packets: int
    start_ms: int
    end_ms: int
    hidden_ms: int
    audio: AudioPlan


@dataclass(frozen=True)
class EncodePlan:
    """Encode the window; ``reason`` is a short phrase for the log."""

    reason: str


def plan_audio(codec: str | None) -> AudioPlan:
    """AAC is copied; every other sound is encoded, since browsers differ on what else an MP4 may carry."""
    if codec is None:
        return AudioPlan.NONE
    return AudioPlan.COPY if codec in COPIED_AUDIO else AudioPlan.ENCODE


def why_not_copied(facts: StreamFacts) -> str | None:
    """Why no window of such a source can be copied, told from the stream's header alone; None if one may be."""
    checks = (
        (MP4_FORMAT in facts.container.split(","), "the container is not MP4"),
        (facts.video_codec == "h264", "the codec is not H.264"),
        (facts.video_tag == "avc1", "the parameter sets are not in the header"),
        (facts.h264_profile is not None, "the decoder configuration is not readable"),
        (facts.h264_profile in COPIED_PROFILES, "the profile is not one that every browser plays"),
        (facts.pix_fmt in COPIED_PIX_FMTS, "the pictures are not 8-bit 4:2:0"),
        (not facts.interlaced, "the pictures are interlaced"),
    )
    return next((reason for holds, reason in checks if not holds), None)


def plan_cut(
    facts: StreamFacts,
    packets: Sequence[PacketFacts],
    timeline: Timeline,
    *,
    start_ms: int,
    end_ms: int,
    policy: CopyPolicy,
) -> CopyPlan | EncodePlan:
    """Decides how to cut ``[start_ms, end_ms)``.

    The start moves back to the picture on screen at ``start_ms``. The end is ``end_ms``, or the end of the last
    picture if that comes first.

    Args:
        facts: The source's streams.
        packets: Its pictures in decoding order, from the last keyframe at or before ``start_ms``, up to the first one
            that is decoded at or after ``end_ms``.
        timeline: The source's timeline.
        start_ms: Wanted start.
        end_ms: Wanted end, not included.
        policy: Bounds of a copy.
    """
    reason = why_not_copied(facts) or _unsafe(packets)
    if reason is not None:
        return EncodePlan(reason)
    times = [packet.pts for packet in packets if packet.pts is not None]
    first, last = timeline.last_tick_at(start_ms), timeline.last_tick_at(end_ms - 1)
    start = max((pts for pts in times if pts <= first), default=None)
    if start is None:
        return EncodePlan("the window does not start with a keyframe")
    shown = [n for n, pts in enumerate(times) if start <= pts <= last]
    played_start_ms = timeline.to_ms(start)
    checks = (
        (start_ms - timeline.to_ms(times[0]) <= policy.max_hidden_ms, "too much would be hidden before the start"),
        (start_ms - played_start_ms <= policy.max_snap_ms, "the picture at the start stands too long"),
        (shown != [] and _played_end_ms(packets, timeline, end_ms) > start_ms, "the window shows no picture"),
        (not any(packets[n].hidden for n in shown), "the source's own edit list cuts into the window"),
    )
    for holds, reason in checks:
        if not holds:
            return EncodePlan(reason)
    return CopyPlan(
        keyframe=times[0],
        start=start,
        packets=max(shown) + 1,
        start_ms=played_start_ms,
        end_ms=_played_end_ms(packets, timeline, end_ms),
        hidden_ms=played_start_ms - timeline.to_ms(times[0]),
        audio=plan_audio(facts.audio_codec),
    )


def _played_end_ms(packets: Sequence[PacketFacts], timeline: Timeline, end_ms: int) -> int:
    """``end_ms``, or where the last picture ends if the video has none after it."""
    last = max(packets, key=lambda packet: packet.pts or 0)
    return min(end_ms, timeline.to_ms((last.pts or 0) + last.duration))


def _unsafe(packets: Sequence[PacketFacts]) -> str | None:
    """Why these pictures cannot be trusted to play as they are, or None."""
    if not packets or not packets[0].sync or not packets[0].idr:
        return "the first keyframe needs earlier pictures"
    times = [(packet.dts, packet.pts) for packet in packets if packet.dts is not None and packet.pts is not None]
    dts, pts = [d for d, _ in times], [p for _, p in times]
    checks = (
        (len(times) == len(packets), "a picture has no time"),
        (all(before < after for before, after in pairwise(dts)), "decoding times do not rise"),
        (len(set(pts)) == len(pts) and min(pts, default=0) == pts[0], "picture times are out of order"),
        # Open groups of pictures with a b-pyramid stop Chromium's decoder, wherever the copy begins.
        (all(packet.idr for packet in packets if packet.sync), "the groups of pictures are open"),
        (all(packet.whole for packet in packets), "a picture is damaged"),
        (not any(packet.own_parameter_sets for packet in packets), "the parameter sets change"),
    )
    return next((reason for holds, reason in checks if not holds), None)

"""Plain facts about a source that decide how it is cut. No media library is imported here."""

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Timeline:
    """The source's own timeline: 0 ms is its first shown picture.

    Attributes:
        time_base: Seconds per tick of the video stream.
        origin: The first shown picture's time, in ticks.
    """

    time_base: Fraction
    origin: int

    def to_ms(self, tick: int) -> int:
        """The nearest whole ms; halves go up."""
        return math.floor((tick - self.origin) * self.time_base * 1000 + Fraction(1, 2))

    def last_tick_at(self, ms: int) -> int:
        """The last tick whose time in ms, as :meth:`to_ms` rounds it, is at most ``ms``."""
        return self.origin + math.ceil((ms + Fraction(1, 2)) / (1000 * self.time_base)) - 1


@dataclass(frozen=True)
class VideoFacts:
    """What was found in a source.

    Attributes:
        duration_ms: from the first shown frame to the end of the last, by the container's word.
        first_pts: timestamp of the first shown frame, in units of `time_base`.
        time_base: seconds per unit.
        fps: mean frames per second, None where the container does not say.
        width: picture as stored, in pixels, before rotation.
        height: see `width`.
        sample_aspect: width of a pixel over its height.
        rotation_deg: 0, 90, 180 or 270: how far the stored picture must be turned counter-clockwise to be upright.
        codec: FFmpeg's name, such as `h264`.
        pix_fmt: FFmpeg's name, such as `yuv420p`.
        has_audio: whether there is sound.
        audio_codec: FFmpeg's name of the sound's codec, if any.
        keyframe_ms: times of the keyframes in the container's index, ascending; empty where it has none. The index
            holds decoding times; they are moved by the first keyframe's reordering delay.
    """

    duration_ms: int
    first_pts: int
    time_base: Fraction
    fps: float | None
    width: int
    height: int
    sample_aspect: Fraction
    rotation_deg: int
    codec: str
    pix_fmt: str
    has_audio: bool
    audio_codec: str | None
    keyframe_ms: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class StreamFacts:
    """What the container says about the streams, in FFmpeg's names.

    Attributes:
        container: Format name, such as ``mov,mp4,m4a,3gp,3g2,mj2``.
        video_codec: Codec name, such as ``h264``.
        video_tag: Sample entry, such as ``avc1``.
        pix_fmt: Pixel format name; None when unknown.
        interlaced: Whether the pictures are fields.
        h264_profile: Profile number of the H.264 decoder configuration (``avcC``); None where there is none to read.
        audio_codec: Codec name of the sound, or None when there is none.
    """

    container: str
    video_codec: str
    video_tag: str
    pix_fmt: str | None
    interlaced: bool
    h264_profile: int | None
    audio_codec: str | None


@dataclass(frozen=True, kw_only=True)
class PacketFacts:
    """One coded picture in decoding order; times in ticks of the stream, None where the container has none.

    Attributes:
        duration: Ticks it is shown; 0 when unknown.
        sync: The container calls it a keyframe.
        idr: It holds an IDR slice: nothing before it is needed to decode it or what follows.
        hidden: The source's edit list hides it.
        whole: It is not marked damaged and its units add up.
        own_parameter_sets: It brings parameter sets that the stream's configuration does not have.
    """

    pts: int | None
    dts: int | None
    duration: int
    sync: bool
    idr: bool
    hidden: bool
    whole: bool
    own_parameter_sets: bool

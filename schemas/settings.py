"""An event's clip settings, with defaults, bounds and their reasons."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ClipSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How searches of an event look for a person and cut clips. Resolved when a search is accepted; rides along.

    Attributes:
        sampling_fps: Frames looked at per second of footage. 5: a runner who passes the camera in a second is seen in
            five samples, and a track needs two.
        quality: x264's constant rate factor, lower is better. 23: x264's own default.
        max_clip_s: Longest clip. 15: what people share; the whole passage of one runner fits.
        min_segment_s: Shortest segment, padding not counted. 0.1: half a sampling step at the default rate, the least
            that lies between two samples, so any two in a row make a clip; a single hit never does.
        max_gap_s: Sightings this far apart, or nearer, are one segment. 2: a person hidden behind others for a moment.
        padding_start_s: Footage before the first sighting. 1: the face is found after the person came into view.
        padding_end_s: Footage after the last sighting. 1: likewise on leaving.
        confidence_percent: Least confidence of a match, `100 * (1 - Euclidean distance)`. 50: distance 0.50, where
            dlib's usual 0.6 lets in lookalikes (docs/confidence.md has what was measured).
        far_faces: Look harder for faces under 60 px in a 1080p picture, in videos indexed from then on: they are in
            clips for 76 % of their time where it is 64 % without, for a quarter more of indexing's time (measured,
            docs/accuracy.md).
    """

    sampling_fps: Annotated[float, Meta(ge=0.5, le=30)] = 5.0
    quality: Annotated[int, Meta(ge=14, le=40)] = 23
    max_clip_s: Annotated[float, Meta(ge=1, le=120)] = 15.0
    min_segment_s: Annotated[float, Meta(ge=0, le=60)] = 0.1
    max_gap_s: Annotated[float, Meta(ge=0, le=60)] = 2.0
    padding_start_s: Annotated[float, Meta(ge=0, le=30)] = 1.0
    padding_end_s: Annotated[float, Meta(ge=0, le=30)] = 1.0
    confidence_percent: Annotated[float, Meta(ge=1, le=99)] = 50.0
    far_faces: bool = False


def distance_of(confidence_percent: float) -> float:
    """The largest Euclidean distance between two embeddings that has at least this confidence, percent in [0, 100]."""
    return 1.0 - confidence_percent / 100.0


def confidence_of(distance: float) -> float:
    """The confidence of a Euclidean distance, percent in [0, 100]: a straight line, 100 at 0 and 0 from 1 on."""
    return min(100.0, max(0.0, 100.0 * (1.0 - distance)))

"""What a chunk of a video was found to show. No vision or media library is imported here."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streams.vision.box import Box


@dataclass(frozen=True, eq=False)
class Face:
    """One of the best faces of a track: time, box in upright source pixels, second score, vector float32 [128]."""

    time_ms: int
    box: Box
    second_score: float
    vector: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TrackFaces:
    """A face over time; `faces` are the best few, best first."""

    track: int
    first_ms: int
    last_ms: int
    sample_times: tuple[int, ...]
    faces: tuple[Face, ...]


@dataclass(frozen=True, eq=False)
class ChunkFaces:
    """The result of one chunk.

    Attributes:
        tracks: by number.
        samples: frames looked at.
        faces_seen: faces that passed the second look.
        skipped_frames: damaged frames of the span.
        damaged_ms: ranges of the source's timeline that the damaged frames lie in.
    """

    tracks: tuple[TrackFaces, ...]
    samples: int
    faces_seen: int
    skipped_frames: int
    damaged_ms: tuple[tuple[int, int], ...]

"""Finds the faces of one chunk of a video: decode, detect, track; align, look again and embed what a track needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from streams.index.looks import Looks
from streams.index.tracks import ChunkFaces, Face, TrackFaces
from streams.media.damage import Damage
from streams.media.sample import Region, Sample
from streams.media.samples import samples
from streams.vision.box import Box
from streams.vision.detect import Detection
from streams.vision.face_models import FaceModels
from streams.vision.policy import FacePolicy
from streams.vision.quality import second_look
from streams.vision.track import DetectedFace, SeenFace, Track, Tracker


def find_tracks(
    url: str | Path, start_ms: int, end_ms: int, fps: float, models: FaceModels, *, policy: FacePolicy | None = None
) -> ChunkFaces:
    """Returns the face tracks of `[start_ms, end_ms)` of a source at `fps` samples per second.

    Equal input gives equal output, apart from rounding between kinds of processors.

    Raises:
        SourceUnreadable: the source is no video that can be decoded.
        SourceUnreachable: the source's address did not answer.
    """
    policy = policy or FacePolicy()
    damage = Damage()
    tracker = Tracker(policy, step_ms=1000 / fps)
    tracks: list[TrackFaces] = []
    sample_count = 0
    looks = Looks(models.detector, policy, step_ms=1000 / fps)
    for sample, detections in looks.at(samples(url, start_ms, end_ms, fps, damage=damage)):
        faces = readable_faces(sample, detections, models, policy)
        sample_count += 1
        tracks += [_stored(track, models) for track in tracker.add(sample.time_ms, faces)]
    tracks += [_stored(track, models) for track in tracker.finish()]
    return ChunkFaces(
        tracks=tuple(sorted(tracks, key=lambda track: track.track)),
        samples=sample_count,
        faces_seen=sum(len(track.sample_times) for track in tracks),
        skipped_frames=damage.frames,
        damaged_ms=damage.ranges_ms,
    )


def readable_faces(
    sample: Sample, detections: Sequence[Detection], models: FaceModels, policy: FacePolicy
) -> list[DetectedFace]:
    """Returns those of a sample's faces that are large enough, to be read where a track needs it."""
    reader = _Reader(sample, models, policy)
    return [
        DetectedFace(sample.time_ms, detection.box, detection.score, partial(reader.read, detection))
        for detection in detections
        if detection.box.width >= policy.min_face_px
    ]


@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads faces of one sample; holds its frame as long as one of them is unread."""

    sample: Sample
    models: FaceModels
    policy: FacePolicy

    def read(self, detection: Detection) -> SeenFace | None:
        region = _around(detection.box, *self.sample.size)
        face = detection.moved(-region[0], -region[1])
        chip = self.models.aligner.chip(self.sample.rgb_part(region), face.box)
        look = second_look(chip, self.models.detector)
        if not look.passes(min_score=self.policy.min_second_score, max_error_px=self.policy.max_second_error_px):
            return None
        (vector,) = self.models.embedder.embed([chip])
        return SeenFace(self.sample.time_ms, detection.box, detection.score, look.score, vector, chip)


def _around(box: Box, width: int, height: int) -> Region:
    """A face with as much around it as a turned chip needs, edges even where the picture's own are."""
    left, top = (max(0, 2 * int((edge - box.width) / 2)) for edge in (box.x0, box.y0))
    right, bottom = (2 * int((edge + box.width) / 2 + 1) for edge in (box.x1, box.y1))
    return left, top, min(width, right), min(height, bottom)


def _stored(track: Track, models: FaceModels) -> TrackFaces:
    vectors = models.embedder.with_mirror(
        np.stack([face.vector for face in track.best]), [face.chip for face in track.best]
    )
    return TrackFaces(
        track=track.number,
        first_ms=track.times_ms[0],
        last_ms=track.times_ms[-1],
        sample_times=tuple(track.times_ms),
        faces=tuple(
            Face(face.time_ms, face.box, face.second_score, vector)
            for face, vector in zip(track.best, vectors, strict=True)
        ),
    )

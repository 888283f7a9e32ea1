"""Finds the faces of one chunk of a video: decode, detect, align, look again, embed, track."""

from collections.abc import Sequence
from pathlib import Path

from streams.index.tracks import ChunkFaces, Face, TrackFaces
from streams.media.damage import Damage
from streams.media.samples import Sample, samples
from streams.vision.face_models import FaceModels
from streams.vision.policy import FacePolicy
from streams.vision.quality import second_look
from streams.vision.track import SeenFace, Track, Tracker


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
    sample_count = faces_seen = 0
    for sample in samples(url, start_ms, end_ms, fps, damage=damage):
        faces = find_faces(sample, models, policy)
        sample_count += 1
        faces_seen += len(faces)
        tracks += [_stored(track, models) for track in tracker.add(sample.time_ms, faces)]
    tracks += [_stored(track, models) for track in tracker.finish()]
    return ChunkFaces(
        tracks=tuple(sorted(tracks, key=lambda track: track.track)),
        samples=sample_count,
        faces_seen=faces_seen,
        skipped_frames=damage.frames,
        damaged_ms=damage.ranges_ms,
    )


def find_faces(sample: Sample, models: FaceModels, policy: FacePolicy) -> Sequence[SeenFace]:
    """Returns the faces of one sample that are large enough and pass the second look."""
    small, scale = sample.bgr(round(policy.detect_side_px * models.detector.detail))
    detections = models.detector.detect(small, min_score=policy.min_score, max_overlap=policy.max_overlap, scale=scale)
    boxes = [detection.box for detection in detections if detection.box.width >= policy.min_face_px]
    if not boxes:
        return []
    rgb = sample.rgb()
    passed = []
    for box in boxes:
        chip = models.aligner.chip(rgb, box)
        look = second_look(chip, models.detector)
        if look.passes(min_score=policy.min_second_score, max_error_px=policy.max_second_error_px):
            passed.append((box, look.score, chip))
    vectors = models.embedder.embed([chip for _, _, chip in passed])
    return [
        SeenFace(sample.time_ms, box, score, vector, chip)
        for (box, score, chip), vector in zip(passed, vectors, strict=True)
    ]


def _stored(track: Track, models: FaceModels) -> TrackFaces:
    vectors = models.embedder.embed_mirrored([face.chip for face in track.best])
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

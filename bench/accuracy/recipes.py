"""The ways of finding people that are compared; all see the same samples of the same files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from bench.plain_recipe import MAX_DISTANCE, PlainFaces
from schemas.settings import ClipSettings, distance_of
from schemas.videos import ChunkSpan
from streams.index.chunk_faces import find_tracks
from streams.index.split import plan_chunks
from streams.index.tracks import TrackFaces
from streams.media.samples import samples
from streams.vision.box import Box
from streams.vision.embed import Embedder
from streams.vision.face_models import FaceModels
from streams.vision.models.model_set import ModelSet
from streams.vision.policy import face_policy
from streams.vision.selfie import read_selfie
from streams.vision.selfie_outcome import Selfie

Image = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float32]

SETTINGS = ClipSettings()
# Shorter than a worker's, so that the short films of the set are cut too; as in production the next chunk begins 1 s
# before the one before ends.
CHUNK_MS = 4_000
_LONG_MS = 10**9


@dataclass(frozen=True, eq=False)
class Seen:
    """Somebody seen in a film: the track's name in it, the sampled times, and for each of its vectors time and box.

    `vectors` is float32 [n, 128], `boxes` has n pairs of time in ms and box in px of the source.
    """

    track: str
    times_ms: tuple[int, ...]
    vectors: npt.NDArray[np.float32]
    boxes: tuple[tuple[int, Box], ...]


class Recipe(Protocol):
    """One way to find people.

    Attributes:
        name: What the tables call it.
        max_distance: Its usual threshold; a face within it is the selfie's person.
    """

    name: str
    max_distance: float

    def read_selfie(self, data: bytes) -> Vector | None:
        """The vector of a selfie (the bytes of an image file), or None where the recipe finds no usable face."""

    def index(self, film: Path, duration_ms: int) -> list[Seen]:
        """Everybody seen in a film."""


class Spotclip:
    """This project's, by the functions that its workers run; `far_faces` is the event's setting."""

    max_distance = distance_of(SETTINGS.confidence_percent)

    def __init__(self, models: FaceModels, *, far_faces: bool = SETTINGS.far_faces) -> None:
        self.name = "spotclip far_faces" if far_faces else "spotclip"
        self._models = models
        self._policy = face_policy(far_faces=far_faces)

    def read_selfie(self, data: bytes) -> Vector | None:
        """See `Recipe`."""
        selfie = read_selfie(data, self._models)
        return selfie.vector if isinstance(selfie, Selfie) else None

    def index(self, film: Path, duration_ms: int) -> list[Seen]:
        """See `Recipe`."""
        return [
            Seen(
                track=f"{span.chunk}/{track.track}",
                times_ms=track.sample_times,
                vectors=np.stack([face.vector for face in track.faces]),
                boxes=tuple((face.time_ms, face.box) for face in track.faces),
            )
            for span in plan_chunks(duration_ms, CHUNK_MS)
            for track in self._tracks(film, span)
        ]

    def _tracks(self, film: Path, span: ChunkSpan) -> tuple[TrackFaces, ...]:
        fps = SETTINGS.sampling_fps
        return find_tracks(film, span.start_ms, span.end_ms, fps, self._models, policy=self._policy).tracks


class PlainFaceRecognition:
    """`bench.plain_recipe`, each face of each sample for itself.

    The network runs in ONNX Runtime, which gives the same distances to 1e-5 (tests/bench/test_accuracy.py compares
    them) at a 24th of the time.
    """

    name = "face_recognition"
    max_distance = MAX_DISTANCE

    def __init__(self, models: ModelSet, embedder: Embedder) -> None:
        self._faces = PlainFaces(models.predictor, embedder.embed)

    def read_selfie(self, data: bytes) -> Vector | None:
        """The first face, as its examples take it."""
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if bgr is None:
            return None
        rgb = np.ascontiguousarray(bgr[..., ::-1]).astype(np.uint8)
        return next((vector for vector, _ in self.encode(rgb)), None)

    def index(self, film: Path, duration_ms: int) -> list[Seen]:
        """Each face of each sample is a track of its own: nothing is joined before the segment rules."""
        del duration_ms
        return [
            Seen(f"{sample.time_ms}/{number}", (sample.time_ms,), vector[None], ((sample.time_ms, box),))
            for sample in samples(film, 0, _LONG_MS, SETTINGS.sampling_fps)
            for number, (vector, box) in enumerate(self.encode(sample.rgb()))
        ]

    def encode(self, rgb: Image) -> Iterator[tuple[Vector, Box]]:
        """All faces of a picture (uint8 [H, W, 3], red first) in dlib's order: float32 [128] and box."""
        places = self._faces.locate(rgb)
        for place, vector in zip(places, self._faces.encode(rgb, places), strict=True):
            yield vector.astype(np.float32, copy=False), Box(place.left(), place.top(), place.right(), place.bottom())

"""What runs in a child: the jobs of all stages. Each imports what it needs when it runs.

So a decoder, a network or a detector is loaded by the child that uses it and by nobody else: not by the worker that
holds the Kafka client and the keys of the stores, not by the API, not by the command line. What goes in and comes out
is plain and needs none of those libraries either.
"""

from pathlib import Path

from streams.index.tracks import ChunkFaces
from streams.media.facts import VideoFacts
from streams.render.cut_outcome import Clip
from streams.vision.models.choice import ModelChoice
from streams.vision.models.model_set import ModelSet
from streams.vision.selfie_outcome import Selfie, SelfieRefused


def build_models(folder: Path, choice: ModelChoice) -> ModelSet:
    """The chosen face models under this folder, built there at the first call; see `streams.vision.models.store`."""
    from streams.vision.models import store

    return store.build_models(folder, choice)


def load_models(models: ModelSet) -> None:
    """Loads the models, so that the first work finds them there."""
    from streams.vision.kept_models import kept_face_models

    kept_face_models(models)


def probe_source(url: str) -> VideoFacts:
    """What a source is; see `streams.media.probe`."""
    from streams.media.probe import probe

    return probe(url)


def index_chunk(
    url: str, start_ms: int, end_ms: int, fps: float, models: ModelSet, *, far_faces: bool = False
) -> ChunkFaces:
    """The face tracks of one chunk; see `streams.index.chunk_faces`."""
    from streams.index.chunk_faces import find_tracks
    from streams.vision.kept_models import kept_face_models
    from streams.vision.policy import face_policy

    return find_tracks(url, start_ms, end_ms, fps, kept_face_models(models), policy=face_policy(far_faces=far_faces))


def embed_selfie(data: bytes, models: ModelSet) -> Selfie | SelfieRefused:
    """The embedding of the person in a picture file, or why there is none; see `streams.vision.selfie`."""
    from streams.vision.kept_models import kept_face_models
    from streams.vision.selfie import read_selfie

    return read_selfie(data, kept_face_models(models))


def cut_clip(url: str, path: Path, start_ms: int, end_ms: int, quality: int) -> Clip:
    """One proved clip of a source; see `streams.render.cut`."""
    from streams.render.cut import cut

    return cut(url, path, start_ms, end_ms, quality)

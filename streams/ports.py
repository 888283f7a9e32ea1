"""What the stages need from the world. One adapter each (infra/adapters/); every adapter passes one suite."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.searches import MatchedSource, Sighting

Vector = NDArray[np.float32]
"""A face embedding, float32[128], not unit-normalised."""

Clock = Callable[[], int]
"""Wall clock: milliseconds since 1970 UTC."""

Failpoint = Callable[[str], None]
"""Called with a point's name between two steps. Does nothing, except in a test that kills the process there."""


P = ParamSpec("P")
T = TypeVar("T")


class FaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stored face: one of the best of its track, with the span and sample times of the whole track.

    Attributes:
        track: Number of the track within its chunk.
        sample_times_ms: Distinct times at which the track was sampled, ascending.
        quality: Second-look score, 0 to 1.
        vector: float32[128].
    """

    track: int
    track_start_ms: int
    track_end_ms: int
    sample_times_ms: tuple[int, ...]
    time_ms: int
    quality: float
    vector: Vector


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one selfie found in an event.

    Attributes:
        sightings: Tracks with a face within the limit, best first.
        sources: The sources of those sightings, as they stood when searched.
        nearest_distance: The smallest distance in the event, within the limit or not; None in an event without faces.
        other_models: How many sources of the event are indexed with other models only, so that they were not searched.
    """

    sightings: tuple[Sighting, ...]
    sources: tuple[MatchedSource, ...]
    truncated: bool
    nearest_distance: float | None
    other_models: int = 0


class FaceStore(Protocol):
    """Vectors of faces by event, source, generation and chunk. Raises `Unavailable("clickhouse", ...)` when down.

    A generation of a source has the vectors of one version of the models (`ModelSet.version`), the one it is activated
    for.
    """

    async def put_chunk(
        self, *, event_id: int, source_video_key: str, generation: int, chunk: int, faces: Sequence[FaceRow]
    ) -> None:
        """Store a chunk's faces. A repeat may store them twice: readers count distinct sample times.

        Those of a removed generation are never seen, however late they come.
        """

    async def activate(
        self, *, event_id: int, source_video_key: str, model: str, generation: int, object_key: str, duration_ms: int
    ) -> None:
        """Let searches with this model see this generation of the source and no other.

        One that is older than the active one, or was removed, changes nothing.
        """

    async def find(
        self, event_id: int, model: str, vectors: Sequence[Vector], max_distances: Sequence[float]
    ) -> list[Found]:
        """For each vector, every track of the model's active generations within its distance: one scan for all.

        Of a source that is re-indexed meanwhile either the old or the new generation is seen, whole. A source that is
        removed while it is searched is not in the answer.
        """

    async def remove_source(self, *, event_id: int, source_video_key: str, generation: int) -> None:
        """Every generation of the source up to this one is gone for good, whatever its model."""

    async def sweep_source(self, *, event_id: int, source_video_key: str, generation: int) -> None:
        """Delete the faces of the source's generations before this one that no search sees, with whatever model."""

    async def remove_event(self, event_id: int) -> None:
        """Every source of the event is gone for good, also those that come later."""


class StoredClip(msgspec.Struct, frozen=True, kw_only=True):
    """A clip in the public bucket, with what was written beside it."""

    size_bytes: int
    start_ms: int
    end_ms: int
    sha256: str
    method: str


class Objects(Protocol):
    """The object store. Raises `Unavailable("s3", ...)` when down."""

    async def read_private(self, object_key: str, *, limit_bytes: int) -> bytes:
        """A whole small object. Raises `Invalid` when it is not there or larger than the limit."""

    async def delete_private(self, object_key: str) -> None:
        """Remove a private object; one that is not there is no error."""

    async def private_url(self, object_key: str) -> str:
        """An address from which a child reads ranges of a private object, good for an hour."""

    async def check(self) -> None:
        """Return when the store answers."""

    async def find_clip(self, object_key: str) -> StoredClip | None:
        """A clip that is already there, else None."""

    async def put_clip(self, object_key: str, path: Path, clip: StoredClip) -> None:
        """Upload a clip file, whole or not at all, typed video/mp4 and cacheable for ever."""


class Children(Protocol):
    """Heavy and untrusted work in spawned processes with a deadline and a memory limit.

    A crash, a hang or too much memory costs that job one try (`TryLater`), never the worker's other work.
    """

    async def run(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a module-level function with picklable arguments in a child; its own exceptions come back as they are."""

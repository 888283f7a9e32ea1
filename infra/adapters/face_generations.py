"""Which generations of an event's sources a search sees, and which are gone for good: the SQL and its answers."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.searches import MatchedSource

# In place of a model: not active, but gone for good, with every generation before. A model's version is 16 hex digits.
GONE = "-"
# What is gone under this key is every source of an event. No source has it.
ALL_SOURCES = ""
# What is gone up to this one is every generation, also those that come later.
ALL_GENERATIONS = 2**32 - 1

# The highest generation of each source and model counts: that is found out here, since FINAL takes longer to plan than
# these few rows take to read.
ACTIVE = """
SELECT source_video_key, model, generation, object_key, duration_ms
FROM sources WHERE event_id = {event:UInt64}
SETTINGS max_threads = 1
"""

DELETE_REMOVED = """
ALTER TABLE face_vectors DELETE
WHERE event_id = {event:UInt64}
AND ({source:String} = '' OR source_video_key = {source:String}) AND generation <= {generation:UInt32}
"""

DELETE_REPLACED = """
ALTER TABLE face_vectors DELETE
WHERE event_id = {event:UInt64} AND source_video_key = {source:String}
AND generation < {generation:UInt32} AND NOT has({seen:Array(UInt32)}, generation)
"""


def scope_of(event_id: int, source_video_key: str, generation: int) -> int:
    """The number, 64 bits, under which the faces of one generation of a source lie.

    Among a million generations two share one with a chance of 3e-8.
    """
    digest = hashlib.blake2b(f"{event_id}/{source_video_key}/{generation}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


@dataclass(frozen=True, slots=True)
class ActiveSources:
    """What a search with one model sees of an event at one moment.

    Attributes:
        sources: By key, each with its one active generation.
        other_models: How many more sources are indexed with other models only.
        removed: What was gone by then.
        stale: Whether the event is known to have had other generations, faces of which may still be stored.
    """

    sources: Mapping[str, MatchedSource]
    other_models: int
    removed: "Removed"
    stale: bool

    def by_scope(self, event_id: int) -> dict[int, MatchedSource]:
        """The same by what a scan asks for."""
        return {scope_of(event_id, key, source.generation): source for key, source in self.sources.items()}

    def stands(self, removed: "Removed") -> bool:
        """Whether nothing of it is among what was removed."""
        return not any(removed.holds(key, source.generation) for key, source in self.sources.items())


def active_sources(rows: Sequence[Sequence[Any]], model: str) -> ActiveSources:
    """From the rows of `ACTIVE`."""
    left = _seen(rows)
    sources = {key: left[key, of_model] for key, of_model in sorted(left) if of_model == model}
    return ActiveSources(
        sources=sources,
        other_models=len({key for key, _ in left} - sources.keys()),
        removed=Removed.of(rows),
        stale=any(key not in sources or sources[key].generation != generation for key, _, generation, *_ in rows),
    )


def seen_generations(rows: Sequence[Sequence[Any]], source_video_key: str) -> list[int]:
    """Those of this source that are active for some model, from the rows of `ACTIVE`."""
    return [source.generation for (key, _), source in _seen(rows).items() if key == source_video_key]


def _seen(rows: Sequence[Sequence[Any]]) -> dict[tuple[str, str], MatchedSource]:
    """By source and model, the one generation that searches see."""
    newest: dict[tuple[str, str], MatchedSource] = {}
    for key, of_model, generation, object_key, duration_ms in rows:
        if of_model != GONE and ((before := newest.get((key, of_model))) is None or before.generation <= generation):
            newest[key, of_model] = MatchedSource(
                source_video_key=key, generation=generation, object_key=object_key, duration_ms=duration_ms
            )
    removed = Removed.of(rows)
    return {place: each for place, each in newest.items() if not removed.holds(place[0], each.generation)}


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone of an event: by key, every generation up to this one."""

    up_to: Mapping[str, int]

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]]) -> "Removed":
        """From the rows of `ACTIVE`."""
        up_to: dict[str, int] = {}
        for key, of_model, generation, *_ in rows:
            if of_model == GONE:
                up_to[key] = max(generation, up_to.get(key, 0))
        return cls(up_to)

    def holds(self, source_video_key: str, generation: int) -> bool:
        """Whether this generation is gone."""
        return generation <= max(self.up_to.get(source_video_key, 0), self.up_to.get(ALL_SOURCES, 0))

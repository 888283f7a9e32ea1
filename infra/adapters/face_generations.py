"""Which generations of an event's sources a search sees, and which are gone for good: the SQL and its answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schemas.searches import MatchedSource

# Of `removals`: stands for every source of an event. No source has this key.
ALL_SOURCES = ""
# Of `removals`: every generation, also those that come later.
ALL_GENERATIONS = 2**32 - 1

# `max` of no rows is 0, and generations start at 1.
ACTIVE = """
WITH
    (SELECT max(generation) FROM removals WHERE event_id = {event:UInt64} AND source_video_key = '') AS of_all,
    removed AS
    (
        SELECT source_video_key, max(generation) AS generation
        FROM removals WHERE event_id = {event:UInt64} GROUP BY source_video_key
    )
SELECT s.source_video_key, s.model, s.generation, s.object_key, s.duration_ms
FROM
(
    SELECT source_video_key, model, generation, object_key, duration_ms
    FROM sources FINAL WHERE event_id = {event:UInt64}
) AS s
LEFT JOIN removed AS r ON s.source_video_key = r.source_video_key
WHERE s.generation > greatest(of_all, r.generation)
ORDER BY s.source_video_key
"""

REMOVED = """
SELECT source_video_key, max(generation) FROM removals WHERE event_id = {event:UInt64} GROUP BY source_video_key
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


@dataclass(frozen=True, slots=True)
class ActiveSources:
    """What a search with one model sees of an event at one moment.

    Attributes:
        sources: By key, each with its one active generation.
        other_models: How many more sources are indexed with other models only.
    """

    sources: Mapping[str, MatchedSource]
    other_models: int

    @property
    def generations(self) -> list[tuple[str, int]]:
        """Key and generation of each source."""
        return [(key, source.generation) for key, source in self.sources.items()]

    def without(self, removed: "Removed") -> "ActiveSources":
        """What is left of it."""
        left = {key: each for key, each in self.sources.items() if not removed.holds(key, each.generation)}
        return replace(self, sources=left)


def active_sources(rows: Iterable[Sequence[Any]], model: str) -> ActiveSources:
    """From the rows of `ACTIVE`."""
    sources: dict[str, MatchedSource] = {}
    keys: set[str] = set()
    for key, of_model, generation, object_key, duration_ms in rows:
        keys.add(key)
        if of_model == model:
            sources[key] = MatchedSource(
                source_video_key=key, generation=generation, object_key=object_key, duration_ms=duration_ms
            )
    return ActiveSources(sources, len(keys) - len(sources))


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone of an event, from the rows of `REMOVED`: by key, every generation up to this one."""

    up_to: Mapping[str, int]

    def holds(self, source_video_key: str, generation: int) -> bool:
        """Whether this generation is gone."""
        return generation <= max(self.up_to.get(source_video_key, 0), self.up_to.get(ALL_SOURCES, 0))

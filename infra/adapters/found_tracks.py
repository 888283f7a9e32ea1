"""From the rows of a scan to what each selfie found: faces put together by track, best first, cut to a message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.adapters.face_generations import ActiveSources
from schemas.searches import MatchedSource, Sighting
from streams.ports import Found

# What fits a message of 1 MB: a sighting is at most some 200 bytes and its source some 270, a sample time some 9.
MAX_SIGHTINGS = 1_000
MAX_SAMPLE_TIMES = 50_000
# A track has up to 3 faces, and as many again where its chunk was stored twice.
_ROWS_PER_TRACK = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What a selfie's answer may hold; the rest is left out, the farthest first, and the answer says so."""

    sightings: int = MAX_SIGHTINGS
    sample_times: int = MAX_SAMPLE_TIMES

    @property
    def rows(self) -> int:
        """How many rows of each selfie are enough: one track more than fits tells that there are more."""
        return (self.sightings + 1) * _ROWS_PER_TRACK


USUAL_LIMITS = Limits()


@dataclass(slots=True)
class _Track:
    distance: float
    source: MatchedSource
    chunk: int
    number: int
    start_ms: int
    end_ms: int
    sample_times_ms: set[int] = field(default_factory=set)

    @property
    def rank(self) -> tuple[float, str, int, int]:
        return self.distance, self.source.source_video_key, self.chunk, self.number


def found_by_each(
    answer: Sequence[Sequence[Any]],
    by_scope: Mapping[int, MatchedSource],
    count: int,
    active: ActiveSources,
    limits: Limits,
) -> list[Found]:
    """What each of `count` selfies found.

    Args:
        answer: Rows as `matches_query` describes them, each selfie's best first.
        by_scope: The sources that were searched.
        count: Of selfies.
        active: What the search saw.
        limits: Of each answer.
    """
    tracks: list[dict[tuple[int, int, int], _Track]] = [{} for _ in range(count)]
    rows_of = [0] * count
    for number, distance, scope, chunk, track, start_ms, end_ms, sample_times_ms in answer:
        rows_of[number - 1] += 1
        # The first row of a track has its least distance.
        one = tracks[number - 1].setdefault(
            (scope, chunk, track), _Track(distance, by_scope[scope], chunk, track, start_ms, end_ms)
        )
        one.start_ms, one.end_ms = min(one.start_ms, start_ms), max(one.end_ms, end_ms)
        one.sample_times_ms.update(sample_times_ms)
    return [
        _found(sorted(each.values(), key=lambda track: track.rank), active, limits, more=rows == limits.rows)
        for each, rows in zip(tracks, rows_of, strict=True)
    ]


def _found(tracks: Sequence[_Track], active: ActiveSources, limits: Limits, *, more: bool) -> Found:
    sightings: list[Sighting] = []
    sources: dict[str, MatchedSource] = {}
    times = 0
    for track in tracks:
        times += len(track.sample_times_ms)
        if len(sightings) == limits.sightings or (sightings and times > limits.sample_times):
            break
        sightings.append(
            Sighting(
                source_video_key=track.source.source_video_key,
                track=f"{track.chunk}/{track.number}",
                start_ms=track.start_ms,
                end_ms=track.end_ms,
                sample_times_ms=tuple(sorted(track.sample_times_ms)),
                distance=track.distance,
            )
        )
        sources[track.source.source_video_key] = track.source
    return Found(
        sightings=tuple(sightings),
        sources=tuple(sources.values()),
        truncated=more or len(sightings) < len(tracks),
        nearest_distance=sightings[0].distance if sightings else None,
        other_models=active.other_models,
    )

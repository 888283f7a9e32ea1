"""The SQL of a search: one scan of an event for any number of selfies."""

from collections.abc import Sequence

from streams.ports import Vector

Parameters = dict[str, object]
# Source key and generation of all that is to be searched.
Generations = Sequence[tuple[str, int]]

# Grouped by track before anything is ranked: a track holds several faces, and a repeat of its chunk several copies.
# PREWHERE reads the vectors first and the other columns only where one is near enough. Squared distances are compared,
# which saves a root for each row.
_MATCHES = """
WITH tracks AS
(
    SELECT
        source_video_key, generation, chunk, track,
        min(track_start_ms) AS start_ms,
        max(track_end_ms) AS end_ms,
        arraySort(groupUniqArrayArray(sample_times_ms)) AS sample_times,
        [{nearest}] AS nearest
    FROM faces
    PREWHERE {any_near}
    WHERE event_id = {{event:UInt64}} AND (source_video_key, generation) IN {{active:Array(Tuple(String, UInt32))}}
    GROUP BY source_video_key, generation, chunk, track
)
SELECT
    vector, sqrt(squared) AS distance,
    source_video_key, generation, chunk, track, start_ms, end_ms, sample_times
FROM tracks
ARRAY JOIN nearest AS squared, {{limits:Array(Float64)}} AS squared_limit, arrayEnumerate(nearest) AS vector
WHERE squared <= squared_limit
ORDER BY vector, squared, source_video_key, chunk, track
LIMIT {{cap:UInt32}} BY vector
"""

_NEAREST = """
SELECT {least}
FROM faces
WHERE event_id = {{event:UInt64}} AND (source_video_key, generation) IN {{active:Array(Tuple(String, UInt32))}}
HAVING count() > 0
"""


def matches_query(
    event_id: int, active: Generations, vectors: Sequence[Vector], max_distances: Sequence[float], cap: int
) -> tuple[str, Parameters]:
    """Tracks within the limit of any vector, best first, at most `cap` for each vector.

    Rows: vector (from 1), distance, source, generation, chunk, track, start_ms, end_ms, sample_times.
    """
    columns = [_squared_distance(number) for number in range(len(vectors))]
    near = [f"{column} <= {{limit{number}:Float64}}" for number, column in enumerate(columns)]
    query = _MATCHES.format(nearest=", ".join(f"min({column})" for column in columns), any_near=" OR ".join(near))
    squared = [limit * limit for limit in max_distances]
    limits: Parameters = {f"limit{number}": limit for number, limit in enumerate(squared)}
    return query, {"event": event_id, "active": active, "limits": squared, "cap": cap} | limits | _bound(vectors)


def nearest_query(event_id: int, active: Generations, vectors: Sequence[Vector]) -> tuple[str, Parameters]:
    """The smallest distance of each vector: one row of one column each, none where there are no faces."""
    least = [f"sqrt(min({_squared_distance(number)}))" for number in range(len(vectors))]
    query = _NEAREST.format(least=", ".join(least))
    return query, {"event": event_id, "active": active} | _bound(vectors)


def _squared_distance(number: int) -> str:
    return f"L2SquaredDistance(vector, {{vector{number}:Array(Float32)}})"


def _bound(vectors: Sequence[Vector]) -> Parameters:
    return {f"vector{number}": vector.tolist() for number, vector in enumerate(vectors)}

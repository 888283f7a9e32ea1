"""The SQL of a search: one scan of an event for any number of selfies."""

from collections.abc import Sequence

from streams.ports import Vector

Parameters = dict[str, object]

# Grouped by track before anything is ranked: a track holds several faces, and a repeat of its chunk several copies.
# PREWHERE reads the vectors first and the other columns only where one is near enough. Squared distances are compared,
# which saves a root for each row. Active generations are joined after the grouping, so that they are read once.
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
    WHERE event_id = {{event:UInt64}}
    GROUP BY source_video_key, generation, chunk, track
)
SELECT
    vector, sqrt(squared) AS distance,
    t.source_video_key AS source, t.generation AS generation, t.chunk AS chunk, t.track AS track,
    t.start_ms AS start_ms, t.end_ms AS end_ms, t.sample_times AS sample_times,
    s.object_key AS object_key, s.duration_ms AS duration_ms
FROM tracks AS t
ARRAY JOIN t.nearest AS squared, {{limits:Array(Float64)}} AS squared_limit, arrayEnumerate(t.nearest) AS vector
INNER JOIN
(
    SELECT source_video_key, generation, object_key, duration_ms FROM sources FINAL WHERE event_id = {{event:UInt64}}
) AS s ON t.source_video_key = s.source_video_key AND t.generation = s.generation
WHERE squared <= squared_limit
ORDER BY vector, squared, source, chunk, track
LIMIT {{cap:UInt32}} BY vector
"""

_NEAREST = """
SELECT {least}
FROM
(
    SELECT source_video_key, generation, {nearest_columns}
    FROM faces
    WHERE event_id = {{event:UInt64}}
    GROUP BY source_video_key, generation
) AS f
INNER JOIN
(
    SELECT source_video_key, generation FROM sources FINAL WHERE event_id = {{event:UInt64}}
) AS s ON f.source_video_key = s.source_video_key AND f.generation = s.generation
HAVING count() > 0
"""


def matches_query(
    event_id: int, vectors: Sequence[Vector], max_distances: Sequence[float], cap: int
) -> tuple[str, Parameters]:
    """Tracks within the limit of any vector, best first, at most `cap` for each vector.

    Rows: vector (from 1), distance, source, generation, chunk, track, start_ms, end_ms, sample_times, object_key,
    duration_ms.
    """
    columns = [_squared_distance(number) for number in range(len(vectors))]
    near = [f"{column} <= {{limit{number}:Float64}}" for number, column in enumerate(columns)]
    query = _MATCHES.format(nearest=", ".join(f"min({column})" for column in columns), any_near=" OR ".join(near))
    squared = [limit * limit for limit in max_distances]
    limits: Parameters = {f"limit{number}": limit for number, limit in enumerate(squared)}
    return query, {"event": event_id, "limits": squared, "cap": cap} | limits | _bound(vectors)


def nearest_query(event_id: int, vectors: Sequence[Vector]) -> tuple[str, Parameters]:
    """The smallest distance of each vector in the event: one row of one column each, none in an event without faces."""
    numbers = range(len(vectors))
    query = _NEAREST.format(
        nearest_columns=", ".join(f"min({_squared_distance(number)}) AS nearest{number}" for number in numbers),
        least=", ".join(f"sqrt(min(nearest{number}))" for number in numbers),
    )
    return query, {"event": event_id} | _bound(vectors)


def _squared_distance(number: int) -> str:
    return f"L2SquaredDistance(vector, {{vector{number}:Array(Float32)}})"


def _bound(vectors: Sequence[Vector]) -> Parameters:
    return {f"vector{number}": vector.tolist() for number, vector in enumerate(vectors)}

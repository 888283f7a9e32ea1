"""The SQL of a search: one scan of an event's active generations for any number of selfies."""

from collections.abc import Sequence

from infra.adapters.face_sketch import asked_sketch, squared_sketch_limit
from streams.ports import Vector

Parameters = dict[str, object]
# Of the generations that are to be searched: see `face_generations.scope_of`.
Scopes = Sequence[int]

# By primary key: one event, exactly these generations. A scope is of one event alone, so that a row's event need not
# be read; the hint is for the key. Looking for scopes in the key of a million rows takes 7 ms on one processor: where
# there is nothing else to leave out, only the rows found are asked for theirs (a function hides the column from the
# key).
_SEARCHED = "indexHint(event_id = {{event:UInt64}}) AND {scope} IN {{scopes:Array(UInt64)}}"
_BY_KEY, _BY_ROW = _SEARCHED.format(scope="scope"), _SEARCHED.format(scope="bitXor(scope, 0)")

# PREWHERE in two steps: the sketch of every row, the whole vector where a sketch was near enough; the other columns
# only of rows within a limit. Squared distances are compared, which saves a root for each row. Rows come as they are
# stored: a few hundred are sooner put together by who asked than by the engine's hash tables (a fifth of a search).
_ROWS = """
SELECT
    {nearest},
    scope, chunk, track, track_start_ms, track_end_ms, sample_times_ms
FROM face_vectors
PREWHERE ({any_sketch_near}) AND ({any_near})
WHERE {searched}
"""

# Of one vector: what is simpler is planned faster.
_OF_ONE = """
ORDER BY distance, scope, chunk, track
LIMIT {cap:UInt32}
"""

_OF_MANY = """
SELECT
    number, sqrt(squared) AS distance, scope, chunk, track, track_start_ms, track_end_ms, sample_times_ms
FROM ({rows})
ARRAY JOIN nearest AS squared, {{limits:Array(Float64)}} AS squared_limit, arrayEnumerate(nearest) AS number
WHERE squared <= squared_limit
ORDER BY number, squared, scope, chunk, track
LIMIT {{cap:UInt32}} BY number
"""

_NEAREST_OF_SOME = """
SELECT {least}
FROM (SELECT vector FROM face_vectors WHERE {searched} LIMIT {{some:UInt32}})
HAVING count() > 0
"""

_NEAREST = """
SELECT {least}
FROM face_vectors
PREWHERE {any_sketch_near}
WHERE {searched}
"""


def matches_query(
    event_id: int,
    scopes: Scopes,
    vectors: Sequence[Vector],
    max_distances: Sequence[float],
    *,
    cap: int,
    by_key: bool,
) -> tuple[str, Parameters]:
    """Faces within the limit of any vector, best first, at most `cap` for each vector.

    Rows: number of the vector (from 1), distance, scope, chunk, track, and of the track start, end and sample times.
    A track has a row for each of its faces, and as many again where its chunk was stored twice.

    Args:
        event_id: The event.
        scopes: What of it is to be searched.
        vectors: float32 [128] each.
        max_distances: Of each vector.
        cap: Rows of one vector.
        by_key: Whether other scopes are stored that are worth leaving out unread.
    """
    columns = [_squared_distance(number) for number in range(len(vectors))]
    near = [f"{column} <= {{limit{number}:Float64}}" for number, column in enumerate(columns)]
    parts = {
        "any_sketch_near": _any_sketch_near(len(vectors)),
        "any_near": " OR ".join(near),
        "searched": _BY_KEY if by_key else _BY_ROW,
    }
    if len(vectors) == 1:
        query = _ROWS.format(nearest=f"1 AS number, sqrt({columns[0]}) AS distance", **parts) + _OF_ONE
    else:
        query = _OF_MANY.format(rows=_ROWS.format(nearest=f"[{', '.join(columns)}] AS nearest", **parts))
    squared = [limit * limit for limit in max_distances]
    limits: Parameters = {f"limit{number}": limit for number, limit in enumerate(squared)}
    sketches = _bound_sketches(vectors, max_distances)
    own: Parameters = {"event": event_id, "scopes": scopes, "limits": squared, "cap": cap}
    return query, own | limits | sketches | _bound(vectors)


def nearest_of_some_query(
    event_id: int, scopes: Scopes, vectors: Sequence[Vector], some: int
) -> tuple[str, Parameters]:
    """The smallest distance of each vector to some of the faces: one row of one column each, none without faces."""
    query = _NEAREST_OF_SOME.format(least=_least(len(vectors)), searched=_BY_KEY)
    return query, {"event": event_id, "scopes": scopes, "some": some} | _bound(vectors)


def nearest_query(
    event_id: int, scopes: Scopes, vectors: Sequence[Vector], within: Sequence[float]
) -> tuple[str, Parameters]:
    """The smallest distance of each vector, where at least one face of each is known to be `within` a distance."""
    query = _NEAREST.format(
        least=_least(len(vectors)), any_sketch_near=_any_sketch_near(len(vectors)), searched=_BY_KEY
    )
    return query, {"event": event_id, "scopes": scopes} | _bound_sketches(vectors, within) | _bound(vectors)


def _squared_distance(number: int) -> str:
    return f"L2SquaredDistance(vector, {{vector{number}:Array(Float32)}})"


def _least(count: int) -> str:
    return ", ".join(f"sqrt(min({_squared_distance(number)}))" for number in range(count))


def _any_sketch_near(count: int) -> str:
    near = "L2SquaredDistance(sketch, {{sketch{n}:Array(Float32)}}) <= {{sketch_limit{n}:Float64}}"
    return " OR ".join(near.format(n=number) for number in range(count))


def _bound(vectors: Sequence[Vector]) -> Parameters:
    return {f"vector{number}": vector.tolist() for number, vector in enumerate(vectors)}


def _bound_sketches(vectors: Sequence[Vector], max_distances: Sequence[float]) -> Parameters:
    parameters: Parameters = {}
    for number, (vector, limit) in enumerate(zip(vectors, max_distances, strict=True)):
        parameters[f"sketch{number}"] = asked_sketch(vector).tolist()
        parameters[f"sketch_limit{number}"] = squared_sketch_limit(limit)
    return parameters

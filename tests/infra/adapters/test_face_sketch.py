"""The bound by sketches leaves nothing out that belongs to an answer."""

import numpy as np
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st

from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.face_sketch import SCALE, SKETCHED, asked_sketch, squared_sketch_limit
from infra.adapters.found_tracks import Limits
from infra.adapters.settings import ClickHouseSettings
from streams.ports import Vector
from tests.ports.faces_suite import LIMIT, MODEL, event_of_its_own, face

# Steps of a sketch in each component: next to nothing, like a face's (of length 1), almost the range, far beyond it.
STEPS = (0, 20, 125, 1_000)


def hostile(steps: int, limit: float, dice: np.random.Generator) -> tuple[Vector, list[Vector]]:
    """A selfie, and rows whose distance is the limit, less or more by a few units in the last place.

    All of the distance lies in the sketched components, each of which is just above the middle between two steps, and
    all of them are rounded away from the selfie: the bound's own worst case, met.
    """
    worst = np.zeros(128)
    worst[:SKETCHED] = dice.choice([-1.0, 1.0], SKETCHED) * (steps + 0.5 + 2.0**-12) / SCALE
    selfie = (worst * (1 - limit / np.linalg.norm(worst))).astype(np.float32)
    away = worst - selfie
    # What moves a component, or else the sum of squares, to the next Float32.
    step = max(np.abs(worst).max() * 2.0**-23 / np.abs(away).max(), 2.0**-24)
    return selfie, [(selfie + away * (1 + number * step)).astype(np.float32) for number in range(-20, 21)]


@pytest.mark.engines
@pytest.mark.parametrize("steps", STEPS)
async def test_rows_at_the_very_limit_are_those_of_a_plain_scan(
    client: Client, migrated: ClickHouseSettings, steps: int
) -> None:
    """Row for row, on both sides of the limit as the engine's own Float32 sum decides it; for each of a batch."""
    dice = np.random.default_rng(11)
    limits = [LIMIT, 0.7, 0.3, 0.1, 0.01, 1e-3]
    made = [hostile(steps, limit, dice) for limit in limits]
    selfies, rows = [selfie for selfie, _ in made], [row for _, rows in made for row in rows]
    store, event = ClickHouseFaces(migrated, limits=Limits(sightings=10_000)), event_of_its_own()
    faces = [face(row, track=number) for number, row in enumerate(rows)]
    await store.put_chunk(event_id=event, source_video_key="cam", generation=1, chunk=0, faces=faces)
    await store.activate(
        event_id=event, source_video_key="cam", model=MODEL, generation=1, object_key="sources/x", duration_ms=9_000
    )
    found = await store.find(event, MODEL, selfies, limits)
    await store.close()
    sides = set()
    for selfie, limit, one in zip(selfies, limits, found, strict=True):
        plain = client.query(
            "SELECT track, sqrt(L2SquaredDistance(vector, {v:Array(Float32)})) FROM face_vectors"
            " WHERE event_id = {e:UInt64} AND L2SquaredDistance(vector, {v:Array(Float32)}) <= {l:Float64}",
            {"v": selfie.tolist(), "e": event, "l": limit * limit},
        ).result_rows
        expected = {f"0/{track}": distance for track, distance in plain}
        assert {sighting.track: sighting.distance for sighting in one.sightings} == expected
        sides.add(0 < len(expected) < len(rows))
    assert sides == {True}, "each selfie has rows on both sides of its limit"


@given(
    vector=st.lists(st.floats(-1e3, 1e3, width=32), min_size=128, max_size=128),
    away=st.lists(st.floats(-1, 1, width=32), min_size=128, max_size=128),
    limit=st.floats(1e-6, 2.0),
)
def test_nothing_within_the_limit_is_beyond_its_sketch_limit(
    vector: list[float], away: list[float], limit: float
) -> None:
    selfie, direction = np.array(vector, np.float32), np.array(away)
    row = (selfie + direction * (limit / max(np.linalg.norm(direction), 1e-9))).astype(np.float32)
    distance = float(np.linalg.norm(selfie.astype(np.float64) - row))
    sketch = np.rint(np.clip(row[:SKETCHED] * np.float32(SCALE), -127, 127))
    of_sketch = np.linalg.norm(asked_sketch(selfie).astype(np.float64) - sketch)
    assert of_sketch**2 <= squared_sketch_limit(distance)


@pytest.mark.engines
async def test_a_sketch_is_the_first_components_scaled_rounded_and_kept_within_a_byte(
    client: Client, migrated: ClickHouseSettings
) -> None:
    """Known answers: around the middle between two steps, negative, at the range's end and beyond it."""
    given_ = [0.0, 0.49, 0.51, 1.0, -0.51, 126.4, 127.4, 5_000.0, -127.4, -5_000.0]
    vector = np.zeros(128, np.float32)
    vector[: len(given_)] = np.array(given_) / SCALE
    vector[SKETCHED:] = 0.3
    store, event = ClickHouseFaces(migrated), event_of_its_own()
    await store.put_chunk(event_id=event, source_video_key="cam", generation=1, chunk=0, faces=[face(vector, track=1)])
    await store.close()
    rows = client.query("SELECT sketch FROM face_vectors WHERE event_id = {e:UInt64}", {"e": event}).result_rows
    [(sketch,)] = rows
    assert list(sketch) == [0, 0, 1, 1, -1, 126, 127, 127, -127, -127] + [0] * (SKETCHED - len(given_))


def test_the_bound_is_tight_enough_to_be_worth_it() -> None:
    """At the usual limit it is hardly 5 % farther than the limit itself."""
    assert LIMIT < squared_sketch_limit(LIMIT) ** 0.5 / SCALE < 1.051 * LIMIT

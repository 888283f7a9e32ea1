"""The prefix bound leaves nothing out that belongs to an answer."""

import numpy as np
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st

from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.face_prefix import PREFIX, squared_prefix_limit, stored_prefix
from infra.adapters.settings import ClickHouseSettings
from streams.ports import Vector
from tests.ports.faces_suite import LIMIT, MODEL, event_of_its_own, face

# Sizes of a vector's components: tiny, like a face's (of length 1), and of a network without any scale.
SIZES = (2.0**-13, 2.0**-3, 2.0**2)


def hostile(size: float, limit: float, dice: np.random.Generator) -> tuple[Vector, list[Vector]]:
    """A selfie, and rows whose distance is the limit, less or more by a few units in the last place.

    All of the distance lies in the prefix, every component of which is just above the middle between two BFloat16s of
    the coarsest relative step, and all of them are rounded away from the selfie: the bound's own worst case, met.
    """
    signs = np.zeros(128)
    signs[:PREFIX] = dice.choice([-1.0, 1.0], PREFIX)
    worst = signs * size * (1 + 2.0**-8 + 2.0**-16)
    length = np.linalg.norm(worst)
    selfie = (worst * (1 - limit / length)).astype(np.float32)
    away = worst - selfie
    # What moves a component, or else the sum of squares, to the next Float32.
    step = max(size * 2.0**-23 / np.abs(away).max(), 2.0**-24)
    return selfie, [(selfie + away * (1 + steps * step)).astype(np.float32) for steps in range(-20, 21)]


@pytest.mark.engines
@pytest.mark.parametrize("size", SIZES)
async def test_rows_at_the_very_limit_are_those_of_a_plain_scan(
    client: Client, migrated: ClickHouseSettings, size: float
) -> None:
    """Row for row, on both sides of the limit as the engine's own Float32 sum decides it; for each of a batch."""
    dice = np.random.default_rng(11)
    limits = [LIMIT, 0.7, 0.3, 0.1, 0.01, 1e-3]
    made = [hostile(size, limit, dice) for limit in limits]
    selfies, rows = [selfie for selfie, _ in made], [row for _, rows in made for row in rows]
    store, event = ClickHouseFaces(migrated, max_sightings=10_000), event_of_its_own()
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
def test_nothing_within_the_limit_is_beyond_its_prefix_limit(
    vector: list[float], away: list[float], limit: float
) -> None:
    selfie, direction = np.array(vector, np.float32), np.array(away)
    row = (selfie + direction * (limit / max(np.linalg.norm(direction), 1e-9))).astype(np.float32)
    distance = float(np.linalg.norm(selfie.astype(np.float64) - row))
    of_prefix = np.linalg.norm(selfie[:PREFIX].astype(np.float64) - stored_prefix(row))
    assert of_prefix**2 <= squared_prefix_limit(selfie, distance)


def test_a_stored_prefix_is_the_nearest_bfloat16() -> None:
    """Known answers: exact, both sides of a tie (to even), below and above one, negative, zero."""
    step = 2.0**-7
    given_ = [1.0, 1 + step / 2, 1 + 1.5 * step, 1 + 0.49 * step, 1 + 0.51 * step, -1 - 0.51 * step, 0.0, -0.0]
    vector = np.zeros(128, np.float32)
    vector[: len(given_)] = given_
    expected = [1.0, 1.0, 1 + 2 * step, 1.0, 1 + step, -1 - step, 0.0, 0.0]
    assert stored_prefix(vector)[: len(given_)].tolist() == expected
    assert stored_prefix(vector).shape == (PREFIX,)


def test_the_bound_is_tight_enough_to_be_worth_it() -> None:
    """At a face's length and the usual limit it is less than 2 % farther than the limit itself."""
    selfie = np.full(128, 1.3 / 128**0.5, np.float32)
    assert LIMIT < squared_prefix_limit(selfie, LIMIT) ** 0.5 < 1.02 * LIMIT

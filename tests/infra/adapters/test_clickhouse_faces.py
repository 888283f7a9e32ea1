"""Faces in a real ClickHouse engine."""

import dataclasses

import numpy as np
import pytest

from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.clickhouse_client import ClickHouseClient
from infra.adapters.found_tracks import Limits
from infra.adapters.settings import ClickHouseSettings
from streams.outcomes import Unavailable
from tests.ports.faces_suite import LIMIT, MODEL, FacesSuite, event_of_its_own, face, near, unlike
from tests.waiting import wait_until_async

pytestmark = pytest.mark.engines


class TestClickHouseFaces(FacesSuite):
    """The port's rules."""

    @pytest.fixture
    def faces(self, store: ClickHouseFaces) -> ClickHouseFaces:
        """The adapter."""
        return store


async def test_answers_are_those_of_plain_arithmetic(store: ClickHouseFaces) -> None:
    """Exact: the same tracks and distances as numpy finds among 3,000 faces, for 32 selfies at once."""
    dice = np.random.default_rng(7)
    people = dice.normal(0, 0.1, (40, 128))
    vectors = (people[dice.integers(0, 40, 3000)] + dice.normal(0, 0.03, (3000, 128))).astype(np.float32)
    selfies = (people[:32] + dice.normal(0, 0.02, (32, 128))).astype(np.float32)
    event = event_of_its_own()
    rows = [face(vector, track=number) for number, vector in enumerate(vectors)]
    await store.put_chunk(event_id=event, source_video_key="cam", generation=1, chunk=0, faces=rows)
    await store.activate(
        event_id=event, source_video_key="cam", model=MODEL, generation=1, object_key="sources/x", duration_ms=9_000
    )
    answers = await store.find(event, MODEL, list(selfies), [LIMIT] * 32)
    for selfie, found in zip(selfies.astype(np.float64), answers, strict=True):
        distances = np.linalg.norm(vectors.astype(np.float64) - selfie, axis=1)
        assert np.abs(distances - LIMIT).min() > 1e-5, "a distance so near the limit may fall on either side"
        expected = {f"0/{number}": distances[number] for number in np.flatnonzero(distances <= LIMIT)}
        assert expected
        assert {s.track: s.distance for s in found.sightings} == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("limits", [Limits(sightings=3), Limits(sample_times=3 * 3)])
async def test_best_stay_when_there_are_too_many(migrated: ClickHouseSettings, limits: Limits) -> None:
    """An answer fits a message; that something was left out is said, for each selfie of its own."""
    store = ClickHouseFaces(migrated, limits=limits)
    me, event = unlike(1), event_of_its_own()
    rows = [face(near(me, 0.1 + number / 20), track=number) for number in range(5)]
    await store.put_chunk(event_id=event, source_video_key="cam", generation=1, chunk=0, faces=rows)
    await store.activate(
        event_id=event, source_video_key="cam", model=MODEL, generation=1, object_key="sources/x", duration_ms=9_000
    )
    many, few = await store.find(event, MODEL, [me, me], [LIMIT, 0.21])
    await store.close()
    assert ([s.track for s in many.sightings], many.truncated) == (["0/0", "0/1", "0/2"], True)
    assert ([s.track for s in few.sightings], few.truncated) == (["0/0", "0/1", "0/2"], False)


async def test_a_chunk_stored_too_often_hides_nothing_unsaid(migrated: ClickHouseSettings) -> None:
    """A repeat stores rows twice and changes no answer; rows beyond all reason are cut, and the answer says so."""
    limits = Limits(sightings=1)
    store, me, event = ClickHouseFaces(migrated, limits=limits), unlike(1), event_of_its_own()
    about = {"event_id": event, "source_video_key": "cam", "generation": 1}
    await store.activate(**about, model=MODEL, object_key="sources/x", duration_ms=9_000)
    cut = []
    for times in range(limits.rows + 1):
        (found,) = await store.find(event, MODEL, [me], [LIMIT])
        assert [s.track for s in found.sightings] == ["0/0"] * bool(times)
        cut.append(found.truncated)
        await store.put_chunk(**about, chunk=0, faces=[face(near(me, 0.1), track=0)])
    await store.close()
    assert cut == [False] * limits.rows + [True]


async def test_server_that_does_not_answer_is_an_outage(
    clickhouse_settings: ClickHouseSettings, closed_port: int
) -> None:
    """Work waits; nothing is given up."""
    nobody = dataclasses.replace(clickhouse_settings, port=closed_port)
    store = ClickHouseFaces(nobody)
    with pytest.raises(Unavailable, match="did not answer") as caught:
        await store.find(1, MODEL, [unlike(1)], [LIMIT])
    assert caught.value.dependency == "clickhouse"
    await store.close()


async def test_wrong_password_is_told_as_such(clickhouse_settings: ClickHouseSettings) -> None:
    """The sentence leads to the setting, and does not hold it."""

    store = ClickHouseFaces(dataclasses.replace(clickhouse_settings, password="not-the-password"))
    with pytest.raises(Unavailable, match="refused the user") as caught:
        await store.find(1, MODEL, [unlike(1)], [LIMIT])
    assert "not-the-password" not in str(caught.value)
    await store.close()


async def test_missing_tables_lead_to_provisioning(clickhouse_settings: ClickHouseSettings) -> None:
    """Before provisioning work waits."""

    store = ClickHouseFaces(dataclasses.replace(clickhouse_settings, database="default"))
    with pytest.raises(Unavailable, match="provision"):
        await store.find(1, MODEL, [unlike(1)], [LIMIT])
    await store.close()


async def test_swept_faces_leave_the_table(store: ClickHouseFaces, migrated: ClickHouseSettings) -> None:
    """Those of replaced generations alone, each model's own active one left out."""
    event = event_of_its_own()
    for generation, model in ((1, MODEL), (2, "model-b"), (3, MODEL)):
        about = {"event_id": event, "source_video_key": "cam", "generation": generation}
        await store.put_chunk(**about, chunk=0, faces=[face(unlike(generation))])
        await store.activate(**about, model=model, object_key="sources/x", duration_ms=9_000)
    await store.sweep_source(event_id=event, source_video_key="cam", generation=3)
    client = ClickHouseClient(migrated)

    async def left() -> list[int]:
        query = "SELECT generation FROM face_vectors WHERE event_id = {event:UInt64} ORDER BY generation"
        return [row[0] for row in (await (await client.get()).query(query, {"event": event})).result_rows]

    async def swept() -> bool:
        return await left() == [2, 3]

    await wait_until_async(swept, 10.0, "the replaced generation is gone")
    await client.close()

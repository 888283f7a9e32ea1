"""A deployment of before generations had models, brought up to date."""

import dataclasses
import shutil
import uuid
from pathlib import Path

import pytest

from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.clickhouse_migrations import MIGRATIONS, migrate
from infra.adapters.face_generations import scope_of
from infra.adapters.settings import ClickHouseSettings
from tests.infra.adapters.plain_client import plain_client
from tests.ports.faces_suite import LIMIT, MODEL, event_of_its_own, face, unlike

pytestmark = pytest.mark.engines


@pytest.fixture
def clickhouse(clickhouse_settings: ClickHouseSettings) -> ClickHouseSettings:
    """A database of its own that is not there yet."""
    return dataclasses.replace(clickhouse_settings, database=f"old_{uuid.uuid4().hex[:12]}")


def migrate_up_to(number: int, settings: ClickHouseSettings, folder: Path) -> None:
    """Applies the first so many migrations alone, as a release of before did."""
    for path in MIGRATIONS.glob(f"000[1-{number}]_*.sql"):
        shutil.copy(path, folder)
    assert len(migrate(settings, folder)) == 1 + number


async def test_an_old_deployment_goes_on_and_its_sources_wait_for_a_new_indexing(
    clickhouse: ClickHouseSettings, tmp_path: Path
) -> None:
    """What was active is known and told as of other models; a migration that was killed half-way may come again."""
    migrate_up_to(2, clickhouse, tmp_path)
    event, client = event_of_its_own(), plain_client(clickhouse)
    client.insert(
        "sources",
        [[event, "cam-1", 2, "sources/x", 9_000]],
        column_names=["event_id", "source_video_key", "generation", "object_key", "duration_ms"],
    )
    changes = [change.done for change in migrate(clickhouse)]
    assert changes[:2] == ["0003_generations.sql applied", "0004_face_vectors.sql applied"]
    client.command("TRUNCATE TABLE migrations")
    assert len(migrate(clickhouse)) == 2 + len(changes)
    assert not client.query("EXISTS TABLE faces").result_rows[0][0]
    client.close()
    store, me = ClickHouseFaces(clickhouse), unlike(1)
    (found,) = await store.find(event, MODEL, [me], [LIMIT])
    assert (found.sightings, found.other_models) == ((), 1)
    about = {"event_id": event, "source_video_key": "cam-1", "generation": 3}
    await store.put_chunk(**about, chunk=0, faces=[face(me)])
    await store.activate(**about, model=MODEL, object_key="sources/y", duration_ms=9_000)
    (found,) = await store.find(event, MODEL, [me], [LIMIT])
    assert ([source.generation for source in found.sources], found.other_models) == ([3], 0)
    await store.close()


async def test_faces_stored_before_there_were_sketches_are_found(
    clickhouse: ClickHouseSettings, tmp_path: Path
) -> None:
    """At once, whether the background has written their sketches already or not, and among newer ones."""
    migrate_up_to(4, clickhouse, tmp_path)
    event, client, me = event_of_its_own(), plain_client(clickhouse), unlike(1)
    vectors = {1: me, 2: unlike(2), 3: unlike(3)}
    client.insert(
        "face_vectors",
        [
            [event, scope_of(event, "cam", 1), "cam", 1, 0, track, 0, 200, [0, 200], 0, 0.9, vector[:72], vector]
            for track, vector in ((track, vector.tolist()) for track, vector in vectors.items())
        ],
        column_names=[
            *("event_id", "scope", "source_video_key", "generation", "chunk", "track", "track_start_ms"),
            *("track_end_ms", "sample_times_ms", "time_ms", "quality", "prefix", "vector"),
        ],
    )
    assert migrate(clickhouse)[0].done == "0005_sketches.sql applied"
    client.close()
    store, about = ClickHouseFaces(clickhouse), {"event_id": event, "source_video_key": "cam", "generation": 1}
    await store.put_chunk(**about, chunk=1, faces=[face(me, track=7)])
    await store.activate(**about, model=MODEL, object_key="sources/x", duration_ms=9_000)
    (found,) = await store.find(event, MODEL, [me], [LIMIT])
    assert {sighting.track for sighting in found.sightings} == {"0/1", "1/7"}
    await store.close()


async def test_what_was_removed_before_stays_removed(clickhouse: ClickHouseSettings, tmp_path: Path) -> None:
    """Of one source up to a generation, of another event everything."""
    migrate_up_to(5, clickhouse, tmp_path)
    client, me, events = plain_client(clickhouse), unlike(1), (event_of_its_own(), event_of_its_own())
    client.insert(
        "removals",
        [[events[0], "cam", 2], [events[1], "", 2**32 - 1]],
        column_names=["event_id", "source_video_key", "generation"],
    )
    assert [change.done for change in migrate(clickhouse)] == ["0006_removals_among_sources.sql applied"]
    client.close()
    store, seen = ClickHouseFaces(clickhouse), {}
    for event, generation in [(events[0], 2), (events[0], 3), (events[1], 7)]:
        about = {"event_id": event, "source_video_key": "cam", "generation": generation}
        await store.put_chunk(**about, chunk=0, faces=[face(me)])
        await store.activate(**about, model=MODEL, object_key="sources/x", duration_ms=9_000)
        (found,) = await store.find(event, MODEL, [me], [LIMIT])
        seen[event, generation] = len(found.sightings)
    assert seen == {(events[0], 2): 0, (events[0], 3): 1, (events[1], 7): 0}
    await store.close()

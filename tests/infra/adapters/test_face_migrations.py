"""A deployment of before generations had models, brought up to date."""

import dataclasses
import shutil
import uuid
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.clickhouse_migrations import MIGRATIONS, migrate
from infra.adapters.settings import ClickHouseSettings
from tests.ports.faces_suite import LIMIT, MODEL, event_of_its_own, face, unlike

pytestmark = pytest.mark.engines


@pytest.fixture
def old(clickhouse_settings: ClickHouseSettings, tmp_path: Path) -> ClickHouseSettings:
    """A database of its own with the first two migrations alone."""
    for path in MIGRATIONS.glob("000[12]_*.sql"):
        shutil.copy(path, tmp_path)
    settings = dataclasses.replace(clickhouse_settings, database=f"old_{uuid.uuid4().hex[:12]}")
    assert len(migrate(settings, tmp_path)) == 3
    return settings


def plain_client(settings: ClickHouseSettings) -> Client:
    return clickhouse_connect.get_client(
        host=settings.host,
        port=settings.port,
        username=settings.user,
        password=settings.password,
        database=settings.database,
        autogenerate_session_id=False,
    )


async def test_an_old_deployment_goes_on_and_its_sources_wait_for_a_new_indexing(old: ClickHouseSettings) -> None:
    """What was active is known and told as of other models; a migration that was killed half-way may come again."""
    event, client = event_of_its_own(), plain_client(old)
    client.insert(
        "sources",
        [[event, "cam-1", 2, "sources/x", 9_000]],
        column_names=["event_id", "source_video_key", "generation", "object_key", "duration_ms"],
    )
    assert [change.done for change in migrate(old)] == ["0003_generations.sql applied", "0004_face_vectors.sql applied"]
    client.command("TRUNCATE TABLE migrations")
    assert len(migrate(old)) == 4
    assert not client.query("EXISTS TABLE faces").result_rows[0][0]
    client.close()
    store, me = ClickHouseFaces(old), unlike(1)
    (found,) = await store.find(event, MODEL, [me], [LIMIT])
    assert (found.sightings, found.other_models) == ((), 1)
    about = {"event_id": event, "source_video_key": "cam-1", "generation": 3}
    await store.put_chunk(**about, chunk=0, faces=[face(me)])
    await store.activate(**about, model=MODEL, object_key="sources/y", duration_ms=9_000)
    (found,) = await store.find(event, MODEL, [me], [LIMIT])
    assert ([source.generation for source in found.sources], found.other_models) == ([3], 0)
    await store.close()

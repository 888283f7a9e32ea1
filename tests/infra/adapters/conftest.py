"""Adapters against real engines, in a deployment of each module's own."""

import dataclasses
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.clickhouse_migrations import migrate
from infra.adapters.settings import ClickHouseSettings, S3Settings
from infra.embedded.addresses import Addresses
from infra.local import engines_of
from infra.provision import provision
from infra.settings import Settings
from tests.infra.adapters.plain_client import plain_client


@pytest.fixture(scope="module")
def unprovisioned(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The engines of the run under a name that no other test uses; nothing is made there yet."""
    folder: Path = tmp_path_factory.mktemp("parts")
    return Settings.from_environment(
        {
            "SPOTCLIP_NAMESPACE": f"t-{uuid.uuid4().hex[:12]}",
            "SPOTCLIP_SECRET": "s" * 64,
            "SPOTCLIP_PUBLIC_BASE": "http://127.0.0.1:8000",
            "SPOTCLIP_DATA": str(folder),
            "SPOTCLIP_CACHE": str(folder),
            **engines_of(stack),
            "SPOTCLIP_RECORD_PARTITIONS": "3",
            "SPOTCLIP_WORK_PARTITIONS": "4",
        }
    )


@pytest.fixture(scope="module")
def settings(unprovisioned: Settings) -> Settings:
    """A deployment with its topics, buckets and tables."""
    provision(unprovisioned)
    return unprovisioned


@pytest.fixture(scope="module")
def clickhouse_settings(unprovisioned: Settings) -> ClickHouseSettings:
    """The engine of the run, and a database that may not be made yet."""
    return unprovisioned.clickhouse


@pytest.fixture(scope="module")
def migrated(clickhouse_settings: ClickHouseSettings) -> ClickHouseSettings:
    """A database with its tables."""
    migrate(clickhouse_settings)
    return clickhouse_settings


@pytest.fixture(scope="module")
def client(migrated: ClickHouseSettings) -> Iterator[Client]:
    """A plain client of a database with its tables."""
    client = plain_client(migrated)
    yield client
    client.close()


@pytest.fixture
async def store(migrated: ClickHouseSettings) -> AsyncIterator[ClickHouseFaces]:
    """An open store of faces."""
    store = ClickHouseFaces(migrated)
    yield store
    await store.close()


@pytest.fixture(params=["nobody listens", "wrong secret", "no bucket"])
def broken_s3(request: pytest.FixtureRequest, settings: Settings, closed_port: int) -> tuple[S3Settings, str]:
    """A store that does not work, and what its error must name."""
    s3, none = settings.s3, f"none-{uuid.uuid4()}"
    return {
        "nobody listens": (dataclasses.replace(s3, endpoint=f"127.0.0.1:{closed_port}"), "SPOTCLIP_S3_ENDPOINT"),
        "wrong secret": (dataclasses.replace(s3, secret_key="no such secret"), "SPOTCLIP_S3_ACCESS_KEY"),
        "no bucket": (dataclasses.replace(s3, private_bucket=none, public_bucket=none), "spotclip provision"),
    }[request.param]

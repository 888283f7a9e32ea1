"""The documented modes of the plain asynchronous client."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.infra.embedded.clickhouse_server.running_server import PASSWORD, RunningServer

pytestmark = pytest.mark.engines

ROWS = [[number, f"name {number}"] for number in range(1_000)]


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[AsyncClient]:
    made = await server.async_client()
    await made.command("CREATE TABLE IF NOT EXISTS people (id UInt32, name String) ENGINE = MergeTree ORDER BY id")
    await made.command("TRUNCATE TABLE people")
    await made.insert("people", ROWS)
    yield made
    await made.close()


async def test_ping_commands_and_queries(client: AsyncClient) -> None:
    assert await client.ping()
    assert await client.command("SELECT count() FROM people") == 1_000
    result = await client.query("SELECT * FROM people WHERE id = {id:UInt32}", parameters={"id": 5})
    assert result.result_rows == [(5, "name 5")]
    assert (await client.query("SELECT id FROM people LIMIT 0")).column_names == ("id",)


async def test_frames_arrow_and_arrays(client: AsyncClient) -> None:
    frame = await client.query_df("SELECT id, name FROM people ORDER BY id")
    assert frame["id"].tolist() == list(range(1_000))
    table = await client.query_arrow("SELECT id, name FROM people ORDER BY id")
    await client.command("CREATE TABLE from_arrow AS people")
    assert (await client.insert_arrow("from_arrow", table)).written_rows == 1_000
    assert (await client.insert_df("from_arrow", frame)).written_rows == 1_000
    assert (await client.query_np("SELECT id FROM from_arrow")).shape == (2_000, 1)


async def test_raw_queries_and_inserts(client: AsyncClient) -> None:
    await client.command("CREATE TABLE raw (a UInt8, b String) ENGINE = Memory")

    async def blocks() -> AsyncIterator[bytes]:
        for block in (b"1,a\n", b"2,b\n"):
            await asyncio.sleep(0)
            yield block

    assert (await client.raw_insert("raw", ["a", "b"], blocks(), fmt="CSV")).written_rows == 2
    assert (await client.raw_insert("raw", ["a", "b"], b"3,c\n", fmt="CSV")).written_rows == 1
    assert await client.raw_query("SELECT a FROM raw ORDER BY a", fmt="TSV") == b"1\n2\n3\n"


async def test_streams(client: AsyncClient) -> None:
    async with await client.query_rows_stream("SELECT id FROM people ORDER BY id") as rows:
        assert [row[0] async for row in rows] == list(range(1_000))
    async with await client.query_column_block_stream("SELECT id FROM people") as blocks:
        assert sorted([number async for block in blocks for number in block[0]]) == list(range(1_000))


@pytest.mark.parametrize("compress", [True, "lz4", "zstd", "gzip", False])
async def test_every_compression_both_ways(server: RunningServer, compress: bool | str) -> None:
    client = await server.async_client(compress=compress)
    await client.command("DROP TABLE IF EXISTS packed SYNC")
    await client.command("CREATE TABLE packed (id UInt32, name String) ENGINE = Memory")
    assert (await client.insert("packed", ROWS)).written_rows == 1_000
    assert len((await client.query("SELECT * FROM packed")).result_rows) == 1_000
    await client.close()


async def test_forms_and_databases(server: RunningServer) -> None:
    client = await server.async_client(form_encode_query_params=True, database="system")
    assert (await client.query("SELECT {a:String}, currentDatabase()", parameters={"a": "x"})).result_rows == [
        ("x", "system")
    ]
    await client.close()


async def test_errors_carry_clickhouses_code(server: RunningServer, client: AsyncClient) -> None:
    with pytest.raises(DatabaseError) as raised:
        await client.query("SELECT * FROM missing")
    assert raised.value.code == 60
    with pytest.raises(DatabaseError) as raised:
        await server.async_client(password=PASSWORD + "x")
    assert raised.value.code == 516


async def test_slow_queries_run_side_by_side(client: AsyncClient) -> None:
    started = asyncio.get_running_loop().time()
    answers = await asyncio.gather(*(client.command(f"SELECT sleep(0.5) + {number}") for number in range(16)))
    assert answers == list(range(16))
    # One after the other would take 8 s.
    assert asyncio.get_running_loop().time() - started < 4

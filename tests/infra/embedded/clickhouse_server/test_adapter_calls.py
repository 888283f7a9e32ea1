"""The calls that Spotclip's own adapters make, through the plain clients."""

import asyncio
import threading
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.infra.embedded.clickhouse_server.running_server import RunningServer

pytestmark = pytest.mark.engines

DIMENSIONS = 128
ROWS = 5_000


def vectors(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, DIMENSIONS), dtype=np.float32)


@pytest.fixture(scope="module")
def stored(server: RunningServer) -> Iterator[np.ndarray]:
    """Vectors in the table `faces`, in both element types; row i has the number i."""
    client = server.client()
    client.command(
        "CREATE TABLE faces (event LowCardinality(String), number UInt64, full Array(Float32), half Array(BFloat16),"
        " seen DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY (event, number)"
    )
    rows = vectors(ROWS, 1)
    for start in range(0, ROWS, 1_000):
        block = rows[start : start + 1_000]
        summary = client.insert(
            "faces",
            [["race"] * len(block), list(range(start, start + len(block))), list(block), list(block), [0] * len(block)],
            column_names=["event", "number", "full", "half", "seen"],
            column_oriented=True,
        )
        assert summary.written_rows == len(block)
    client.close()
    return rows


def test_a_database_and_a_table_of_migrations(client: Client) -> None:
    client.command("CREATE DATABASE IF NOT EXISTS engine_test")
    client.command(
        "CREATE TABLE IF NOT EXISTS engine_test.migrations"
        " (number UInt32, name String, at DateTime64(3) DEFAULT now64()) ENGINE = MergeTree ORDER BY number"
    )
    client.insert("engine_test.migrations", [[1, "faces"], [2, "sources"]], column_names=["number", "name"])
    assert client.command("SELECT max(number) FROM engine_test.migrations") == 2
    with pytest.raises(DatabaseError) as raised:
        client.command("CREATE TABLE engine_test.migrations (number UInt32) ENGINE = MergeTree ORDER BY number")
    assert raised.value.code == 57
    client.command("DROP DATABASE engine_test SYNC")
    assert client.command("EXISTS DATABASE engine_test") == 0


def test_the_newest_row_of_a_replacing_table_wins_with_final(client: Client) -> None:
    client.command(
        "CREATE TABLE sources (source String, generation UInt64, active UInt8) ENGINE = ReplacingMergeTree(generation)"
        " ORDER BY source"
    )
    for generation in range(3):
        client.insert("sources", [["video", generation, generation == 2]], ["source", "generation", "active"])
    assert client.query("SELECT generation, active FROM sources FINAL").result_rows == [(2, 1)]


def test_a_scan_finds_what_numpy_finds(client: Client, stored: np.ndarray) -> None:
    selfie = stored[77] + 0.01
    distances = ((stored - selfie) ** 2).sum(axis=1)
    limit = float(np.sort(distances)[50]) + 1e-4
    found = client.query_np(
        "SELECT number, L2SquaredDistance(full, {selfie:Array(Float32)}) AS d FROM faces"
        " WHERE event = {event:String} AND d < {limit:Float64} ORDER BY number",
        parameters={"selfie": selfie.tolist(), "event": "race", "limit": limit},
    )
    assert set(found["number"]) == set(np.flatnonzero(distances < limit))
    np.testing.assert_allclose(found["d"], distances[distances < limit], rtol=1e-4)


def test_one_scan_answers_for_many_selfies_at_once(client: Client, stored: np.ndarray) -> None:
    selfies = {f"s{place}": stored[place * 100] for place in range(32)}
    columns = ", ".join(f"L2SquaredDistance(full, {{{name}:Array(Float32)}}) AS {name}" for name in selfies)
    condition = " OR ".join(f"{name} < 0.0001" for name in selfies)
    # Longer than a URL may be: the client sends it as a form.
    result = client.query(
        f"SELECT number, {columns} FROM faces WHERE {condition} ORDER BY number",  # noqa: S608 - the test's own text
        parameters={name: vector.tolist() for name, vector in selfies.items()},
    )
    assert [row[0] for row in result.result_rows] == [place * 100 for place in range(32)]


def test_a_half_precision_column_gives_back_its_rounded_vector(client: Client, stored: np.ndarray) -> None:
    half = client.query("SELECT half FROM faces WHERE number = 9").result_rows[0][0]
    np.testing.assert_allclose(half, stored[9], rtol=1 / 128)
    assert client.command("SELECT toTypeName(half) FROM faces LIMIT 1") == "Array(BFloat16)"


def test_vectors_go_in_as_arrow(client: Client, stored: np.ndarray) -> None:
    client.command("CREATE TABLE arrow AS faces")
    lists = pa.FixedSizeListArray.from_arrays(pa.array(stored[:100].ravel()), DIMENSIONS).cast(pa.list_(pa.float32()))
    table = pa.table({"number": pa.array(range(100), pa.uint64()), "full": lists})
    assert client.insert_arrow("arrow", table).written_rows == 100
    np.testing.assert_array_equal(
        client.query("SELECT full FROM arrow WHERE number = 42").result_rows[0][0], stored[42]
    )


def test_a_stream_of_column_blocks_gives_every_row_once(client: Client, stored: np.ndarray) -> None:
    numbers: list[int] = []
    with client.query_column_block_stream(
        "SELECT number, full FROM faces", settings={"max_block_size": 512, "preferred_block_size_bytes": 0}
    ) as stream:
        blocks = 0
        for block_numbers, block_vectors in stream:
            blocks += 1
            numbers += list(block_numbers)
            np.testing.assert_array_equal(np.asarray(block_vectors[0]), stored[block_numbers[0]])
    assert sorted(numbers) == list(range(ROWS))
    assert blocks > 1


def test_rows_are_deleted_by_delete_and_by_a_mutation(client: Client, stored: np.ndarray) -> None:
    assert len(stored) == ROWS
    client.command("CREATE TABLE doomed AS faces")
    client.command("INSERT INTO doomed SELECT * FROM faces WHERE number < 100")
    client.command("DELETE FROM doomed WHERE number < {n:UInt64}", parameters={"n": 10})
    client.command("ALTER TABLE doomed DELETE WHERE number >= 90", settings={"mutations_sync": 2})
    assert client.command("SELECT count(), min(number), max(number) FROM doomed") == ["80", "10", "89"]
    assert client.command("SELECT countIf(NOT is_done) FROM system.mutations WHERE table = 'doomed'") == 0


def test_a_setting_of_one_query_does_not_reach_the_next(client: Client) -> None:
    assert client.command("SELECT getSetting('max_threads')", settings={"max_threads": 3}) == 3
    assert client.command("SELECT getSetting('max_threads')") != 3


def test_a_query_over_its_time_is_stopped(client: Client) -> None:
    with pytest.raises(DatabaseError) as raised:
        client.command(
            "SELECT sum(sleepEachRow(0.05)) FROM numbers(100)",
            settings={"max_execution_time": 0.3, "max_block_size": 1},
        )
    assert raised.value.code == 159


async def test_the_async_client_makes_the_same_calls(server: RunningServer, stored: np.ndarray) -> None:
    client = await server.async_client()
    await client.command("CREATE TABLE from_async AS faces")
    await client.insert(
        "from_async",
        [["race"] * 10, list(range(10)), list(stored[:10]), list(stored[:10])],
        column_names=["event", "number", "full", "half"],
        column_oriented=True,
    )
    found = await client.query_np(
        "SELECT number FROM from_async WHERE L2SquaredDistance(full, {s:Array(Float32)}) < 0.0001",
        parameters={"s": stored[3].tolist()},
    )
    assert found.ravel().tolist() == [3]
    async with await client.query_column_block_stream("SELECT number FROM from_async") as stream:
        assert [number async for block in stream for number in block[0]] == list(range(10))
    await client.command("DELETE FROM from_async WHERE number = 3")
    assert await client.command("SELECT count() FROM from_async") == 9
    await client.close()


async def test_sixteen_async_queries_at_once_get_their_own_answers(server: RunningServer, stored: np.ndarray) -> None:
    client = await server.async_client()
    numbers = range(0, 1600, 100)
    results = await asyncio.gather(
        *(
            client.query(
                "SELECT number FROM faces WHERE L2SquaredDistance(full, {s:Array(Float32)}) < 0.0001",
                parameters={"s": stored[number].tolist()},
            )
            for number in numbers
        )
    )
    assert [result.result_rows for result in results] == [[(number,)] for number in numbers]
    await client.close()


def test_sixteen_clients_insert_and_read_at_once(server: RunningServer, client: Client) -> None:
    client.command("CREATE TABLE shared (writer UInt8, number UInt64) ENGINE = MergeTree ORDER BY (writer, number)")
    seen: dict[int, int] = {}

    def work(writer: int) -> None:
        own = server.client()
        for start in range(0, 500, 100):
            own.insert("shared", [[writer, number] for number in range(start, start + 100)], ["writer", "number"])
        seen[writer] = int(own.command("SELECT count() FROM shared WHERE writer = {w:UInt8}", parameters={"w": writer}))
        own.close()

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == dict.fromkeys(range(16), 500)
    assert client.command("SELECT uniqExact(writer, number) FROM shared") == 8_000

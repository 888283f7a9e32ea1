"""The documented modes of the plain synchronous client."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import DatabaseError, ProgrammingError

from tests.infra.embedded.clickhouse_server.running_server import PASSWORD, RunningServer

pytestmark = pytest.mark.engines

ROWS = [[number, f"name {number}", [number, number + 1]] for number in range(1_000)]


@pytest.fixture(scope="module", autouse=True)
def people(server: RunningServer) -> Iterator[None]:
    client = server.client()
    client.command("CREATE TABLE people (id UInt32, name String, more Array(UInt32)) ENGINE = MergeTree ORDER BY id")
    client.insert("people", ROWS)
    yield
    client.close()


def test_ping_and_what_the_client_learns_at_start(client: Client) -> None:
    assert client.ping()
    assert client.server_version.split(".")[0].isdigit()
    assert client.server_settings["max_threads"].readonly == 0
    # The server refuses the newer block header, and the client goes on without it.
    assert client.protocol_version == 0


def test_commands_give_values_rows_and_summaries(client: Client) -> None:
    assert client.command("SELECT 1") == 1
    assert client.command("SELECT 'a', 2") == ["a", "2"]
    assert client.command("SELECT 1 WHERE 0") == ""
    client.command("CREATE TABLE made (a UInt8) ENGINE = Memory")
    assert client.command("INSERT INTO made SELECT number FROM numbers(7)").written_rows == 7
    assert client.command("INSERT INTO made VALUES (1), (2)").written_rows == 2
    assert client.command("INSERT INTO made FORMAT CSV", data="3\n4\n5\n").written_rows == 3
    assert client.command("SELECT count() FROM made") == 12


def test_queries_give_rows_names_types_and_a_summary(client: Client) -> None:
    result = client.query("SELECT id, name, more FROM people ORDER BY id LIMIT 2")
    assert result.result_rows == [(0, "name 0", [0, 1]), (1, "name 1", [1, 2])]
    assert result.column_names == ("id", "name", "more")
    assert [kind.name for kind in result.column_types] == ["UInt32", "String", "Array(UInt32)"]
    assert int(result.summary["read_rows"]) > 0
    assert result.query_id


def test_a_query_of_no_rows_still_tells_its_columns(client: Client) -> None:
    assert client.query("SELECT id, name FROM people LIMIT 0").column_names == ("id", "name")
    assert client.query("SELECT id FROM people WHERE 0").result_rows == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String", "it's a \\ \t\n\x00 'test' — ü"),
        ("Array(String)", ["a'b", "c,d", "]"]),
        ("Array(Float32)", [0.5, -1.25, 2.0**100]),
        ("Array(UInt64)", []),
        ("UInt64", 2**64 - 1),
        ("Nullable(String)", None),
        ("Bool", True),
    ],
)
def test_server_side_parameters_arrive_as_they_were_sent(client: Client, kind: str, value: object) -> None:
    assert client.query(f"SELECT {{value:{kind}}}", parameters={"value": value}).result_rows == [(value,)]


def test_a_table_and_a_column_may_be_parameters(client: Client) -> None:
    asked = client.query(
        "SELECT {column:Identifier} FROM {table:Identifier} ORDER BY id LIMIT 1",
        parameters={"column": "name", "table": "people"},
    )
    assert asked.result_rows == [("name 0",)]


def test_client_side_parameters(client: Client) -> None:
    asked = client.query("SELECT name FROM people WHERE id = %(id)s", parameters={"id": 5})
    assert asked.result_rows == [("name 5",)]


def test_frames_and_arrow_tables(client: Client) -> None:
    frame = client.query_df("SELECT id, name FROM people ORDER BY id")
    assert frame["name"].tolist() == [row[1] for row in ROWS]
    client.command("CREATE TABLE from_frame (id UInt32, name String) ENGINE = Memory")
    assert client.insert_df("from_frame", frame).written_rows == len(ROWS)
    table = client.query_arrow("SELECT id, name FROM from_frame ORDER BY id")
    assert table.column("name").to_pylist() == [row[1] for row in ROWS]
    with client.query_arrow_stream("SELECT id FROM people") as stream:
        assert sum(batch.num_rows for batch in stream) == len(ROWS)


def test_arrays_of_numpy(client: Client) -> None:
    assert client.query_np("SELECT id FROM people ORDER BY id").ravel().tolist() == list(range(1_000))
    with client.query_np_stream("SELECT id FROM people") as stream:
        assert sum(block.shape[0] for block in stream) == len(ROWS)


def test_streams_of_rows_and_of_blocks(client: Client) -> None:
    with client.query_rows_stream("SELECT id FROM people ORDER BY id") as rows:
        assert [row[0] for row in rows] == list(range(1_000))
    with client.query_row_block_stream("SELECT id FROM people", settings={"max_block_size": 100}) as blocks:
        assert sum(len(block) for block in blocks) == len(ROWS)
    with client.query_df_stream("SELECT id FROM people") as frames:
        assert sum(len(frame) for frame in frames) == len(ROWS)


def test_a_stream_left_early_does_not_spoil_the_client(client: Client) -> None:
    with client.query_row_block_stream("SELECT number FROM numbers(3000000)") as blocks:
        next(iter(blocks))
    assert client.command("SELECT 1") == 1


def test_raw_queries_and_streams_in_any_format(client: Client) -> None:
    assert client.raw_query("SELECT id FROM people ORDER BY id LIMIT 2", fmt="CSVWithNames") == b'"id"\n0\n1\n'
    assert client.raw_query("SELECT 1 AS a FORMAT JSONEachRow") == b'{"a":1}\n'
    stream = client.raw_stream("SELECT id FROM people ORDER BY id LIMIT 2", fmt="TSV")
    assert stream.read() == b"0\n1\n"
    stream.close()


@pytest.mark.parametrize("block", [b"1,a\n2,b\n", "1,a\n2,b\n", io.BytesIO(b"1,a\n2,b\n"), iter([b"1,a\n", b"2,b\n"])])
def test_raw_inserts_of_text_bytes_files_and_generators(
    client: Client, block: str | bytes | io.BytesIO | Iterator[bytes]
) -> None:
    client.command("DROP TABLE IF EXISTS raw SYNC")
    client.command("CREATE TABLE raw (a UInt8, b String) ENGINE = Memory")
    assert client.raw_insert("raw", ["a", "b"], block, fmt="CSV").written_rows == 2
    assert client.query("SELECT * FROM raw ORDER BY a").result_rows == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("column_oriented", [False, True])
def test_inserts_by_row_and_by_column(client: Client, column_oriented: bool) -> None:
    client.command("DROP TABLE IF EXISTS both SYNC")
    client.command("CREATE TABLE both AS people")
    data: list[Any] = [list(column) for column in zip(*ROWS, strict=True)] if column_oriented else ROWS
    client.insert("both", data, column_names=["id", "name", "more"], column_oriented=column_oriented)
    assert client.query("SELECT * FROM both ORDER BY id").result_rows == [tuple(row) for row in ROWS]


def test_types_come_back_as_they_went_in(client: Client) -> None:
    client.command(
        "CREATE TABLE kinds (a Nullable(UInt8), b LowCardinality(String), c Map(String, UInt8), d DateTime64(3, 'UTC'),"
        " e Tuple(UInt8, String), f UUID, g Array(Nullable(String)), h Enum8('x' = 1)) ENGINE = Memory"
    )
    client.command(
        "INSERT INTO kinds VALUES (NULL, 'l', {'k': 1}, '2026-01-02 03:04:05.678', (1, 't'),"
        " '00000000-0000-0000-0000-000000000001', ['a', NULL], 'x')"
    )
    rows = client.query("SELECT * FROM kinds").result_rows
    client.insert("kinds", rows)
    again = client.query("SELECT * FROM kinds").result_rows
    assert again == [rows[0], rows[0]]
    assert rows[0][:3] == (None, "l", {"k": 1})


@pytest.mark.parametrize("compress", [True, "lz4", "zstd", "gzip", False])
def test_every_compression_both_ways(server: RunningServer, compress: bool | str) -> None:
    client = server.client(compress=compress)
    client.command("DROP TABLE IF EXISTS packed SYNC")
    client.command("CREATE TABLE packed AS people")
    assert client.insert("packed", ROWS).written_rows == len(ROWS)
    assert client.query("SELECT * FROM packed ORDER BY id").result_rows == [tuple(row) for row in ROWS]
    client.close()


def test_parameters_may_travel_as_a_form(server: RunningServer) -> None:
    client = server.client(form_encode_query_params=True)
    assert client.query("SELECT {a:String}", parameters={"a": "x\r\n--y"}).result_rows == [("x\r\n--y",)]
    assert client.query_arrow("SELECT {a:UInt8} AS n", parameters={"a": 1}).column("n").to_pylist() == [1]
    assert client.raw_query("SELECT {a:UInt8}", parameters={"a": 3}, fmt="TSV") == b"3\n"
    client.close()


def test_a_clients_database_is_where_its_names_are_looked_up(server: RunningServer, client: Client) -> None:
    client.command("CREATE DATABASE other")
    inside = server.client(database="other")
    inside.command("CREATE TABLE only_here (a UInt8) ENGINE = Memory")
    inside.insert("only_here", [[1]])
    assert inside.command("SELECT currentDatabase()") == "other"
    inside.close()
    assert client.command("SELECT count() FROM other.only_here") == 1
    with pytest.raises(DatabaseError) as raised:
        client.command("SELECT * FROM only_here")
    assert raised.value.code == 60


def test_client_settings_apply_to_each_query(server: RunningServer) -> None:
    client = server.client(settings={"max_threads": 2})
    assert client.command("SELECT getSetting('max_threads')") == 2
    client.close()


def test_a_query_id_is_the_clients(client: Client) -> None:
    assert client.query("SELECT 1", settings={"query_id": "my-own"}).query_id == "my-own"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", 62),
        ("SELECT * FROM missing", 60),
        ("SELECT missing FROM people", 47),
        ("SELECT missing(1)", 46),
        ("SELECT throwIf(1)", 395),
        ("CREATE TABLE people (a UInt8) ENGINE = Memory", 57),
        ("INSERT INTO missing VALUES (1)", 60),
        ("1 + 1", 62),
    ],
)
def test_errors_carry_clickhouses_code(client: Client, sql: str, code: int) -> None:
    with pytest.raises(DatabaseError) as raised:
        client.command(sql)
    assert raised.value.code == code


def test_a_wrong_password_is_authentication_failed(server: RunningServer) -> None:
    with pytest.raises(DatabaseError) as raised:
        server.client(password=PASSWORD + "x")
    assert raised.value.code == 516


def test_a_setting_nobody_knows_is_an_error(client: Client) -> None:
    with pytest.raises((DatabaseError, ProgrammingError)):
        client.query("SELECT 1", settings={"no_such_setting": 1})

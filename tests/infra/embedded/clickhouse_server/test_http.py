"""ClickHouse's HTTP interface as any HTTP client sees it."""

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection

import lz4.frame
import pytest
import zstandard

from tests.infra.embedded.clickhouse_server.running_server import PASSWORD, USER, RunningServer
from tests.waiting import wait_until

pytestmark = pytest.mark.engines

UNPACK = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def login() -> str:
    return f"X-ClickHouse-User: {USER}\r\nX-ClickHouse-Key: {PASSWORD}\r\n"


def test_ping_and_root_need_no_login_and_nothing_else_is_there(server: RunningServer) -> None:
    for path in ("/ping", "/"):
        answer = server.http("GET", path, credentials=None)
        assert (answer.status, answer.body) == (200, b"Ok.\n")
    for path in ("/replicas_status", "/play", "/dashboard", "/metrics"):
        assert server.http("GET", path).status == 404
    assert server.http("PUT", "/", b"SELECT 1").status == 405


@pytest.mark.parametrize(
    ("credentials", "fields", "status"),
    [
        (None, {}, 403),
        ((USER, "no"), {}, 403),
        (("default", ""), {}, 403),
        (None, {"user": USER, "password": PASSWORD}, 200),
        ((USER, PASSWORD), {"user": USER, "password": PASSWORD}, 403),
    ],
)
def test_only_the_one_user_may_ask(
    server: RunningServer, credentials: tuple[str, str] | None, fields: dict[str, str], status: int
) -> None:
    answer = server.http("GET", credentials=credentials, query="SELECT 1", **fields)
    assert answer.status == status
    assert answer.code == (516 if status == 403 else 0)


def test_a_statement_may_be_in_the_url_in_the_body_or_across_both(server: RunningServer) -> None:
    assert server.http("GET", query="SELECT 1").body == b"1\n"
    assert server.http("POST", body=b"SELECT 1").body == b"1\n"
    assert server.http("POST", query="SELECT", body=b"1 + 1").body == b"2\n"
    assert server.http("POST", query="SELECT 1").body == b"1\n"
    curl = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.http("POST", body=b"SELECT 1", headers=curl).body == b"1\n"


def test_head_gives_headers_and_no_body(server: RunningServer) -> None:
    answer = server.http("HEAD", query="SELECT 1")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["x-clickhouse-format"] == "TabSeparated"


def test_headers_of_an_answer(server: RunningServer) -> None:
    answer = server.http("POST", body=b"SELECT number FROM numbers(10) FORMAT JSON", query_id="seven")
    assert answer.headers["x-clickhouse-query-id"] == "seven"
    assert answer.headers["x-clickhouse-format"] == "JSON"
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    summary = json.loads(answer.headers["x-clickhouse-summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("10", "10")
    assert server.http("POST", body=b"SELECT 1 WHERE 0").headers["x-clickhouse-format"] == "TabSeparated"
    assert "x-clickhouse-format" not in server.http("POST", body=b"SET max_threads = 1").headers
    made = server.http("POST", body=b"SELECT 1").headers["x-clickhouse-query-id"]
    assert len(made) == 36


def test_a_format_comes_from_the_statement_the_header_or_the_parameter(server: RunningServer) -> None:
    assert server.ask("SELECT 'a'", default_format="CSV") == '"a"\n'
    header = {"X-ClickHouse-Format": "JSONEachRow"}
    assert server.http("POST", body=b"SELECT 1 AS a", headers=header, default_format="CSV").body == b'{"a":1}\n'
    assert server.http("POST", body=b"SELECT 1 AS a FORMAT TSKV", headers=header).body == b"a=1\n"


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELEC 1", 400, 62),
        ("", 400, 62),
        ("-- only a comment", 400, 62),
        ("SELECT * FROM missing", 404, 60),
        ("SELECT * FROM missing.t", 404, 81),
        ("SELECT missing(1)", 404, 46),
        ("SELECT 1 FORMAT Missing", 404, 73),
        ("SELECT 1 SETTINGS missing = 1", 404, 115),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT {x:UInt8}", 500, 456),
        ("CREATE USER someone", 403, 497),
        ("SELECT * FROM `/etc/hostname`", 404, 60),
        ("CREATE TABLE r (a UInt8) ENGINE = ReplicatedMergeTree('/r', 'r') ORDER BY a", 500, 225),
        ("CREATE TABLE r ON CLUSTER c (a UInt8) ENGINE = Memory", 500, 701),
    ],
)
def test_errors_have_clickhouses_status_code_and_text(server: RunningServer, sql: str, status: int, code: int) -> None:
    answer = server.http("POST", body=sql.encode())
    assert (answer.status, answer.code) == (status, code), answer.body
    assert answer.body.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert answer.body.endswith(b")\n")


def test_an_unknown_database_and_an_unknown_setting_are_errors(server: RunningServer) -> None:
    assert server.http("POST", body=b"SELECT 1", database="nowhere").code == 81
    assert server.http("POST", body=b"SELECT 1", no_such_parameter="1").code == 115
    assert server.http("POST", body=b"SELECT 1", max_threads="many").code == 27
    assert server.http("POST", body=b"SELECT {x:UInt8}", param_x="many").code == 457
    assert server.http("POST", body=b"SELECT 1", query_id="a\nb").code == 36


def test_get_and_head_read_only(server: RunningServer) -> None:
    server.ask("CREATE TABLE kept (a UInt8) ENGINE = Memory")
    for method in ("GET", "HEAD"):
        for sql in ("DROP TABLE kept", "INSERT INTO kept VALUES (1)", "CREATE TABLE new (a UInt8) ENGINE = Memory"):
            assert server.http(method, query=sql).code == 164
    assert server.http("GET", query="INSERT INTO kept FORMAT CSV", body=b"1\n").code == 164
    assert server.http("GET", query="SELECT 1 SETTINGS readonly = 0").code == 164
    assert server.http("GET", query="SELECT getSetting('max_threads')", max_threads="1").body == b"1\n"
    assert server.ask("SELECT count() FROM kept") == "0\n"


def test_readonly_one_and_two_hold_on_post(server: RunningServer) -> None:
    for readonly in ("1", "2"):
        assert server.http("POST", body=b"CREATE TABLE x (a UInt8) ENGINE = Memory", readonly=readonly).code == 164
        assert server.http("POST", body=b"SET readonly = 0", readonly=readonly).code == 164
        assert server.ask("SELECT 1", readonly=readonly) == "1\n"
    assert server.ask("SELECT 1 SETTINGS max_threads = 1", readonly="2") == "1\n"
    assert server.http("POST", body=b"SELECT 1 SETTINGS max_threads = 1", readonly="1").code == 164
    assert server.ask("CREATE TABLE x (a UInt8) ENGINE = Memory") == ""


def test_set_and_use_do_not_reach_the_next_request(server: RunningServer) -> None:
    server.ask("SET max_threads = 1, readonly = 1")
    server.ask("USE system")
    assert server.ask("SELECT getSetting('readonly'), currentDatabase()") == "0\tdefault\n"
    assert server.ask("SELECT getSetting('max_threads')") != "1\n"


@pytest.mark.parametrize("coding", sorted(UNPACK))
def test_a_large_answer_is_really_compressed(server: RunningServer, coding: str) -> None:
    sql = b"SELECT number FROM numbers(600000) FORMAT TSV"
    plain = server.http("POST", body=sql)
    packed = server.http("POST", body=sql, headers={"Accept-Encoding": coding}, enable_http_compression="1")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == coding
    assert len(packed.body) < len(plain.body) * 0.7
    assert UNPACK[coding](packed.body) == plain.body


def test_an_answer_is_plain_if_compression_is_off_or_unknown(server: RunningServer) -> None:
    gzip_header = {"Accept-Encoding": "gzip"}
    off = server.http("POST", body=b"SELECT 1", headers=gzip_header, enable_http_compression="0")
    assert (off.body, "content-encoding" in off.headers) == (b"1\n", False)
    assert server.http("POST", body=b"SELECT 1", headers={"Accept-Encoding": "br"}).body == b"1\n"
    error = server.http("POST", body=b"SELECT throwIf(1)", headers=gzip_header, enable_http_compression="1")
    assert error.body.startswith(b"Code: 395.")


@pytest.mark.parametrize("coding", sorted(PACK))
def test_a_compressed_body_is_read_as_statement_or_data(server: RunningServer, coding: str) -> None:
    header = {"Content-Encoding": coding}
    assert server.http("POST", body=PACK[coding](b"SELECT 5"), headers=header).body == b"5\n"
    server.ask("CREATE OR REPLACE TABLE packed (a UInt32) ENGINE = Memory")
    data = "".join(f"{number}\n" for number in range(100_000)).encode()
    sent = server.http("POST", query="INSERT INTO packed FORMAT TSV", body=PACK[coding](data), headers=header)
    assert sent.status == 200
    assert server.ask("SELECT count(), sum(a) FROM packed") == "100000\t4999950000\n"


def test_a_body_that_is_cut_short_inserts_nothing(server: RunningServer) -> None:
    server.ask("CREATE TABLE cut (a UInt32) ENGINE = Memory")
    packed = gzip.compress(b"".join(b"%d\n" % number for number in range(100_000)))
    answer = server.http(
        "POST", query="INSERT INTO cut FORMAT TSV", body=packed[:-20], headers={"Content-Encoding": "gzip"}
    )
    assert (answer.code, server.ask("SELECT count() FROM cut")) == (271, "0\n")
    assert server.spooled() == []


def test_a_client_that_leaves_in_the_middle_of_its_data_inserts_nothing(server: RunningServer) -> None:
    server.ask("CREATE TABLE left_early (a UInt32) ENGINE = Memory")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{login()}Content-Length: 9000000\r\n\r\n"
        connection.sendall(head.encode() + b"INSERT INTO left_early FORMAT TSV\n" + b"1\n" * 400_000)
        wait_until(lambda: server.spooled() != [], 10, "the data is on its way to a file")
    wait_until(lambda: server.spooled() == [], 10, "the file is removed")
    assert server.ask("SELECT count() FROM left_early") == "0\n"


def test_chunked_bodies_of_any_cut(server: RunningServer) -> None:
    server.ask("CREATE TABLE chunked (a UInt32) ENGINE = Memory")
    text = b"INSERT INTO chunked FORMAT TSV\n" + b"".join(b"%d\n" % number for number in range(2_000))
    for size in (1, 7, 5_000):
        pieces = (text[at : at + size] for at in range(0, len(text), size))
        assert server.http("POST", body=pieces).status == 200
    assert server.ask("SELECT count() FROM chunked") == "6000\n"


def test_a_malformed_chunk_is_a_bad_request(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{login()}Transfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"zz\r\nSELECT 1")
        connection.settimeout(10)
        assert b"200 OK" not in connection.recv(65536)
    assert server.ask("SELECT 1") == "1\n"


def test_data_larger_than_any_memory_bound_goes_through_a_file(server: RunningServer) -> None:
    server.ask("CREATE TABLE large (s String) ENGINE = Memory")
    line = b"x" * 1_023 + b"\n"
    seen: list[bool] = []

    def watched() -> Iterator[bytes]:
        for _ in range(40):
            seen.append(bool(server.spooled()))
            yield line * 1_024

    assert server.http("POST", query="INSERT INTO large FORMAT TSV", body=watched()).status == 200
    assert any(seen)
    assert server.ask("SELECT count(), sum(length(s)) FROM large") == f"{40 * 1024}\t{40 * 1024 * 1023}\n"
    assert server.spooled() == []
    server.ask("DROP TABLE large SYNC")


def test_inserts_of_values_with_semicolons_strings_and_parameters(server: RunningServer) -> None:
    server.ask("CREATE TABLE tricky (a UInt8, b String) ENGINE = Memory")
    server.ask("INSERT INTO tricky VALUES (1, 'a; FORMAT CSV'), (2, '--');")
    server.ask(
        "INSERT INTO {t:Identifier} (a, b) VALUES ({a:UInt8}, {b:String})", param_t="tricky", param_a="3", param_b="x"
    )
    server.ask('INSERT INTO tricky SETTINGS max_threads = 1 FORMAT CSV\n4,"/*"\n')
    server.ask("INSERT INTO tricky SELECT a + 10, 'FORMAT CSV' FROM tricky")
    server.ask("/* INSERT */ INSERT INTO tricky -- to\n (a) VALUES (9)")
    assert server.ask("SELECT a, b FROM tricky WHERE a < 9 ORDER BY a") == "1\ta; FORMAT CSV\n2\t--\n3\tx\n4\t/*\n"
    assert server.ask("SELECT count() FROM tricky") == "9\n"
    assert server.http("POST", body=b"INSERT INTO tricky FORMAT CSV\nnot,a,row\n").status == 400
    assert server.http("POST", body=b"INSERT INTO tricky FORMAT Missing\n1\n").code == 73
    assert server.http("POST", body=b"INSERT INTO tricky (a) FORMAT CSV").status == 200


def test_text_that_is_not_utf8_is_kept_byte_for_byte(server: RunningServer) -> None:
    assert server.http("POST", body=b"SELECT '\xff\xfe'").body == b"\xff\xfe\n"


def test_a_connection_is_used_again_after_answers_and_errors(server: RunningServer) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"X-ClickHouse-User": USER, "X-ClickHouse-Key": PASSWORD}
    local = None
    for body, status in ((b"SELECT 1", 200), (b"SELEC", 400), (b"SELECT 2", 200)):
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        response.read()
        assert response.status == status
        local = local or connection.sock.getsockname()
        assert connection.sock.getsockname() == local
    connection.close()


def test_slow_and_broken_clients_hold_up_nobody(server: RunningServer) -> None:
    connections = []
    for number in range(60):
        connection = socket.create_connection(("127.0.0.1", server.port))
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{login()}Content-Length: 100\r\n\r\nSELECT"
        connection.sendall(head.encode()[: 20 if number % 2 else None])
        connections.append(connection)
    assert server.ask("SELECT 'still here'") == "still here\n"
    for connection in connections:
        connection.close()


def test_a_client_that_does_not_read_its_answer_holds_up_nobody(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        sql = b"SELECT number FROM numbers(3000000)"
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{login()}Content-Length: {len(sql)}\r\n\r\n"
        connection.sendall(head.encode() + sql)
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert server.ask("SELECT 1") == "1\n"


@contextmanager
def running(server: RunningServer, **fields: str) -> Iterator[None]:
    """A query of 1.5 s that the engine has begun."""
    slow = threading.Thread(target=server.ask, args=("SELECT sleep(1.5)",), kwargs=fields)
    slow.start()
    seen = "SELECT count() FROM system.processes WHERE query = 'SELECT sleep(1.5)'"
    wait_until(lambda: server.ask(seen) == "1\n", 10, "the query is running")
    yield
    slow.join()


def test_a_url_may_be_as_long_as_clickhouse_allows(server: RunningServer) -> None:
    answer = server.http("GET", query="SELECT length({x:String})", param_x="x" * 900_000)
    assert answer.body == b"900000\n"
    # Above that the connection is closed; whether its answer can still be read depends on what is under way.
    with suppress(OSError):
        assert server.http("GET", query="SELECT 1", param_x="x" * 2_000_000).status == 400
    assert server.ask("SELECT 1") == "1\n"


def test_a_query_id_that_runs_is_refused_and_free_again_afterwards(server: RunningServer) -> None:
    with running(server, query_id="one"):
        assert server.http("POST", body=b"SELECT 1", query_id="one").code == 216
    assert server.ask("SELECT 1", query_id="one") == "1\n"


def test_a_session_lets_one_query_run_at_a_time(server: RunningServer) -> None:
    with running(server, session_id="s"):
        assert server.http("POST", body=b"SELECT 1", session_id="s").code == 373
        assert server.ask("SELECT 1", session_id="other") == "1\n"
    assert server.ask("SELECT 1", session_id="s") == "1\n"


def test_the_answers_of_ddl_are_complete_whatever_the_client_waits_for(server: RunningServer) -> None:
    for fields in ({}, {"wait_end_of_query": "1"}, {"buffer_size": "1"}, {"send_progress_in_http_headers": "1"}):
        assert server.http("POST", body=b"SELECT number FROM numbers(3)", **fields).body == b"0\n1\n2\n"

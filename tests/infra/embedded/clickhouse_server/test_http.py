"""ClickHouse's HTTP interface as any HTTP client sees it."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection

import pytest

from tests.infra.embedded.clickhouse_server.running_server import PASSWORD, USER, RunningServer
from tests.waiting import wait_until

pytestmark = pytest.mark.engines


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


def test_what_one_select_was_given_no_other_has(server: RunningServer) -> None:
    """Also of handles that are used again: more kinds than are kept, twice, and after errors."""
    for _ in range(2):
        for threads in range(1, 21):
            given = {"max_threads": str(threads)}
            assert server.ask("SELECT getSetting('max_threads')", **given) == f"{threads}\n"
            assert server.http("POST", body=b"SELECT nothing_of_this_name", **given).code == 47
    assert server.ask("SELECT {a:UInt8}", param_a="7") == "7\n"
    assert server.http("POST", body=b"SELECT {a:UInt8}").code == 456
    server.ask("CREATE DATABASE short_lived")
    assert server.ask("SELECT currentDatabase()", database="short_lived") == "short_lived\n"
    server.ask("DROP DATABASE short_lived")
    assert server.http("POST", body=b"SELECT count() FROM a", database="short_lived").code in (60, 81)
    server.ask("CREATE DATABASE short_lived")
    assert server.ask("SELECT currentDatabase()", database="short_lived") == "short_lived\n"


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
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{server.login_headers()}Content-Length: 100\r\n\r\nSELECT"
        connection.sendall(head.encode()[: 20 if number % 2 else None])
        connections.append(connection)
    assert server.ask("SELECT 'still here'") == "still here\n"
    for connection in connections:
        connection.close()


def test_a_client_that_does_not_read_its_answer_holds_up_nobody(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        sql = b"SELECT number FROM numbers(3000000)"
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{server.login_headers()}Content-Length: {len(sql)}\r\n\r\n"
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

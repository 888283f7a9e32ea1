"""What outlives the process, and how it ends."""

import signal
import threading
from collections.abc import Callable
from http.client import HTTPException

import pytest

from tests.infra.embedded.clickhouse_server.running_server import RunningServer
from tests.waiting import wait_until

pytestmark = pytest.mark.engines

Start = Callable[[], RunningServer]


def test_acknowledged_inserts_are_there_after_kill_9(own_server: Start) -> None:
    server = own_server()
    server.ask("CREATE DATABASE kept")
    server.ask("CREATE TABLE kept.rows (writer UInt8, number UInt64) ENGINE = MergeTree ORDER BY (writer, number)")
    acknowledged: list[tuple[int, int]] = []

    def write(writer: int) -> None:
        number = 0
        while True:
            try:
                answer = server.http("POST", query="INSERT INTO kept.rows FORMAT CSV", body=f"{writer},{number}\n")
            except (OSError, HTTPException):
                return
            if answer.status == 200:
                acknowledged.append((writer, number))
            number += 1

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    wait_until(lambda: len(acknowledged) >= 100, 30, "100 inserts are acknowledged")
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    for writer in writers:
        writer.join()

    server.start()
    rows = [tuple(map(int, line.split("\t"))) for line in server.ask("SELECT * FROM kept.rows").splitlines()]
    assert set(acknowledged) <= set(rows)
    assert len(rows) == len(set(rows))
    assert server.ask("CHECK TABLE kept.rows", check_query_single_value_result="1") == "1\n"
    assert server.stop() == 0


def test_the_folder_of_data_under_way_is_emptied_at_start(own_server: Start) -> None:
    server = own_server()
    server.ask("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    server.stop(signal.SIGKILL)
    (server.folder / "tmp" / "left.data").write_bytes(b"1\n")
    server.start()
    assert server.spooled() == []
    server.ask("INSERT INTO t FORMAT CSV\n1\n")
    server.http("POST", body=b"INSERT INTO t FORMAT CSV\nx\n")
    assert server.spooled() == []


def test_tables_of_the_default_database_survive_starts_and_no_file_is_ever_a_table(own_server: Start) -> None:
    server = own_server()
    server.ask("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    for round_ in range(3):
        server.ask("INSERT INTO t VALUES ({a:UInt8})", param_a=round_)
        server.stop(signal.SIGKILL if round_ == 1 else signal.SIGTERM)
        server.start()
        assert server.http("POST", body=b"SELECT * FROM `/etc/hostname`").code == 60
    assert server.ask("SELECT groupArray(a) FROM (SELECT a FROM t ORDER BY a)") == "[0,1,2]\n"
    assert server.ask("SELECT engine FROM system.databases WHERE name = 'default'") == "Atomic\n"


def test_an_empty_default_database_survives_kill_9(own_server: Start) -> None:
    server = own_server()
    for _ in range(2):
        server.stop(signal.SIGKILL)
        server.start()
    server.ask("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    assert server.ask("EXISTS t") == "1\n"


def test_sigterm_finishes_the_running_query_and_ends_cleanly(own_server: Start) -> None:
    server = own_server()
    answers: list[str] = []
    slow = threading.Thread(target=lambda: answers.append(server.ask("SELECT sleep(2), 'done'")))
    slow.start()
    seen = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep(2)%'"
    wait_until(lambda: server.ask(seen) == "1\n", 10, "the query is running")
    assert server.stop() == 0
    slow.join()
    assert answers == ["0\tdone\n"]


def test_a_second_process_on_the_folder_is_turned_away_and_the_first_goes_on(own_server: Start) -> None:
    server = own_server()
    marker = server.folder / "tmp" / "under-way.data"
    marker.write_bytes(b"1\n")
    assert server.launch().wait(30) == 1
    assert "cannot be opened" in (server.folder.parent / "server.log").read_text()
    assert marker.exists()
    assert server.ask("SELECT 1") == "1\n"

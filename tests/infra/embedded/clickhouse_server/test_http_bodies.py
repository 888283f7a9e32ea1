"""Bodies and answers over HTTP: compressed, chunked, cut short, larger than memory should hold."""

import gzip
import socket
import zlib
from collections.abc import Iterator

import lz4.frame
import pytest
import zstandard

from tests.infra.embedded.clickhouse_server.running_server import RunningServer
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
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{server.login_headers()}Content-Length: 9000000\r\n\r\n"
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
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{server.login_headers()}Transfer-Encoding: chunked\r\n\r\n"
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
    assert server.http("POST", body=b"INSERT INTO tricky VALUES (7, 'x'); DROP TABLE tricky").code == 33
    assert server.http("POST", body=b"INSERT INTO tricky FORMAT Values (7, 'x'); SELECT 1").code == 33
    assert server.http("POST", body=b"INSERT INTO tricky FORMAT Missing\n1\n").code == 73
    assert server.http("POST", body=b"INSERT INTO tricky (a) FORMAT CSV").status == 200


def test_text_that_is_not_utf8_is_kept_byte_for_byte(server: RunningServer) -> None:
    assert server.http("POST", body=b"SELECT '\xff\xfe'").body == b"\xff\xfe\n"


def test_an_asynchronous_insert_is_written_before_it_is_acknowledged(server: RunningServer) -> None:
    server.ask("CREATE TABLE at_once (a UInt8) ENGINE = MergeTree ORDER BY a")
    settings = {"async_insert": "1", "wait_for_async_insert": "0"}
    server.ask("INSERT INTO at_once FORMAT CSV\n1\n", **settings)
    server.ask("INSERT INTO at_once VALUES (2)", **settings)
    assert server.ask("SELECT sum(a) FROM at_once") == "3\n"

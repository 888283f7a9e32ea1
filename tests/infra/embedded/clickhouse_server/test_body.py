"""Where a body's bytes end up, whatever pieces they come in."""

from pathlib import Path

import pytest

from infra.embedded.clickhouse_server.body import MAX_TEXT_BYTES, WINDOW_BYTES, RequestBody
from infra.embedded.clickhouse_server.codecs import BodyDecoder
from infra.embedded.clickhouse_server.errors import ClickHouseError

DATA = bytes(range(256)) * (WINDOW_BYTES // 128)


def body(folder: Path, beginning: bytes = b"") -> RequestBody:
    return RequestBody(beginning, BodyDecoder(""), folder)


@pytest.mark.parametrize("size", [1 << 12, WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, 1 << 24])
@pytest.mark.parametrize("in_url", [False, True])
def test_data_goes_to_a_file_unchanged(tmp_path: Path, size: int, in_url: bool) -> None:
    statement = b"INSERT INTO t FORMAT RowBinary"
    read = body(tmp_path, statement if in_url else b"")
    text = DATA if in_url else statement + b"\n" + DATA
    for at in range(0, len(text), size):
        read.feed(text[at : at + size])
    read.finish()
    assert read.insert is not None
    assert read.data_path is not None
    assert read.data_path.read_bytes() == DATA
    read.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", range(1, 16))
def test_an_insert_with_a_head_longer_than_the_window_is_found_wherever_it_is_cut(tmp_path: Path, cut: int) -> None:
    columns = ", ".join(f"column_{number}" for number in range(WINDOW_BYTES // 12)).encode()
    text = b"INSERT INTO t (" + columns + b") FORMAT CSVWithNames\na"
    read = body(tmp_path)
    read.feed(text[:-cut])
    read.feed(text[-cut:])
    read.finish()
    assert read.insert is not None
    assert read.insert.input_format == "CSVWithNames"
    assert read.data_path is not None
    assert read.data_path.read_bytes() == b"a"
    read.discard()


def test_a_statement_stays_in_memory_and_makes_no_file(tmp_path: Path) -> None:
    read = body(tmp_path, b"SELECT")
    read.feed(b"1 + ")
    read.feed(b"1")
    read.finish()
    assert (read.insert, read.text) == (None, b"SELECT\n1 + 1")
    read.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_statement_above_the_bound_is_refused_before_it_is_all_there(tmp_path: Path) -> None:
    read = body(tmp_path)
    read.feed(b"x" * (MAX_TEXT_BYTES - 1))
    read.feed(b"x")
    with pytest.raises(ClickHouseError) as raised:
        read.feed(b"x")
    assert (raised.value.code, raised.value.status) == (229, 413)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's device that is always full")
def test_a_disk_that_takes_no_data_is_clickhouses_error(tmp_path: Path) -> None:
    read = body(tmp_path, b"INSERT INTO t FORMAT CSV")
    read.feed(b"1\n" * WINDOW_BYTES)
    assert read._spool is not None
    read._spool.close()
    # A device that is always full stands in for the disk.
    with Path("/dev/full").open("wb", buffering=0) as full:
        read._spool = full
        with pytest.raises(ClickHouseError) as raised:
            read.feed(b"2\n")
    assert raised.value.code == 243
    read.discard()

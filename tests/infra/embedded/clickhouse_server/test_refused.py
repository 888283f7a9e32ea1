"""Everything in the table of refusals is refused, each with its code, and everything refused is documented."""

from pathlib import Path
from typing import Any

import pytest

from infra.embedded.clickhouse_server.refusals import REFUSALS, Refused
from tests.infra.embedded.clickhouse_server.running_server import RunningServer

PAGE = Path(__file__).parents[4] / "docs" / "embedded-clickhouse.md"

FILE_PART = (
    b'--xx\r\nContent-Disposition: form-data; name="t"; filename="t"\r\nContent-Type: text/plain\r\n\r\n1\r\n--xx--\r\n'
)
FORM = {"Content-Type": "multipart/form-data; boundary=xx"}
SELECT = b"SELECT 1"


def asks(body: bytes = SELECT, headers: dict[str, str] | None = None, **fields: object) -> dict[str, Any]:
    return {"body": body, "headers": headers, **fields}


EXAMPLES: list[tuple[Refused, dict[str, Any]]] = [
    (Refused.SESSION_STATE, asks(b"SET max_threads = 1", session_id="s")),
    (Refused.SESSION_STATE, asks(b"USE system", session_id="s")),
    (Refused.SESSION_CHECK, asks(session_id="s", session_check="1")),
    (Refused.TEMPORARY_TABLE, asks(b"CREATE TEMPORARY TABLE t (a UInt8)")),
    (Refused.TEMPORARY_TABLE, asks(b"/* x */ create or replace temporary table t (a UInt8) ENGINE = Memory")),
    (Refused.TEMPORARY_TABLE, asks(b"CREATE TEMPORARY TABLE t (a UInt8)", session_id="s")),
    (Refused.EXTERNAL_DATA, asks(FILE_PART, FORM, query="SELECT * FROM t", t_structure="a UInt8")),
    (Refused.ROLE, asks(role="reader")),
    (Refused.QUOTA_KEY, asks(quota_key="k")),
    (Refused.QUOTA_KEY, asks(headers={"X-ClickHouse-Quota": "k"})),
    (Refused.NATIVE_BLOCK_COMPRESSION, asks(compress="1")),
    (Refused.NATIVE_BLOCK_COMPRESSION, asks(decompress="1")),
    (Refused.PROTOCOL_VERSION, asks(client_protocol_version="54405")),
    (Refused.BEARER_TOKEN, asks(headers={"Authorization": "Bearer abc"}, credentials=None)),
    (Refused.CONTENT_ENCODING, asks(headers={"Content-Encoding": "br"})),
    (Refused.CONTENT_ENCODING, asks(headers={"Content-Encoding": "snappy"})),
    (Refused.HTTP_SETTING, asks(add_http_cors_header="1")),
    (Refused.HTTP_SETTING, asks(http_response_headers="{'a': 'b'}")),
    (Refused.HTTP_SETTING, asks(http_write_exception_in_output_format="1")),
    (Refused.HTTP_SETTING, asks(allow_settings_after_format_in_insert="1")),
    (Refused.MULTI_STATEMENT, asks(b"SELECT 1; SELECT 2")),
    (Refused.MULTI_STATEMENT, asks(b"SELECT 1; -- x\n DROP TABLE t")),
    (Refused.MULTI_STATEMENT, asks(b"INSERT INTO t; DROP TABLE t FORMAT CSV\n1")),
    (Refused.OUTFILE, asks(b"SELECT 1 INTO OUTFILE '/tmp/never-written.tsv'")),
    (Refused.INFILE, asks(b"INSERT INTO t FROM INFILE '/etc/hostname' FORMAT LineAsString")),
    (Refused.LOCAL_FILES, asks(b"SELECT * FROM file('/etc/hostname', 'LineAsString')")),
    (Refused.LOCAL_FILES, asks(b"SELECT * FROM `file` /* x */ ('/etc/hostname', 'LineAsString')")),
    (Refused.LOCAL_FILES, asks(b"SELECT file('/etc/hostname')")),
    (Refused.LOCAL_FILES, asks(b"SELECT * FROM url('file:///etc/hostname', 'LineAsString')")),
    (Refused.LOCAL_FILES, asks(b"INSERT INTO FUNCTION file('/tmp/never-written', 'CSV', 'a UInt8') VALUES (1)")),
    (Refused.LOCAL_FILES, asks(b"CREATE TABLE f (a UInt8) ENGINE = File(CSV)")),
    (Refused.LOCAL_FILES, asks(b"CREATE DATABASE f ENGINE = Filesystem('/etc')")),
    (Refused.LOCAL_FILES, asks(b"SELECT * FROM Python(x)")),
    (Refused.LOCAL_FILES, asks(b"SELECT * FROM executable('x', 'CSV', 'a UInt8')")),
    (Refused.INPUT_FUNCTION, asks(b"INSERT INTO t SELECT * FROM input('a UInt8') FORMAT CSV\n1")),
    (Refused.KILL_QUERY, asks(b"KILL QUERY WHERE query_id = 'x'")),
    (Refused.SYSTEM_CONTROL, asks(b"SYSTEM SHUTDOWN")),
    (Refused.SYSTEM_CONTROL, asks(b"SYSTEM KILL")),
    (Refused.DEFAULT_DATABASE, asks(b"DROP DATABASE IF EXISTS default SYNC")),
    (Refused.DEFAULT_DATABASE, asks(b"DETACH DATABASE `default`")),
    (Refused.DEFAULT_DATABASE, asks(b"RENAME DATABASE default TO other")),
    (Refused.PYTHON_FORMAT, asks(b"SELECT 1 FORMAT DataFrame")),
    (Refused.PYTHON_FORMAT, asks(default_format="arrowtable")),
    (Refused.LARGE_TEXT, asks(b"SELECT '" + b"x" * (17 << 20) + b"'")),
]


@pytest.mark.engines
@pytest.mark.parametrize(("feature", "request_"), EXAMPLES)
def test_it_is_refused_with_its_code_and_sentence(
    server: RunningServer, feature: Refused, request_: dict[str, Any]
) -> None:
    answer = server.http("POST", **request_)
    assert answer.status >= 400
    assert answer.code == REFUSALS[feature].code
    assert REFUSALS[feature].message.encode() in answer.body
    assert server.ask("SELECT 1") == "1\n"


def test_every_refusal_has_an_example() -> None:
    assert {feature for feature, _ in EXAMPLES} == set(Refused) == set(REFUSALS)


def test_the_page_lists_each_refusal_with_its_code_and_nothing_else() -> None:
    rows = [line.split("|")[1:4] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    documented = {row[0].strip().strip("`"): row[1].strip() for row in rows}
    assert documented == {feature.value: f"{entry.code} {entry.name}" for feature, entry in REFUSALS.items()}
    assert all(row[2].strip() for row in rows)

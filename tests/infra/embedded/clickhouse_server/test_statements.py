"""An INSERT's data is found where ClickHouse finds it, and only there."""

import pytest

from infra.embedded.clickhouse_server.errors import ClickHouseError
from infra.embedded.clickhouse_server.statements import read_insert, read_statement

INSERTS = [
    # Each: what was read, then the target, settings, format and data in it.
    (b"INSERT INTO t FORMAT Native\n\x00\x01", b"INSERT INTO t ", b"", "Native", b"\x00\x01"),
    (b"insert into db.t (a, `b c`) format CSV\n1,2", b"insert into db.t (a, `b c`) ", b"", "CSV", b"1,2"),
    (b"INSERT INTO t FORMAT CSV \t1,2", b"INSERT INTO t ", b"", "CSV", b"1,2"),
    (b"INSERT INTO t FORMAT Native \r\n\n\nx", b"INSERT INTO t ", b"", "Native", b"\n\nx"),
    (b"INSERT INTO t FORMAT Native\n  x", b"INSERT INTO t ", b"", "Native", b"  x"),
    (b"INSERT INTO t (a) VALUES (1), (2)", b"INSERT INTO t (a) ", b"", "Values", b" (1), (2)"),
    (b"INSERT INTO t VALUES ('FORMAT CSV')", b"INSERT INTO t ", b"", "Values", b" ('FORMAT CSV')"),
    (b"INSERT INTO t SETTINGS max_threads=1, x='FORMAT y' FORMAT TSV\n1", b"INSERT INTO t ",
     b" max_threads=1, x='FORMAT y' ", "TSV", b"1"),
    (b"INSERT INTO t (a) SETTINGS async_insert = 0 VALUES (1)", b"INSERT INTO t (a) ", b" async_insert = 0 ",
     "Values", b" (1)"),
    (b"INSERT INTO t FORMAT JSONEachRow SETTINGS a=1", b"INSERT INTO t ", b"", "JSONEachRow", b"SETTINGS a=1"),
    (b"-- VALUES\n/* FORMAT x */ INSERT /* a /* b */ */ INTO t -- FORMAT CSV\n FORMAT TSV\n1",
     b"-- VALUES\n/* FORMAT x */ INSERT /* a /* b */ */ INTO t -- FORMAT CSV\n ", b"", "TSV", b"1"),
    (b"INSERT INTO `FORMAT x` (`VALUES`) FORMAT TSV\n1", b"INSERT INTO `FORMAT x` (`VALUES`) ", b"", "TSV", b"1"),
    (b'INSERT INTO "a.b"."VALUES" FORMAT TSV\n1', b'INSERT INTO "a.b"."VALUES" ', b"", "TSV", b"1"),
    (b"INSERT INTO values VALUES (1)", b"INSERT INTO values ", b"", "Values", b" (1)"),
    (b"INSERT INTO db.values FORMAT TSV\n1", b"INSERT INTO db.values ", b"", "TSV", b"1"),
    (b"INSERT INTO format FORMAT TSV\n1", b"INSERT INTO format ", b"", "TSV", b"1"),
    (b"INSERT INTO db.format FORMAT TSV\n1", b"INSERT INTO db.format ", b"", "TSV", b"1"),
    (b"INSERT INTO TABLE t FORMAT TSV\n1", b"INSERT INTO TABLE t ", b"", "TSV", b"1"),
    (b"INSERT INTO FUNCTION null('a Int8') FORMAT TSV\n1", b"INSERT INTO FUNCTION null('a Int8') ", b"", "TSV", b"1"),
    (b"INSERT INTO {t:Identifier} VALUES (1)", b"INSERT INTO {t:Identifier} ", b"", "Values", b" (1)"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "target", "settings", "input_format", "data"), INSERTS)
def test_an_insert_is_cut_at_its_data(
    sql: bytes, target: bytes, settings: bytes, input_format: str, data: bytes
) -> None:
    insert = read_insert(sql)
    assert insert is not None
    assert (insert.target, insert.settings, insert.input_format) == (target, settings, input_format)
    assert sql[insert.data_start :] == data


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT 'INSERT INTO t FORMAT CSV'",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t (a) SELECT a FROM format",
        b"INSERT INTO t (SELECT 1 AS values)",
        b"INSERT INTO t WITH 1 AS x SELECT x",
        b"INSERT INTO t SETTINGS max_threads = 1 SELECT 1",
        b"INSERT INTO t -- FORMAT CSV",
        b"INSERT INTO t /* VALUES (1)",
        b"INSERT INTO 't VALUES (1)",
        b"INSERT",
        b"",
    ],
)
def test_a_statement_without_data_is_left_whole(sql: bytes) -> None:
    assert read_insert(sql) is None


def test_a_semicolon_between_format_and_data_is_refused_as_in_clickhouse() -> None:
    with pytest.raises(ClickHouseError) as raised:
        read_insert(b"INSERT INTO t FORMAT CSV;\n1")
    assert raised.value.code == 62


@pytest.mark.parametrize(
    ("sql", "output_format"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 format CSV ; ", "CSV"),
        (b"SELECT 1 FORMAT TSV SETTINGS max_threads = 1", "TSV"),
        (b"SELECT 1 SETTINGS max_threads = 1 FORMAT TSV", "TSV"),
        (b"SELECT 1 FORMAT Native -- FORMAT CSV", "Native"),
        (b"SELECT 'FORMAT CSV'", None),
        (b"SELECT 1 AS format", None),
        (b"SELECT format FROM t", None),
        (b"SELECT t.format x FROM t", None),
        (b"SELECT 1 /* FORMAT CSV */", None),
        (b"SELECT 1 # FORMAT CSV", None),
        (b"SELECT 1 // FORMAT CSV", None),
        (b"SELECT $q$ FORMAT CSV$q$", None),
    ],
)
def test_the_format_clause_is_found_outside_strings_and_comments(sql: bytes, output_format: str | None) -> None:
    assert read_statement(sql).output_format == output_format


@pytest.mark.parametrize(
    ("sql", "verb", "answers"),
    [
        (b"SELECT 1", "SELECT", True),
        (b"((SELECT 1) UNION ALL (SELECT 2))", "SELECT", True),
        (b"/* x */ with 1 as x select x", "WITH", True),
        (b"WITH 1 AS x INSERT INTO t SELECT x", "WITH", False),
        (b"SHOW TABLES", "SHOW", True),
        (b"CREATE TABLE t (a Int8) ENGINE = Memory", "CREATE", False),
        (b"INSERT INTO t SELECT 1", "INSERT", False),
        (b"ALTER TABLE t DELETE WHERE 1", "ALTER", False),
        (b"-- nothing", "", False),
    ],
)
def test_the_verb_tells_whether_rows_come_back(sql: bytes, verb: str, answers: bool) -> None:
    statement = read_statement(sql)
    assert (statement.verb, statement.answers) == (verb, answers)


@pytest.mark.parametrize(
    "sql",
    [b"SELECT ';'", b"SELECT 1;", b"SELECT 1 ;; ", b"SELECT 1 -- ; SELECT 2", b"SELECT \xe2\x80\x98a;b\xe2\x80\x99"],
)
def test_a_semicolon_that_separates_nothing_is_let_through(sql: bytes) -> None:
    assert read_statement(sql).verb == "SELECT"


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT file FROM t",
        b"SELECT 'file(1)'",
        b"CREATE TABLE file (a Int8) ENGINE = Memory",
        b"CREATE TABLE db.file (a Int8) ENGINE = Memory",
        b"SELECT name FROM system.settings",
    ],
)
def test_names_that_only_look_like_refused_functions_are_let_through(sql: bytes) -> None:
    assert not read_statement(sql).has_settings

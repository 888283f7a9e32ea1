"""Parameters, forms and credentials, read without a server."""

import base64

import pytest

from infra.embedded.clickhouse_server.arguments import named_once, read_arguments, url_fields
from infra.embedded.clickhouse_server.credentials import Credentials
from infra.embedded.clickhouse_server.errors import ClickHouseError
from infra.embedded.clickhouse_server.forms import form_boundary, read_form
from infra.embedded.clickhouse_server.running import RunningQueries


def test_parameters_settings_and_the_interfaces_own_are_told_apart() -> None:
    fields = named_once(url_fields(b"query=SELECT+1&database=d&param_x=%5B1%5D&max_threads=2&wait_end_of_query=1"))
    arguments = read_arguments(fields, {}, "POST")
    assert (arguments.query, arguments.database) == ("SELECT 1", "d")
    assert (arguments.parameters, arguments.settings) == ({"x": "[1]"}, {"max_threads": "2"})


def test_headers_win_over_parameters_as_in_clickhouse() -> None:
    headers = {"x-clickhouse-database": "h", "x-clickhouse-format": "CSV"}
    arguments = read_arguments({"database": "u", "default_format": "JSON"}, headers, "POST")
    assert (arguments.database, arguments.default_format) == ("h", "CSV")


@pytest.mark.parametrize(
    ("asked", "method", "readonly"),
    [("0", "GET", 2), ("0", "HEAD", 2), ("0", "POST", 0), ("1", "GET", 1), ("1", "POST", 1), ("2", "POST", 2)],
)
def test_get_and_head_are_readonly(asked: str, method: str, readonly: int) -> None:
    assert read_arguments({"readonly": asked}, {}, method).readonly == readonly


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"readonly": "yes"}, 36),
        ({"query_id": "a\r\nX-Other: b"}, 36),
        ({"max threads": "1"}, 115),
        ({"max_threads=1, readonly": "0"}, 115),
        ({"default_format": "CSV SETTINGS x=1"}, 73),
    ],
)
def test_values_that_could_be_more_than_a_value_are_errors(fields: dict[str, str], code: int) -> None:
    with pytest.raises(ClickHouseError) as raised:
        read_arguments(fields, {}, "POST")
    assert raised.value.code == code


def test_a_parameter_given_twice_is_an_error_and_pieces_of_a_query_are_joined() -> None:
    assert named_once([("query", "SELECT "), ("query", "1")]) == {"query": "SELECT 1"}
    with pytest.raises(ClickHouseError):
        named_once([("param_x", "1"), ("param_x", "2")])


def test_a_url_that_is_not_utf8_is_an_error() -> None:
    with pytest.raises(ClickHouseError):
        url_fields(b"param_x=%ff")


def test_a_forms_fields_are_read_exactly() -> None:
    body = (
        b'--xx\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT {x:String}\r\n'
        b'--xx\r\nContent-Disposition: form-data; name="param_x"\r\n\r\n --xx\na\r\n\r\nb \r\n--xx--\r\n'
    )
    assert read_form(body, b"xx") == [("query", "SELECT {x:String}"), ("param_x", " --xx\na\r\n\r\nb ")]


@pytest.mark.parametrize(
    "body", [b"", b"--xx\r\n", b'--xx\r\nContent-Disposition: form-data; name="q"\r\n\r\nx', b"--xx\r\n\r\nx\r\n--xx--"]
)
def test_a_form_that_is_not_whole_is_an_error(body: bytes) -> None:
    with pytest.raises(ClickHouseError):
        read_form(body, b"xx")


def test_only_multipart_forms_are_forms() -> None:
    assert form_boundary("multipart/form-data; boundary=ab") == b"ab"
    # curl's default for a posted statement: ClickHouse reads it as the statement.
    assert form_boundary("application/x-www-form-urlencoded") is None
    with pytest.raises(ClickHouseError):
        form_boundary("multipart/form-data")


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


GOOD = Credentials("u", "p:ä")


def test_the_three_ways_to_log_in() -> None:
    GOOD.check(basic("u", "p:ä"), {})
    GOOD.check({"x-clickhouse-user": "u", "x-clickhouse-key": "p:ä"}, {})
    GOOD.check({}, {"user": "u", "password": "p:ä"})
    Credentials("default", "").check({}, {})


@pytest.mark.parametrize(
    ("headers", "arguments"),
    [
        ({}, {}),
        (basic("u", "p"), {}),
        (basic("v", "p:ä"), {}),
        (basic("u", "p:ä"), {"user": "u"}),
        ({"authorization": "Basic !"}, {}),
        ({"x-clickhouse-user": "u"}, {"password": "p:ä"}),
    ],
)
def test_all_else_is_authentication_failed(headers: dict[str, str], arguments: dict[str, str]) -> None:
    with pytest.raises(ClickHouseError) as raised:
        GOOD.check(headers, arguments)
    assert (raised.value.code, raised.value.status) == (516, 403)


def test_the_password_is_in_no_representation() -> None:
    assert "p:ä" not in repr(GOOD)


def test_a_query_id_and_a_session_are_held_by_one_query_at_a_time() -> None:
    running = RunningQueries()
    with running.claim("q", "s"):
        with pytest.raises(ClickHouseError, match="already running"), running.claim("q", ""):
            pass
        with pytest.raises(ClickHouseError, match="locked"), running.claim("r", "s"):
            pass
        with running.claim("r", ""), running.claim("t", ""):
            pass
    with running.claim("q", "s"):
        pass

"""From a request that was read to the reply that goes out. Blocking: it runs in a worker thread."""

from infra.embedded.clickhouse_server.arguments import Arguments, checked_format
from infra.embedded.clickhouse_server.body import RequestBody
from infra.embedded.clickhouse_server.engine import Engine, Job, quoted
from infra.embedded.clickhouse_server.errors import ClickHouseError, syntax_error
from infra.embedded.clickhouse_server.refusals import Refused, refusal
from infra.embedded.clickhouse_server.replies import Reply, result_headers
from infra.embedded.clickhouse_server.statements import DataInsert, Statement, read_statement
from infra.embedded.clickhouse_server.values_data import check_values_end


def answer(engine: Engine, arguments: Arguments, body: RequestBody, coding: str | None) -> Reply:
    """Run the request's statement, all of which was read.

    Raises:
        ClickHouseError: if it is cut short or refused, or the engine fails.
    """
    body.finish()
    if body.insert is not None and body.data_path is not None:
        if body.insert.input_format.upper() == "VALUES":
            check_values_end(body.data_path)
        result = engine.run(_job(arguments, _insert_from_file(body.insert, str(body.data_path))))
        return Reply(200, result_headers(result.summary, None), result.data, owner=result)
    sql = body.text
    statement = read_statement(sql)
    _check(statement, arguments)
    output_format = statement.output_format or arguments.default_format
    result = engine.run(_job(arguments, sql, leaves_nothing=statement.verb == "SELECT"))
    shown = output_format if statement.answers or result.data else None
    return Reply(
        200, result_headers(result.summary, shown), result.data, coding if len(result.data) else None, owner=result
    )


def _check(statement: Statement, arguments: Arguments) -> None:
    if not statement.verb:
        raise syntax_error("Empty query: send a statement in the body or the query parameter")
    if statement.output_format is not None:
        checked_format(statement.output_format)
    if arguments.session_id and statement.verb in ("SET", "USE"):
        raise refusal(Refused.SESSION_STATE)
    # ClickHouse refuses this; the embedded engine applies the clause before it looks at readonly.
    if arguments.readonly == 1 and statement.has_settings:
        raise ClickHouseError(164, "READONLY", "Cannot modify settings in readonly mode: leave SETTINGS out")


def _insert_from_file(insert: DataInsert, data_path: str) -> bytes:
    """The same INSERT with its data in a file: the engine does not take data behind a statement."""
    settings = b"\n SETTINGS " + insert.settings if insert.settings else b""
    source = f"\n FROM INFILE {quoted(data_path)} COMPRESSION 'none'".encode()
    return insert.target + source + settings + f"\n FORMAT {insert.input_format}".encode()


def _job(arguments: Arguments, sql: bytes, *, leaves_nothing: bool = False) -> Job:
    return Job(
        sql=sql,
        default_format=arguments.default_format,
        database=arguments.database,
        parameters=arguments.parameters,
        settings=arguments.settings,
        readonly=arguments.readonly,
        leaves_nothing=leaves_nothing,
    )

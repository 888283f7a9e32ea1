"""What this server refuses, in one table. The documentation and the tests are held equal to it."""

from dataclasses import dataclass
from enum import StrEnum

from infra.embedded.clickhouse_server.errors import ClickHouseError


class Refused(StrEnum):
    """Names of everything refused here (the engine's own refusals are not listed)."""

    SESSION_STATE = "session_state"
    SESSION_CHECK = "session_check"
    TEMPORARY_TABLE = "temporary_table"
    EXTERNAL_DATA = "external_data"
    ROLE = "role"
    QUOTA_KEY = "quota_key"
    NATIVE_BLOCK_COMPRESSION = "native_block_compression"
    PROTOCOL_VERSION = "protocol_version"
    BEARER_TOKEN = "bearer_token"  # noqa: S105 - the name of a feature, not a secret
    CONTENT_ENCODING = "content_encoding"
    HTTP_SETTING = "http_setting"
    MULTI_STATEMENT = "multi_statement"
    OUTFILE = "outfile"
    INFILE = "infile"
    LOCAL_FILES = "local_files"
    INPUT_FUNCTION = "input_function"
    KILL_QUERY = "kill_query"
    SYSTEM_CONTROL = "system_control"
    DEFAULT_DATABASE = "default_database"
    PYTHON_FORMAT = "python_format"
    LARGE_TEXT = "large_text"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused feature: the error's code and name, and the sentence a client reads."""

    code: int
    name: str
    message: str


_NOT_IMPLEMENTED = (48, "NOT_IMPLEMENTED")

REFUSALS: dict[Refused, Refusal] = {
    Refused.SESSION_STATE: Refusal(
        *_NOT_IMPLEMENTED,
        "A session keeps nothing here: send settings and the database with each request instead of SET or USE",
    ),
    Refused.SESSION_CHECK: Refusal(
        372, "SESSION_NOT_FOUND", "No session outlives a request here: leave session_check out"
    ),
    Refused.TEMPORARY_TABLE: Refusal(
        *_NOT_IMPLEMENTED, "Temporary tables need a session, which this server has not: use a plain table"
    ),
    Refused.EXTERNAL_DATA: Refusal(
        *_NOT_IMPLEMENTED, "External data is not supported: insert it into a table or send it as an array parameter"
    ),
    Refused.ROLE: Refusal(*_NOT_IMPLEMENTED, "There is one user and no roles: leave the role parameter out"),
    Refused.QUOTA_KEY: Refusal(*_NOT_IMPLEMENTED, "There are no quotas: leave the quota key out"),
    Refused.NATIVE_BLOCK_COMPRESSION: Refusal(
        *_NOT_IMPLEMENTED,
        "compress=1 and decompress=1 are not supported: use Accept-Encoding and Content-Encoding",
    ),
    Refused.PROTOCOL_VERSION: Refusal(
        *_NOT_IMPLEMENTED, "Native blocks are written for protocol version 0 only: leave client_protocol_version out"
    ),
    Refused.BEARER_TOKEN: Refusal(
        516, "AUTHENTICATION_FAILED", "Tokens are not supported: log in with user and password"
    ),
    Refused.CONTENT_ENCODING: Refusal(
        *_NOT_IMPLEMENTED, "This Content-Encoding is not supported: use lz4, zstd, gzip, deflate or none"
    ),
    Refused.HTTP_SETTING: Refusal(
        *_NOT_IMPLEMENTED, "This setting changes HTTP answers or inserts in a way this server has not: leave it out"
    ),
    Refused.MULTI_STATEMENT: Refusal(
        62, "SYNTAX_ERROR", "Multi-statements are not allowed: send one statement per request"
    ),
    Refused.OUTFILE: Refusal(358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed: read the answer instead"),
    Refused.INFILE: Refusal(
        78, "UNKNOWN_TYPE_OF_QUERY", "FROM INFILE is not allowed: send the data as the request's body"
    ),
    Refused.LOCAL_FILES: Refusal(
        *_NOT_IMPLEMENTED,
        "Functions and engines that read or write this machine's files, programs or Python objects are not allowed",
    ),
    Refused.INPUT_FUNCTION: Refusal(
        *_NOT_IMPLEMENTED, "The input() function is not supported: insert into a table and select from it"
    ),
    Refused.KILL_QUERY: Refusal(
        *_NOT_IMPLEMENTED, "A running query cannot be killed: bound it with the setting max_execution_time"
    ),
    Refused.SYSTEM_CONTROL: Refusal(
        *_NOT_IMPLEMENTED, "SYSTEM SHUTDOWN and SYSTEM KILL are not allowed: send the process SIGTERM"
    ),
    Refused.DEFAULT_DATABASE: Refusal(
        *_NOT_IMPLEMENTED, "The engine cannot be without the database default: drop its tables instead"
    ),
    Refused.PYTHON_FORMAT: Refusal(73, "UNKNOWN_FORMAT", "Formats that are Python objects cannot be sent over HTTP"),
    Refused.LARGE_TEXT: Refusal(
        229, "QUERY_IS_TOO_LARGE", "The statement is too large: send data with INSERT ... FORMAT, or as parameters"
    ),
}


def refusal(feature: Refused) -> ClickHouseError:
    """The error that a request using `feature` is answered with."""
    entry = REFUSALS[feature]
    return ClickHouseError(entry.code, entry.name, entry.message)

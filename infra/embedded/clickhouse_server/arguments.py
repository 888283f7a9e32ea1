"""What a request asks for besides its statement: the URL's and the form's parameters and the X-ClickHouse headers."""

import re
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.embedded.clickhouse_server.errors import ClickHouseError, bad_argument
from infra.embedded.clickhouse_server.refusals import Refused, refusal

_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_HEADER_TEXT = re.compile(r"[\x20-\x7e]*")
_OFF = ("", "0", "false", "{}")

# Read by the interface, never handed to the engine. Answers are always complete before they are sent, so
# wait_end_of_query and buffer_size hold whatever they say.
_INTERFACE = frozenset(
    {
        "query", "database", "default_format", "query_id", "session_id", "session_timeout", "session_check", "user",
        "password", "quota_key", "role", "compress", "decompress", "wait_end_of_query", "buffer_size",
        "client_protocol_version",
    }
)  # fmt: skip
_REFUSED_WHEN_ON = {
    "session_check": Refused.SESSION_CHECK,
    "role": Refused.ROLE,
    "quota_key": Refused.QUOTA_KEY,
    "compress": Refused.NATIVE_BLOCK_COMPRESSION,
    "decompress": Refused.NATIVE_BLOCK_COMPRESSION,
    "client_protocol_version": Refused.PROTOCOL_VERSION,
    "add_http_cors_header": Refused.HTTP_SETTING,
    "http_response_headers": Refused.HTTP_SETTING,
    "http_write_exception_in_output_format": Refused.HTTP_SETTING,
    "allow_settings_after_format_in_insert": Refused.HTTP_SETTING,
}
_PYTHON_FORMATS = ("arrowtable", "dataframe", "datastore")


@dataclass(frozen=True, slots=True)
class Arguments:
    """One request's arguments, checked.

    Attributes:
        query: the statement's beginning; the body follows it.
        database: the database that unqualified names are looked up in.
        query_id: the client's name for the query, or empty.
        session_id: the client's session, or empty. A session keeps nothing; it only admits one query at a time.
        default_format: the format of rows when the statement names none.
        parameters: values of `{name:Type}`, escaped as ClickHouse's HTTP interface wants them.
        settings: engine settings of this request alone, without `readonly`.
        readonly: 0, 1 or 2 as in ClickHouse.
    """

    query: str
    database: str
    query_id: str
    session_id: str
    default_format: str
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    readonly: int

    def compressed_answer(self, *, default: bool) -> bool:
        """Whether the client lets answers be compressed at all (setting enable_http_compression)."""
        value = self.settings.get("enable_http_compression")
        return default if value is None else value.lower() not in _OFF


def url_fields(query_string: bytes) -> list[tuple[str, str]]:
    """The decoded parameters of a URL.

    Raises:
        ClickHouseError: if they are not UTF-8.
    """
    try:
        return urllib.parse.parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeError as error:
        raise bad_argument("The URL's parameters are not UTF-8") from error


def named_once(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Fields by name. Pieces of `query` are joined, as ClickHouse does.

    Raises:
        ClickHouseError: if another name occurs twice: which one counts would be a guess.
    """
    found: dict[str, str] = {}
    for name, value in fields:
        if name == "query":
            found[name] = found.get(name, "") + value
        elif name in found:
            raise bad_argument(f"The parameter {name!r} is given twice: give it once")
        else:
            found[name] = value
    return found


def read_arguments(fields: Mapping[str, str], headers: Mapping[str, str], method: str) -> Arguments:
    """Check and sort a request's parameters. GET and HEAD are readonly, as in ClickHouse.

    Raises:
        ClickHouseError: for a refused or malformed parameter.
    """
    for name, feature in _REFUSED_WHEN_ON.items():
        if fields.get(name, "").lower() not in _OFF:
            raise refusal(feature)
    if headers.get("x-clickhouse-quota"):
        raise refusal(Refused.QUOTA_KEY)
    settings = {name: value for name, value in fields.items() if name not in _INTERFACE and name[:6] != "param_"}
    for name in settings:
        if not _SETTING_NAME.fullmatch(name):
            raise ClickHouseError(115, "UNKNOWN_SETTING", f"Unknown setting {name!r}")
    query_id = fields.get("query_id", headers.get("x-clickhouse-query-id", ""))
    if not _HEADER_TEXT.fullmatch(query_id):
        raise bad_argument("A query_id has printable ASCII characters only")
    default_format = headers.get("x-clickhouse-format") or fields.get("default_format") or "TabSeparated"
    return Arguments(
        query=fields.get("query", ""),
        database=headers.get("x-clickhouse-database") or fields.get("database") or "default",
        query_id=query_id,
        session_id=fields.get("session_id", ""),
        default_format=checked_format(default_format),
        parameters={name[6:]: value for name, value in fields.items() if name.startswith("param_")},
        settings={name: value for name, value in settings.items() if name != "readonly"},
        readonly=_readonly(settings.get("readonly", "0"), method),
    )


def checked_format(name: str) -> str:
    """A format's name, unless the embedded engine would give Python objects for it.

    Raises:
        ClickHouseError: UNKNOWN_FORMAT.
    """
    if name.lower() in _PYTHON_FORMATS:
        raise refusal(Refused.PYTHON_FORMAT)
    if not re.fullmatch(r"\w+", name, re.ASCII):
        raise ClickHouseError(73, "UNKNOWN_FORMAT", f"Unknown format {name!r}")
    return name


def _readonly(value: str, method: str) -> int:
    if value not in ("0", "1", "2"):
        raise bad_argument("The setting readonly is 0, 1 or 2")
    asked = int(value)
    return 2 if asked == 0 and method in ("GET", "HEAD") else asked

"""What goes back over HTTP."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infra.embedded.clickhouse_server.codecs import encoded
from infra.embedded.clickhouse_server.errors import ClickHouseError

# As ClickHouse's output formats name themselves; every other format is octets.
_CONTENT_TYPES = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "tabseparatedwithnames": "text/tab-separated-values; charset=UTF-8",
    "tsvwithnames": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "xml": "application/xml; charset=UTF-8",
}
_PLAIN_TEXT = "text/plain; charset=UTF-8"
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: `body` is plain, `coding` is how it goes out (None: as it is). `owner` keeps `body` alive."""

    status: int
    headers: Mapping[str, str]
    body: memoryview
    coding: str | None = None
    owner: object = field(default=None, repr=False)

    def pieces(self) -> Iterator[bytes]:
        """The body as it goes out; compressing takes place here."""
        if self.coding:
            yield from encoded(self.body, self.coding)
            return
        for at in range(0, len(self.body), _PIECE_BYTES):
            yield bytes(self.body[at : at + _PIECE_BYTES])


def text_reply(status: int, text: str) -> Reply:
    """A short answer that is no query's result."""
    return Reply(status, {"Content-Type": "text/html; charset=UTF-8"}, memoryview(text.encode()))


def error_reply(error: ClickHouseError, version: str, headers: Mapping[str, str]) -> Reply:
    """An error, as clients of ClickHouse look for it: code in a header, sentence in the body."""
    return Reply(
        error.status,
        {**headers, "Content-Type": _PLAIN_TEXT, "X-ClickHouse-Exception-Code": str(error.code)},
        memoryview(f"{error.text} (version {version})\n".encode(errors="replace")),
    )


def query_headers(query_id: str, timezone: str, version: str) -> dict[str, str]:
    """Headers of every query's answer."""
    return {
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Timezone": timezone,
        "X-ClickHouse-Server-Display-Name": f"chdb {version}",
    }


def result_headers(summary: Mapping[str, str], output_format: str | None) -> dict[str, str]:
    """Headers of a finished statement; `output_format` is None if it gives no rows."""
    headers = {"X-ClickHouse-Summary": json.dumps(dict(summary), separators=(",", ":"))}
    if output_format is None:
        return {**headers, "Content-Type": _PLAIN_TEXT}
    content_type = _CONTENT_TYPES.get(output_format.lower(), "application/octet-stream")
    return {**headers, "Content-Type": content_type, "X-ClickHouse-Format": output_format}

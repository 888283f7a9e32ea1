"""A request's body: the statement stays in memory, an INSERT's data goes to a file."""

import os
import tempfile
from pathlib import Path
from typing import IO

from infra.embedded.clickhouse_server.codecs import BodyDecoder
from infra.embedded.clickhouse_server.errors import ClickHouseError
from infra.embedded.clickhouse_server.refusals import Refused, refusal
from infra.embedded.clickhouse_server.statements import DataInsert, read_insert

# An INSERT is looked for once so much has come; ClickHouse's own max_query_size has the same default.
WINDOW_BYTES = 256 << 10
# What one request may hold in memory. The engine applies max_query_size on top of it.
MAX_TEXT_BYTES = 16 << 20


class RequestBody:
    """Statement and data of one request, fed piece by piece. `discard` removes the file; call it in any case."""

    def __init__(self, beginning: bytes, decoder: BodyDecoder, spool_folder: Path) -> None:
        # The URL's statement and the body are one text, with a line end between them.
        self._text = bytearray(beginning + b"\n" if beginning else b"")
        self._decoder = decoder
        self._folder = spool_folder
        self._looked = False
        self._spool: IO[bytes] | None = None
        self.insert: DataInsert | None = None
        self.data_path: Path | None = None

    @property
    def text(self) -> bytes:
        """All that was read, if it is not an INSERT with data."""
        return bytes(self._text)

    def feed(self, data: bytes) -> None:
        """Take the next piece as it came over the wire.

        Raises:
            ClickHouseError: if it does not decompress, or the statement is too large or refused.
        """
        plain = self._decoder.feed(data)
        if self._spool is not None:
            _write(self._spool, plain)
            return
        self._text += plain
        if len(self._text) > WINDOW_BYTES and not self._looked:
            self._looked = True
            insert = read_insert(bytes(self._text))
            # Nothing behind it yet: its last word may go on in the next piece.
            if insert is not None and insert.data_start < len(self._text):
                self._keep(insert)
        elif len(self._text) > MAX_TEXT_BYTES:
            raise refusal(Refused.LARGE_TEXT)

    def finish(self) -> None:
        """Take the end of the body; then `insert` and `data_path`, or `text`, are complete.

        Raises:
            ClickHouseError: if the body was cut short or the statement is refused.
        """
        self._decoder.finish()
        if self._spool is None:
            insert = read_insert(bytes(self._text))
            if insert is not None:
                self._keep(insert)

    def discard(self) -> None:
        """Remove the data's file."""
        if self._spool is not None:
            self._spool.close()
        if self.data_path is not None:
            self.data_path.unlink(missing_ok=True)

    def _keep(self, insert: DataInsert) -> None:
        self.insert = insert
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".data")
        self.data_path = Path(name)
        self._spool = os.fdopen(descriptor, "wb")
        _write(self._spool, memoryview(self._text)[insert.data_start :])
        self._text = bytearray()


def _write(spool: IO[bytes], data: bytes | memoryview) -> None:
    try:
        spool.write(data)
        # At once, so that a full disk is found here and not when the file is closed.
        spool.flush()
    except OSError as error:
        raise ClickHouseError(243, "NOT_ENOUGH_SPACE", f"The data cannot be kept: {error.strerror}") from error

"""The end of an INSERT's VALUES."""

import mmap
from pathlib import Path

from infra.embedded.clickhouse_server.errors import ClickHouseError
from infra.embedded.clickhouse_server.tokens import tokens


def check_values_end(data_path: Path) -> None:
    """Let data pass that is over at its first semicolon outside strings and comments.

    ClickHouse refuses what stands behind one; the embedded engine, when it reads a file, would drop it silently.

    Raises:
        ClickHouseError: CANNOT_READ_ALL_DATA, as ClickHouse does.
    """
    if data_path.stat().st_size == 0:
        return
    with data_path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # Most data has no semicolon: only the rest is worth reading token by token.
        if data.find(b";") < 0:
            return
        over = False
        for token in tokens(data):
            if over:
                raise ClickHouseError(33, "CANNOT_READ_ALL_DATA", "Cannot read data after semicolon")
            over = token.is_sign(b";")

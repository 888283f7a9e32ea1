"""Where the parts of a stack are, and what opens them."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from infra.embedded.errors import EmbeddedError
from infra.embedded.private_file import write_private


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """All that a client needs, of an embedded stack or of any other.

    Attributes:
        kafka_bootstrap: ``host:port``.
        clickhouse_url: ``http://host:port`` of ClickHouse's HTTP interface.
        s3_endpoint: ``http://host:port``.
    """

    kafka_bootstrap: str
    clickhouse_url: str
    clickhouse_user: str
    clickhouse_password: str = field(repr=False)
    s3_endpoint: str
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    s3_region: str


def write_addresses(path: Path, addresses: Addresses) -> None:
    """Write a ready file (JSON, mode 600)."""
    write_private(path, msgspec.json.encode(addresses))


def read_addresses(path: Path) -> Addresses:
    """Read a ready file.

    Raises:
        EmbeddedError: it is missing or is no ready file.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Addresses)
    except (OSError, msgspec.DecodeError) as error:
        raise EmbeddedError(f"{path} is no ready file of a running stack; start one and name its file.") from error

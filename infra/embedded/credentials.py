"""Random secrets of one data directory."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from infra.embedded.errors import EmbeddedError
from infra.embedded.private_file import write_private


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What clients need to get in, and the keys that the parts of the S3 server show each other."""

    clickhouse_user: str
    clickhouse_password: str = field(repr=False)
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    s3_signing_key: str = field(repr=False)


def keep_credentials(path: Path) -> Credentials:
    """Read the secrets of ``path``, or make them (mode 600) at the first start.

    Raises:
        EmbeddedError: the file is not one of ours.
    """
    if path.exists():
        try:
            return msgspec.json.decode(path.read_bytes(), type=Credentials)
        except msgspec.DecodeError as error:
            raise EmbeddedError(f"{path} cannot be read; move it away to get new secrets at the next start.") from error
    made = Credentials(
        clickhouse_user="spotclip",
        clickhouse_password=secrets.token_hex(24),
        s3_access_key=secrets.token_hex(10),
        s3_secret_key=secrets.token_hex(24),
        s3_signing_key=secrets.token_hex(32),
    )
    write_private(path, msgspec.json.encode(made))
    return made

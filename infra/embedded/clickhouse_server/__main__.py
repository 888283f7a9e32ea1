"""Command line of the server: `python -m infra.embedded.clickhouse_server --path DIR --host 127.0.0.1 --port N`."""

import argparse
import os
import sys
from pathlib import Path

from infra.embedded.clickhouse_server.credentials import Credentials
from infra.embedded.clickhouse_server.errors import ClickHouseError
from infra.embedded.clickhouse_server.server import serve


def main() -> int:
    """Run the server until it is told to stop; the exit code is 0 then, and 1 if it could not start."""
    parser = argparse.ArgumentParser(prog="python -m infra.embedded.clickhouse_server", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="the folder this process owns")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    arguments = parser.parse_args()
    credentials = Credentials(
        user=os.environ.get("SPOTCLIP_CLICKHOUSE_USER", "default"),
        password=os.environ.get("SPOTCLIP_CLICKHOUSE_PASSWORD", ""),
    )
    try:
        serve(arguments.path, arguments.host, arguments.port, credentials)
    except (ClickHouseError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`spotclip api`: one API process."""

from typing import Annotated

import typer
import uvicorn

from infra.cli.options import ConfigFile, load_settings
from infra.wiring.api import build_api

app = typer.Typer(add_completion=False)

# A reader that takes its time holds a connection, not a thread; more than this at once is a reverse proxy's to shed.
_MAX_CONNECTIONS = 2_000


@app.command("api")
def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    config: ConfigFile = None,
) -> None:
    """Run one API process until Ctrl-C."""
    uvicorn.run(
        build_api(load_settings(config)),
        host=host,
        port=port,
        log_config=None,
        access_log=False,  # a line would name the address of a clip
        limit_concurrency=_MAX_CONNECTIONS,
        server_header=False,
    )

"""Where the client commands find their server."""

from typing import Annotated

import typer

Url = Annotated[str, typer.Option("--url", envvar="SPOTCLIP_URL", help="The server's base address.")]
AdminToken = Annotated[
    str | None, typer.Option("--admin-token", envvar="SPOTCLIP_ADMIN_TOKEN", show_envvar=True, help="For admin routes.")
]
ApiKey = Annotated[
    str | None, typer.Option("--api-key", envvar="SPOTCLIP_API_KEY", show_envvar=True, help="For partner routes.")
]
DEFAULT_URL = "http://127.0.0.1:8080"

"""`api`, `worker`, `provision`, `models`: the single parts, for a real cluster."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from infra import wiring
from infra.cli.output import JsonFlag, Output
from infra.cli.together import run_together
from infra.provision import provision as provision_engines
from infra.settings import Settings
from streams.flow import Role

ConfigFile = Annotated[
    Path | None, typer.Option(envvar="SPOTCLIP_CONFIG", help="A TOML file of settings; the environment wins over it.")
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.")]
ReadyFile = Annotated[Path | None, typer.Option(help="Written once the worker is ready.")]

# A reader that takes its time holds a connection, not a thread; more than this at once is a reverse proxy's to shed.
_MAX_CONNECTIONS = 2_000


def load_settings(config: Path | None) -> Settings:
    """The settings of this process's environment."""
    return Settings.from_environment(os.environ, config)


def api(host: Host = "127.0.0.1", port: Port = 8080, config: ConfigFile = None) -> None:
    """Run one API process until Ctrl-C."""
    application = wiring.build_api(load_settings(config))
    uvicorn.run(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,  # a line would name the address of a clip
        limit_concurrency=_MAX_CONNECTIONS,
        server_header=False,
    )


def worker(
    roles: Annotated[list[Role], typer.Argument(help="What to work on; several run as one process each.")],
    config: ConfigFile = None,
    ready_file: ReadyFile = None,
) -> None:
    """Run workers until Ctrl-C; several end together, so that a missing one does not go unseen."""
    if len(set(roles)) == 1:
        raise typer.Exit(asyncio.run(wiring.run_role(roles[0], load_settings(config), ready_file)))
    options = ["--config", str(config)] if config else []
    program = [sys.executable, "-m", "infra.cli", "worker"]
    raise typer.Exit(run_together([[*program, role, *options] for role in sorted(set(roles))]))


def provision(config: ConfigFile = None, as_json: JsonFlag = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Make topics, buckets, policies and tables. Safe to repeat; says what it changed."""
    output = Output(as_json=as_json)
    changes = provision_engines(load_settings(config))
    for change in changes:
        output.say(str(change))
    output.say(f"{len(changes)} changed." if changes else "Nothing to change.")
    output.result({"changes": [str(change) for change in changes]})


def models(config: ConfigFile = None, as_json: JsonFlag = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Build the model files from the installed packages, once."""
    output = Output(as_json=as_json)
    built = wiring.models_of(load_settings(config))
    output.say(f"Models {built.version} are in {built.detector.parent}.")
    output.result({"version": built.version, "folder": str(built.detector.parent)})

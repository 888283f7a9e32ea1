"""`spotclip worker`: one worker, or several that end as one."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.options import ConfigFile, load_settings
from infra.cli.together import run_together
from infra.wiring.worker import run_role
from streams.flow import Role

app = typer.Typer(add_completion=False)


@app.command("worker")
def worker(
    roles: Annotated[list[Role], typer.Argument(help="What to work on; several run as one process each.")],
    config: ConfigFile = None,
    ready_file: Annotated[Path | None, typer.Option(help="Written once the worker is ready.")] = None,
) -> None:
    """Run workers until Ctrl-C; several end together, so that a missing one does not go unseen."""
    if len(set(roles)) == 1:
        raise typer.Exit(asyncio.run(run_role(roles[0], load_settings(config), ready_file)))
    options = ["--config", str(config)] if config else []
    program = [sys.executable, "-m", "infra.cli", "worker"]
    raise typer.Exit(run_together([[*program, role, *options] for role in sorted(set(roles))]))

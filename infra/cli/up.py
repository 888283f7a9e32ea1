"""`spotclip up`: the whole system on this machine."""

import signal
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from infra.cli.options import DataDir
from infra.cli.output import JsonFlag, Output
from infra.errors import UserError
from infra.local import LocalSystem, Running
from infra.user_folders import CACHE_DIR, DATA_DIR

app = typer.Typer(add_completion=False)


@app.command("up")
def up(
    data: DataDir = DATA_DIR,
    port: Annotated[int | None, typer.Option(help="The API's port; a free one by default, the same each time.")] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Gets url, admin_token and pids as JSON (mode 600) once everything answers.")
    ] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Start Kafka, ClickHouse, S3, the API and all workers; run until Ctrl-C."""
    output = Output(as_json=as_json)
    if ready_file is not None and not ready_file.parent.is_dir():
        raise UserError(f"the folder of {ready_file} is not there; make it, or name another ready file")
    signal.signal(signal.SIGTERM, _interrupt)
    with LocalSystem(data, CACHE_DIR, port=port, ready_file=ready_file) as system:
        running = start(system, output)
        output.say(f"Spotclip is up: {running.url}\nAdmin token: {running.admin_token}\nCtrl-C stops it.")
        output.result(msgspec.to_builtins(running))
        try:
            system.wait()
        except KeyboardInterrupt:
            output.say("Stopping ...")


def start(system: LocalSystem, output: Output) -> Running:
    """Start with a progress bar for what has to be downloaded."""
    with output.progress("Starting") as meter:
        return system.start(lambda done, total, name: meter.reach(done, total, f"Downloading {name}"))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt

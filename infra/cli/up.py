"""`spotclip up`: the whole system on this machine."""

import signal
from pathlib import Path
from typing import Annotated

import msgspec
import platformdirs
import typer

from infra.cli.errors import CliError
from infra.cli.output import JsonFlag, Output
from infra.embedded.private_file import write_private
from infra.local import LocalSystem, Running

DATA_DIR = platformdirs.user_data_path("spotclip")
CACHE_DIR = platformdirs.user_cache_path("spotclip")
DataDir = Annotated[Path, typer.Option("--data", help="Where everything is kept.")]


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
        raise CliError(f"the folder of {ready_file} is not there; make it, or name another ready file")
    signal.signal(signal.SIGTERM, _interrupt)
    with LocalSystem(data, CACHE_DIR, port=port) as system:
        running = start(system, output)
        if ready_file is not None:
            write_private(ready_file, msgspec.json.encode(ready_content(running)))
        output.say(f"Spotclip is up: {running.url}\nAdmin token: {running.admin_token}\nCtrl-C stops it.")
        output.result(ready_content(running))
        try:
            system.wait()
        except KeyboardInterrupt:
            output.say("Stopping ...")
        finally:
            if ready_file is not None:
                ready_file.unlink(missing_ok=True)


def start(system: LocalSystem, output: Output) -> Running:
    """Start with a progress bar for what has to be downloaded."""
    with output.progress("Starting") as meter:
        return system.start(lambda done, total, name: meter.reach(done, total, f"Downloading {name}"))


def ready_content(running: Running) -> dict[str, object]:
    """What programs get to know of a running system."""
    return {"url": running.url, "admin_token": running.admin_token, "pids": running.pids}


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt

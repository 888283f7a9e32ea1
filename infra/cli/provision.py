"""`spotclip provision`: what a deployment needs of its engines."""

import typer

from infra import provision as engines
from infra.cli.options import ConfigFile, load_settings
from infra.cli.output import JsonFlag, Output

app = typer.Typer(add_completion=False)


@app.command("provision")
def provision(config: ConfigFile = None, as_json: JsonFlag = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Make topics, buckets, policies and tables. Safe to repeat; says what it changed."""
    output = Output(as_json=as_json)
    changes = engines.provision(load_settings(config))
    for change in changes:
        output.say(str(change))
    output.say(f"{len(changes)} changed." if changes else "Nothing to change.")
    output.result({"changes": [str(change) for change in changes]})

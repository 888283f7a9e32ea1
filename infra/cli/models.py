"""`spotclip models`: the face models, from the installed packages."""

import typer

from infra.cli.options import ConfigFile, load_settings
from infra.cli.output import JsonFlag, Output
from streams.vision.models.store import build_models

app = typer.Typer(add_completion=False)


@app.command("models")
def models(config: ConfigFile = None, as_json: JsonFlag = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Build the model files from the installed packages, once."""
    output = Output(as_json=as_json)
    built = build_models(load_settings(config).models_dir)
    output.say(f"Models {built.version} are in {built.detector.parent}.")
    output.result({"version": built.version, "folder": str(built.detector.parent)})

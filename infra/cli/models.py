"""`spotclip models`: the face models, from the installed packages."""

from dataclasses import asdict

import typer

from infra.cli.options import ConfigFile, load_settings
from infra.cli.output import JsonFlag, Output
from streams.vision.models.listing import list_models
from streams.vision.models.store import build_models

app = typer.Typer(
    name="models",
    no_args_is_help=True,
    add_completion=False,
    help="The face models: where they come from, and building them.",
)


@app.command("build")
def build(config: ConfigFile = None, as_json: JsonFlag = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Build the model files that the settings choose from the installed packages, once."""
    output = Output(as_json=as_json)
    settings = load_settings(config)
    built = build_models(settings.models_dir, settings.models)
    output.say(f"Models {built.version} with the detector {built.detector_kind} are in {settings.models_dir}.")
    output.result({"version": built.version, "detector": built.detector_kind, "folder": str(settings.models_dir)})


@app.command("list")
def list_all(config: ConfigFile = None, as_json: JsonFlag = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List the models: what each is for, its package and licence, and whether it is built and in use."""
    output = Output(as_json=as_json)
    settings = load_settings(config)
    models = list_models(settings.models_dir, settings.models)
    output.table(
        f"Models in {settings.models_dir}",
        ("Model", "Role", "State", "Package", "Licence", "MB", "SHA-256"),
        [
            (
                model.name,
                model.role,
                f"{model.state}, in use" if model.in_use else model.state,
                f"{model.package} {model.version}",
                model.licence,
                None if model.size_bytes is None else f"{model.size_bytes / 1e6:.1f}",
                (model.sha256 or "")[:8],
            )
            for model in models
        ],
    )
    output.result([asdict(model) for model in models])

"""Options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from infra.settings import Settings

DataDir = Annotated[Path, typer.Option("--data", help="Where everything is kept.")]
ConfigFile = Annotated[
    Path | None, typer.Option(envvar="SPOTCLIP_CONFIG", help="A TOML file of settings; the environment wins over it.")
]


def load_settings(config: Path | None) -> Settings:
    """The settings of this process's environment."""
    return Settings.from_environment(os.environ, config)

"""The program `spotclip`."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from infra.errors import UserError
from streams.vision.models.sources import ModelSourceError

# A command and the module that holds it, as they are listed by --help.
_MODULES = {
    "up": "infra.cli.up",
    "demo": "infra.cli.demo",
    "video": "infra.cli.videos",
    "search": "infra.cli.searches",
    "api": "infra.cli.api",
    "worker": "infra.cli.worker",
    "provision": "infra.cli.provision",
    "models": "infra.cli.models",
}


class _Commands(TyperGroup):
    """Loads a command when it is asked for: a worker must not carry the decoder that the demo needs."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - the group asks so; its types are private
        return list(_MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - see above
        module = _MODULES.get(cmd_name)
        return None if module is None else typer.main.get_command(import_module(module).app)


app = typer.Typer(
    name="spotclip",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def spotclip() -> None:
    """Upload a selfie, get the clips of your race."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program, by default with this process's arguments; ends by SystemExit.

    Exit codes: 0 done; 1 a failure that is the user's to see, in one sentence; 2 wrong usage; 130 Ctrl-C.
    """
    try:
        app(arguments)
    except (UserError, ModelSourceError) as error:
        sys.stderr.write(f"spotclip: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

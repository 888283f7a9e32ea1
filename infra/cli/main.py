"""The program `spotclip`."""

import sys
from collections.abc import Sequence

import typer

from infra.cli import demo, parts, searches, up, videos
from infra.cli.errors import CliError
from infra.demo_media import MediaMissingError
from infra.embedded.errors import EmbeddedError
from infra.provision import ProvisionError
from infra.settings import SettingsError
from streams.vision.models import ModelSourceError

app = typer.Typer(
    name="spotclip",
    help="Upload a selfie, get the clips of your race.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("api")(parts.api)
app.command("worker")(parts.worker)
app.command("provision")(parts.provision)
app.command("models")(parts.models)
app.add_typer(videos.app, name="video", help="Source videos of an event.")
app.add_typer(searches.app, name="search", help="Clip searches.")

_SENTENCES = (CliError, EmbeddedError, MediaMissingError, ModelSourceError, ProvisionError, SettingsError)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program, by default with this process's arguments; ends by SystemExit.

    Exit codes: 0 done; 1 a failure that is the user's to see, in one sentence; 2 wrong usage; 130 Ctrl-C.
    """
    try:
        app(arguments)
    except _SENTENCES as error:
        sys.stderr.write(f"spotclip: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

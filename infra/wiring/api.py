"""An API process."""

import sys

from litestar import Litestar

from api.app import create_app
from api.deps import Deps
from infra.adapters.kafka import KafkaCommands
from infra.adapters.kafka_reader import KafkaLogReader
from infra.adapters.media import S3Media
from infra.logs import configure_logs
from infra.settings import Settings
from infra.wiring.clock import wall_clock


def build_api(settings: Settings) -> Litestar:
    """One API process, not started yet."""
    configure_logs(sys.stderr)
    commands, media = KafkaCommands(settings.kafka), S3Media(settings.s3)
    app = create_app(
        Deps(
            settings=settings.api,
            commands=commands,
            log=KafkaLogReader(settings.kafka),
            media=media,
            clock=wall_clock,
        )
    )
    app.on_shutdown += [commands.stop, media.close]
    return app

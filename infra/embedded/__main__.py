"""``python -m infra.embedded``: run the stack until SIGTERM or SIGINT."""

import argparse
import signal
import sys
from pathlib import Path

from infra.embedded.addresses import write_addresses
from infra.embedded.directory_lock import process_runs
from infra.embedded.errors import EmbeddedError
from infra.embedded.kafka import KafkaSettings
from infra.embedded.stack import EmbeddedStack, Training
from infra.user_folders import CACHE_DIR

_FOLLOW_POLL_S = 1.0


def _leave(_number: int, _frame: object) -> None:
    """End once: a second signal must not break the stop off."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.embedded", description="Run Kafka, ClickHouse and S3 on this machine until SIGTERM."
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="everything that has to stay")
    parser.add_argument("--cache-dir", type=Path, default=CACHE_DIR, help="jars and caches")
    parser.add_argument("--ready-file", type=Path, help="gets the addresses and secrets as JSON (mode 600) once ready")
    parser.add_argument("--mirror", help="a Maven repository to use in place of the central one")
    parser.add_argument("--java", type=Path, help="a Java, 17 or newer, to use in place of the wheel's")
    parser.add_argument("--training", type=Training, default=Training.BACKGROUND, choices=list(Training))
    parser.add_argument("--follow", type=int, metavar="PID", help="stop when this process is gone")
    return parser.parse_args()


def main() -> None:
    """Run."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    stack = EmbeddedStack(
        arguments.data_dir,
        arguments.cache_dir,
        settings=KafkaSettings(java=arguments.java),
        mirror=arguments.mirror,
        training=arguments.training,
    )
    try:
        with stack:
            if arguments.ready_file is not None:
                write_addresses(arguments.ready_file, stack.addresses)
            while arguments.follow is None or process_runs(arguments.follow):
                stack.wait(_FOLLOW_POLL_S)
    except EmbeddedError as error:
        sys.exit(str(error))
    finally:
        if arguments.ready_file is not None:
            arguments.ready_file.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

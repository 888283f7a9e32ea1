"""Kafka's ahead-of-time cache: made once per Java and set of jars, it halves the broker's start (2.0 to 1.0 s).

The cache is made from a training run: a broker of its own in a temporary folder, recorded until it is ready, then a
second JVM that turns the record into the cache; 9 s in all on 2 cores. The real broker is never recorded, since a
recording JVM takes 2 to 5 s to stop. ``python -m infra.embedded.kafka_aot`` trains at once; the stack lets the same
program run in the background, at the lowest priority, when it started without a cache.
"""

import argparse
import hashlib
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from infra.embedded import kafka
from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.errors import EmbeddedError
from infra.embedded.guarded import GuardedProcess
from infra.embedded.jars import fetch
from infra.embedded.ports import Ports, settle
from infra.user_folders import CACHE_DIR

_READY_WITHIN_S = 120.0
_STOP_WITHIN_S = 60.0
_CREATE_WITHIN_S = 180.0
_POLL_S = 0.1
_UNUSED_S = 30 * 24 * 3600


def jar_folder(cache: Path) -> Path:
    """Where the jars lie in the user's cache."""
    return cache / "kafka" / "jars"


def cache_path(cache: Path, java: Path, jars: Sequence[Path]) -> Path:
    """The cache file for this Java and these jars; it need not exist.

    The JVM takes a cache only for the same build, collector and class path, and compares each jar's size and time of
    change. All of that is in the name, so that a file that would be refused is not found.
    """
    key = hashlib.sha256()
    key.update((java.parent.parent / "release").read_bytes())
    key.update("\0".join([str(java), *kafka.JVM]).encode())
    for jar in jars:
        status = jar.stat()
        key.update(f"\0{jar}\0{status.st_size}\0{int(status.st_mtime)}".encode())
    return cache / "kafka" / "aot" / f"{key.hexdigest()[:24]}.aot"


def train(cache: Path, java: Path, jars: Sequence[Path], log: Path) -> Path:
    """Make the cache file unless it is there; returns its path.

    Raises:
        EmbeddedError: another process is at it, or a JVM did not do its part.
    """
    target = cache_path(cache, java, jars)
    with DirectoryLock(target.parent):
        if target.exists():
            return target
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".train-", ignore_cleanup_errors=True) as folder:
            made = _train_in(Path(folder), java, tuple(jars), log)
            made.replace(target)
            remove_unused(target.parent, time.time())
    return target


def remove_unused(folder: Path, now_s: float) -> None:
    """Remove cache files (70 MB each) that no start has used for 30 days, such as those of an older Java."""
    for path in folder.glob("*.aot"):
        if path.stat().st_mtime < now_s - _UNUSED_S:
            path.unlink(missing_ok=True)


def usable(path: Path) -> bool:
    """Whether the cache file is there; notes that it was used."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _train_in(folder: Path, java: Path, jars: tuple[Path, ...], log: Path) -> Path:
    ports = settle(Ports(), Ports(), random.SystemRandom())
    node = kafka.KafkaNode(
        directory=folder / "kafka",
        port=ports.kafka,
        controller_port=ports.kafka_controller,
        java=java,
        jars=jars,
        aot_cache=None,
        settings=kafka.KafkaSettings(),
    )
    record, made = folder / "record", folder / "made.aot"
    kafka.prepare(node, log)
    recording = ("-XX:AOTMode=record", f"-XX:AOTConfiguration={record}")
    broker = GuardedProcess(
        kafka.broker_argv(node, jvm=recording), log=log, pid_file=folder / "broker.pid", grace_s=_STOP_WITHIN_S
    )
    try:
        deadline = time.monotonic() + _READY_WITHIN_S
        while not kafka.answers(node.port):
            if broker.exit_code() is not None or time.monotonic() > deadline:
                raise EmbeddedError(f"the broker of the training run did not start; see {log}.")
            time.sleep(_POLL_S)
    finally:
        broker.end()
    creating = ("-XX:AOTMode=create", f"-XX:AOTConfiguration={record}", f"-XX:AOTCache={made}")
    creator = GuardedProcess(
        kafka.java_argv(node, "kafka.Kafka", [], jvm=creating), log=log, pid_file=folder / "create.pid", grace_s=1.0
    )
    try:
        code = creator.wait(_CREATE_WITHIN_S)
    finally:
        creator.end()
    if code != 0 or not made.exists():
        raise EmbeddedError(f"Java could not turn the record of the training run into a cache; see {log}.")
    return made


def main() -> None:
    """Train, downloading the jars if needed."""
    parser = argparse.ArgumentParser(description="Make Kafka's ahead-of-time cache.")
    parser.add_argument("--cache-dir", type=Path, default=CACHE_DIR)
    parser.add_argument("--log", type=Path, default=Path(os.devnull))
    arguments = parser.parse_args()
    os.nice(19)
    jars = fetch(kafka.LOCK, jar_folder(arguments.cache_dir), lambda _done, _total, _name: None)
    try:
        train(arguments.cache_dir, kafka.wheel_java(), jars, arguments.log)
    except EmbeddedError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()

"""Fixtures that every test may ask for."""

import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import structlog

from infra.embedded.addresses import Addresses, read_addresses
from infra.embedded.stack import EmbeddedStack
from infra.user_folders import CACHE_DIR
from tests.waiting import wait_until

# An outside stack: the ready file that `python -m infra.embedded --ready-file FILE` writes.
OUTSIDE = "SPOTCLIP_TEST_ADDRESSES"
START_WITHIN_S = 120

# `make test-full` asks for `full`. No deadline for one example: a shared machine stalls now and then.
hypothesis.settings.register_profile("quick", max_examples=60, deadline=None)
hypothesis.settings.register_profile("full", max_examples=1_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """The process's logging is put back, so that no test logs to a stream of one before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def stack_cache() -> Path:
    """The user's cache of jars, so that a run downloads nothing that an earlier one did."""
    return CACHE_DIR


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, stack_cache: Path) -> Iterator[Addresses]:
    """Addresses of a running Kafka, ClickHouse and S3, the same for the whole run.

    Tests share it: each makes topics, databases and buckets of names that no other test uses.
    """
    outside = os.environ.get(OUTSIDE)
    if outside:
        yield read_addresses(Path(outside))
    elif "PYTEST_XDIST_WORKER" in os.environ:
        yield _shared(tmp_path_factory.getbasetemp().parent, stack_cache)
    else:
        with EmbeddedStack(tmp_path_factory.mktemp("stack"), stack_cache) as embedded:
            yield embedded.addresses


def _shared(folder: Path, cache: Path) -> Addresses:
    """Start a stack for all workers of this run, or find the one that another worker started.

    It belongs to the process that started the workers, and ends when that one does: no worker knows who is last.
    """
    ready, log = folder / "stack.json", folder / "stack.log"
    with _exclusive(folder / "stack.lock"):
        if not ready.exists():
            command = [sys.executable, "-m", "infra.embedded", "--follow", str(os.getppid())]
            places = ["--data-dir", str(folder / "stack"), "--cache-dir", str(cache), "--ready-file", str(ready)]
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [*command, *places],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    cwd=Path(__file__).parents[1],
                )
            wait_until(
                lambda: ready.exists() or process.poll() is not None, START_WITHIN_S, f"a shared stack; see {log}"
            )
            # Python would warn at this worker's end that it leaves a running program behind, as it is meant to.
            process.returncode = process.returncode or 0
    return read_addresses(ready)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

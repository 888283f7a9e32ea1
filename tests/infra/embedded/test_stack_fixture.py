"""The shared fixture ``stack``: its addresses answer, and the workers of one run share one stack."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.embedded import clickhouse, kafka, s3
from infra.embedded.addresses import Addresses, read_addresses, write_addresses
from tests.conftest import OUTSIDE
from tests.waiting import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("turn", range(4))
def test_addresses_answer(stack: Addresses, turn: int) -> None:
    assert turn in range(4)  # several turns, so that every worker of a run takes part
    assert kafka.answers(int(stack.kafka_bootstrap.rsplit(":", 1)[1]))
    assert clickhouse.answers(urlsplit(stack.clickhouse_url).port or 0)
    assert s3.answers(urlsplit(stack.s3_endpoint).port or 0)


def run_pytest(base: Path, *more: str, outside: Path | None = None) -> str:
    """Run the tests above in another pytest; returns what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment.pop(OUTSIDE, None)
    if outside is not None:
        environment[OUTSIDE] = str(outside)
    own = str(Path(__file__).relative_to(ROOT))
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "addresses_answer", own]
    done = subprocess.run(
        [*argv, "--basetemp", str(base), *more],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=150,
        check=False,
    )
    printed = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, printed
    return printed


def test_workers_of_one_run_share_one_stack_that_ends_with_the_run(tmp_path: Path) -> None:
    base = tmp_path / "base"
    assert "4 passed" in run_pytest(base, "-n", "2")
    # One supervisor in all wrote its log, and each engine was started once.
    started = (base / "stack" / "run" / "supervisor.log").read_text()
    assert len(list(base.rglob("supervisor.log"))) == 1
    assert started.count("is ready after") == 3
    wait_until(lambda: not list((base / "stack" / "run").glob("*.pid")), 30, "the end of the shared stack")


def test_an_outside_stack_is_used_and_none_is_started(stack: Addresses, tmp_path: Path) -> None:
    write_addresses(tmp_path / "ready.json", stack)
    assert read_addresses(tmp_path / "ready.json") == stack
    assert "4 passed" in run_pytest(tmp_path / "base", outside=tmp_path / "ready.json")
    assert not list((tmp_path / "base").rglob("supervisor.log"))

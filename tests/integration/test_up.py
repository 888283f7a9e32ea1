"""`spotclip up` as its user has it: everything is there when it says so, and nothing is left when it ends."""

import contextlib
import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.infra.embedded.processes import runs
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find every process"),
]

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 120
# A worker is given 30 s for the work it is at; these have none.
GONE_WITHIN_S = 60


def parents() -> dict[int, int]:
    """The parent of every process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            found[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
    return found


def descendants(pid: int) -> set[int]:
    """Every process that this one started, and those that they started."""
    known, found, last = parents(), {pid}, 0
    while len(found) > last:
        last = len(found)
        found |= {child for child, parent in known.items() if parent in found}
    return found - {pid}


def program(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@dataclass
class Up:
    """A running `spotclip up`.

    Attributes:
        ready: What its ready file holds.
        family: All processes that it started, found when it was ready.
    """

    process: "subprocess.Popen[str]"
    ready_file: Path
    ready: dict[str, Any]
    family: set[int]

    def left(self) -> list[str]:
        """What still runs of it."""
        found = []
        for pid in self.family:
            with contextlib.suppress(FileNotFoundError):
                if runs(pid):
                    found.append(f"{pid} {program(pid)}")
        return found


@contextlib.contextmanager
def up(data: Path, folder: Path) -> Iterator[Up]:
    """Start it and wait until it says that it is up."""
    ready_file, errors = folder / "ready.json", folder / "stderr.txt"
    command = [sys.executable, "-m", "infra.cli", "up", "--data", str(data), "--ready-file", str(ready_file), "--json"]
    with (
        errors.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT) as process,
    ):
        try:
            wait_until(lambda: ready_file.exists() or process.poll() is not None, READY_WITHIN_S, "it is up")
            assert process.poll() is None, errors.read_text()
            yield Up(process, ready_file, json.loads(ready_file.read_text()), descendants(process.pid))
        finally:
            process.kill()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory: the second start finds what the first one left."""
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture(scope="module")
def first(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A whole run, from its start to SIGTERM: its ready file's content."""
    with up(data, tmp_path_factory.mktemp("first")) as running:
        assert set(running.ready) == {"url", "admin_token", "pids"}
        assert stat.S_IMODE(running.ready_file.stat().st_mode) == 0o600
        assert running.process.stdout is not None
        assert json.loads(running.process.stdout.readline()) == running.ready
        answer = httpx.get(f"{running.ready['url']}/health/ready", timeout=10)
        assert answer.status_code == 200
        token = {"Authorization": f"Bearer {running.ready['admin_token']}"}
        made = httpx.post(f"{running.ready['url']}/admin/v1/orgs", json={"name": "A"}, headers=token, timeout=10)
        assert made.is_success, made.text
        pids = set(running.ready["pids"].values())
        assert all(runs(pid) for pid in pids)
        assert pids < running.family
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(GONE_WITHIN_S) == 0
        assert running.left() == []
        assert not running.ready_file.exists()
    return running.ready


def test_it_is_up_when_it_says_so_and_sigterm_leaves_nothing(first: dict[str, Any]) -> None:
    """Engines, API and a worker per role are named with their pids."""
    assert {"kafka", "clickhouse", "s3", "api"} < set(first["pids"])
    workers = {name for name in first["pids"] if name.startswith("worker-")}
    assert len(workers) == 4


def test_kill_9_leaves_nothing_and_a_later_start_goes_on(first: dict[str, Any], data: Path, tmp_path: Path) -> None:
    """The workers' own children end too; address and token are those of the first start."""
    with up(data, tmp_path) as running:
        assert (running.ready["url"], running.ready["admin_token"]) == (first["url"], first["admin_token"])
        children = [pid for pid in running.family if "multiprocessing" in program(pid)]
        assert children, "the workers' children are not among those that are looked at"
        running.process.kill()
        running.process.wait(10)
        wait_until(lambda: not running.left(), GONE_WITHIN_S, "everything has ended")

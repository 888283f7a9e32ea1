"""A directory has one owner, and none while programs of a killed one still run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.errors import EmbeddedError
from tests.infra.embedded.processes import runs
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]

# Owns a directory and guards a program that needs a while to stop.
OWNER = """
import signal, sys
from pathlib import Path
from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.guarded import GuardedProcess
folder = Path(sys.argv[1])
with DirectoryLock(folder) as lock:
    script = f"trap 'sleep {sys.argv[2]}; exit' TERM; touch {folder}/on; while :; do sleep 0.05; done"
    GuardedProcess(["/bin/sh", "-c", script],
        log=folder / "log", pid_file=folder / "pid", grace_s=20, keep_open=[lock.fileno()])
    signal.pause()
"""


def test_a_second_owner_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path), pytest.raises(EmbeddedError, match=f"is in use by process {os.getpid()}; stop"):
        DirectoryLock(tmp_path).acquire()


def test_a_released_directory_can_be_taken(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path / "new")
    lock.acquire()
    lock.release()
    lock.release()
    with DirectoryLock(tmp_path / "new"):
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_only_a_held_lock_has_a_descriptor(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="acquire it first"):
        DirectoryLock(tmp_path).fileno()


def kill_owner(folder: Path, stop_s: float) -> int:
    """Let an owner start a program that takes ``stop_s`` to stop, kill the owner, return the program's pid."""
    command = [sys.executable, "-c", OWNER, str(folder), str(stop_s)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}) as owner:
        wait_until(lambda: (folder / "on").exists() and (folder / "pid").exists(), 20, "an owner with its program")
        pid = int((folder / "pid").read_text())
        owner.kill()
    return pid


def test_a_new_owner_waits_for_the_programs_of_a_killed_one(tmp_path: Path) -> None:
    pid = kill_owner(tmp_path, stop_s=0.7)
    assert runs(pid)
    with DirectoryLock(tmp_path, leftover_s=20):
        assert not runs(pid)


def test_a_new_owner_does_not_wait_for_ever(tmp_path: Path) -> None:
    pid = kill_owner(tmp_path, stop_s=2)
    with pytest.raises(EmbeddedError, match="programs of an earlier run still use"):
        DirectoryLock(tmp_path, leftover_s=0.1).acquire()
    wait_until(lambda: not runs(pid), 20, "the end of the slow program")

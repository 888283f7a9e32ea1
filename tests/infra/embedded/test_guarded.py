"""A guarded program ends when it should, with all it started, however its parent ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.guarded import GuardedProcess
from tests.infra.embedded.processes import runs
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]

# Starts a child of its own, writes both pids, and ignores SIGTERM when told to.
FAMILY = """
import json, os, pathlib, signal, subprocess, sys
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('child', flush=True); signal.pause()"], stdout=subprocess.PIPE)
child.stdout.readline()
new = pathlib.Path(sys.argv[1] + ".new")
new.write_text(json.dumps([os.getpid(), child.pid]))
new.replace(sys.argv[1])
signal.pause()
"""

# A parent that guards a family and waits to be killed.
PARENT = """
import signal, sys
from pathlib import Path
from infra.embedded.guarded import GuardedProcess
folder = Path(sys.argv[1])
process = GuardedProcess([sys.executable, "-c", sys.argv[2], str(folder / "pids"), *sys.argv[3:]],
    log=folder / "log", pid_file=folder / "pid", grace_s=0.5)
(folder / "guardian").write_text(str(process.guardian_pid))
signal.pause()
"""


def guard(folder: Path, *argv: str, grace_s: float = 5) -> GuardedProcess:
    return GuardedProcess(argv, log=folder / "log", pid_file=folder / "pid", grace_s=grace_s)


def family_pids(folder: Path) -> list[int]:
    wait_until((folder / "pids").exists, 20, "a program with a child")
    pids: list[int] = json.loads((folder / "pids").read_text())
    return pids


@pytest.fixture
def killed_parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PARENT, str(tmp_path), FAMILY, "stubborn"]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as parent:
        yield parent
        parent.kill()


@pytest.mark.parametrize(("program", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_the_programs_exit_code_comes_through(tmp_path: Path, program: str, code: int) -> None:
    process = guard(tmp_path, "/bin/sh", "-c", program)
    assert process.wait(10) == code
    assert process.pid() is None
    process.end()


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    process = guard(tmp_path, "/bin/sh", "-c", "echo out; echo err >&2")
    process.wait(10)
    process.end()
    assert sorted((tmp_path / "log").read_text().split()) == ["err", "out"]


def test_end_lets_the_program_stop_by_itself_and_kills_what_it_left(tmp_path: Path) -> None:
    process = guard(tmp_path, sys.executable, "-c", FAMILY, str(tmp_path / "pids"))
    pids = family_pids(tmp_path)
    assert process.pid() == pids[0]
    process.end()
    wait_until(lambda: not any(runs(pid) for pid in pids), 5, "the end of the program and its child")
    assert process.exit_code() is not None
    process.end()


def test_end_right_after_the_start_is_not_missed(tmp_path: Path) -> None:
    # Whoever ignores SIGTERM hands that on: the guardian cannot hear the signal until it says otherwise.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        process = guard(tmp_path, "/bin/sleep", "60", grace_s=30)
        begun = time.monotonic()
        process.end()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert time.monotonic() - begun < 15
    assert process.pid() is None


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    process = guard(tmp_path, sys.executable, "-c", FAMILY, str(tmp_path / "pids"), "stubborn", grace_s=0.3)
    pids = family_pids(tmp_path)
    process.end()
    wait_until(lambda: not any(runs(pid) for pid in pids), 5, "the end of a stubborn program and its child")
    assert process.pid() is None


def test_nothing_is_left_when_the_parent_is_killed(tmp_path: Path, killed_parent: "subprocess.Popen[bytes]") -> None:
    pids = [*family_pids(tmp_path), int((tmp_path / "guardian").read_text())]
    assert all(runs(pid) for pid in pids)
    killed_parent.kill()
    wait_until(lambda: not any(runs(pid) for pid in pids), 10, "the end of an orphaned program and its child")


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_the_program_is_gone_when_parent_and_guardian_are_killed(
    tmp_path: Path, killed_parent: "subprocess.Popen[bytes]"
) -> None:
    program, child = family_pids(tmp_path)
    killed_parent.kill()
    os.kill(int((tmp_path / "guardian").read_text()), signal.SIGKILL)
    wait_until(lambda: not runs(program), 10, "the end of a program whose guardian was killed")
    os.kill(child, signal.SIGKILL)  # nobody is left to know of it: programs look after their own children


def test_the_environment_is_added_to(tmp_path: Path) -> None:
    process = GuardedProcess(
        ["/bin/sh", "-c", 'echo "$MINE:${PATH:+path}"'],
        log=tmp_path / "log",
        pid_file=tmp_path / "pid",
        grace_s=1,
        env={"MINE": "yes"},
    )
    process.wait(10)
    process.end()
    assert (tmp_path / "log").read_text() == "yes:path\n"

"""Several programs that run and end as one: `spotclip worker A B`."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.infra.embedded.processes import runs
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]
SOON_S = 10
# Each program writes its pid and then does what its name says; one that ends waits until all have begun.
_BEGIN = (
    "import os, pathlib, signal, sys, time\n"
    "pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\n"
    "begun = lambda: all(os.path.exists(file) and os.path.getsize(file) for file in sys.argv[2:])\n"
)
_ALL_BEGUN = "while not begun(): time.sleep(0.02)\n"
_PROGRAMS = {
    "runs": "signal.pause()",
    "is deaf": "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()",
    "succeeds": _ALL_BEGUN,
    "fails": _ALL_BEGUN + "sys.exit(3)",
    "is killed": _ALL_BEGUN + "os.kill(os.getpid(), signal.SIGKILL)",
}
# A shell starts what it puts into the background with Ctrl-C ignored; how the tests were started must not matter.
_TOGETHER = (
    "import json, signal, sys; from infra.cli.together import run_together; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); "
    "sys.exit(run_together(json.loads(sys.argv[1]), grace_s=float(sys.argv[2])))"
)


@contextmanager
def together(
    folder: Path, *names: str, grace_s: float = 60.0
) -> Iterator[tuple["subprocess.Popen[bytes]", list[Path]]]:
    """Runs programs as one; gives the process that started them, and the files that get their pids."""
    files = [folder / f"{number}.pid" for number in range(len(names))]
    programs = [
        [sys.executable, "-c", _BEGIN + _PROGRAMS[name], str(file), *map(str, files)]
        for name, file in zip(names, files, strict=True)
    ]
    command = [sys.executable, "-c", _TOGETHER, json.dumps(programs), str(grace_s)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield process, files
        finally:
            process.kill()


def pids(files: list[Path]) -> list[int]:
    """Of the programs, once all have begun."""
    wait_until(lambda: all(file.exists() and file.read_text() for file in files), SOON_S, "all programs run")
    return [int(file.read_text()) for file in files]


@pytest.mark.parametrize(("name", "code"), [("succeeds", 0), ("fails", 3), ("is killed", 128 + signal.SIGKILL)])
def test_one_that_ends_ends_the_others(tmp_path: Path, name: str, code: int) -> None:
    """Its exit code is that of all, so that whoever started them learns of it."""
    with together(tmp_path, "runs", name) as (process, files):
        assert process.wait(SOON_S) == code
        assert not [pid for pid in pids(files[:1]) if runs(pid)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_and_is_no_failure(tmp_path: Path, number: int) -> None:
    with together(tmp_path, "runs", "runs") as (process, files):
        started = pids(files)
        process.send_signal(number)
        assert process.wait(SOON_S) == 0
        assert not [pid for pid in started if runs(pid)]


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    with together(tmp_path, "is deaf", "runs", grace_s=0.3) as (process, files):
        started = pids(files)
        process.terminate()
        assert process.wait(SOON_S) == 0
        assert not [pid for pid in started if runs(pid)]

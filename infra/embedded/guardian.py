"""Runs one program and ends it when whoever asked for it is gone.

Started as ``python -I -S guardian.py GRACE_S PID_FILE PROGRAM [ARGUMENT ...]`` with a pipe as standard input that the
asker keeps open. The pipe closes however the asker ends, kill -9 too; then the program gets SIGTERM, and its whole
process group SIGKILL after GRACE_S seconds. SIGTERM to the guardian does the same. It ends with its exit code.

A pipe works on every POSIX system and does not care which thread started the program; Linux's parent-death signal
follows the thread. That signal is used one step below, where there is one thread only: if the guardian itself is
killed, so is the program (on Linux).

It imports nothing of the project, so that it starts in about 20 ms.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STDIN = 0


def _die_with(guardian: int) -> None:
    """Runs in the child between fork and exec."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guardian:  # it was killed before the signal was set
        os._exit(1)


def _spawn(argv: list[str]) -> "subprocess.Popen[bytes]":
    guardian = os.getpid()
    hook = (lambda: _die_with(guardian)) if sys.platform == "linux" else None
    # A hook is safe here: this process has one thread. S603: running the given program is its purpose.
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, preexec_fn=hook)  # noqa: S603, PLW1509


def _write_pid(path: Path, pid: int) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(f"{pid}\n", encoding="ascii")
    temporary.replace(path)


def main(arguments: list[str]) -> int:
    """Run the program until it ends or has to end; returns its exit code (128 + n when signal n ended it)."""
    grace_s, pid_file, argv = float(arguments[0]), Path(arguments[1]), arguments[2:]
    wake, wake_write = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    asked = False

    def ask(_number: int, _frame: object) -> None:
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # only to wake the select below
    child = _spawn(argv)
    _write_pid(pid_file, child.pid)
    alone = False
    kill_at: float | None = None
    while child.poll() is None:
        watched = [wake] if alone else [wake, _STDIN]
        timeout_s = None if kill_at is None else max(0.0, kill_at - time.monotonic())
        readable, _, _ = select.select(watched, [], [], timeout_s)
        if wake in readable:
            os.read(wake, 4096)
        if _STDIN in readable and not os.read(_STDIN, 4096):
            alone = True
        if (asked or alone) and kill_at is None:
            child.terminate()
            kill_at = time.monotonic() + grace_s
        elif kill_at is not None and time.monotonic() >= kill_at:
            pid_file.unlink(missing_ok=True)
            os.killpg(0, signal.SIGKILL)
    pid_file.unlink(missing_ok=True)
    if alone:
        # Nobody is left to look after what the program may have left in its group.
        os.killpg(0, signal.SIGKILL)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

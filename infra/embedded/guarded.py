"""Starts and ends programs under a guardian (see ``guardian.py``)."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from infra.embedded import guardian

_BACKSTOP_S = 3.0


class GuardedProcess:
    """A program that does not outlive this process, and can be ended with everything it started.

    It runs in a session of its own, so a Ctrl-C in the terminal reaches this process only. What it prints goes to a
    file: a pipe that nobody reads would stop it.

    Args:
        argv: the program and its arguments.
        log: file that standard output and error are appended to.
        pid_file: gets the program's pid while it runs.
        grace_s: seconds from SIGTERM to SIGKILL.
        env: environment variables on top of this process's.
        cwd: folder to run in; None for this process's.
        keep_open: descriptors that the guardian, not the program, holds open for as long as it lives.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        pid_file: Path,
        grace_s: float,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self._grace_s = grace_s
        self._ended = False
        self._pid_file = pid_file
        command = [sys.executable, "-I", "-S", guardian.__file__, str(grace_s), str(pid_file), *argv]
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the caller names the program
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
                pass_fds=tuple(keep_open),
            )

    @property
    def guardian_pid(self) -> int:
        """The guardian's pid, which is also the pid of the process group."""
        return self._process.pid

    def pid(self) -> int | None:
        """The program's own pid; None before it runs and after it ended."""
        try:
            return int(self._pid_file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the program's end; returns its exit code, or None when it still runs after ``timeout_s``."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End the program and whatever it left in its group; returns when they are gone. May be called again."""
        if self._ended:
            return  # the group's number may belong to others by now
        self._ended = True
        # The signal may come before the guardian listens for it; the closed pipe cannot be missed. A forked child of
        # this process may hold a copy of the pipe; the signal is not held up by that.
        if self._process.poll() is None:
            self._process.terminate()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.poll() is None and self.wait(self._grace_s + _BACKSTOP_S) is None:
            # The guardian kills the group after the grace; this is for a guardian that was stopped.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
            os.killpg(self._process.pid, signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)

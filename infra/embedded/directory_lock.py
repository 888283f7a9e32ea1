"""One owner per directory, also while the children of a killed owner are still ending."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.errors import EmbeddedError

_POLL_S = 0.05


class DirectoryLock:
    """An advisory lock on ``directory / "lock"``.

    Guardians inherit its descriptor, so it stays taken until the last program of a killed owner has ended. A new owner
    waits for those, and is refused at once when the owner lives.

    Args:
        directory: made (mode 700) if needed.
        leftover_s: how long to wait for the programs of an owner that is gone.
    """

    def __init__(self, directory: Path, *, leftover_s: float = 30.0) -> None:
        self._directory = directory
        self._leftover_s = leftover_s
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            EmbeddedError: another process owns the directory.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        self._descriptor = descriptor

    def _wait(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._leftover_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                owner = int(os.pread(descriptor, 32, 0) or b"0")
                if owner and process_runs(owner):
                    raise EmbeddedError(
                        f"{self._directory} is in use by process {owner}; stop that one or use another directory."
                    ) from error
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"programs of an earlier run still use {self._directory}; "
                        "see the pid files there, end them and start again."
                    ) from error
                time.sleep(_POLL_S)
            else:
                return

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def fileno(self) -> int:
        """The descriptor of the held lock."""
        if self._descriptor is None:
            raise EmbeddedError(f"the lock on {self._directory} is not held; acquire it first.")
        return self._descriptor

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def process_runs(pid: int) -> bool:
    """Whether there is a process with this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

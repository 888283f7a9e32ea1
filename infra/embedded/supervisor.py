"""Starts services in order, keeps them running, stops them in reverse, and leaves nothing behind."""

import datetime as dt
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.errors import EmbeddedError
from infra.embedded.guarded import GuardedProcess
from infra.embedded.ports import is_free
from infra.embedded.service import Service

MAX_RESTARTS = 5
# A service that ran this long is healthy: what went wrong before does not count against it any more.
STEADY_S = 600.0
_READY_POLL_S = 0.02
_WATCH_POLL_S = 0.1
_MAX_PAUSE_S = 5.0
_LOG_LIMIT_BYTES = 10_000_000
_TAIL_BYTES = 600


class Supervisor:
    """Runs a set of services as one.

    ``directory`` gets ``supervisor.log`` and a log and a pid file for each service. Independent services start at once.
    A service that ends by itself is started again, at most ``max_restarts`` times; then everything stops and
    ``failure`` says why.
    However this process ends, its services end too.

    Args:
        directory: for logs and pid files.
        services: needs refer to names among these; cycles and unknown names are refused.
        lock: the held lock of the data that the services use; it stays taken until the last of them is gone.
        pause_s: before the second restart; doubled for each further one, up to 5 s.
        max_restarts: of each service, within any time in which it never ran for ten minutes.
    """

    def __init__(
        self,
        directory: Path,
        services: Sequence[Service],
        lock: DirectoryLock,
        *,
        pause_s: float = 0.2,
        max_restarts: int = MAX_RESTARTS,
    ) -> None:
        _check(services)
        self._directory = directory
        self._lock = lock
        self.pause_s = pause_s
        self.max_restarts = max_restarts
        self._log_lock = threading.Lock()
        self._failure: str | None = None
        self._stopping = threading.Event()
        self._runners = {service.name: _Runner(service, self) for service in services}

    @property
    def failure(self) -> str | None:
        """Why everything was stopped; None while all is well."""
        return self._failure

    @property
    def stopping(self) -> threading.Event:
        """Set once the services are being stopped."""
        return self._stopping

    def start(self) -> None:
        """Start all services; returns when every one is ready.

        Raises:
            EmbeddedError: a service did not start; all are stopped again.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            for runner in self._runners.values():
                runner.start()
            for runner in self._runners.values():
                runner.settled.wait()
        except BaseException:
            self.stop()
            raise
        if self._failure is not None:
            self.stop()
            raise EmbeddedError(self._failure)

    def stop(self) -> None:
        """Stop all services, each after those that need it; returns when they are gone."""
        self._stopping.set()
        for runner in self._runners.values():
            if runner.ident is not None:
                runner.join()

    def wait(self, timeout_s: float | None = None) -> None:
        """Block while the services run, at most ``timeout_s``.

        Raises:
            EmbeddedError: a service kept ending; everything was stopped.
        """
        if self._stopping.wait(timeout_s) and self._failure is not None:
            self.stop()
            raise EmbeddedError(self._failure)

    def pids(self) -> dict[str, int]:
        """Pids of the running programs by service name."""
        found = {name: runner.pid() for name, runner in self._runners.items()}
        return {name: pid for name, pid in found.items() if pid is not None}

    def guardian_pids(self) -> dict[str, int]:
        """Pids of the guardians of the running programs by service name."""
        found = {name: runner.guardian_pid() for name, runner in self._runners.items()}
        return {name: pid for name, pid in found.items() if pid is not None}

    def log_path(self, name: str) -> Path:
        """The log file of a service."""
        return self._directory / f"{name}.log"

    def pid_path(self, name: str) -> Path:
        """The pid file of a service."""
        return self._directory / f"{name}.pid"

    def keep_open(self) -> tuple[int, ...]:
        """Descriptors that guardians hold."""
        return (self._lock.fileno(),)

    def dependents(self, name: str) -> "list[_Runner]":
        """Runners of the services that need ``name``."""
        return [runner for runner in self._runners.values() if name in runner.service.needs]

    def runner(self, name: str) -> "_Runner":
        """The runner of a service."""
        return self._runners[name]

    def fail(self, sentence: str) -> None:
        """Stop everything because of ``sentence``; the first reason is kept."""
        with self._log_lock:
            if self._failure is None and not self._stopping.is_set():
                self._failure = sentence
        self.note(sentence)
        self._stopping.set()

    def note(self, line: str) -> None:
        """Append a line to the supervisor's own log; a full disk does not stop the services."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        path = self._directory / "supervisor.log"
        with self._log_lock, suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(f"{now} {line}\n")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Runner(threading.Thread):
    """Owns one service from its first start to its end."""

    def __init__(self, service: Service, supervisor: Supervisor) -> None:
        super().__init__(name=f"supervise-{service.name}", daemon=True)
        self.service = service
        self.settled = threading.Event()  # ready, or will never be
        self.ended = threading.Event()
        self._supervisor = supervisor
        self._process: GuardedProcess | None = None
        self._started_at = 0.0

    def pid(self) -> int | None:
        return self._process.pid() if self._process else None

    def guardian_pid(self) -> int | None:
        process = self._process
        return process.guardian_pid if process and process.exit_code() is None else None

    def run(self) -> None:
        stopping = self._supervisor.stopping
        try:
            for need in self.service.needs:
                self._supervisor.runner(need).settled.wait()
            if not stopping.is_set():
                self._begin()
                self.settled.set()
                self._watch()
        except EmbeddedError as error:
            self._supervisor.fail(str(error))
        except OSError as error:
            self._supervisor.fail(f"{self.service.name} could not be started: {error}.")
        finally:
            if not stopping.is_set():
                # An error that nobody foresaw; Python prints it, and the others do not go on half alive.
                self._supervisor.fail(f"{self.service.name} is no longer supervised; see the traceback.")
            self.settled.set()
            for dependent in self._supervisor.dependents(self.service.name):
                dependent.ended.wait()
            if self._process is not None:
                self._process.end()
            self.ended.set()

    def _begin(self) -> None:
        """Start the program and wait until it is ready (or everything is being stopped)."""
        service = self.service
        for port in service.ports:
            if not is_free(port):
                raise EmbeddedError(
                    f"{service.name} needs port {port}, which is taken; stop the program there or choose another port."
                )
        log = self._supervisor.log_path(service.name)
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        service.before(log)
        if self._supervisor.stopping.is_set():
            return  # what came before took a while
        self._started_at = time.monotonic()
        process = GuardedProcess(
            service.argv,
            log=log,
            pid_file=self._supervisor.pid_path(service.name),
            grace_s=service.grace_s,
            env=service.env,
            cwd=service.cwd,
            keep_open=self._supervisor.keep_open(),
        )
        self._process = process
        deadline = self._started_at + service.ready_within_s
        while not self._supervisor.stopping.is_set() and not service.ready():
            code = process.exit_code()
            if code is not None:
                raise EmbeddedError(f"{service.name} ended with code {code} at its start; {_hint(log)}")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{service.name} was not ready within {service.ready_within_s:g} s; {_hint(log)}")
            self._supervisor.stopping.wait(_READY_POLL_S)
        if self._supervisor.stopping.is_set():
            return
        self._supervisor.note(f"{service.name} is ready after {time.monotonic() - self._started_at:.2f} s")

    def _watch(self) -> None:
        """Start the service again when it ends by itself."""
        restarts, most = 0, self._supervisor.max_restarts
        while not self._supervisor.stopping.wait(_WATCH_POLL_S):
            code = self._process.exit_code() if self._process else None
            if code is None:
                continue
            if time.monotonic() - self._started_at > STEADY_S:
                restarts = 0
            log = self._supervisor.log_path(self.service.name)
            if restarts == most:
                raise EmbeddedError(f"{self.service.name} ended {most + 1} times, last with code {code}; {_hint(log)}")
            restarts += 1
            self._supervisor.note(f"{self.service.name} ended with code {code}; restart {restarts} of {most}")
            if self._process is not None:
                self._process.end()
            # The first one at once, then slower: what it misses may need a moment.
            pause_s = 0.0 if restarts == 1 else min(_MAX_PAUSE_S, self._supervisor.pause_s * 2 ** (restarts - 2))
            if not self._supervisor.stopping.wait(pause_s):
                self._begin_again()

    def _begin_again(self) -> None:
        """A start that fails counts like a service that ended; only the watch gives up."""
        try:
            self._begin()
        except EmbeddedError as error:
            self._supervisor.note(str(error))
            if self._process is not None:
                self._process.end()


def _hint(log: Path) -> str:
    """Where to look, with the last words of the log."""
    tail = b""
    with suppress(FileNotFoundError):
        tail = log.read_bytes()[-_TAIL_BYTES:]
    return f"see {log}, which ends with: {tail.decode(errors='replace').strip()!r}"


def _check(services: Sequence[Service]) -> None:
    started: set[str] = set()
    names = [service.name for service in services]
    if len(set(names)) != len(names):
        raise EmbeddedError(f"two services share a name among {sorted(names)}; name each differently.")
    waiting = list(services)
    while waiting:
        able = [service for service in waiting if started.issuperset(service.needs)]
        if not able:
            stuck = sorted(service.name for service in waiting)
            raise EmbeddedError(f"services {stuck} need each other or one that is not there; correct their needs.")
        started.update(service.name for service in able)
        waiting = [service for service in waiting if service not in able]

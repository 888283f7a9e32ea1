"""Order, readiness, restarts and ends of supervised services. The services are small shell programs."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.errors import EmbeddedError
from infra.embedded.service import Service
from infra.embedded.supervisor import MAX_RESTARTS, Supervisor
from tests.infra.embedded.processes import runs
from tests.waiting import wait_until

Make = Callable[..., Supervisor]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with DirectoryLock(tmp_path) as lock:
        made: list[Supervisor] = []

        def build(*services: Service, max_restarts: int = MAX_RESTARTS) -> Supervisor:
            made.append(Supervisor(tmp_path, services, lock, pause_s=0.01, max_restarts=max_restarts))
            return made[-1]

        yield build
        for supervisor in made:
            supervisor.stop()


def steady(folder: Path, name: str, *needs: str, start_s: float = 0.0) -> Service:
    """Runs until SIGTERM; appends to ``events`` when it is ready and when it stops."""
    events = folder / "events"
    script = (
        f"trap 'echo {name} stopped >> {events}; exit 0' TERM; sleep {start_s}; "
        f"echo {name} ready >> {events}; touch {folder}/{name}.on; while :; do sleep 0.02; done"
    )
    return Service(
        name=name,
        argv=["/bin/sh", "-c", script],
        ready=(folder / f"{name}.on").exists,
        needs=needs,
        ready_within_s=20,
        grace_s=5,
    )


def events(folder: Path) -> list[str]:
    return (folder / "events").read_text().splitlines()


def notes(folder: Path) -> str:
    return (folder / "supervisor.log").read_text()


def test_a_service_starts_after_what_it_needs_and_stops_before_it(tmp_path: Path, make: Make) -> None:
    supervisor = make(steady(tmp_path, "web", "store"), steady(tmp_path, "store", start_s=0.2))
    supervisor.start()
    supervisor.stop()
    assert events(tmp_path) == ["store ready", "web ready", "web stopped", "store stopped"]


def test_independent_services_start_at_once(tmp_path: Path, make: Make) -> None:
    begun: dict[str, float] = {}

    def watched(name: str) -> Service:
        plain = steady(tmp_path, name, start_s=0.5)
        return Service(
            name=name,
            argv=plain.argv,
            ready=plain.ready,
            before=lambda _log: begun.update({name: time.monotonic()}),
        )

    make(watched("one"), watched("two")).start()
    # Each takes half a second to be ready, so one after the other would be that far apart.
    assert abs(begun["one"] - begun["two"]) < 0.4


def test_logs_and_pid_files_lie_in_the_directory(tmp_path: Path, make: Make) -> None:
    supervisor = make(steady(tmp_path, "one"))
    supervisor.start()
    pids = supervisor.pids()
    assert int((tmp_path / "one.pid").read_text()) == pids["one"]
    assert (tmp_path / "one.log").exists()
    assert "one is ready after" in notes(tmp_path)
    supervisor.stop()
    assert not (tmp_path / "one.pid").exists()
    assert not runs(pids["one"])


def test_a_killed_service_is_started_again(tmp_path: Path, make: Make) -> None:
    supervisor = make(steady(tmp_path, "one"))
    supervisor.start()
    first = supervisor.pids()["one"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: supervisor.pids().get("one", first) != first, 10, "another process")
    wait_until(lambda: "one ended with code 137; restart 1 of 5" in notes(tmp_path), 5, "a note")
    assert supervisor.failure is None


def test_a_killed_guardian_takes_its_service_along_and_both_come_back(tmp_path: Path, make: Make) -> None:
    supervisor = make(steady(tmp_path, "one"))
    supervisor.start()
    first = supervisor.pids()["one"]
    os.kill(supervisor.guardian_pids()["one"], signal.SIGKILL)
    wait_until(lambda: not runs(first), 10, "the end of the first process")
    wait_until(lambda: supervisor.pids().get("one", first) != first, 10, "another process")


def test_after_five_restarts_everything_stops_with_a_sentence(tmp_path: Path, make: Make) -> None:
    flag = tmp_path / "started"
    ends = Service(
        name="ends",
        argv=["/bin/sh", "-c", f"echo once more; touch {flag}; sleep 0.1; exit 3"],
        ready=flag.exists,
        ready_within_s=10,
    )
    supervisor = make(steady(tmp_path, "other"), ends)
    supervisor.start()
    with pytest.raises(EmbeddedError, match=r"^ends ended 6 times, last with code 3; see .*ends.log, .*once more"):
        supervisor.wait(60)
    assert (tmp_path / "ends.log").read_text().count("once more") == MAX_RESTARTS + 1
    assert events(tmp_path)[-1] == "other stopped"
    assert supervisor.pids() == {}


def test_who_allows_fewer_restarts_gets_fewer(tmp_path: Path, make: Make) -> None:
    flag = tmp_path / "started"
    ends = Service(name="ends", argv=["/bin/sh", "-c", f"touch {flag}; sleep 0.1; exit 3"], ready=flag.exists)
    supervisor = make(ends, max_restarts=1)
    supervisor.start()
    with pytest.raises(EmbeddedError, match=r"^ends ended 2 times"):
        supervisor.wait(60)


def test_a_service_that_ends_at_its_start_stops_the_others(tmp_path: Path, make: Make) -> None:
    broken = Service(name="broken", argv=["/bin/sh", "-c", "echo no such thing; exit 4"], ready=lambda: False)
    supervisor = make(steady(tmp_path, "other"), broken)
    with pytest.raises(EmbeddedError, match=r"^broken ended with code 4 at its start; .*'no such thing'$"):
        supervisor.start()
    assert supervisor.pids() == {}


def test_a_service_that_is_not_ready_in_time_is_named(make: Make) -> None:
    slow = Service(name="slow", argv=["/bin/sleep", "30"], ready=lambda: False, ready_within_s=0.2)
    with pytest.raises(EmbeddedError, match=r"^slow was not ready within 0.2 s; see "):
        make(slow).start()


def test_a_program_that_is_not_there_is_named(make: Make) -> None:
    missing = Service(name="missing", argv=["/no/such/program"], ready=lambda: False)
    with pytest.raises(EmbeddedError, match=r"^missing ended with code 1 at its start; .*No such file"):
        make(missing).start()


def test_nothing_is_started_once_everything_stops(tmp_path: Path, make: Make) -> None:
    late = Service(
        name="late",
        argv=["/bin/sh", "-c", f"touch {tmp_path}/ran"],
        ready=lambda: True,
        before=lambda _log: supervisor.stopping.set(),
    )
    supervisor = make(late)
    supervisor.start()
    supervisor.stop()
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "supervisor.log").exists()


def test_a_taken_port_is_named_before_the_program_runs(tmp_path: Path, make: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        service = Service(
            name="web", argv=["/bin/sh", "-c", f"touch {tmp_path}/ran"], ready=lambda: True, ports=(port,)
        )
        with pytest.raises(EmbeddedError, match=f"^web needs port {port}, which is taken; stop the program there"):
            make(service).start()
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_nobody_foresaw_stops_everything(tmp_path: Path, make: Make) -> None:
    def ready() -> bool:
        raise ZeroDivisionError

    broken = Service(name="broken", argv=["/bin/sleep", "30"], ready=ready)
    supervisor = make(steady(tmp_path, "other"), broken)
    with pytest.raises(EmbeddedError, match="broken is no longer supervised"):
        supervisor.start()
    assert supervisor.pids() == {}


@pytest.mark.parametrize(
    "needs", [{"a": ("b",), "b": ("a",)}, {"a": ("nobody",)}, {"a": ("a",)}], ids=["circle", "unknown", "itself"]
)
def test_needs_that_cannot_be_met_are_refused(tmp_path: Path, make: Make, needs: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(EmbeddedError, match="correct their needs"):
        make(*(steady(tmp_path, name, *others) for name, others in needs.items()))


def test_two_services_of_one_name_are_refused(tmp_path: Path, make: Make) -> None:
    with pytest.raises(EmbeddedError, match="name each differently"):
        make(steady(tmp_path, "same"), steady(tmp_path, "same"))


def test_a_big_log_is_put_aside_at_the_next_start(tmp_path: Path, make: Make) -> None:
    (tmp_path / "one.log").write_bytes(b"x" * 10_000_001)
    make(steady(tmp_path, "one")).start()
    assert (tmp_path / "one.log").stat().st_size == 0
    assert (tmp_path / "one.log.1").stat().st_size == 10_000_001

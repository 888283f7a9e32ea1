"""A whole system on engines of its own, whose workers, API and engines a test may kill."""

import os
import secrets
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any

import httpx

from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.ports import free_port
from infra.embedded.service import Service
from infra.embedded.stack import EmbeddedStack
from infra.embedded.supervisor import Supervisor
from infra.local import Deployment, api_service, environment_of, worker_service
from infra.provision import provision
from infra.settings import Settings
from schemas.videos import VideoRecord, VideoState
from streams.flow import Role
from tests.integration.conftest import Event, System, make_event, new_client
from tests.integration.kills.end_states import EndStates
from tests.integration.kills.log import Log
from tests.integration.kills.orders import Orders
from tests.waiting import wait_until

ENDS_WITHIN_S = 60.0
# Its restart and the broker's, one after the other, on a busy machine.
QUIET_WITHIN_S = 60.0
# Two of them: one alone would hide clients that place keys apart.
LEDGER_SLOTS, ONE_SLOT = ("0", "1"), ("0",)
MANY_RESTARTS = 1_000
# One child each: a restart loads the models as often as there are children. And a watchdog that is soon there.
SMALL_AND_SWIFT = {
    **{f"SPOTCLIP_{kind}_WORKERS": "1" for kind in ("SELFIE", "INDEX", "RENDER")},
    "SPOTCLIP_WATCHDOG_INTERVAL_S": "2",
}


@dataclass(frozen=True, kw_only=True)
class Killable:
    """The running system, and the test's hand on it."""

    system: System
    engines: EmbeddedStack
    orders: Orders
    log: Log
    ends: EndStates
    folder: Path
    lock: DirectoryLock
    supervisors: dict[str, Supervisor] = field(default_factory=dict)

    def supervise(self, name: str, *services: Service) -> Supervisor:
        """Have these services run, and come back at once when they are killed, until they are stopped."""
        supervisor = Supervisor(self.folder / "run", services, self.lock, pause_s=0.0, max_restarts=MANY_RESTARTS)
        self.supervisors[name] = supervisor
        supervisor.start()
        return supervisor

    def start_roles(self, *roles: Role, **changes: str) -> None:
        """Start the workers of these roles side by side; they take the test's orders. `changes`: other settings."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(partial(self._start_role, changes), roles))

    def _start_role(self, changes: dict[str, str], role: Role) -> None:
        slots = LEDGER_SLOTS if role is Role.LEDGER else ONE_SLOT
        self.supervise(role, *(self._worker(role, slot, changes) for slot in slots))

    def start_another(self, role: Role, slot: str, **changes: str) -> str:
        """Start a worker beside those of its role; returns the name to stop it by."""
        name = f"{role}-{slot}"
        self.supervise(name, self._worker(role, slot, changes))
        return name

    def _worker(self, role: Role, slot: str, changes: dict[str, str]) -> Service:
        program = (sys.executable, "-m", "tests.integration.kills.worker", str(self.orders.folder))
        environment = self.system.environment | changes
        return worker_service(role, environment, self.folder / "run", slot=slot, program=program)

    def stop(self, *names: str) -> None:
        for name in names:
            self.supervisors.pop(name).stop()

    def stop_all(self) -> None:
        """Stop all but the engines."""
        self.stop(*self.supervisors)

    def kill_api(self) -> int:
        """End the API process at once; returns its pid."""
        pid = self.api_pid()
        os.kill(pid, signal.SIGKILL)
        return pid

    def api_pid(self) -> int:
        return self.supervisors["api"].pids()["api"]

    def wait_for_generation(self, event: Event, key: str, generation: int) -> VideoRecord:
        """Wait until this generation of a source is indexed and seen."""

        def seen() -> bool:
            record = self.ends.video(event, key)
            return record.active_generation == generation and record.state is VideoState.INDEXED

        wait_until(seen, ENDS_WITHIN_S, f"generation {generation} of {key} is seen")
        return self.ends.video(event, key)

    def wait_for_removal(self, event: Event, key: str) -> VideoRecord:
        """Wait until a source is deleted and that is told."""

        def removed() -> bool:
            removal = self.ends.video(event, key).removal
            return removal is not None and not removal.under_way

        wait_until(removed, ENDS_WITHIN_S, f"{key} is removed")
        return self.ends.video(event, key)

    def settle(self) -> None:
        """Wait until everything that was sent is finished and committed, what was repeated included."""
        wait_until(self.log.quiet, QUIET_WITHIN_S, "all sources committed to their ends")


def _data(ask: Callable[[], httpx.Response], *, outage: bool) -> dict[str, Any]:
    """The data of an answer; in an outage there may be none, or a 500."""
    try:
        answer = ask()
    except httpx.TransportError:
        if outage:
            return {}
        raise
    assert answer.status_code == 200 or (outage and answer.status_code == 500), answer.text
    data: dict[str, Any] | None = answer.json()["data"]
    return data or {}


def start_search(event: Event, selfie: bytes) -> str:
    """The id of a search that was accepted."""
    request_id = str(uuid.uuid4())
    answer = event.post(selfie, request_id)
    assert answer.status_code == 200, answer.text
    return request_id


def wait_for_search(event: Event, request_id: str, *, outage: bool = False) -> None:
    """Wait until it has ended; `outage`: the API or what it needs was killed."""

    def ended() -> bool:
        data = _data(lambda: event.get(request_id), outage=outage)
        return bool(data) and data["status"] != "processing"

    wait_until(ended, ENDS_WITHIN_S, f"search {request_id} ends")


def start_video(event: Event, key: str, film: Path) -> None:
    answer = event.system.admin("PUT", f"/events/{event.event_id}/videos/{key}", content=film.read_bytes())
    assert answer.status_code == 202, answer.text


def film_twice(killable: Killable, film: Path) -> Event:
    """A new event with the film as "a" and as "b", indexed."""
    event = make_event(killable.system)
    for key in ("a", "b"):
        start_video(event, key, film)
    for key in ("a", "b"):
        wait_for_video(event, key)
    return event


def start_reindex(event: Event, key: str) -> None:
    answer = event.system.admin("POST", f"/events/{event.event_id}/videos/{key}/reindex")
    assert answer.status_code == 202, answer.text


def start_deletion(event: Event, key: str) -> None:
    answer = event.system.admin("DELETE", f"/events/{event.event_id}/videos/{key}")
    assert answer.status_code == 202, answer.text


def wait_for_video(event: Event, key: str, *, outage: bool = False, within_s: float = ENDS_WITHIN_S) -> None:
    """As `wait_for_search`, for a video."""

    def ended() -> bool:
        place = f"/events/{event.event_id}/videos/{key}"
        return _data(lambda: event.system.admin("GET", place), outage=outage).get("state") in ("indexed", "failed")

    wait_until(ended, within_s, f"{key} is indexed")


@contextmanager
def run_killable(folder: Path, stack_cache: Path) -> Iterator[Killable]:
    """Engines, API, two ledger workers and one worker of each other role."""
    with ExitStack() as opened:
        engines = opened.enter_context(EmbeddedStack(folder / "engines", stack_cache, max_restarts=MANY_RESTARTS))
        deployment = Deployment(
            secret=secrets.token_hex(32), admin_token=secrets.token_urlsafe(32), port=free_port(SystemRandom())
        )
        environment = environment_of(engines.addresses, deployment, folder / "parts", stack_cache) | SMALL_AND_SWIFT
        settings = Settings.from_environment(environment)
        provision(settings)
        orders = Orders(folder / "orders")
        orders.folder.mkdir()
        lock = opened.enter_context(DirectoryLock(folder))
        log = Log.of(settings)
        opened.callback(log.reader.close)
        killable = Killable(
            system=System(
                url=f"http://127.0.0.1:{deployment.port}",
                admin_token=deployment.admin_token,
                environment=environment,
                client=opened.enter_context(new_client()),
            ),
            engines=engines,
            orders=orders,
            log=log,
            ends=EndStates(settings, log),
            folder=folder,
            lock=lock,
        )
        opened.callback(killable.stop_all)
        with ThreadPoolExecutor() as pool:
            api = pool.submit(killable.supervise, "api", api_service(environment, deployment.port))
            killable.start_roles(*Role)
            api.result()
        yield killable

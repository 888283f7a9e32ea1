"""A whole system on engines of its own, whose workers, API and engines a test may kill."""

import os
import secrets
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

import httpx
import platformdirs

from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.ports import free_port
from infra.embedded.service import Service
from infra.embedded.stack import EmbeddedStack
from infra.embedded.supervisor import Supervisor
from infra.local import Deployment, api_service, environment_of, worker_service
from infra.provision import provision
from infra.settings import Settings
from streams.flow import Role
from tests.integration.conftest import Event, System
from tests.integration.kills.end_states import EndStates
from tests.integration.kills.log import Log
from tests.integration.kills.orders import Orders
from tests.waiting import wait_until

ENDS_WITHIN_S = 60.0
# Its restart and the broker's, one after the other, on a busy machine.
QUIET_WITHIN_S = 60.0
# Two of them: one alone would hide clients that place keys apart.
LEDGER_SLOTS = ("0", "1")
MANY_RESTARTS = 1_000
# One child each: a restart loads the models as often as there are children.
FEW_CHILDREN = {f"SPOTCLIP_{kind}_WORKERS": "1" for kind in ("SELFIE", "INDEX", "RENDER")}


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

    def start(self, name: str, *services: Service) -> Supervisor:
        """Have these services run and come back at once when they are killed, until they are stopped."""
        supervisor = Supervisor(self.folder / "run", services, self.lock, pause_s=0.0, max_restarts=MANY_RESTARTS)
        supervisor.start()
        self.supervisors[name] = supervisor
        return supervisor

    def stop(self, name: str) -> None:
        self.supervisors.pop(name).stop()

    def stop_all(self) -> None:
        """Stop all but the API and the engines."""
        for name in list(self.supervisors):
            self.stop(name)

    def start_role(self, role: Role, *slots: str) -> None:
        """Start the role's workers, each of which takes the test's orders."""
        program = (sys.executable, "-m", "tests.integration.kills.worker", str(self.orders.folder))
        environment = self.system.environment
        places = slots or ("0",)
        self.start(
            role,
            *(worker_service(role, environment, self.folder / "run", slot=slot, program=program) for slot in places),
        )

    def kill_api(self) -> int:
        """End the API process at once; returns its pid."""
        pid = self.system.supervisor.pids()["api"]
        os.kill(pid, signal.SIGKILL)
        return pid

    def settle(self) -> None:
        """Wait until everything that was sent is finished and committed, what was repeated included."""
        wait_until(self.log.quiet, QUIET_WITHIN_S, "all sources committed to their ends")


def ended(event: Event, request_id: str) -> bool:
    """Whether the search has ended; an API that is away, or has no log to look at, does not say so."""
    try:
        answer = event.get(request_id)
    except httpx.TransportError:
        return False
    assert answer.status_code in (200, 500), answer.text
    return answer.status_code == 200 and answer.json()["data"]["status"] != "processing"


def start_search(event: Event, selfie: bytes) -> str:
    """The id of a search that was accepted."""
    request_id = str(uuid.uuid4())
    answer = event.post(selfie, request_id)
    assert answer.status_code == 200, answer.text
    return request_id


def wait_for_search(event: Event, request_id: str) -> None:
    wait_until(lambda: ended(event, request_id), ENDS_WITHIN_S, f"search {request_id} ends")


def start_video(event: Event, key: str, film: Path) -> None:
    answer = event.system.admin("PUT", f"/events/{event.event_id}/videos/{key}", content=film.read_bytes())
    assert answer.status_code == 202, answer.text


def wait_for_video(event: Event, key: str) -> None:
    def indexed() -> bool:
        try:
            answer = event.system.admin("GET", f"/events/{event.event_id}/videos/{key}")
        except httpx.TransportError:
            return False
        assert answer.status_code in (200, 500), answer.text
        return answer.status_code == 200 and answer.json()["data"]["state"] in ("indexed", "failed")

    wait_until(indexed, ENDS_WITHIN_S, f"{key} is indexed")


@contextmanager
def run_killable(folder: Path, stack_cache: Path) -> Iterator[Killable]:
    """Engines, API, two ledger workers and one worker of each other role."""
    with ExitStack() as opened:
        engines = opened.enter_context(EmbeddedStack(folder / "engines", stack_cache))
        deployment = Deployment(
            secret=secrets.token_hex(32), admin_token=secrets.token_urlsafe(32), port=free_port(SystemRandom())
        )
        cache = platformdirs.user_cache_path("spotclip")
        environment = environment_of(engines.addresses, deployment, folder / "parts", cache) | FEW_CHILDREN
        settings = Settings.from_environment(environment)
        provision(settings)
        orders = Orders(folder / "orders")
        orders.folder.mkdir()
        lock = opened.enter_context(DirectoryLock(folder))
        log = Log.of(settings)
        opened.callback(log.reader.close)
        api = Supervisor(
            folder / "run",
            [api_service(environment, deployment.port)],
            lock,
            pause_s=0.0,
            max_restarts=MANY_RESTARTS,
        )
        opened.enter_context(api)
        killable = Killable(
            system=System(
                url=f"http://127.0.0.1:{deployment.port}",
                admin_token=deployment.admin_token,
                environment=environment,
                supervisor=api,
            ),
            engines=engines,
            orders=orders,
            log=log,
            ends=EndStates(settings, log),
            folder=folder,
            lock=lock,
        )
        opened.callback(killable.stop_all)
        killable.start_role(Role.LEDGER, *LEDGER_SLOTS)
        for role in (Role.MATCH, Role.INDEX, Role.RENDER):
            killable.start_role(role)
        yield killable

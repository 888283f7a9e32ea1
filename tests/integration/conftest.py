"""A running Spotclip over whatever stack `stack` names: the tests here take only its addresses."""

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Any

import httpx
import pytest

from infra.demo_media import Race, find_media
from infra.embedded.addresses import Addresses
from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.ports import free_port
from infra.embedded.supervisor import Supervisor
from infra.local import Deployment, environment_of, part_services
from infra.provision import provision
from infra.settings import Settings
from tests.media import shared_folder, shared_race
from tests.waiting import wait_until

ENDS_WITHIN_S = 90.0


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them need the engines, and share one running system, so one test process runs them."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.engines)
            item.add_marker(pytest.mark.xdist_group("system"))


@dataclass(frozen=True, kw_only=True)
class System:
    """A running system of its own namespace. `client` is kept: making one for a request takes 25 ms of processor."""

    url: str
    admin_token: str
    environment: dict[str, str] = field(repr=False)
    client: httpx.Client

    def admin(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.admin_token}"}
        return self.client.request(method, f"{self.url}/admin/v1{path}", headers=headers, **request)


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event of an organisation of its own, seen as its partner sees it."""

    system: System
    org_id: int
    event_id: int
    api_key: str = field(repr=False)

    @property
    def base(self) -> str:
        return f"{self.system.url}/api/v1/ext/{self.org_id}/event/{self.event_id}"

    def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"X-API-Key": self.api_key, **request.pop("headers", {})}
        return self.system.client.request(method, self.base + path, headers=headers, **request)

    def put_video(self, key: str, path: Path) -> dict[str, Any]:
        """Upload and wait until it is indexed or has failed."""
        place = f"/events/{self.event_id}/videos/{key}"
        answer = self.system.admin("PUT", place, content=path.read_bytes())
        assert answer.status_code == 202, answer.text

        def video() -> dict[str, Any]:
            data: dict[str, Any] = self.system.admin("GET", place).json()["data"]
            return data

        wait_until(lambda: video()["state"] in ("indexed", "failed"), ENDS_WITHIN_S, f"{key} is indexed")
        return video()

    def post(self, selfie: bytes | None, request_id: str | None = None) -> httpx.Response:
        files = {} if selfie is None else {"file": ("selfie.jpg", selfie)}
        data = {"request_id": request_id} if request_id else {}
        return self.request("POST", "/video-clipping/search-by-selfie", files=files or None, data=data)

    def get(self, request_id: str) -> httpx.Response:
        return self.request("GET", f"/video-clipping/{request_id}")

    def result(self, request_id: str) -> dict[str, Any]:
        """Wait until the search has ended."""

        def data() -> dict[str, Any]:
            answer = self.get(request_id)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()["data"]
            return found

        wait_until(lambda: data()["status"] != "processing", ENDS_WITHIN_S, f"search {request_id} ends")
        return data()

    def search(self, selfie: bytes) -> dict[str, Any]:
        """The whole job of a selfie."""
        request_id = str(uuid.uuid4())
        answer = self.post(selfie, request_id)
        assert answer.status_code == 200, answer.text
        return self.result(request_id)


def make_event(system: System, **fields: Any) -> Event:
    """A new organisation with a key and an event; `fields` as the admin route takes them."""
    org_id = system.admin("POST", "/orgs", json={"name": "Harriers"}).json()["data"]["org_id"]
    api_key = system.admin("POST", f"/orgs/{org_id}/keys", json={}).json()["data"]["api_key"]
    body = {"event_name": "Autumn Run", **fields}
    answer = system.admin("POST", f"/orgs/{org_id}/events", json=body)
    assert answer.status_code in (200, 201), answer.text
    return Event(system=system, org_id=org_id, event_id=answer.json()["data"]["event_id"], api_key=api_key)


def new_client() -> httpx.Client:
    """For tests; gives up a connection before the server does."""
    return httpx.Client(timeout=60, limits=httpx.Limits(keepalive_expiry=2))


@pytest.fixture(scope="session")
def system(stack: Addresses, stack_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """API and workers over the stack, in a namespace that nobody else uses."""
    folder = tmp_path_factory.mktemp("system")
    deployment = Deployment(
        secret=secrets.token_hex(32),
        admin_token=secrets.token_urlsafe(32),
        port=free_port(SystemRandom()),
        namespace=f"it-{secrets.token_hex(4)}",
    )
    environment = environment_of(stack, deployment, folder / "parts", stack_cache)
    provision(Settings.from_environment(environment))
    services = part_services(environment, deployment.port, folder / "run")
    with DirectoryLock(folder) as lock, Supervisor(folder / "run", services, lock), new_client() as client:
        yield System(
            url=f"http://127.0.0.1:{deployment.port}",
            admin_token=deployment.admin_token,
            environment=environment,
            client=client,
        )


@pytest.fixture(scope="session")
def race(tmp_path_factory: pytest.TempPathFactory) -> Race:
    return shared_race(shared_folder(tmp_path_factory))


@pytest.fixture(scope="session")
def man() -> bytes:
    """The selfie of the man of the race."""
    return find_media("single_face.jpg").read_bytes()


@pytest.fixture(scope="session")
def event(system: System, race: Race) -> Event:
    """An event with all the footage, indexed."""
    event = make_event(system)
    for name in ("face_noface.mov", "noface_face.mov", "no_face.mp4"):
        assert event.put_video(name, find_media(name))["state"] == "indexed"
    assert event.put_video("race", race.path)["state"] == "indexed"
    return event

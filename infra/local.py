"""The whole system on one machine: the embedded engines, the API and a worker per role, supervised as one."""

import dataclasses
import random
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import msgspec

from infra.embedded.addresses import Addresses
from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.errors import EmbeddedError
from infra.embedded.jars import Progress
from infra.embedded.ports import free_port, is_free
from infra.embedded.private_file import write_private
from infra.embedded.service import Service
from infra.embedded.stack import EmbeddedStack
from infra.embedded.supervisor import Supervisor
from infra.provision import Change, provision
from infra.settings import Settings
from streams.flow import Role

PROGRAM = (sys.executable, "-m", "infra.cli")
WORKER = (*PROGRAM, "worker")
_ROOT = Path(__file__).resolve().parents[1]
_READY_ANSWER_S = 1.0
# A stop waits for running messages: a clip or a chunk may take so long before it is given up and done again.
_WORKER_GRACE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What one data directory keeps for ever: its secrets and the API's port."""

    secret: str = field(repr=False)
    admin_token: str = field(repr=False)
    port: int
    namespace: str = "spotclip"


@dataclass(frozen=True, kw_only=True)
class Running:
    """A system that answers."""

    url: str
    admin_token: str = field(repr=False)
    pids: dict[str, int]


class LocalSystem:
    """Starts everything, in order, and leaves nothing behind.

    Args:
        data_dir: Everything that has to stay. cache_dir: Jars, models and caches, which can be made again.
        port: The API's port; None for a free one, the same at the next start.
        ready_file: Gets `Running` as JSON (mode 600) while the system runs; one that a killed system left is removed.
    """

    def __init__(
        self, data_dir: Path, cache_dir: Path, *, port: int | None = None, ready_file: Path | None = None
    ) -> None:
        self._data = data_dir.absolute()
        self._cache = cache_dir.absolute()
        self._port = port
        self._ready_file = ready_file
        self._stack = EmbeddedStack(self._data / "engines", self._cache)
        self._lock = DirectoryLock(self._data)
        self._parts: Supervisor | None = None
        self.changes: list[Change] = []

    def start(self, progress: Progress | None = None) -> Running:
        """Start and provision; returns when the API and every worker are ready.

        Raises:
            EmbeddedError: The directory is in use, or a part did not start; everything is stopped again.
        """
        self._lock.acquire()
        try:
            self._forget_ready_file()
            deployment = _keep_deployment(self._data / "deployment.json", self._port)
            self._stack.start(progress)
            environment = environment_of(self._stack.addresses, deployment, self._data / "parts", self._cache)
            self.changes = provision(Settings.from_environment(environment))
            services = part_services(environment, deployment.port, self._data / "run")
            self._parts = Supervisor(self._data / "run", services, self._lock)
            self._parts.start()
            running = Running(
                url=f"http://127.0.0.1:{deployment.port}",
                admin_token=deployment.admin_token,
                pids={**self._stack.pids(), **self._parts.pids()},
            )
            if self._ready_file is not None:
                write_private(self._ready_file, msgspec.json.encode(running))
        except BaseException:
            self.stop()
            raise
        return running

    def stop(self) -> None:
        """Stop everything; returns when it is gone."""
        if self._parts is not None:
            self._forget_ready_file()
        if self._parts is not None:
            self._parts.stop()
            self._parts = None
        self._stack.stop()
        self._lock.release()

    @property
    def addresses(self) -> Addresses:
        """Where the engines are, for those who look at them beside the API.

        Raises:
            EmbeddedError: The system does not run.
        """
        return self._stack.addresses

    def _forget_ready_file(self) -> None:
        if self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)

    def wait(self, timeout_s: float | None = None) -> None:
        """Block while the system runs, at most `timeout_s`.

        Raises:
            EmbeddedError: A part kept ending; everything was stopped.
        """
        if self._parts is not None:
            self._parts.wait(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def engines_of(addresses: Addresses) -> dict[str, str]:
    """Where the engines are, as environment variables."""
    return {
        "SPOTCLIP_KAFKA": addresses.kafka_bootstrap,
        "SPOTCLIP_CLICKHOUSE": addresses.clickhouse_url,
        "SPOTCLIP_CLICKHOUSE_USER": addresses.clickhouse_user,
        "SPOTCLIP_CLICKHOUSE_PASSWORD": addresses.clickhouse_password,
        "SPOTCLIP_S3_ENDPOINT": addresses.s3_endpoint,
        "SPOTCLIP_S3_ACCESS_KEY": addresses.s3_access_key,
        "SPOTCLIP_S3_SECRET_KEY": addresses.s3_secret_key,
        "SPOTCLIP_S3_REGION": addresses.s3_region,
    }


def environment_of(addresses: Addresses, deployment: Deployment, data_dir: Path, cache_dir: Path) -> dict[str, str]:
    """The settings of a deployment's processes on this machine, as environment variables."""
    return {
        **engines_of(addresses),
        "SPOTCLIP_NAMESPACE": deployment.namespace,
        "SPOTCLIP_SECRET": deployment.secret,
        "SPOTCLIP_ADMIN_TOKEN": deployment.admin_token,
        "SPOTCLIP_PUBLIC_BASE": f"http://127.0.0.1:{deployment.port}",
        "SPOTCLIP_DATA": str(data_dir),
        "SPOTCLIP_CACHE": str(cache_dir),
        # One machine: wide topics would only bring more of the same few cores' work under way at once.
        "SPOTCLIP_RECORD_PARTITIONS": "4",
        "SPOTCLIP_WORK_PARTITIONS": "8",
    }


def part_services(environment: Mapping[str, str], port: int, folder: Path) -> Sequence[Service]:
    """The API and a worker of each role, to be supervised; they need nothing but what the environment names.

    Args:
        environment: `SPOTCLIP_*`, see `environment_of`.
        port: The API's, on loopback.
        folder: For the workers' ready files.
    """
    return (api_service(environment, port), *(worker_service(role, environment, folder) for role in Role))


def api_service(environment: Mapping[str, str], port: int) -> Service:
    """One API process on this loopback port, to be supervised."""
    url = f"http://127.0.0.1:{port}/health/ready"
    return Service(
        name="api",
        argv=[*PROGRAM, "api", "--host", "127.0.0.1", "--port", str(port)],
        ready=lambda: _answers(url),
        env=environment,
        ports=(port,),
        cwd=_ROOT,
    )


def worker_service(
    role: Role, environment: Mapping[str, str], folder: Path, *, slot: str = "0", program: Sequence[str] = WORKER
) -> Service:
    """A worker of one role, to be supervised.

    Args:
        role: What it does.
        environment: `SPOTCLIP_*`, see `environment_of`.
        folder: For its ready file.
        slot: Its own among the workers of its role; a restart goes on in its place at once.
        program: What runs; takes the role and `--ready-file`.
    """
    ready_file = folder / f"{role}-{slot}.ready"

    def forget(_log: Path) -> None:
        ready_file.unlink(missing_ok=True)

    return Service(
        name=f"worker-{role}-{slot}",
        argv=[*program, role, "--ready-file", str(ready_file)],
        ready=ready_file.exists,
        env={**environment, "SPOTCLIP_MEMBER_SLOT": slot},
        before=forget,
        cwd=_ROOT,
        ready_within_s=120.0,
        grace_s=_WORKER_GRACE_S,
    )


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=_READY_ANSWER_S).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _keep_deployment(path: Path, port: int | None) -> Deployment:
    if path.exists():
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=Deployment)
        except msgspec.DecodeError as error:
            raise EmbeddedError(f"{path} cannot be read; move it away to get new secrets at the next start.") from error
    else:
        kept = Deployment(secret=secrets.token_hex(32), admin_token=secrets.token_urlsafe(32), port=0)
    chosen = port or (kept.port if kept.port and is_free(kept.port) else free_port(random.SystemRandom()))
    kept = dataclasses.replace(kept, port=chosen)
    write_private(path, msgspec.json.encode(kept))
    return kept

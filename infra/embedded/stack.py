"""Kafka, ClickHouse and S3 of one data directory, started and stopped as one."""

import random
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded import clickhouse, kafka, kafka_aot, s3
from infra.embedded.addresses import Addresses
from infra.embedded.credentials import Credentials, keep_credentials
from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.errors import EmbeddedError
from infra.embedded.guarded import GuardedProcess
from infra.embedded.jars import MavenDownload, Progress, fetch
from infra.embedded.ports import LOOPBACK, Ports, load, save, settle
from infra.embedded.service import Service
from infra.embedded.supervisor import MAX_RESTARTS, Supervisor

_IMPORT_ROOT = Path(__file__).resolve().parents[2]


class Training(StrEnum):
    """What to do when Kafka's ahead-of-time cache is missing."""

    BACKGROUND = "background"  # make it at the lowest priority while the stack runs
    NEVER = "never"


class EmbeddedStack:
    """A real broker, a real ClickHouse engine and a real S3 server on this machine, for laptops and tests.

    All listeners are on loopback. Secrets and ports are made at the first start and kept in ``data_dir``. One process
    owns a ``data_dir``; several stacks with different ones run side by side and may share ``cache_dir``. However the
    process ends, the engines end too; what they acknowledged before a kill is there at the next start.

    Args:
        data_dir: everything that has to stay; made (mode 700) if needed.
        cache_dir: jars and the ahead-of-time cache, which can be made again.
        ports: ports to use; None or zeros for free ones.
        settings: of the broker.
        mirror: address of a Maven repository to use in place of the central one.
        training: what to do without an ahead-of-time cache.
        max_restarts: of each engine that ends by itself, see ``Supervisor``.
    """

    def __init__(
        self,
        data_dir: Path,
        cache_dir: Path,
        ports: Ports | None = None,
        *,
        settings: kafka.KafkaSettings | None = None,
        mirror: str | None = None,
        training: Training = Training.BACKGROUND,
        max_restarts: int = MAX_RESTARTS,
    ) -> None:
        self._data = data_dir.absolute()
        self._cache = cache_dir.absolute()
        self._wanted = ports or Ports()
        self._settings = settings or kafka.KafkaSettings()
        self._download = MavenDownload(mirror)
        self._training_mode = training
        self._max_restarts = max_restarts
        self._lock = DirectoryLock(self._data)
        self._supervisor: Supervisor | None = None
        self._training: GuardedProcess | None = None
        self._addresses: Addresses | None = None

    def start(self, progress: Progress | None = None) -> None:
        """Download what is missing and start; returns when all three answer.

        Args:
            progress: told about downloaded bytes; never called when nothing has to be downloaded.

        Raises:
            EmbeddedError: the directory is in use, a port is taken, a jar is wrong, or an engine did not start.
        """
        self._lock.acquire()
        try:
            self._start(progress or (lambda _done, _total, _name: None))
        except BaseException:
            self.stop()
            raise

    def _start(self, progress: Progress) -> None:
        jars = fetch(kafka.LOCK, kafka_aot.jar_folder(self._cache), progress, download=self._download)
        credentials = keep_credentials(self._data / "secrets.json")
        remembered = self._data / "ports.json"
        ports = settle(self._wanted, load(remembered), random.SystemRandom())
        save(remembered, ports)
        java = self._settings.java or kafka.wheel_java()
        # A Java of the user's may be of any version; caches are made and tried with the wheel's alone.
        aot = kafka_aot.cache_path(self._cache, java, jars) if self._settings.java is None else None
        node = kafka.KafkaNode(
            directory=self._data / "kafka",
            port=ports.kafka,
            controller_port=ports.kafka_controller,
            java=java,
            jars=tuple(jars),
            aot_cache=aot if aot is not None and kafka_aot.usable(aot) else None,
            settings=self._settings,
        )
        services = self._services(node, ports, credentials)
        self._supervisor = Supervisor(self._data / "run", services, self._lock, max_restarts=self._max_restarts)
        self._supervisor.start()
        self._addresses = _addresses(ports, credentials)
        if self._training_mode is Training.BACKGROUND and aot is not None and node.aot_cache is None:
            self._training = self._train()

    def _services(self, node: kafka.KafkaNode, ports: Ports, credentials: Credentials) -> Sequence[Service]:
        s3_node = s3.S3Node(directory=self._data / "s3", ports=ports, weed=s3.wheel_weed())
        return (
            kafka.service(node),
            clickhouse.service(self._data / "clickhouse", ports.clickhouse, credentials),
            s3.service(s3_node, credentials),
        )

    def _train(self) -> GuardedProcess:
        log = self._data / "run" / "kafka-aot.log"
        program = [sys.executable, "-m", "infra.embedded.kafka_aot"]
        return GuardedProcess(
            [*program, "--cache-dir", str(self._cache), "--log", str(log)],
            log=log,
            pid_file=self._data / "run" / "kafka-aot.pid",
            grace_s=1.0,
            env={"PYTHONPATH": str(_IMPORT_ROOT)},
        )

    def stop(self) -> None:
        """Stop everything; returns when it is gone. Nothing happens when it does not run."""
        if self._training is not None:
            self._training.end()
            self._training = None
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
        self._addresses = None
        self._lock.release()

    def wait(self, timeout_s: float | None = None) -> None:
        """Block while the stack runs, at most ``timeout_s``.

        Raises:
            EmbeddedError: an engine kept ending; everything was stopped.
        """
        self._running().wait(timeout_s)

    def pids(self) -> dict[str, int]:
        """Pids of the engines: ``kafka``, ``clickhouse``, ``s3``."""
        return self._running().pids()

    def guardian_pids(self) -> dict[str, int]:
        """Pids of the engines' guardians by engine."""
        return self._running().guardian_pids()

    def training_ended(self) -> bool:
        """Whether no training run is going on."""
        return self._training is None or self._training.exit_code() is not None

    @property
    def addresses(self) -> Addresses:
        """Where the engines are.

        Raises:
            EmbeddedError: the stack does not run.
        """
        if self._addresses is None:
            raise EmbeddedError("the stack does not run; start it first.")
        return self._addresses

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise EmbeddedError("the stack does not run; start it first.")
        return self._supervisor

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _addresses(ports: Ports, credentials: Credentials) -> Addresses:
    return Addresses(
        kafka_bootstrap=f"{LOOPBACK}:{ports.kafka}",
        clickhouse_url=f"http://{LOOPBACK}:{ports.clickhouse}",
        clickhouse_user=credentials.clickhouse_user,
        clickhouse_password=credentials.clickhouse_password,
        s3_endpoint=f"http://{LOOPBACK}:{ports.s3}",
        s3_access_key=credentials.s3_access_key,
        s3_secret_key=credentials.s3_secret_key,
        s3_region=s3.REGION,
    )

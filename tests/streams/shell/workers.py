"""Worker processes of the toy program, started and ended by the tests."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from schemas.codec import decode
from schemas.searches import SearchRecord
from schemas.topics import SEARCHES
from tests.streams.shell.cluster import PARTITIONS, Cluster
from tests.streams.shell.toy import ToyConfig
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]
READY_WITHIN_S = 40.0
END_WITHIN_S = 60.0


@dataclass(kw_only=True)
class ToyWorker:
    """One process. `output` is all it has said."""

    config: ToyConfig
    process: subprocess.Popen[bytes]

    @property
    def output(self) -> str:
        return (Path(self.config.folder) / "output").read_text()

    @property
    def journal(self) -> list[str]:
        return self.config.journal.read_text().splitlines() if self.config.journal.exists() else []

    def wait_ready(self) -> None:
        wait_until(
            lambda: self.config.ready.exists() or self.process.poll() is not None, READY_WITHIN_S, "a ready worker"
        )
        assert self.config.ready.exists(), self.output

    def wait_journal(self, line: str) -> None:
        wait_until(lambda: line in self.journal, READY_WITHIN_S, f"{line!r} in a worker's journal")

    def wait_exit(self) -> int:
        return self.process.wait(END_WITHIN_S)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait_exit()


class Workers:
    """Starts workers on one cluster, and ends those that a test left."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._all: list[ToyWorker] = []

    def start(
        self,
        role: str,
        *,
        failpoint: str | None = None,
        failpoint_hit: int = 1,
        slow_key: str | None = None,
        slow_s: float = 0.0,
        bootstrap: str | None = None,
        **settings: str | float | None,
    ) -> ToyWorker:
        """Start one; further arguments are fields of `ShellSettings`, whose defaults here suit short tests."""
        folder = self._folder / f"worker-{len(self._all)}"
        folder.mkdir()
        config = ToyConfig(
            folder=str(folder),
            role=role,
            settings={
                "bootstrap_servers": bootstrap or self._cluster.bootstrap,
                "namespace": self._cluster.namespace,
                "record_partitions": PARTITIONS,
                "work_partitions": PARTITIONS,
                "session_timeout_s": 6.0,  # the least that a broker allows unless told otherwise
                "heartbeat_s": 1.0,
                "commit_interval_s": 0.2,
                "watchdog_interval_s": 0.5,
                "backoff_s": 0.01,
            }
            | settings,
            failpoint=failpoint,
            failpoint_hit=failpoint_hit,
            slow_key=slow_key,
            slow_s=slow_s,
        )
        path = folder / "config.json"
        path.write_bytes(msgspec.json.encode(config))
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.streams.shell.toy_worker", str(path)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        worker = ToyWorker(config=config, process=process)
        self._all.append(worker)
        return worker

    def end_all(self) -> None:
        for worker in self._all:
            if worker.process.poll() is None:
                worker.process.kill()
            code = worker.process.wait(END_WITHIN_S)
            print(f"{worker.config.folder} ended with {code}:\n{worker.output[-3000:]}")  # noqa: T201 # for who mends a test


def newest_records(cluster: Cluster) -> dict[str, SearchRecord]:
    """What a replica makes of the ledger topic: the highest version of each record."""
    newest: dict[str, SearchRecord] = {}
    for message in cluster.read(SEARCHES):
        record = decode(SEARCHES, message.value())
        assert isinstance(record, SearchRecord)
        if record.key not in newest or record.version > newest[record.key].version:
            newest[record.key] = record
    return newest

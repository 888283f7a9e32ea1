"""The program that the tests start: a worker of the real shell around the toy ledger or the toy stage."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from schemas.base import Message
from schemas.searches import MatchSelfie, SearchRecord, SubmitSearch
from schemas.topics import MATCHES
from streams.flow import Decision, Ledger, Role, Stage
from streams.outcomes import Invalid, TryLater, Unavailable
from streams.shell.children import ChildLimits, ChildPool
from streams.shell.failpoints import FailpointName
from streams.shell.settings import ShellSettings
from streams.shell.tenure import Tenure
from streams.shell.worker import run_worker
from tests.streams.shell import child_jobs, toy
from tests.streams.shell.toy import ToyConfig, fingerprint
from tests.streams.shell.toy_ledger import LEDGER

FAILPOINT_EXIT = 99


class Failpoints:
    """Ends the process at the named place, and leaves the marker that says so."""

    def __init__(self, config: ToyConfig) -> None:
        self._config = config
        self._passed = 0

    def __call__(self, name: FailpointName, /) -> None:
        if name != self._config.failpoint:
            return
        self._passed += 1
        if self._passed == self._config.failpoint_hit:
            self._config.marker.write_text(name)
            os._exit(FAILPOINT_EXIT)


class ToyStage:
    """Answers a match with one fact; what else it does stands in the request's id."""

    def __init__(self, config: ToyConfig, children: ChildPool) -> None:
        self._config = config
        self._children = children

    async def handle(self, message: MatchSelfie) -> Sequence[Message]:
        write_line(self._config.journal, f"began {message.request_id}")
        word = message.request_id.split("-")[0]
        if word == "invalid":
            raise Invalid("No face was found in this selfie.")
        if word == "later":
            raise TryLater("The selfie could not be read this time.")
        if word == "crash":
            raise RuntimeError("the toy's bug")
        if word == "down":
            raise Unavailable("clickhouse", "ClickHouse does not answer.")
        if word == "child":
            await self._children.run(child_jobs.sleep, self._config.slow_s)
        if message.request_id == self._config.slow_key:
            await asyncio.sleep(self._config.slow_s)
        write_line(self._config.journal, f"ended {message.request_id}")
        return (toy.fact(message.request_id, message.attempt), toy.usage(message.request_id, message.attempt))


def observed_ledger(config: ToyConfig) -> Ledger:
    """The toy ledger, slow where the test wants it, whose watchdog also writes down each record of the table."""
    journal = config.journal

    def decide(record: SearchRecord | None, message: SubmitSearch) -> Decision:
        if message.request_id == config.slow_key:
            write_line(journal, f"began {message.request_id}")
            time.sleep(config.slow_s)
        return LEDGER.decide(record, message)

    def expire(record: SearchRecord, now_ms: int) -> Message | None:
        write_line(journal, f"{record.key} {record.version} {fingerprint(record)}")
        return toy.expire(record, now_ms)

    return replace(LEDGER, decide=decide, expire=expire)


def write_line(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


async def main(config: ToyConfig) -> int:
    role, tenure = Role(config.role), Tenure()
    with ChildPool(ChildLimits(workers=1, timeout_s=60, memory_bytes=2**30), tenure) as children:
        handle = ToyStage(config, children).handle
        stage = Stage(name="toy-match", role=role, source=MATCHES, handle=handle, failure=toy.failure)
        is_ledger = role is Role.LEDGER
        return await run_worker(
            role,
            [observed_ledger(config)] if is_ledger else [],
            [] if is_ledger else [stage],
            ShellSettings(**config.settings),
            lambda: time.time_ns() // 1_000_000,
            tenure=tenure,
            failpoint=Failpoints(config),
            on_ready=lambda: write_line(config.ready, "ready"),
        )


if __name__ == "__main__":
    sys.exit(asyncio.run(main(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=ToyConfig))))

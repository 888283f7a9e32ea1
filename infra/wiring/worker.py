"""A worker process of one role."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from infra.dependencies import wait_for
from infra.logs import configure_logs
from infra.settings import Settings
from infra.wiring.clock import wall_clock
from streams.flow import Role, Stage
from streams.pipeline import LEDGERS
from streams.ports import Failpoint
from streams.shell.failpoints import pass_by
from streams.shell.settings import ShellSettings
from streams.shell.start_check import read_partition_counts
from streams.shell.tenure import Tenure
from streams.shell.worker import run_worker

OpenStages = Callable[[Role, Settings, Tenure, Failpoint], AbstractAsyncContextManager[tuple[Stage, ...]]]


async def run_role(role: Role, settings: Settings, ready_file: Path | None, failpoint: Failpoint = pass_by) -> int:
    """Run one role until SIGTERM or SIGINT; returns the process's exit code."""
    configure_logs(sys.stderr)
    await wait_for([lambda: read_partition_counts(settings.kafka.bootstrap)])
    tenure = Tenure()
    async with _opener(role)(role, settings, tenure, failpoint) as stages:
        return await run_worker(
            role,
            LEDGERS if role is Role.LEDGER else (),
            stages,
            _shell_settings(role, settings),
            wall_clock,
            tenure=tenure,
            failpoint=failpoint,
            on_ready=ready_file.touch if ready_file else None,
        )


def _opener(role: Role) -> OpenStages:
    if role is Role.LEDGER:
        return _no_stages
    # A ledger holds no client of a store and no child, so it does not load them either.
    from infra.wiring.stages import open_stages  # noqa: PLC0415

    return open_stages


@asynccontextmanager
async def _no_stages(
    _role: Role, _settings: Settings, _tenure: Tenure, _failpoint: Failpoint
) -> AsyncIterator[tuple[Stage, ...]]:
    yield ()


def _shell_settings(role: Role, settings: Settings) -> ShellSettings:
    kafka = settings.kafka
    shell = ShellSettings(
        bootstrap_servers=kafka.bootstrap,
        namespace=kafka.namespace,
        record_partitions=kafka.record_partitions,
        work_partitions=kafka.work_partitions,
        member_slot=settings.member_slot,
        watchdog_interval_s=settings.watchdog_interval_s,
    )
    if role is Role.LEDGER:
        return shell
    shell = shell.with_jobs(settings.jobs.of(role).timeout_s)
    return shell if role is Role.MATCH else shell.on_full_cores()

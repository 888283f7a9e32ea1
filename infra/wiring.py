"""The composition root: settings in, running parts out. Nothing else connects adapters to the engine or the door."""

import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from litestar import Litestar

from api.app import create_app
from api.deps import Deps
from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.kafka import KafkaCommands
from infra.adapters.kafka_reader import KafkaLogReader
from infra.adapters.objects import S3Media, S3Objects
from infra.dependencies import wait_for
from infra.embedded.directory_lock import process_runs
from infra.logs import configure_logs
from infra.settings import Settings
from streams.flow import Role, Stage
from streams.pipeline import LEDGERS, Tools, index_stages, match_stages, render_stages
from streams.ports import Failpoint
from streams.shell.children import ChildLimits, ChildPool
from streams.shell.settings import ShellSettings
from streams.shell.start_check import read_partition_counts
from streams.shell.worker import run_worker
from streams.vision.kept_models import warm_up
from streams.vision.models import ModelSet, build_models


def wall_clock() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def models_of(settings: Settings) -> ModelSet:
    """The face models of the cache, built at the first call."""
    return build_models(settings.cache_dir / "models")


def build_api(settings: Settings) -> Litestar:
    """One API process, not started yet."""
    configure_logs(sys.stderr)
    commands, media = KafkaCommands(settings.kafka), S3Media(settings.s3)
    app = create_app(
        Deps(
            settings=settings.api,
            commands=commands,
            log=KafkaLogReader(settings.kafka),
            media=media,
            clock=wall_clock,
        )
    )
    app.on_shutdown += [commands.stop, media.close]
    return app


async def run_role(role: Role, settings: Settings, ready_file: Path | None, failpoint: Failpoint | None = None) -> int:
    """Run one role until SIGTERM or SIGINT; returns the process's exit code."""
    configure_logs(sys.stderr)
    pause = failpoint or _pass_by
    await wait_for([lambda: read_partition_counts(settings.kafka.bootstrap)])
    async with _stages(role, settings, pause) as stages:
        return await run_worker(
            role,
            LEDGERS if role is Role.LEDGER else (),
            stages,
            _shell_settings(role, settings),
            wall_clock,
            failpoint=pause,
            on_ready=ready_file.touch if ready_file else None,
        )


@asynccontextmanager
async def _stages(role: Role, settings: Settings, failpoint: Failpoint) -> AsyncIterator[tuple[Stage, ...]]:
    """The role's stages with all that they need; closed at the end."""
    if role is Role.LEDGER:
        yield ()
        return
    async with AsyncExitStack() as opened:
        children = opened.enter_context(ChildPool(_limits(role, settings)))
        objects = S3Objects(settings.s3)
        opened.push_async_callback(objects.close)
        await wait_for([objects.check])
        tools = Tools(objects=objects, children=children, clock=wall_clock, failpoint=failpoint)
        if role is Role.RENDER:
            yield render_stages(tools, scratch=own_scratch(settings.data_dir / "scratch", settings.member_slot))
            return
        models = models_of(settings)
        children.start_with(warm_up, models)
        faces = ClickHouseFaces(settings.clickhouse)
        opened.push_async_callback(faces.close)
        await wait_for([faces.check])
        if role is Role.INDEX:
            yield index_stages(tools, faces, models)
        else:
            secret, limit = settings.deployment.secret, settings.api.selfie.max_bytes
            yield match_stages(tools, faces, models, secret=secret, max_selfie_bytes=limit)


def _limits(role: Role, settings: Settings) -> ChildLimits:
    jobs = settings.jobs
    return {Role.MATCH: jobs.selfie, Role.INDEX: jobs.index, Role.RENDER: jobs.render}[role]


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
    return shell.heavy() if role in (Role.INDEX, Role.RENDER) else shell


def own_scratch(folder: Path, slot: str | None) -> Path:
    """An empty folder for this process's files under work; what killed ones left behind is removed.

    Args:
        folder: Shared by the workers of one machine.
        slot: The name that this process keeps over restarts; None where it has none.
    """
    own = folder / (slot or f"pid-{os.getpid()}")
    left = [path for path in folder.glob("pid-*") if not process_runs(int(path.name.removeprefix("pid-")))]
    for path in (own, *left):
        shutil.rmtree(path, ignore_errors=True)
    own.mkdir(parents=True)
    return own


def _pass_by(_point: str) -> None:
    return

"""The stages of a working role with all that they need."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.objects import S3Objects
from infra.dependencies import wait_for
from infra.embedded.directory_lock import process_runs
from infra.settings import Settings
from infra.wiring.clock import wall_clock
from streams import jobs
from streams.flow import Role, Stage
from streams.pipeline import Tools, index_stages, match_stages, render_stages
from streams.ports import Failpoint
from streams.shell.children import ChildPool
from streams.shell.tenure import Tenure


@asynccontextmanager
async def open_stages(
    role: Role, settings: Settings, tenure: Tenure, failpoint: Failpoint
) -> AsyncIterator[tuple[Stage, ...]]:
    """The role's stages, once everything they need answers; all of it is closed at the end."""
    async with AsyncExitStack() as opened:
        children = opened.enter_context(ChildPool(settings.jobs.of(role), tenure))
        objects = S3Objects(settings.s3)
        opened.push_async_callback(objects.close)
        await wait_for([objects.check])
        tools = Tools(objects=objects, children=children, clock=wall_clock, failpoint=failpoint)
        if role is Role.RENDER:
            yield render_stages(tools, scratch=own_scratch(settings.data_dir / "scratch", settings.member_slot))
            return
        models = await children.run(jobs.build_models, settings.models_dir, settings.models)
        children.start_with(jobs.load_models, models)
        faces = ClickHouseFaces(settings.clickhouse)
        opened.push_async_callback(faces.close)
        await wait_for([faces.check])
        if role is Role.INDEX:
            yield index_stages(tools, faces, models)
        else:
            secret, limit = settings.deployment.secret, settings.api.selfie.max_bytes
            yield match_stages(tools, faces, models, secret=secret, max_selfie_bytes=limit)


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

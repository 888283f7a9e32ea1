"""render: one clip cut, proved and stored."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from schemas.ids import clip_path
from schemas.searches import ClipFailed, ClipReady, RenderClip
from streams import jobs
from streams.ports import Children, Clock, Failpoint, Objects, StoredClip
from streams.render.cut_outcome import CutFailed
from streams.source_jobs import run_on_source


class ClipPoint(StrEnum):
    """Where a test may kill this stage."""

    LOOKED = "clips: looked"
    ADDRESSED = "clips: addressed"
    CUT = "clips: cut"
    STORED = "clips: stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRenderer:
    """Cuts in a child, from ranges of the source, and uploads. A clip that is already there is reported as it is.

    Attributes:
        scratch: Folder for files under work; emptied at start, since a killed worker leaves its own behind.
    """

    objects: Objects
    children: Children
    scratch: Path
    clock: Clock
    failpoint: Failpoint

    async def __call__(self, work: RenderClip) -> Sequence[ClipReady | ClipFailed]:
        """The word that the clip can be played, or why it cannot be made."""
        window = work.window
        object_key = clip_path(work.event_id, work.request_id, window.clip_id)
        clip = await self.objects.find_clip(object_key)
        self.failpoint(ClipPoint.LOOKED)
        if clip is None:
            try:
                clip = await self._cut(work, object_key)
            except CutFailed as failed:
                return [clip_failed(work, str(failed), self.clock())]
        ready = ClipReady(
            event_id=work.event_id,
            request_id=work.request_id,
            attempt=work.attempt,
            at_ms=self.clock(),
            clip_id=window.clip_id,
            source_video_key=window.source_video_key,
            start_ms=clip.start_ms,
            end_ms=clip.end_ms,
            object_key=object_key,
            size_bytes=clip.size_bytes,
            sha256=clip.sha256,
            method=clip.method,
        )
        return [ready]

    async def _cut(self, work: RenderClip, object_key: str) -> StoredClip:
        url = await self.objects.private_url(work.window.object_key)
        self.failpoint(ClipPoint.ADDRESSED)
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            path = Path(folder) / "clip.mp4"
            made = await run_on_source(
                self.objects,
                self.children,
                jobs.cut_clip,
                url,
                path,
                work.window.start_ms,
                work.window.end_ms,
                work.quality,
            )
            self.failpoint(ClipPoint.CUT)
            clip = StoredClip(
                size_bytes=made.size_bytes,
                start_ms=made.start_ms,
                end_ms=made.end_ms,
                sha256=made.sha256,
                method=made.method,
            )
            await self.objects.put_clip(object_key, path, clip)
        self.failpoint(ClipPoint.STORED)
        return clip


def clip_failed(work: RenderClip, sentence: str, at_ms: int) -> ClipFailed:
    """The fact by which the ledger ends without this clip."""
    return ClipFailed(
        event_id=work.event_id,
        request_id=work.request_id,
        attempt=work.attempt,
        at_ms=at_ms,
        clip_id=work.window.clip_id,
        source_video_key=work.window.source_video_key,
        error=sentence,
    )

"""cut: one window of a source into one proved clip. Runs in a child process."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from streams.media.encode import EncodeFailed, encode
from streams.media.errors import SourceUnreadable
from streams.media.picture import PictureTarget
from streams.media.remux import CopyFailed, remux
from streams.media.source import open_source
from streams.media.window import Source, WindowTooLarge, packet_facts, read_source, read_window, stream_facts
from streams.render.cut_outcome import Clip, CutFailed
from streams.render.cut_plan import AudioPlan, CopyPlan, CopyPolicy, EncodePlan, plan_cut, why_not_copied
from streams.render.prove import ProofFailed, prove_copy, prove_encode


@dataclass(frozen=True)
class CutLimits:
    """Bounds of one cut.

    Attributes:
        read_timeout_s: Of opening the source and of every single read.
        max_window_bytes: Packets held for a copy. 512 MiB: two minutes at 30 Mb/s; more is encoded, which streams.
        max_long_side_px: Larger pictures are scaled down when they are encoded: twice the side costs four times the
            time, and a phone shows no more.
        copy: When a copy is good enough.
    """

    read_timeout_s: float = 20.0
    max_window_bytes: int = 512 * 2**20
    max_long_side_px: int = 1920
    copy: CopyPolicy = field(default_factory=CopyPolicy)


def cut(source_url: str, path: Path, start_ms: int, end_ms: int, quality: int, limits: CutLimits | None = None) -> Clip:
    """Writes the clip of `[start_ms, end_ms)`: copied where a copy plays everywhere, else encoded; proved either way.

    Args:
        source_url: An http(s) address, read by ranges, or a path.
        path: The file to write; overwritten.
        start_ms: Wanted start on the source's timeline, 0 = its first shown picture.
        end_ms: Wanted end, not included; a source that ends before makes a shorter clip.
        quality: x264's constant rate factor of an encode, lower is better.
        limits: Bounds; the defaults where None.

    Raises:
        CutFailed: No clip of this window can be made.
        SourceUnreachable: The source's address did not answer; another try may work.
    """
    limits = limits or CutLimits()
    if not 0 <= start_ms < end_ms:
        raise CutFailed("The clip could not be cut: its window is empty or begins before the video.")
    try:
        with open_source(source_url, limits.read_timeout_s) as container:
            source = read_source(container)
            target = PictureTarget(
                start_ms=start_ms, end_ms=end_ms, quality=quality, max_long_side_px=limits.max_long_side_px
            )
            copied = _copied(source, path, start_ms, end_ms, limits)
            return _encoded(source, path, target, copied.reason) if isinstance(copied, EncodePlan) else copied
    except SourceUnreadable as unreadable:
        raise CutFailed(str(unreadable)) from unreadable


def _copied(source: Source, path: Path, start_ms: int, end_ms: int, limits: CutLimits) -> Clip | EncodePlan:
    """A copy, or why one will not do."""
    try:
        plan = _plan(source, path, start_ms, end_ms, limits)
    except (WindowTooLarge, CopyFailed, ProofFailed) as refused:
        return EncodePlan(str(refused))
    return plan if isinstance(plan, EncodePlan) else _clip(path, plan.start_ms, plan.end_ms, "copy")


def _plan(source: Source, path: Path, start_ms: int, end_ms: int, limits: CutLimits) -> CopyPlan | EncodePlan:
    """Plans, and writes and proves a copy where the plan is one."""
    facts = stream_facts(source)
    reason = why_not_copied(facts)
    if reason is not None:
        return EncodePlan(reason)
    window = read_window(
        source, start_ms, end_ms, max_hidden_ms=limits.copy.max_hidden_ms, max_bytes=limits.max_window_bytes
    )
    pictures = packet_facts(source, window)
    plan = plan_cut(facts, pictures, source.timeline, start_ms=start_ms, end_ms=end_ms, policy=limits.copy)
    if isinstance(plan, CopyPlan):
        written = remux(
            source,
            window,
            path,
            start=plan.start,
            packets=plan.packets,
            played_ms=plan.end_ms - plan.start_ms,
            encode_audio=plan.audio is AudioPlan.ENCODE,
        )
        prove_copy(path, written)
    return plan


def _encoded(source: Source, path: Path, target: PictureTarget, reason: str) -> Clip:
    try:
        made = encode(source, path, target)
        prove_encode(path, made.end_ms - made.start_ms, made.longest_picture_ms)
    except (EncodeFailed, ProofFailed) as failed:
        raise CutFailed(f"The clip could not be cut: {failed}.") from failed
    return _clip(path, made.start_ms, made.end_ms, "encode", reason)


def _clip(path: Path, start_ms: int, end_ms: int, method: str, reason: str | None = None) -> Clip:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Clip(start_ms, end_ms, method, path.stat().st_size, digest, reason)

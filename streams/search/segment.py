"""segment: sightings to one window per source. Pure but for the clock of the fact."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.ids import clip_id
from schemas.searches import (
    FacesMatched,
    MatchedSource,
    NothingToClip,
    SearchStatus,
    Stopped,
    StopRule,
    Window,
    WindowsPlanned,
)
from schemas.settings import distance_of
from streams.ports import Clock
from streams.search.segments import PlannedWindow, SegmentOutcome, plan_windows, policy_of

# A part of every clip id: another way of cutting gives other bytes, so it must give other ids.
CLIP_PROFILE = "mp4-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmenter:
    """Plans the windows and names their clips.

    Attributes:
        secret: The deployment's; without it nobody guesses a clip's address.
    """

    secret: bytes
    clock: Clock

    async def __call__(self, matched: FacesMatched) -> Sequence[WindowsPlanned | NothingToClip]:
        """The attempt's result: windows, or why there are none."""
        sources = {source.source_video_key: source for source in matched.sources}
        durations_ms = {key: source.duration_ms for key, source in sources.items()}
        plan = plan_windows(matched.sightings, policy_of(matched.settings), durations_ms)
        if plan.outcome is not SegmentOutcome.WINDOWS:
            nothing = NothingToClip(
                event_id=matched.event_id,
                request_id=matched.request_id,
                attempt=matched.attempt,
                at_ms=self.clock(),
                status=SearchStatus(plan.outcome),
                nearest_distance=matched.nearest_distance,
                stopped_by=plan.stopped_by or rule_not_matched(matched),
                other_models=matched.other_models,
            )
            return [nothing]
        planned = WindowsPlanned(
            event_id=matched.event_id,
            request_id=matched.request_id,
            attempt=matched.attempt,
            at_ms=self.clock(),
            windows=tuple(self._window(matched, window, sources[window.source_video_key]) for window in plan.windows),
            nearest_distance=matched.nearest_distance,
            truncated=matched.truncated,
            other_models=matched.other_models,
        )
        return [planned]

    def _window(self, matched: FacesMatched, planned: PlannedWindow, source: MatchedSource) -> Window:
        name = clip_id(
            self.secret,
            matched.event_id,
            matched.request_id,
            matched.selfie_sha256,
            source.source_video_key,
            source.generation,
            planned.start_ms,
            planned.end_ms,
            matched.settings.quality,
            CLIP_PROFILE,
        )
        return Window(
            clip_id=name,
            source_video_key=source.source_video_key,
            object_key=source.object_key,
            start_ms=planned.start_ms,
            end_ms=planned.end_ms,
            samples=planned.samples,
            distance=planned.distance,
        )


def rule_not_matched(matched: FacesMatched) -> Stopped:
    """Why a search has no sighting: nothing to look at, or nothing near enough."""
    if matched.nearest_distance is not None:
        limit = distance_of(matched.settings.confidence_percent)
        if matched.nearest_distance < limit:
            return Stopped(rule=StopRule.JUST_INDEXED)  # it came in after the scan, before the nearest was looked for
        return Stopped(rule=StopRule.TOO_FAR, seen=matched.nearest_distance, needed=limit)
    if matched.other_models:
        return Stopped(rule=StopRule.OTHER_MODELS)
    return Stopped(rule=StopRule.NO_FACES)

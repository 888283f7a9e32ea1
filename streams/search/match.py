"""match: the selfie's embedding against the event's faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.searches import FacesMatched, MatchSelfie, SearchFailed
from schemas.settings import distance_of
from streams import jobs
from streams.ports import Children, Clock, Failpoint, Objects
from streams.search.scan_batches import ScanBatches
from streams.vision.models.model_set import ModelSet
from streams.vision.selfie_outcome import SelfieRefused


class MatchPoint(StrEnum):
    """Where a test may kill this stage."""

    SELFIE_READ = "match: selfie read"
    EMBEDDED = "match: embedded"
    SCANNED = "match: scanned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Reads the selfie, embeds it in a child, scans the event. The vector lives in this call alone."""

    objects: Objects
    children: Children
    scans: ScanBatches
    models: ModelSet
    max_selfie_bytes: int
    clock: Clock
    failpoint: Failpoint

    async def __call__(self, work: MatchSelfie) -> Sequence[FacesMatched | SearchFailed]:
        """The event's sightings of this selfie; a picture that shows no usable face ends the search with a sentence."""
        data = await self.objects.read_private(work.selfie.object_key, limit_bytes=self.max_selfie_bytes)
        self.failpoint(MatchPoint.SELFIE_READ)
        selfie = await self.children.run(jobs.embed_selfie, data, self.models)
        self.failpoint(MatchPoint.EMBEDDED)
        if isinstance(selfie, SelfieRefused):
            return [selfie_failed(work, selfie.sentence, self.clock())]
        limit = distance_of(work.settings.confidence_percent)
        found = await self.scans.find(work.event_id, selfie.vector, limit)
        self.failpoint(MatchPoint.SCANNED)
        matched = FacesMatched(
            event_id=work.event_id,
            request_id=work.request_id,
            attempt=work.attempt,
            selfie_sha256=work.selfie.sha256,
            settings=work.settings,
            sources=found.sources,
            sightings=found.sightings,
            truncated=found.truncated,
            nearest_distance=found.nearest_distance,
            other_models=found.other_models,
        )
        return [matched]


def selfie_failed(work: MatchSelfie | FacesMatched, sentence: str, at_ms: int) -> SearchFailed:
    """The fact by which the ledger ends an attempt that cannot go on."""
    return SearchFailed(
        event_id=work.event_id, request_id=work.request_id, attempt=work.attempt, at_ms=at_ms, error=sentence
    )

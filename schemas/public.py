"""Events for others: what downstream consumers and billing read."""

from schemas.base import Message
from schemas.ids import search_key


class ClipPublished(Message, frozen=True, kw_only=True):
    """A clip can be played. At least once; `clip_id` names it.

    Attributes:
        video_path: Path below the deployment's public base, starting with `/vids/`.
        start_ms, end_ms: What plays, on the source video's timeline.
        distance: The smallest Euclidean distance between the selfie and a face seen in the clip.
        confidence_percent: The same as a percentage (docs/confidence.md).
        samples: Distinct times at which the person was seen in it.
    """

    event_id: int
    org_id: int
    request_id: str
    clip_id: str
    source_video_key: str
    video_path: str
    start_ms: int
    end_ms: int
    at_ms: int
    distance: float | None = None
    confidence_percent: float | None = None
    samples: int | None = None

    @property
    def key(self) -> str:
        """The search, so that its clips arrive in order."""
        return search_key(self.event_id, self.request_id)


class UsageEntry(Message, frozen=True, kw_only=True):
    """One billable search. Compacted by key, so a repeat is the same entry; never erased; nothing personal.

    Attributes:
        day: Day of submission, UTC, `YYYY-MM-DD`.
    """

    org_id: int
    event_id: int
    request_id: str
    number: int
    day: str

    @property
    def key(self) -> str:
        """`{event_id}/{request_id}/{number}`."""
        return f"{search_key(self.event_id, self.request_id)}/{self.number}"

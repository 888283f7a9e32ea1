"""What must be there when a search or a video has ended, whatever was killed on the way."""

import msgspec
from minio import Minio

from infra.settings import Settings
from schemas.codec import decode
from schemas.ids import clip_id, clip_path
from schemas.public import ClipPublished, UsageEntry
from schemas.searches import SearchRecord
from schemas.topics import CLIPS_READY, SEARCHES, USAGE, VIDEOS
from schemas.videos import VideoRecord
from streams.search.segment import CLIP_PROFILE
from tests.integration.conftest import Event
from tests.integration.kills.log import Log

FIRST_GENERATION = 1


def plain_search(record: SearchRecord) -> SearchRecord:
    """The record without what differs between two searches for the same person: names, and what is of the moment."""
    none = {"event_id": 0, "request_id": "", "clip_id": ""}
    return msgspec.structs.replace(
        record,
        event_id=0,
        request_id="",
        org_id=0,
        selfie=msgspec.structs.replace(record.selfie, object_key=""),
        submitted_at_ms=0,
        deadline_at_ms=0,
        coverage=None,
        ended_at_ms=None if record.ended_at_ms is None else 0,
        applied={},
        verdicts=tuple(msgspec.structs.replace(verdict, command_id="") for verdict in record.verdicts),
        windows=tuple(msgspec.structs.replace(window, clip_id="", object_key="") for window in record.windows),
        clips=tuple(msgspec.structs.replace(clip, **none, object_key="", at_ms=0) for clip in record.clips),
        clip_errors=tuple(msgspec.structs.replace(clip, **none, at_ms=0) for clip in record.clip_errors),
    )


def plain_video(record: VideoRecord) -> VideoRecord:
    """The record without what differs between two events that got the same film."""
    return msgspec.structs.replace(
        record,
        event_id=0,
        org_id=0,
        source=msgspec.structs.replace(record.source, object_key=""),
        registered_at_ms=0,
        deadline_at_ms=0,
        sweep_at_ms=None if record.sweep_at_ms is None else 0,
        applied={},
        verdicts=tuple(msgspec.structs.replace(verdict, command_id="") for verdict in record.verdicts),
    )


class EndStates:
    """Looks at every place where a search or a video leaves something."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._log = log
        self._secret = settings.deployment.secret
        self._bucket, self._private = settings.s3.public_bucket, settings.s3.private_bucket
        self._objects = Minio(
            settings.s3.endpoint,
            access_key=settings.s3.access_key,
            secret_key=settings.s3.secret_key,
            region=settings.s3.region,
            secure=settings.s3.secure,
        )

    def search(self, event: Event, request_id: str) -> SearchRecord:
        return self._log.newest(SEARCHES, f"{event.event_id}/{request_id}", SearchRecord)

    def video(self, event: Event, source_video_key: str) -> VideoRecord:
        return self._log.newest(VIDEOS, f"{event.event_id}/{source_video_key}", VideoRecord)

    def source_objects(self, event: Event) -> set[str]:
        """Keys of the bytes that lie in the private bucket for the event's sources."""
        found = self._objects.list_objects(self._private, prefix=f"sources/{event.event_id}/", recursive=True)
        return {str(item.object_name) for item in found}

    def check_search(self, event: Event, request_id: str, like: SearchRecord) -> None:
        """The record is like that of a search that nobody disturbed, and so is all that it left elsewhere."""
        record = self.search(event, request_id)
        assert plain_search(record) == like
        ids = [window.clip_id for window in record.windows]
        assert ids == self._clip_ids(record)
        ready = [clip.clip_id for clip in record.clips]
        assert self._objects_of(record) == {clip.object_key: clip.size_bytes for clip in record.clips}
        assert [clip.object_key for clip in record.clips] == [
            clip_path(event.event_id, request_id, clip_id) for clip_id in ready
        ]
        assert self._usage(record) == {f"{record.key}/1"}
        assert self._published(record) == set(ready)
        answer = event.get(request_id).json()["data"]
        assert (answer["status"], [clip["uuid"] for clip in answer["videos"]]) == (record.status, ready)

    def _clip_ids(self, record: SearchRecord) -> list[str]:
        """The ids as they follow from what decides a clip's content."""
        return [
            clip_id(
                self._secret,
                record.event_id,
                record.request_id,
                record.selfie.sha256,
                window.source_video_key,
                FIRST_GENERATION,
                window.start_ms,
                window.end_ms,
                record.settings.quality,
                CLIP_PROFILE,
            )
            for window in record.windows
        ]

    def _objects_of(self, record: SearchRecord) -> dict[str, int]:
        """Keys and sizes of all that lies in the public bucket for this search."""
        folder = clip_path(record.event_id, record.request_id, "").rsplit("/", 1)[0] + "/"
        found = self._objects.list_objects(self._bucket, prefix=folder, recursive=True)
        return {str(item.object_name): int(item.size or 0) for item in found}

    def _usage(self, record: SearchRecord) -> set[str]:
        """What is billed for it, as a reader of the compacted topic adds it up."""
        entries = {entry.key: decode(USAGE, entry.value) for entry in self._log.read(USAGE)}
        mine = [entry for entry in entries.values() if isinstance(entry, UsageEntry)]
        return {entry.key for entry in mine if (entry.event_id, entry.request_id) == _search_of(record)}

    def _published(self, record: SearchRecord) -> set[str]:
        """Clip ids on the topic for others; at least once each."""
        told = [decode(CLIPS_READY, entry.value) for entry in self._log.read(CLIPS_READY)]
        mine = [clip for clip in told if isinstance(clip, ClipPublished)]
        return {clip.clip_id for clip in mine if (clip.event_id, clip.request_id) == _search_of(record)}


def _search_of(record: SearchRecord) -> tuple[int, str]:
    return record.event_id, record.request_id

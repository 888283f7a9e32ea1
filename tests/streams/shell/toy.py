"""A toy ledger and a toy stage on the project's own message types, and the configuration of the test program.

The toy record counts what was applied to it, so that a lost or a doubled message shows: the shell's `version` is the
number of messages, `clip_errors` names each fact, `number` counts submissions.
"""

import hashlib
from pathlib import Path

import msgspec

from schemas.codec import encode
from schemas.public import UsageEntry
from schemas.searches import (
    ClipFailed,
    ExpireSearch,
    MatchSelfie,
    SearchFailed,
    SearchRecord,
    SearchStatus,
    SelfieObject,
    SubmitSearch,
)
from schemas.settings import ClipSettings

SELFIE = SelfieObject(object_key="selfies/none", sha256="0" * 64)
EVENT_ID = 7
FAR_FUTURE_MS = 1 << 60
ORG_ID = 1
# A submission of this organisation makes the toy ledger's decision raise; this one makes a record of 100 kB.
BUG_ORG_ID = 13
BIG_ORG_ID = 100


class ToyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a test tells its worker process.

    Attributes:
        folder: Where the worker writes its files.
        settings: Fields of `ShellSettings`.
        failpoint: Where to end the process, or None; the `failpoint_hit`-th time it is passed.
        slow_key: The toy stage takes `slow_s` for messages of this request, and in its one child for requests whose
            id begins with `child`.
    """

    folder: str
    role: str
    settings: dict[str, str | int | float | None]
    failpoint: str | None = None
    failpoint_hit: int = 1
    slow_key: str | None = None
    slow_s: float = 0.0

    @property
    def ready(self) -> Path:
        """Written when the worker is ready."""
        return Path(self.folder) / "ready"

    @property
    def marker(self) -> Path:
        """Written when the failpoint is reached."""
        return Path(self.folder) / "marker"

    @property
    def journal(self) -> Path:
        """One line for each message that a toy stage began or ended, or for each record of a toy ledger's table."""
        return Path(self.folder) / "journal"


def fingerprint(record: SearchRecord) -> str:
    """One line that two records share only when they are equal."""
    return hashlib.sha256(encode(record)).hexdigest()


def submit(request_id: str, *, org_id: int = ORG_ID, deadline_ms: int = FAR_FUTURE_MS) -> SubmitSearch:
    return SubmitSearch(
        command_id=f"submit-{request_id}",
        at_ms=0,
        event_id=EVENT_ID,
        request_id=request_id,
        org_id=org_id,
        selfie=SELFIE,
        settings=ClipSettings(),
        deadline_ms=deadline_ms,
    )


def fact(request_id: str, number: int) -> ClipFailed:
    return ClipFailed(
        event_id=EVENT_ID,
        request_id=request_id,
        attempt=1,
        at_ms=0,
        clip_id=f"{number:06}",
        source_video_key="none",
        error="none",
    )


def match(request_id: str, *, attempt: int = 1) -> MatchSelfie:
    return MatchSelfie(
        event_id=EVENT_ID, request_id=request_id, attempt=attempt, selfie=SELFIE, settings=ClipSettings()
    )


def usage(request_id: str, number: int) -> UsageEntry:
    return UsageEntry(org_id=ORG_ID, event_id=EVENT_ID, request_id=request_id, number=number, day="2026-01-01")


def empty_record(request_id: str, org_id: int, deadline_at_ms: int) -> SearchRecord:
    return SearchRecord(
        event_id=EVENT_ID,
        request_id=request_id,
        org_id=org_id,
        selfie=SELFIE,
        settings=ClipSettings(),
        status=SearchStatus.PROCESSING,
        attempt=1,
        number=0,
        submitted_at_ms=0,
        deadline_at_ms=deadline_at_ms,
    )


def failure(message: MatchSelfie, sentence: str, at_ms: int) -> SearchFailed:
    return SearchFailed(
        event_id=message.event_id,
        request_id=message.request_id,
        attempt=message.attempt,
        at_ms=at_ms,
        error=sentence,
    )


def expire(record: SearchRecord, now_ms: int) -> ExpireSearch | None:
    if record.status.terminal or now_ms <= record.deadline_at_ms:
        return None
    return ExpireSearch(
        command_id=f"expire-{record.attempt}",
        at_ms=now_ms,
        event_id=record.event_id,
        request_id=record.request_id,
        attempt=record.attempt,
    )

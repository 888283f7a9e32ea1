"""What the API needs to know, in frozen groups. Read from the environment by whoever starts it, never here."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfieLimits:
    """What a selfie may be.

    Attributes:
        max_bytes: 10 MiB: above every phone's JPEG; more is 413.
        max_pixels: 50 million: above the cameras of phones (48 Mpx), and as RGB 150 MB, which a matching child can
            hold; more is 400, decided from the header.
    """

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How searches are asked for.

    Attributes:
        verdict_wait_s: How long a POST waits for the ledger's verdict, and for a quick `no_matches`. 0.25: two hops of
            the log take some 5 ms, one match some 100 ms; longer would be felt by everyone who has to wait anyway.
        deadline_ms: How long a search may run before it ends as failed. 10 minutes: "typically tens of seconds, but
            heavy events can take longer".
    """

    verdict_wait_s: float = 0.25
    deadline_ms: int = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSettings:
    """What a source video may be.

    Attributes:
        max_bytes: 50 GiB: five hours of a camera's 20 Mb/s; the limit keeps a runaway upload from filling the store.
        deadline_ms: Silence after which indexing is given up. 30 minutes: a chunk takes about one, a queue may stand.
    """

    max_bytes: int = 50 * 1024**3
    deadline_ms: int = 1_800_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """The operator's side.

    Attributes:
        token: The bearer token; None switches the admin API off (404).
        verdict_wait_s: How long an admin route waits for the ledger's verdict. 5: a ledger that has just lost a worker
            is back in about that time.
    """

    token: str | None = field(default=None, repr=False)
    verdict_wait_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSettings:
    """The local copy of the ledgers.

    Attributes:
        path: Its SQLite file; made when missing, rebuilt when it belongs to another log. One process each.
        barrier_wait_s: How long a request waits until the replica has seen the end of the log. 2: a reachable broker
            answers within milliseconds; more than that is an outage.
        refresh_s: How often the replica makes sure without being asked. 1: keys are trusted for `trust_s` only.
        trust_s: After so long without having seen the end of the log, keys are trusted no more (500). 30: longer than
            a broker's restart, shorter than anybody waits for a revoked key to die.
        retry_s: Pause after a failure to reach the log. 0.5: quick to recover, no hammering.
    """

    path: Path
    barrier_wait_s: float = 2.0
    refresh_s: float = 1.0
    trust_s: float = 30.0
    retry_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """All groups.

    Attributes:
        public_base: Scheme and host under which `/vids/...` is reached from outside, without a trailing slash.
    """

    public_base: str
    replica: ReplicaSettings
    selfie: SelfieLimits = SelfieLimits()
    search: SearchSettings = SearchSettings()
    video: VideoSettings = VideoSettings()
    admin: AdminSettings = AdminSettings()

"""A running system with one event and one indexed video, for the benches."""

import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from infra.demo_media import SELFIE, build_race, find_media
from infra.local import LocalSystem, Running
from infra.user_folders import CACHE_DIR

POLL_S = 0.02
_WITHIN_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One search as its partner saw it: wall clock, milliseconds since 1970 UTC."""

    request_id: str
    posted_ms: float
    answered_ms: float
    ended_ms: float


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event of a running system; one kept-alive connection, as a partner's server has."""

    system: LocalSystem
    running: Running
    client: httpx.Client
    org_id: int
    event_id: int
    api_key: str = field(repr=False)
    selfie: bytes = field(repr=False)

    def search(self) -> Timed:
        """POST the selfie under a new id, then ask every 20 ms until it has ended.

        Raises:
            AssertionError: It did not end as `completed` with one clip.
        """
        request_id = str(uuid.uuid4())
        place = f"/api/v1/ext/{self.org_id}/event/{self.event_id}/video-clipping"
        headers = {"X-API-Key": self.api_key}
        posted_ms = now_ms()
        answer = self.client.post(
            f"{place}/search-by-selfie",
            files={"file": ("selfie.jpg", self.selfie)},
            data={"request_id": request_id},
            headers=headers,
        )
        answered_ms = now_ms()
        assert answer.status_code == 200, answer.text
        while True:
            result = self.client.get(f"{place}/{request_id}", headers=headers).json()["data"]
            if result["status"] != "processing":
                break
            assert now_ms() - posted_ms < _WITHIN_S * 1000, f"{request_id} does not end"
            time.sleep(POLL_S)
        assert result["status"] == "completed", result
        assert len(result["videos"]) == 1, result
        return Timed(request_id=request_id, posted_ms=posted_ms, answered_ms=answered_ms, ended_ms=now_ms())

    def put_video(self, key: str, path: Path) -> float:
        """Upload and wait until it is indexed; returns the seconds that took."""
        began = time.monotonic()
        place = f"/events/{self.event_id}/videos/{key}"
        with path.open("rb") as file:
            admin(self.client, self.running, "PUT", place, content=file)
        while (video := admin(self.client, self.running, "GET", place))["state"] != "indexed":
            assert video["state"] != "failed", video
            assert time.monotonic() - began < _WITHIN_S, video
            time.sleep(0.1)
        return time.monotonic() - began


def now_ms() -> float:
    return time.time_ns() / 1e6


def admin(client: httpx.Client, running: Running, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 - the envelope's data
    """Call the admin API; returns the envelope's data."""
    headers = {"Authorization": f"Bearer {running.admin_token}"}
    answer = client.request(method, f"/admin/v1{path}", headers=headers, **request)
    assert answer.is_success, answer.text
    return answer.json()["data"]


@contextmanager
def running_event(folder: Path, race: Path) -> Iterator[Event]:
    """Start everything in `folder` and have the race indexed."""
    with LocalSystem(folder / "data", CACHE_DIR) as system:
        began = time.monotonic()
        running = system.start()
        print(f"{time.monotonic() - began:7.2f} s  start of Kafka, ClickHouse, S3, API and workers")
        with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as client:
            org_id = admin(client, running, "POST", "/orgs", json={"name": "Bench Harriers"})["org_id"]
            api_key = admin(client, running, "POST", f"/orgs/{org_id}/keys", json={})["api_key"]
            fields = {"event_name": "Bench Run"}
            event_id = admin(client, running, "POST", f"/orgs/{org_id}/events", json=fields)["event_id"]
            event = Event(
                system=system,
                running=running,
                client=client,
                org_id=org_id,
                event_id=event_id,
                api_key=api_key,
                selfie=find_media(SELFIE).read_bytes(),
            )
            print(f"{event.put_video('race', race):7.2f} s  upload and indexing of the race (64 s of 720p)")
            yield event


@contextmanager
def scratch(keep: Path | None) -> Iterator[tuple[Path, Path]]:
    """A folder, and the race in it; of `keep` where given, so that a second run need not build it again."""
    with tempfile.TemporaryDirectory(prefix="spotclip-bench-") as temporary:
        race = (keep or Path(temporary)) / "race.mp4"
        if not race.exists():
            build_race(race)
        yield Path(temporary), race


def spread(values: Sequence[float]) -> str:
    """Middle, 90th percentile and largest value, as columns."""
    ordered = sorted(values)
    p90 = ordered[min(len(ordered) - 1, round(0.9 * (len(ordered) - 1)))]
    return f"{statistics.median(ordered):8.0f} {p90:8.0f} {ordered[-1]:8.0f}"

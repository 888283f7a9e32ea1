"""Each of the six statuses, reached on the running system."""

import uuid
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from minio import Minio

from infra.demo_media import Shot, build_race, find_media
from infra.embedded.addresses import Addresses
from schemas.ids import source_object_key
from tests.integration.conftest import Event, System, make_event
from tests.media import made_once, shared_folder

NOBODY_S = Shot("nobody", "bikes.mp4", 0, 4_000)
LONE_HIT = (NOBODY_S, Shot("man", "single_face.mp4", 0, 160), NOBODY_S)


@pytest.fixture(scope="module")
def lone_hit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """He is on screen for 160 ms at 4.0 s: one sample of five a second."""
    path = shared_folder(tmp_path_factory) / "lone-hit.mp4"
    return made_once(path, lambda path: build_race(path, shots=LONE_HIT))


def frame_of(name: str) -> np.ndarray:
    """The first picture of a film, BGR."""
    with av.open(str(find_media(name))) as container:
        return next(container.decode(video=0)).to_ndarray(format="bgr24")


def as_jpeg(bgr: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", bgr)[1].tobytes()


@pytest.fixture
def sources(stack: Addresses, system: System) -> "Sources":
    return Sources(stack, system)


class Sources:
    """The source objects of the store, as somebody who deletes them by hand sees them."""

    def __init__(self, stack: Addresses, system: System) -> None:
        self._minio = Minio(
            stack.s3_endpoint.removeprefix("http://"),
            access_key=stack.s3_access_key,
            secret_key=stack.s3_secret_key,
            secure=False,
            region=stack.s3_region,
        )
        self._bucket = f"{system.environment['SPOTCLIP_NAMESPACE']}-private"

    def delete(self, event: Event, key: str) -> None:
        prefix = source_object_key(event.event_id, key, "")
        found = list(self._minio.list_objects(self._bucket, prefix=prefix, recursive=True))
        assert len(found) == 1
        self._minio.remove_object(self._bucket, str(found[0].object_name))


def test_processing_until_it_ends_then_completed(event: Event, man: bytes) -> None:
    request_id = str(uuid.uuid4())
    started = event.post(man, request_id).json()
    assert started["data"] == {"status": "processing", "request_id": request_id}
    assert event.get(request_id).json()["data"]["status"] in ("processing", "completed")
    assert event.result(request_id)["status"] == "completed"


def test_a_strangers_selfie_ends_no_matches(event: Event) -> None:
    result = event.search(find_media("multi_face.jpg").read_bytes())
    assert (result["status"], result["videos"], result["error"]) == ("no_matches", [], None)
    assert_stopped_as_too_far(result)


def assert_stopped_as_too_far(result: dict[str, Any]) -> None:
    """The rule, its numbers in distance and percent, and a sentence with both."""
    details = result["details"]
    stopped, nearest = details["stopped_by"], details["nearest_distance"]
    assert (stopped["rule"], stopped["seen"]) == ("too_far", nearest)
    assert stopped["needed"] == pytest.approx(1 - details["needed_confidence_percent"] / 100)
    assert stopped["needed"] < nearest
    assert details["nearest_confidence_percent"] == pytest.approx(max(0, 100 * (1 - nearest)))
    assert f"({details['needed_confidence_percent']:g} %)" in stopped["sentence"]


def test_an_event_without_footage_says_so(system: System, man: bytes) -> None:
    result = make_event(system).search(man)
    assert result["status"] == "no_matches"
    assert result["details"]["nearest_distance"] is None
    assert result["details"]["stopped_by"] == {
        "rule": "no_faces",
        "seen": None,
        "needed": None,
        "sentence": "the event had no video yet",
    }


def test_a_lone_hit_ends_no_segments_and_no_matches_once_the_event_is_stricter(
    system: System, man: bytes, lone_hit: Path
) -> None:
    """Each says which rule it was; then at a confidence that no two photos of a person have."""
    event = make_event(system)
    assert event.put_video("short", lone_hit)["state"] == "indexed"
    result = event.search(man)
    assert result["status"] == "no_segments"
    stopped = result["details"]["stopped_by"]
    assert (stopped["rule"], stopped["seen"], stopped["needed"]) == ("too_few_samples", 1, 2)
    nearest = result["details"]["nearest_distance"]
    assert 0.05 < nearest < 0.5
    changed = system.admin("PATCH", f"/events/{event.event_id}", json={"settings": {"confidence_percent": 95}})
    assert changed.status_code == 200, changed.text
    stricter = event.search(man)
    assert (stricter["status"], stricter["details"]["nearest_distance"]) == ("no_matches", nearest)
    assert_stopped_as_too_far(stricter)


def test_a_picture_without_a_face_ends_failed_with_a_sentence(event: Event) -> None:
    result = event.search(as_jpeg(frame_of("no_face.mp4")))
    assert result["status"] == "failed"
    assert "face" in result["error"]


def test_of_two_faces_the_larger_is_searched_for(event: Event, man: bytes) -> None:
    """The man beside a group of strangers that is shown at a third of its size."""
    his = cv2.imdecode(np.frombuffer(man, np.uint8), cv2.IMREAD_COLOR)
    group = cv2.imread(str(find_media("multi_face.jpg")))
    scale = his.shape[0] / 3 / group.shape[0]
    small = cv2.resize(group, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((his.shape[0], his.shape[1] + small.shape[1], 3), np.uint8)
    canvas[:, : his.shape[1]] = his
    canvas[: small.shape[0], his.shape[1] :] = small
    assert event.search(as_jpeg(canvas))["status"] == "completed"


def test_one_failing_source_of_three_leaves_two_clips_and_one_error(
    system: System, man: bytes, sources: Sources
) -> None:
    event = make_event(system)
    for key, film in {"a": "face_noface.mov", "b": "noface_face.mov", "c": "single_face.mp4"}.items():
        assert event.put_video(key, find_media(film))["state"] == "indexed"
    sources.delete(event, "b")
    result = event.search(man)
    assert result["status"] == "completed"
    assert [clip["source_video_key"] for clip in result["videos"]] == ["a", "c"]
    assert [failed["source_video_key"] for failed in result["clip_errors"]] == ["b"]


def test_when_no_clip_can_be_cut_it_ends_clip_failed_and_the_same_selfie_runs_again(
    system: System, man: bytes, sources: Sources
) -> None:
    event = make_event(system)
    film = find_media("noface_face.mov")
    assert event.put_video("only", film)["state"] == "indexed"
    sources.delete(event, "only")
    request_id = str(uuid.uuid4())
    event.post(man, request_id)
    result = event.result(request_id)
    assert (result["status"], result["videos"]) == ("clip_failed", [])
    assert [failed["source_video_key"] for failed in result["clip_errors"]] == ["only"]
    assert event.post(man, request_id).json()["data"]["status"] == "processing"

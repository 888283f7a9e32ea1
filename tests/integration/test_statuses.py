"""Each of the six statuses, reached on the running system."""

import uuid
from pathlib import Path

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


def test_a_lone_hit_ends_no_segments(system: System, man: bytes, lone_hit: Path) -> None:
    event = make_event(system)
    assert event.put_video("short", lone_hit)["state"] == "indexed"
    assert event.search(man)["status"] == "no_segments"


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

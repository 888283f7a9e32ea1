"""The main job on real footage: a selfie goes in, the right clips of real videos come out."""

import io
import uuid
from typing import Any

import av
import httpx
import pytest

from infra.demo_media import Race
from tests.integration.conftest import Event

PADDING_MS = 1_000
TOLERANCE_MS = 1_000
ON_SCREEN_MS = {"face_noface.mov": (0, 2_400), "noface_face.mov": (4_000, 6_400)}


@pytest.fixture(scope="module")
def result(event: Event, man: bytes) -> dict[str, Any]:
    return event.search(man)


def times_ms(result: dict[str, Any]) -> dict[str, tuple[int, int]]:
    found = result["details"]["clips"]
    return {
        clip["source_video_key"]: (found[clip["uuid"]]["start_ms"], found[clip["uuid"]]["end_ms"])
        for clip in result["videos"]
    }


def test_exactly_the_sources_that_show_him_give_one_clip_each(result: dict[str, Any]) -> None:
    assert result["status"] == "completed"
    assert sorted(clip["source_video_key"] for clip in result["videos"]) == [
        "face_noface.mov",
        "noface_face.mov",
        "race",
    ]
    assert result["clip_errors"] == []
    assert result["error"] is None


def test_the_clips_begin_and_end_where_he_comes_and_goes(result: dict[str, Any], race: Race) -> None:
    found = times_ms(result)
    spans = [(span.start_ms, span.end_ms) for span in race.spans("man")]
    for source, truths in {**{key: [span] for key, span in ON_SCREEN_MS.items()}, "race": spans}.items():
        start_ms, end_ms = found[source]
        first, last = min(truths, key=lambda span: abs(span[0] - start_ms))
        assert first - PADDING_MS - TOLERANCE_MS <= start_ms <= first + TOLERANCE_MS, source
        assert last - TOLERANCE_MS <= end_ms <= last + PADDING_MS + TOLERANCE_MS, source


def test_each_clip_says_how_sure_it_is(result: dict[str, Any]) -> None:
    """Within the event's threshold; the best of all clips is the nearest face of the event."""
    details = result["details"]
    clips = details["clips"].values()
    for clip in clips:
        assert clip["confidence_percent"] == pytest.approx(100 * (1 - clip["distance"]))
        assert clip["confidence_percent"] >= details["needed_confidence_percent"] == 50
        assert clip["samples"] >= 2
    assert details["nearest_distance"] == min(clip["distance"] for clip in clips)
    assert (details["stopped_by"], details["other_models"]) == (None, 0)


def test_each_clip_plays_from_its_address(result: dict[str, Any]) -> None:
    for clip in result["videos"]:
        answer = httpx.get(clip["video_url"], timeout=30)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
        start_ms, end_ms = times_ms(result)[clip["source_video_key"]]
        with av.open(io.BytesIO(answer.content)) as container:
            assert container.streams.video[0].codec_context.name == "h264"
            assert abs((container.duration or 0) / 1000 - (end_ms - start_ms)) <= 50
            assert sum(1 for _ in container.decode(video=0)) >= (end_ms - start_ms) // 50


def test_a_clip_is_read_by_ranges_and_kept_by_caches(result: dict[str, Any]) -> None:
    address = result["videos"][0]["video_url"]
    whole = httpx.get(address, timeout=30)
    part = httpx.get(address, headers={"Range": "bytes=100-199"}, timeout=30)
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert "immutable" in whole.headers["cache-control"]
    head = httpx.head(address, timeout=30)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))
    fresh = httpx.get(address, headers={"If-None-Match": whole.headers["etag"]}, timeout=30)
    assert fresh.status_code == 304


def test_the_same_selfie_under_the_same_id_is_not_run_again(event: Event, man: bytes) -> None:
    request_id = str(uuid.uuid4())
    event.post(man, request_id)
    first = event.result(request_id)
    again = event.post(man, request_id)
    assert again.json()["data"] == {"status": "completed", "request_id": request_id}
    assert event.result(request_id) == first


def test_another_search_for_the_same_person_gets_clips_of_its_own(
    event: Event, man: bytes, result: dict[str, Any]
) -> None:
    other = event.search(man)
    assert times_ms(other) == times_ms(result)
    assert not {clip["uuid"] for clip in other["videos"]} & {clip["uuid"] for clip in result["videos"]}

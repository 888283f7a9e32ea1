"""segment: the fact that comes of sightings. (Which windows: test_segments.py.)"""

from typing import Any

import pytest

from schemas.searches import FacesMatched, NothingToClip, SearchStatus, Stopped, StopRule, WindowsPlanned
from schemas.settings import ClipSettings
from streams.search.segment import Segmenter
from tests.streams.work import ATTEMPT, EVENT, NOW_MS, faces_matched, sighting


async def fact_of(matched: FacesMatched, secret: bytes = b"s") -> WindowsPlanned | NothingToClip:
    [fact] = await Segmenter(secret=secret, clock=lambda: NOW_MS)(matched)
    assert (fact.event_id, fact.request_id, fact.attempt) == (matched.event_id, matched.request_id, matched.attempt)
    assert fact.at_ms == NOW_MS
    return fact


async def windows_of(matched: FacesMatched, secret: bytes = b"s") -> WindowsPlanned:
    fact = await fact_of(matched, secret)
    assert isinstance(fact, WindowsPlanned)
    return fact


async def clip_id_of(matched: FacesMatched, secret: bytes = b"s") -> str:
    [window] = (await windows_of(matched, secret)).windows
    return window.clip_id


ONE = faces_matched(sighting(10_000, 14_000))


async def test_each_source_gets_one_window_with_its_object() -> None:
    fact = await windows_of(
        faces_matched(
            sighting(10_000, 14_000), sighting(30_000, 31_000), sighting(5_000, 6_000, source="cam-2", distance=0.2)
        )
    )
    seen = {
        window.source_video_key: (window.object_key, window.start_ms, window.end_ms, window.samples, window.distance)
        for window in fact.windows
    }
    assert seen == {
        "cam-1": ("sources/456/cam-1/u", 9_000, 15_000, 21, 0.3),
        "cam-2": ("sources/456/cam-2/u", 4_000, 7_000, 6, 0.2),
    }
    assert len({window.clip_id for window in fact.windows}) == 2


async def test_what_was_matched_is_passed_on() -> None:
    matched = faces_matched(sighting(10_000, 14_000), truncated=True, nearest_distance=0.3, other_models=2)
    fact = await windows_of(matched)
    assert (fact.truncated, fact.nearest_distance, fact.other_models) == (True, 0.3, 2)


async def test_no_sighting_is_no_match_and_says_how_near_it_was() -> None:
    fact = await fact_of(faces_matched(nearest_distance=0.61))
    assert isinstance(fact, NothingToClip)
    assert (fact.status, fact.nearest_distance) == (SearchStatus.NO_MATCHES, 0.61)
    assert fact.stopped_by == Stopped(rule=StopRule.TOO_FAR, seen=0.61, needed=0.5)


async def test_an_event_without_faces_says_so() -> None:
    fact = await fact_of(faces_matched())
    assert isinstance(fact, NothingToClip)
    assert (fact.status, fact.stopped_by) == (SearchStatus.NO_MATCHES, Stopped(rule=StopRule.NO_FACES))


async def test_a_face_that_came_in_during_the_search_is_not_called_too_far() -> None:
    fact = await fact_of(faces_matched(nearest_distance=0.49))
    assert isinstance(fact, NothingToClip)
    assert (fact.status, fact.stopped_by) == (SearchStatus.NO_MATCHES, Stopped(rule=StopRule.JUST_INDEXED))


async def test_footage_indexed_with_other_models_only_is_told() -> None:
    fact = await fact_of(faces_matched(other_models=3))
    assert isinstance(fact, NothingToClip)
    assert (fact.status, fact.other_models) == (SearchStatus.NO_MATCHES, 3)
    assert fact.stopped_by == Stopped(rule=StopRule.OTHER_MODELS)


async def test_sightings_too_short_for_a_segment_are_no_segments() -> None:
    fact = await fact_of(faces_matched(sighting(10_000, 10_000)))
    assert isinstance(fact, NothingToClip)
    assert (fact.status, fact.nearest_distance) == (SearchStatus.NO_SEGMENTS, 0.3)
    assert fact.stopped_by == Stopped(rule=StopRule.TOO_FEW_SAMPLES, seen=1, needed=2)


async def test_the_distance_of_a_clip_is_the_smallest_seen_in_it() -> None:
    [window] = (
        await windows_of(faces_matched(sighting(10_000, 12_000), sighting(13_000, 14_000, distance=0.2)))
    ).windows
    assert (window.distance, window.samples) == (0.2, 17)


async def test_a_repeat_names_the_same_clip() -> None:
    """So that a clip that is already there is found."""
    assert await clip_id_of(ONE) == await clip_id_of(ONE)


async def test_a_later_attempt_with_the_same_window_names_the_same_clip() -> None:
    """A clip cut before the failure need not be cut again."""
    assert await clip_id_of(faces_matched(sighting(10_000, 14_000), attempt=ATTEMPT + 1)) == await clip_id_of(ONE)


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": EVENT + 1},
        {"request_id": "00000000-0000-4000-8000-000000000000"},
        {"selfie_sha256": "ef" * 32},
        {"settings": ClipSettings(quality=24)},
        {"settings": ClipSettings(padding_end_s=1.5)},
    ],
    ids="-".join,
)
async def test_whatever_changes_the_clip_changes_its_name(changes: dict[str, Any]) -> None:
    """Another selfie too, though it found the same window: nobody learns a clip from another search."""
    assert await clip_id_of(faces_matched(sighting(10_000, 14_000), **changes)) != await clip_id_of(ONE)


async def test_nobody_can_name_a_clip_without_the_secret() -> None:
    assert await clip_id_of(ONE, b"another") != await clip_id_of(ONE)

"""match: from a stored selfie to sightings, or to the sentence for its sender."""

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from schemas.searches import FacesMatched, SearchFailed, StopRule, WindowsPlanned
from schemas.settings import confidence_of
from streams.outcomes import Invalid, Unavailable
from streams.search.match import Matcher, MatchPoint, selfie_failed
from streams.search.scan_batches import ScanBatches
from streams.search.segment import Segmenter, rule_not_matched
from streams.vision.models.model_set import ModelSet
from streams.vision.selfie_outcome import SENTENCES, Selfie, SelfieProblem
from tests.ports.faces_suite import face, near, unlike
from tests.streams.work import (
    ATTEMPT,
    EVENT,
    NOW_MS,
    REQUEST,
    SELFIE_OBJECT,
    World,
    faces_matched,
    match_selfie,
    new_world,
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


@pytest.fixture
def matcher(world: World, model_set: ModelSet) -> Matcher:
    tools = world.tools
    return Matcher(
        objects=tools.objects,
        children=tools.children,
        scans=ScanBatches(world.faces, model_set.version),
        models=model_set,
        max_selfie_bytes=10_000_000,
        clock=tools.clock,
        failpoint=tools.failpoint,
    )


@pytest.fixture
def selfie_data(man_selfie: Path) -> bytes:
    return man_selfie.read_bytes()


@pytest.fixture
async def seen(world: World, model_set: ModelSet, man: Selfie, selfie_data: bytes) -> None:
    """The man's selfie is stored; he was seen at 0.3, someone else at 0.55."""
    world.objects.private[SELFIE_OBJECT] = selfie_data
    rows = [face(near(man.vector, 0.3), track=1), face(near(man.vector, 0.55), track=2), face(unlike(1), track=3)]
    await world.faces.put_chunk(event_id=EVENT, source_video_key="cam-1", generation=1, chunk=0, faces=rows)
    await activate(world, "cam-1", model_set.version)


async def activate(world: World, source: str, model: str) -> None:
    """Nine seconds of footage."""
    await world.faces.activate(
        event_id=EVENT,
        source_video_key=source,
        model=model,
        generation=1,
        object_key=f"sources/{source}",
        duration_ms=9_000,
    )


@pytest.mark.usefixtures("seen")
async def test_the_sightings_travel_with_all_that_segmenting_needs(world: World, matcher: Matcher) -> None:
    work = match_selfie(max_gap_s=7.0)
    [matched] = await matcher(work)
    assert isinstance(matched, FacesMatched)
    assert (matched.event_id, matched.request_id, matched.attempt) == (EVENT, REQUEST, ATTEMPT)
    assert (matched.selfie_sha256, matched.settings) == (work.selfie.sha256, work.settings)
    assert [sighting.track for sighting in matched.sightings] == ["0/1"]
    assert [source.source_video_key for source in matched.sources] == ["cam-1"]
    assert matched.nearest_distance == pytest.approx(0.3, abs=1e-5)
    assert world.points == list(MatchPoint)


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize(("confidence", "tracks"), [(71.0, []), (69.0, ["0/1"]), (44.0, ["0/1", "0/2"])])
async def test_the_events_confidence_is_the_limit(matcher: Matcher, confidence: float, tracks: list[str]) -> None:
    [matched] = await matcher(match_selfie(confidence_percent=confidence))
    assert isinstance(matched, FacesMatched)
    assert [sighting.track for sighting in matched.sightings] == tracks


@pytest.mark.usefixtures("seen")
async def test_a_stricter_event_gives_fewer_clips(
    world: World, matcher: Matcher, man: Selfie, model_set: ModelSet
) -> None:
    """From the selfie to the windows, the event's percent alone being another; a second camera saw him at 0.45."""
    rows = [face(near(man.vector, 0.45))]
    await world.faces.put_chunk(event_id=EVENT, source_video_key="cam-2", generation=1, chunk=0, faces=rows)
    await activate(world, "cam-2", model_set.version)
    segmenter = Segmenter(secret=b"s", clock=lambda: NOW_MS)
    clips: dict[float, int] = {}
    for confidence in (54.0, 56.0, 69.0, 71.0):
        [matched] = await matcher(match_selfie(confidence_percent=confidence))
        assert isinstance(matched, FacesMatched)
        [fact] = await segmenter(matched)
        clips[confidence] = len(fact.windows) if isinstance(fact, WindowsPlanned) else 0
    assert clips == {54.0: 2, 56.0: 1, 69.0: 1, 71.0: 0}


@pytest.mark.usefixtures("seen")
async def test_footage_that_only_other_models_know_is_counted(world: World, matcher: Matcher) -> None:
    await activate(world, "cam-2", "older")
    [matched] = await matcher(match_selfie())
    assert isinstance(matched, FacesMatched)
    assert (matched.other_models, [source.source_video_key for source in matched.sources]) == (1, ["cam-1"])


@pytest.mark.usefixtures("seen")
async def test_the_nearest_that_was_too_far_is_what_the_event_would_have_to_allow(matcher: Matcher) -> None:
    [strict] = await matcher(match_selfie(confidence_percent=90))
    assert isinstance(strict, FacesMatched)
    stopped = rule_not_matched(strict)
    assert stopped.rule is StopRule.TOO_FAR
    assert stopped.seen is not None
    nearly = confidence_of(stopped.seen)
    for percent, found in ((nearly - 0.001, 1), (nearly + 0.001, 0)):
        [matched] = await matcher(match_selfie(confidence_percent=percent))
        assert isinstance(matched, FacesMatched)
        assert len(matched.sightings) == found


@pytest.mark.usefixtures("seen")
async def test_another_events_faces_are_not_found(matcher: Matcher) -> None:
    [matched] = await matcher(msgspec.structs.replace(match_selfie(), event_id=EVENT + 1))
    assert isinstance(matched, FacesMatched)
    assert (matched.sightings, matched.sources, matched.nearest_distance) == ((), (), None)


def jpeg_without_a_face() -> bytes:
    return cv2.imencode(".jpg", np.full((400, 300, 3), 127, np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"no picture", SelfieProblem.UNDECODABLE), (jpeg_without_a_face(), SelfieProblem.NO_FACE)],
    ids=["undecodable", "no face"],
)
async def test_a_useless_selfie_ends_the_search_with_its_sentence(
    world: World, matcher: Matcher, data: bytes, problem: SelfieProblem
) -> None:
    """A result, not a dead letter; no scan is spent on it."""
    world.objects.private[SELFIE_OBJECT] = data
    [failed] = await matcher(match_selfie())
    assert failed == SearchFailed(
        event_id=EVENT, request_id=REQUEST, attempt=ATTEMPT, at_ms=NOW_MS, error=SENTENCES[problem]
    )
    assert world.faces.scans == []
    assert world.points == [MatchPoint.SELFIE_READ, MatchPoint.EMBEDDED]


async def test_a_selfie_that_is_gone_is_invalid(matcher: Matcher) -> None:
    """The shell then sends the failure fact and the dead letter."""
    with pytest.raises(Invalid, match="send it again"):
        await matcher(match_selfie())


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("down", ["objects", "faces"])
async def test_an_outage_comes_out_as_one(world: World, matcher: Matcher, down: str) -> None:
    getattr(world, down).down = True
    with pytest.raises(Unavailable):
        await matcher(match_selfie())


def test_the_failure_fact_is_of_the_attempt() -> None:
    """Whether matching or segmenting gave up."""
    fact = SearchFailed(event_id=EVENT, request_id=REQUEST, attempt=ATTEMPT, at_ms=5, error="why")
    assert selfie_failed(match_selfie(), "why", 5) == fact
    assert selfie_failed(faces_matched(), "why", 5) == fact

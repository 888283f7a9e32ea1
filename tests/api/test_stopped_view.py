"""Why a search is empty, in words."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.stopped_view import stopped_details
from schemas.codec import decode
from schemas.searches import SearchRecord, Stopped, StopRule
from schemas.settings import ClipSettings, distance_of
from schemas.topics import SEARCHES

EXAMPLE = Path(__file__).parents[2] / "schemas" / "examples" / "SearchRecord.json"


def record(stopped_by: Stopped | None, **changes: object) -> SearchRecord:
    """A search of an event that is indexed to its end."""
    stored = decode(SEARCHES, EXAMPLE.read_bytes())
    assert isinstance(stored, SearchRecord)
    return msgspec.structs.replace(stored, stopped_by=stopped_by, **({"coverage": 1.0} | changes))


def sentence(rule: StopRule, seen: float | None = None, needed: float | None = None, **changes: object) -> str:
    details = stopped_details(record(Stopped(rule=rule, seen=seen, needed=needed), **changes))
    assert details is not None
    assert (details.rule, details.seen, details.needed) == (rule, seen, needed)
    return details.sentence


CASES = {
    "the event's footage shows no face": (StopRule.NO_FACES, None, None),
    "the event's footage is indexed with other face models than those that search it": (
        StopRule.OTHER_MODELS,
        None,
        None,
    ),
    "no face in the event's footage was near enough: nearest 0.61 (39 %), needed 0.5 (50 %)": (
        StopRule.TOO_FAR,
        0.61,
        0.5,
    ),
    "a face that is near enough came in while the search ran: search with a new id": (
        StopRule.JUST_INDEXED,
        None,
        None,
    ),
    "the person was seen too few times: 1 in one passage, needed 2": (
        StopRule.TOO_FEW_SAMPLES,
        1,
        2,
    ),
    "the person was seen too shortly: for 0.4 s at most, needed 1.5 s": (StopRule.TOO_SHORT, 400, 1500),
    "the person was seen only after the end that the video claims to have": (StopRule.OUTSIDE_VIDEO, None, None),
}


@pytest.mark.parametrize("words", CASES)
def test_each_rule_has_its_sentence(words: str) -> None:
    assert sentence(*CASES[words]) == words


def test_every_rule_is_among_them() -> None:
    assert {rule for rule, _, _ in CASES.values()} == set(StopRule)


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        (None, "the event had no video yet"),
        (0.0, "no face was indexed in the event yet; 0 % of the footage could be searched when it began"),
        (0.999, "no face was indexed in the event yet; 99 % of the footage could be searched when it began"),
        (1.0, "the event's footage shows no face"),
    ],
)
def test_without_faces_it_tells_an_empty_event_from_one_that_is_not_indexed_yet(
    coverage: float | None, words: str
) -> None:
    assert sentence(StopRule.NO_FACES, coverage=coverage) == words


@pytest.mark.parametrize(
    ("videos", "words"),
    [
        (1, "; 1 video is indexed with other face models and could not be searched"),
        (3, "; 3 videos are indexed with other face models and could not be searched"),
    ],
)
def test_footage_that_was_not_looked_at_is_named(videos: int, words: str) -> None:
    assert sentence(StopRule.TOO_FAR, 0.61, 0.5, other_models=videos).endswith(words)


def test_what_an_older_worker_did_not_say_stays_unsaid() -> None:
    assert stopped_details(record(None)) is None


@given(st.integers(1, 99), st.floats(1e-7, 1))
def test_a_face_just_too_far_never_looks_near_enough(percent: int, further: float) -> None:
    settings, needed = ClipSettings(confidence_percent=percent), distance_of(percent)
    words = sentence(StopRule.TOO_FAR, needed + further, needed, settings=settings)
    near, near_percent, limit, limit_percent = map(float, re.findall(r"[\d.]+(?= \(| %)", words))
    assert near > limit
    assert near_percent < limit_percent

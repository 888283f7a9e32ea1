"""Why a search is empty, as partners see it: the rule, its numbers, and a sentence."""

from math import ceil, floor

import msgspec

from schemas.searches import SearchRecord, Stopped, StopRule
from schemas.settings import confidence_of


class StoppedDetails(msgspec.Struct, kw_only=True, frozen=True):
    """The rule that stopped a search.

    Attributes:
        seen: The best that there was: a distance (`too_far`), samples (`too_few_samples`), milliseconds (`too_short`);
            null where the rule has no number.
        needed: What would have passed, in the same unit.
        sentence: The same for people.
    """

    rule: StopRule
    seen: float | None
    needed: float | None
    sentence: str


def stopped_details(record: SearchRecord) -> StoppedDetails | None:
    """What stopped this search; None where nothing did, or where an older worker did not say."""
    stopped = record.stopped_by
    if stopped is None:
        return None
    sentence = _sentence(stopped, record) + _not_looked_at(record)
    return StoppedDetails(rule=stopped.rule, seen=stopped.seen, needed=stopped.needed, sentence=sentence)


def _sentence(stopped: Stopped, record: SearchRecord) -> str:
    seen, needed = stopped.seen or 0.0, stopped.needed or 0.0
    sentences = {
        StopRule.NO_FACES: _no_faces(record.coverage),
        StopRule.OTHER_MODELS: "the event's footage is indexed with other face models than those that search it",
        StopRule.TOO_FAR: _too_far(seen, needed, record.settings.confidence_percent),
        StopRule.JUST_INDEXED: "a face that is near enough came in while the search ran: search with a new id",
        StopRule.TOO_FEW_SAMPLES: f"the person was seen too few times: {seen:g} in one passage, needed {needed:g}",
        StopRule.TOO_SHORT: (
            f"the person was seen too shortly: for {seen / 1000:g} s at most, needed {needed / 1000:g} s"
        ),
        StopRule.OUTSIDE_VIDEO: "the person was seen only after the end that the video claims to have",
    }
    return sentences[stopped.rule]


def _too_far(seen: float, needed: float, needed_percent: float) -> str:
    # Rounded away from each other, so that two numbers that differ never look alike.
    near = f"nearest {ceil(seen * 1000) / 1000:g} ({floor(confidence_of(seen) * 10) / 10:g} %)"
    return f"no face in the event's footage was near enough: {near}, needed {needed:g} ({needed_percent:g} %)"


def _no_faces(coverage: float | None) -> str:
    if coverage is None:
        return "the event had no video yet"
    if coverage < 1:
        return "no face was indexed in the event yet"
    return "the event's footage shows no face"


def _not_looked_at(record: SearchRecord) -> str:
    """What a search could not see, as a further clause; empty where it saw everything."""
    clauses = []
    if record.coverage is not None and record.coverage < 1:
        clauses.append(f"; {floor(record.coverage * 100)} % of the footage could be searched when it began")
    if record.other_models:
        videos = "1 video is" if record.other_models == 1 else f"{record.other_models} videos are"
        clauses.append(f"; {videos} indexed with other face models and could not be searched")
    return "".join(clauses)

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
    match stopped.rule:
        case StopRule.NO_FACES:
            return _no_faces(record.coverage)
        case StopRule.OTHER_MODELS:
            return "the event's footage is indexed with other face models than those that search it"
        case StopRule.TOO_FAR:
            # Away from each other, so that two numbers that differ never look alike.
            near = f"nearest {ceil(seen * 1000) / 1000:g} ({floor(confidence_of(seen) * 10) / 10:g} %)"
            limit = f"needed {needed:g} ({record.settings.confidence_percent:g} %)"
            return f"no face in the event's footage was near enough: {near}, {limit}"
        case StopRule.TOO_FEW_SAMPLES:
            times = "once" if seen == 1 else f"{seen:g} times"
            return f"the person was seen in too few pictures: {times} within one passage, needed {needed:g} times"
        case StopRule.TOO_SHORT:
            return f"the person was seen too shortly: for {seen / 1000:g} s at most, needed {needed / 1000:g} s"
        case StopRule.OUTSIDE_VIDEO:
            return "the person was seen only after the end that the video claims to have"


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

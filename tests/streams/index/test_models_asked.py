"""Which worker does what is asked with which models."""

import msgspec
import pytest

from schemas.indexing import IndexChunk
from schemas.videos import OtherModels
from streams.index.models_asked import refused
from streams.outcomes import Unavailable
from tests.streams.work import EVENT, GENERATION, NOW_MS, SOURCE_KEY, index_chunk, split_source

OWN = "models-2"


def asked(**changes: object) -> IndexChunk:
    return msgspec.structs.replace(index_chunk(0, 1_000), **changes)


def test_work_for_its_own_models_is_done() -> None:
    assert refused(asked(model=OWN), OWN, NOW_MS) is None


@pytest.mark.parametrize("model", ["models-1", None], ids=["others", "of before models had versions"])
def test_work_for_other_models_is_refused_with_its_own(model: str | None) -> None:
    assert refused(asked(model=model), OWN, NOW_MS) == OtherModels(
        event_id=EVENT, source_video_key=SOURCE_KEY, generation=GENERATION, at_ms=NOW_MS, model=OWN
    )


def test_whoever_splits_a_source_chooses_the_models() -> None:
    assert refused(split_source(), OWN, NOW_MS) is None


def test_a_worker_with_superseded_models_waits_until_it_is_replaced() -> None:
    """It does not split either: its models would be chosen again."""
    for work in (
        asked(model="models-3", superseded=(OWN,)),
        msgspec.structs.replace(split_source(), superseded=(OWN,)),
    ):
        with pytest.raises(Unavailable, match="replaced") as waiting:
            refused(work, OWN, NOW_MS)
        assert waiting.value.dependency == "models"


def test_after_a_while_without_a_replacement_it_does_its_part_all_the_same() -> None:
    """It was no left-over: those of before were."""
    chunk = asked(model="models-3", superseded=(OWN,), give_up_at_ms=NOW_MS)
    split = msgspec.structs.replace(split_source(), superseded=(OWN,), give_up_at_ms=NOW_MS)
    for work in (chunk, split):
        with pytest.raises(Unavailable):
            refused(work, OWN, NOW_MS)
    refusal = refused(chunk, OWN, NOW_MS + 1)
    assert refusal is not None
    assert refusal.model == OWN
    assert refused(split, OWN, NOW_MS + 1) is None

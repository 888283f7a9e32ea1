"""Work on a generation is done with the models it asks for, or not at all."""

from schemas.indexing import ModelWork, SplitSource
from schemas.videos import OtherModels
from streams.outcomes import Unavailable


def refused(work: ModelWork, version: str, now_ms: int) -> OtherModels | None:
    """The fact by which the ledger starts the source anew with this worker's models; None when they are as asked.

    Args:
        work: Any that concerns one generation.
        version: Of the worker's models.
        now_ms: Wall clock.

    Raises:
        Unavailable: The source was begun with the worker's models and started anew with others: the worker seems to be
            a left-over of a change, and waits for a while to be replaced. To start anew for it would undo the change.
    """
    if version in work.superseded and (work.give_up_at_ms is None or now_ms <= work.give_up_at_ms):
        raise Unavailable("models", "This worker's face models were replaced by others; restart it with those.")
    if isinstance(work, SplitSource) or work.model == version:
        return None
    return OtherModels(
        event_id=work.event_id,
        source_video_key=work.source_video_key,
        generation=work.generation,
        at_ms=now_ms,
        model=version,
    )

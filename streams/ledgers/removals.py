"""Facts about what was deleted of a source: a removal is asked for again after each of them, one at a time."""

import msgspec

from schemas.indexing import RemoveSource
from schemas.videos import Removal, SourceRemoved, VideoFactMessage, VideoRecord
from streams.flow import Decision


def heard(record: VideoRecord, removal: Removal, fact: VideoFactMessage) -> Decision:
    """What a fact of a deleted generation makes of its source.

    A worker that was at it when the deletion came may have stored rows after they were removed. Each piece of work
    reports once, so this ends.
    """
    if not isinstance(fact, SourceRemoved):
        if removal.under_way:
            return _changed(record, removal, again=True)
    elif fact.generation != removal.generation or not removal.under_way:
        return Decision(record)  # of a deletion before, or a repeat
    elif not removal.again:
        return _changed(record, removal, under_way=False)
    remove = RemoveSource(
        event_id=record.event_id, source_video_key=record.source_video_key, generation=removal.generation
    )
    changed = msgspec.structs.replace(removal, under_way=True, again=False)
    return Decision(msgspec.structs.replace(record, removal=changed), (remove,))


def _changed(record: VideoRecord, removal: Removal, **changes: bool) -> Decision:
    changed = msgspec.structs.replace(removal, **changes)
    return Decision(record if changed == removal else msgspec.structs.replace(record, removal=changed))

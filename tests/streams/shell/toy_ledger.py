"""The toy ledger's decision."""

import msgspec

from schemas.records import Outcome
from schemas.searches import ClipFailed, ExpireSearch, SearchFailed, SearchRecord, SearchStatus, SubmitSearch
from schemas.topics import SEARCH_COMMANDS, SEARCH_FACTS, SEARCHES
from streams.flow import Decision, Ledger
from tests.streams.shell.toy import BIG_ORG_ID, BUG_ORG_ID, empty_record, expire, match, usage

Message = SubmitSearch | ExpireSearch | ClipFailed | SearchFailed


def decide(record: SearchRecord | None, message: Message) -> Decision:
    """Each message changes the record and asks for two things; none depends on the order of the two topics."""
    if isinstance(message, SubmitSearch) and message.org_id == BUG_ORG_ID:
        raise RuntimeError("the toy's bug")
    if isinstance(message, ExpireSearch):
        if record is None or record.status.terminal:
            return Decision(record)
        return Decision(msgspec.structs.replace(record, status=SearchStatus.FAILED, error="expired"))
    old = record or empty_record(message.request_id, 0, 1 << 60)
    if isinstance(message, SubmitSearch):
        new = msgspec.structs.replace(
            old.with_verdict(message, Outcome.ACCEPTED),
            number=old.number + 1,
            org_id=message.org_id,
            deadline_at_ms=message.deadline_ms,
            # What nothing can compress, so that a limit on the broker's side is met.
            error=incompressible(100_000) if message.org_id == BIG_ORG_ID else None,
        )
        what = 0
    elif isinstance(message, SearchFailed):
        return Decision(msgspec.structs.replace(old, status=SearchStatus.FAILED, error=message.error))
    else:
        failed = (*old.clip_errors, message)
        new = msgspec.structs.replace(old, clip_errors=tuple(sorted(failed, key=lambda one: one.clip_id)))
        what = int(message.clip_id) + 1
    return Decision(new, (match(message.request_id, attempt=what), usage(message.request_id, what)))


def incompressible(size: int) -> str:
    """The same text of hex digits each time, made by a linear congruence."""
    state, digits = 1, []
    while len(digits) * 8 < size:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        digits.append(f"{state >> 32:08x}")
    return "".join(digits)


LEDGER = Ledger(
    name="toy", commands=SEARCH_COMMANDS, facts=SEARCH_FACTS, records=SEARCHES, decide=decide, expire=expire
)

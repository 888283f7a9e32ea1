"""What the shell says, in a closed vocabulary: a constant event and fields. Keys and ids, never a message's content."""

import logging
import traceback
from enum import StrEnum

import structlog

log = structlog.get_logger("spotclip.shell")

FRAMES_SHOWN = 6


class LogEvent(StrEnum):
    """Everything the shell ever says."""

    WORKER_REFUSED = "worker refused to start"
    WORKER_READY = "worker ready"
    WORKER_STOPPING = "worker stopping"
    WORKER_STOPPED = "worker stopped"
    WORKER_CRASHED = "worker crashed"
    WOKE_LATE = "process was stopped too long and ends"
    COMMIT_MOVED = "commit moved to the start of the log"
    HOLE_FOUND = "offset out of order"
    SOURCE_ENDS_EARLY = "source ends below what was applied"
    TRY_FAILED = "try failed"
    DEPENDENCY_DOWN = "dependency down, waiting"
    OUTAGE_TOO_LONG = "dependency stayed down"
    HANDED_BACK = "message handed back to the log"
    GIVEN_UP = "message given up"
    NOT_DELIVERED = "failure could not be reported"
    TOO_MANY_FAILURES = "too many failures"
    INTERRUPTED = "interrupted inside a message"
    RECORD_UNREADABLE = "stored record does not decode"
    RECORD_NOT_ACKNOWLEDGED = "record not acknowledged"
    EXPIRY_SENT = "expiry sent"
    EXPIRY_NOT_SENT = "expiry not sent"


def printable_key(key: bytes | None) -> str | None:
    """A Kafka key for a log line: at most 200 characters, whatever came."""
    return None if key is None else key[:200].decode("utf-8", errors="replace")


def where(error: BaseException) -> list[str]:
    """The last frames of an exception, each `file:line function`.

    Enough to find it, and none of its text, which may quote a message.
    """
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_SHOWN:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


class _RebalanceNoise(logging.Filter):
    """Drops one warning per heartbeat for as long as a rebalance waits for a running message: normal, and useless."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "because it is rebalancing" not in record.msg


_REBALANCE_NOISE = _RebalanceNoise()


def quiet_vendors() -> None:
    """Let Faust, its service library and aiokafka say warnings and errors only, without the rebalance noise."""
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # One filter object, which a logger keeps once however often it is added.
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_REBALANCE_NOISE)

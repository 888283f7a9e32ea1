"""A dead letter: the refused message as it came, and headers that say why and whence."""

from enum import StrEnum

from streams.shell.delivery import Delivery


class Header(StrEnum):
    """Headers of a dead letter; each value is UTF-8 text."""

    ERROR = "error"  # a sentence
    TOPIC = "origin-topic"
    PARTITION = "origin-partition"
    OFFSET = "origin-offset"
    ATTEMPT = "attempt"  # tries it got, from 1
    STAGE = "stage"  # the ledger or stage that gave it up
    AT_MS = "at-ms"  # milliseconds since 1970 UTC


def headers_of(delivery: Delivery, *, error: str, attempt: int, stage: str, at_ms: int) -> dict[str, bytes]:
    """The headers of this delivery's dead letter."""
    return {
        Header.ERROR: error.encode(),
        Header.TOPIC: delivery.topic.encode(),
        Header.PARTITION: str(delivery.partition).encode(),
        Header.OFFSET: str(delivery.offset).encode(),
        Header.ATTEMPT: str(attempt).encode(),
        Header.STAGE: stage.encode(),
        Header.AT_MS: str(at_ms).encode(),
    }

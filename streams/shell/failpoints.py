"""The named places between two awaits at which a test may end the process."""

from collections.abc import Callable
from enum import StrEnum


class FailpointName(StrEnum):
    """Every place, in the order in which a message passes them."""

    LEDGER_TAKEN = "ledger.taken"
    LEDGER_DECIDED = "ledger.decided"
    LEDGER_BETWEEN_OUTPUTS = "ledger.between_outputs"
    LEDGER_OUTPUTS_ACKNOWLEDGED = "ledger.outputs_acknowledged"
    LEDGER_BEFORE_PUT = "ledger.before_put"
    LEDGER_CHANGELOG_SENT = "ledger.changelog_sent"  # enqueued, not yet acknowledged
    LEDGER_CHANGELOG_ACKNOWLEDGED = "ledger.changelog_acknowledged"
    LEDGER_STORED = "ledger.stored"
    STAGE_TAKEN = "stage.taken"
    STAGE_HANDLED = "stage.handled"
    STAGE_BETWEEN_OUTPUTS = "stage.between_outputs"
    STAGE_OUTPUTS_ACKNOWLEDGED = "stage.outputs_acknowledged"
    GUARD_FACT_SENT = "guard.fact_sent"
    GUARD_DEAD_LETTER_SENT = "guard.dead_letter_sent"
    WATCHDOG_SENT = "watchdog.sent"


Failpoint = Callable[[FailpointName], None]
"""Called at each place. A deployment's does nothing."""


def pass_by(_name: str, /) -> None:
    """The failpoint of every process that is not a test."""

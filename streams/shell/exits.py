"""How a worker process ends: every exit code, and the one function that ends a process at once."""

import os
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn


class ExitCode(IntEnum):
    """Why the process ended. Only `STOPPED` committed all it had taken; after any other a restart takes it again.

    Numbers above 63 follow BSD's sysexits.h where a name of it fits (69 unavailable, 75 temporary failure,
    78 configuration).
    """

    STOPPED = 0  # asked to stop, and did
    CRASHED = 1  # Faust ended by itself
    UNAVAILABLE = 69  # a dependency stayed down; join again once it answers
    UNDELIVERED = 70  # a failure fact or a dead letter could not be written
    HOLE = 71  # an offset of a source was not handed over
    UNRECORDED = 72  # the broker did not acknowledge a ledger's record
    FAILING = 73  # too large a share of messages failed: look at the deployment, not at the messages
    INTERRUPTED = 74  # cancelled inside a message, or it did not stop in time
    LATE = 75  # the process was stopped for longer than its place in the group lasts
    REFUSED = 78  # topics are missing, or do not fit the settings or the records


Exit = Callable[[ExitCode], NoReturn]
"""Ends the process; nothing after it runs."""


def end_process(code: ExitCode) -> NoReturn:
    """End now: no handler, no `finally`, no commit, no send that is still queued gets to run."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

"""Where to kill: every point that the work of a search or of a video passes, and what of it the default run takes."""

from collections.abc import Collection, Sequence
from enum import StrEnum

import pytest
from _pytest.mark import ParameterSet

from streams.flow import Role
from streams.index.chunks import ChunkPoint
from streams.index.sources import SourcePoint
from streams.render.clips import ClipPoint
from streams.search.match import MatchPoint
from streams.shell.failpoints import FailpointName as Shell
from tests.integration.kills.orders import Order

TAKEN = {role: Shell.LEDGER_TAKEN if role is Role.LEDGER else Shell.STAGE_TAKEN for role in Role}

LEDGER = (
    Shell.LEDGER_TAKEN,
    Shell.LEDGER_DECIDED,
    Shell.LEDGER_OUTPUTS_ACKNOWLEDGED,
    Shell.LEDGER_BEFORE_PUT,
    Shell.LEDGER_CHANGELOG_SENT,
    Shell.LEDGER_CHANGELOG_ACKNOWLEDGED,
    Shell.LEDGER_STORED,
)
STAGE = (Shell.STAGE_TAKEN, Shell.STAGE_HANDLED, Shell.STAGE_OUTPUTS_ACKNOWLEDGED)


def orders(role: Role, points: Sequence[StrEnum], passings: int) -> list[Order]:
    """Each point at each of its passings."""
    return [Order(role=role, point=point, nth=nth) for point in points for nth in range(1, passings + 1)]


# A search with two clips: the ledger takes the command, the windows and a fact for each clip, and asks for more than
# one thing twice; match takes the selfie and segment the sightings; render takes each clip.
SEARCH = [
    *orders(Role.LEDGER, LEDGER, 4),
    *orders(Role.LEDGER, (Shell.LEDGER_BETWEEN_OUTPUTS,), 2),
    *orders(Role.MATCH, tuple(MatchPoint), 1),
    *orders(Role.MATCH, STAGE, 2),
    *orders(Role.RENDER, tuple(ClipPoint), 2),
    *orders(Role.RENDER, STAGE, 2),
]
# A video of one chunk: the ledger takes the command, the plan and the chunk's fact.
VIDEO = [
    *orders(Role.LEDGER, LEDGER, 3),
    *orders(Role.INDEX, tuple(SourcePoint), 1),
    *orders(Role.INDEX, tuple(ChunkPoint), 1),
    *orders(Role.INDEX, STAGE, 2),
]
# A search that cannot be done, because its selfie is gone.
GIVEN_UP = orders(Role.MATCH, (Shell.GUARD_FACT_SENT, Shell.GUARD_DEAD_LETTER_SENT), 1)
# A search past its deadline.
EXPIRED = Order(role=Role.LEDGER, point=Shell.WATCHDOG_SENT)

# No stage of the pipeline gives two messages for one, so none comes between them.
NEVER_PASSED = Shell.STAGE_BETWEEN_OUTPUTS

# Left to the full run: what the shell does alike for every role and every ledger, and other cases show by default.
SHOWN_BY_MATCH = {(Role.RENDER, point) for point in STAGE} | {(Role.INDEX, point) for point in STAGE}
SHOWN_BY_SEARCHES = {(Role.LEDGER, point) for point in LEDGER if point is not Shell.LEDGER_OUTPUTS_ACKNOWLEDGED}


def cases(given: Sequence[Order], *, leave: Collection[tuple[Role, str]]) -> list[ParameterSet]:
    """One passing of each point by default, in turn the first, the second, ...; all of them in the full run."""
    points = list(dict.fromkeys((order.role, order.point) for order in given))
    chosen: list[Order] = []
    for number, place in enumerate(points):
        passings = [order for order in given if (order.role, order.point) == place]
        if place not in leave:
            chosen.append(passings[number % len(passings)])
    return [
        pytest.param(
            order, id=f"{order.role} {order.point} {order.nth}", marks=[] if order in chosen else pytest.mark.full
        )
        for order in given
    ]

"""Where to kill: every point that the work of a search or of a video passes, and what of it the default run takes."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from itertools import zip_longest

import pytest
from _pytest.mark import ParameterSet

from streams.flow import Role
from streams.index.chunks import ChunkPoint
from streams.index.sources import RemovalPoint, SourcePoint
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
# That video indexed anew: its second generation is activated when it is whole, which is one more thing asked and told.
REINDEX = [
    *orders(Role.LEDGER, LEDGER, 4),
    *orders(Role.INDEX, tuple(SourcePoint), 1),
    *orders(Role.INDEX, tuple(ChunkPoint), 1),
    *orders(Role.INDEX, STAGE, 3),
]
# That video deleted: its faces, then the one object of its bytes.
REMOVAL = [
    *orders(Role.LEDGER, LEDGER, 2),
    *orders(Role.INDEX, tuple(RemovalPoint), 1),
    *orders(Role.INDEX, STAGE, 1),
]
# A search that cannot be done, because its selfie is gone.
GIVEN_UP = orders(Role.MATCH, (Shell.GUARD_FACT_SENT, Shell.GUARD_DEAD_LETTER_SENT), 1)
# A search past its deadline.
EXPIRED = Order(role=Role.LEDGER, point=Shell.WATCHDOG_SENT)

# No stage of the pipeline gives two messages for one, so none comes between them.
NEVER_PASSED = Shell.STAGE_BETWEEN_OUTPUTS


def one_of_each(given: Sequence[Order], *roles: Role) -> list[Order]:
    """One passing of each point of these roles: of the first point the first, of the second the second, and so on."""
    chosen = []
    for number, place in enumerate(dict.fromkeys((order.role, order.point) for order in given if order.role in roles)):
        passings = [order for order in given if (order.role, order.point) == place]
        chosen.append(passings[number % len(passings)])
    return chosen


def name(order: Order) -> str:
    return f"{order.role} {order.point} {order.nth}"


def cases(given: Sequence[Order], by_default: Collection[Order]) -> list[ParameterSet]:
    """All of them in the full run."""
    return [
        pytest.param(order, id=name(order), marks=[] if order in by_default else pytest.mark.full) for order in given
    ]


def rounds() -> list[ParameterSet]:
    """Every point of the stages once, one of each role at a time: the roles' restarts take the same seconds.

    A kill of one of these roles gives no other one more to do, since the ledger asks for everything once. The shell's
    own points are those of match here; the other roles' are left to the full run.
    """
    match = one_of_each(SEARCH, Role.MATCH)
    render = [order for order in one_of_each(SEARCH, Role.RENDER) if order.point not in STAGE]
    index = [order for order in one_of_each(VIDEO, Role.INDEX) if order.point not in STAGE]
    together = [[order for order in row if order is not None] for row in zip_longest(match, render, index)]
    return [pytest.param(row, id=" + ".join(name(order) for order in row)) for row in together]

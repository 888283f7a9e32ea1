"""Workers killed while a source is indexed anew or deleted: the same end as without, in the record and in the store."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from _pytest.mark import ParameterSet

from schemas.videos import VideoRecord, VideoState
from streams.flow import Role
from streams.index.chunks import ChunkPoint
from streams.index.sources import RemovalPoint, SourcePoint
from tests.integration.conftest import Event, make_event
from tests.integration.kills.end_states import plain_video
from tests.integration.kills.killable import Killable, start_deletion, start_reindex, start_video, wait_for_video
from tests.integration.kills.orders import Order
from tests.integration.kills.points import REINDEX, REMOVAL, TAKEN, name
from tests.integration.kills.stored_faces import Person, Seen, StoredFaces
from tests.waiting import wait_until

# The first test starts the system.
pytestmark = pytest.mark.timeout(400)

ROWS_GONE_WITHIN_S = 30.0
# By default the two moments at which something of a new generation has just become true, in one run of it.
IN_A_REINDEX = [
    Order(role=Role.INDEX, point=ChunkPoint.STORED),
    Order(role=Role.INDEX, point=SourcePoint.ACTIVATED),
]
IN_A_REMOVAL = [Order(role=Role.INDEX, point=RemovalPoint.FACES_REMOVED)]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What became of a source.

    Attributes:
        rows: Faces of the generation that is seen, each counted once.
        passed: How often each point was passed for it.
    """

    record: VideoRecord
    seen: Seen
    rows: int
    passed: Counter[tuple[Role, str]]


@dataclass(frozen=True)
class Hand:
    """Changes sources with workers that are killed on the way."""

    killable: Killable
    stored: StoredFaces
    person: Person
    film: Path

    def event(self) -> Event:
        """A new one, with the film as its source `a`, indexed."""
        event = make_event(self.killable.system)
        start_video(event, "a", self.film)
        wait_for_video(event, "a")
        return event

    def reindex(self, event: Event, orders: Sequence[Order] = ()) -> Changed:
        before = self.killable.ends.video(event, "a").generation
        self._order(orders)
        start_reindex(event, "a")
        record = self.killable.wait_for_generation(event, "a", before + 1)
        return self._ended(event, record)

    def delete(self, event: Event, orders: Sequence[Order] = ()) -> Changed:
        self._order(orders)
        start_deletion(event, "a")
        return self._ended(event, self.killable.wait_for_removal(event, "a"))

    def _order(self, orders: Sequence[Order]) -> None:
        self.killable.settle()
        self.killable.orders.clear()
        for order in orders:
            self.killable.orders.give(order)

    def _ended(self, event: Event, record: VideoRecord) -> Changed:
        self.killable.settle()
        return Changed(
            record=self.killable.ends.video(event, "a"),
            seen=self.stored.see(event.event_id, self.person),
            rows=self.stored.rows(event.event_id, "a").get(record.active_generation or 0, 0),
            passed=self.killable.orders.passed(),
        )

    def check_killed(self, orders: Sequence[Order], changed: Changed, undisturbed: Changed) -> None:
        """Every order was carried out, and each time the message under way was taken again."""
        for order in orders:
            assert self.killable.orders.carried_out(order)
            taken = order.role, TAKEN[order.role]
            assert changed.passed[taken] > undisturbed.passed[taken], "nothing was taken again"


@pytest.fixture(scope="module")
def hand(killable: Killable, stored: StoredFaces, person: Person, short: Path) -> Hand:
    return Hand(killable, stored, person, short)


@pytest.fixture(scope="module")
def event(hand: Hand) -> Event:
    """Whose source is indexed anew again and again."""
    return hand.event()


@pytest.fixture(scope="module")
def reindexed(hand: Hand, event: Event) -> Changed:
    """What a reindex comes to without a kill."""
    changed = hand.reindex(event)
    assert changed.record.state is VideoState.INDEXED
    assert changed.rows > 0
    return changed


@pytest.fixture(scope="module")
def deleted(hand: Hand) -> Changed:
    """What a deletion comes to without a kill."""
    changed = hand.delete(hand.event())
    assert (changed.record.state, changed.seen, changed.rows) == (VideoState.DELETED, {}, 0)
    return changed


def of_any_generation(record: VideoRecord) -> VideoRecord:
    """Without what counts how often the source was changed before."""
    plain = plain_video(record)
    active = None if plain.active_generation is None else plain.generation - plain.active_generation
    return msgspec.structs.replace(
        plain, version=0, generation=0, active_generation=active, verdicts=plain.verdicts[-1:]
    )


def cases(orders: Sequence[Order], by_default: Sequence[Order]) -> list[ParameterSet]:
    """Those of the default run at once, and each alone in the full run."""
    return [
        pytest.param(list(by_default), id=" + ".join(name(order) for order in by_default)),
        *(pytest.param([order], id=name(order), marks=pytest.mark.full) for order in orders),
    ]


@pytest.mark.parametrize("orders", cases(REINDEX, IN_A_REINDEX))
def test_a_reindex_survives_kills(hand: Hand, event: Event, reindexed: Changed, orders: list[Order]) -> None:
    """Searches see one whole generation, also where a chunk's rows were stored twice."""
    changed = hand.reindex(event, orders)
    hand.check_killed(orders, changed, reindexed)
    assert of_any_generation(changed.record) == of_any_generation(reindexed.record)
    [(generation, sightings)] = changed.seen.values()
    assert generation == changed.record.generation
    assert (sightings, changed.rows) == (reindexed.seen["a"][1], reindexed.rows)


@pytest.mark.parametrize("orders", cases(REMOVAL, IN_A_REMOVAL))
def test_a_deletion_survives_kills(hand: Hand, deleted: Changed, orders: list[Order]) -> None:
    """Nothing is left of the source but the word that it is deleted."""
    event = hand.event()
    changed = hand.delete(event, orders)
    hand.check_killed(orders, changed, deleted)
    assert of_any_generation(changed.record) == of_any_generation(deleted.record)
    assert changed.seen == {}
    assert hand.killable.ends.source_objects(event) == set()
    wait_until(lambda: not hand.stored.rows(event.event_id, "a"), ROWS_GONE_WITHIN_S, "no row is left")


def test_every_passing_has_its_kill(reindexed: Changed, deleted: Changed) -> None:
    for orders, changed in ((REINDEX, reindexed), (REMOVAL, deleted)):
        assert Counter((order.role, order.point) for order in orders) == changed.passed

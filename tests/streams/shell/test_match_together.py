"""Selfies that arrive together, through the real match worker: one agent over all partitions of a real Kafka."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from schemas.codec import decode
from schemas.searches import FacesMatched, MatchSelfie, SelfieObject
from schemas.settings import ClipSettings
from schemas.topics import FACES_MATCHED, SEARCH_FACTS
from streams.flow import Role
from streams.pipeline import match_stages
from streams.ports import Vector
from streams.shell.app import build_app
from streams.shell.settings import ShellSettings
from streams.shell.table import recovered
from streams.shell.tenure import Tenure
from streams.vision.models.choice import DetectorKind
from streams.vision.models.model_set import ModelSet
from streams.vision.selfie_outcome import Selfie
from tests.fakes.memory_faces import MemoryFaces
from tests.ports.faces_suite import face, near, unlike
from tests.streams.shell.cluster import PARTITIONS, Cluster, names_in
from tests.streams.work import World, new_world
from tests.waiting import wait_until_async

pytestmark = pytest.mark.engines

EVENT, SOON_S = 7, 30.0
EACH = 3
"""Selfies in each partition."""

P = ParamSpec("P")
T = TypeVar("T")


class ReadyVectors:
    """In the place of children: a selfie's first byte says whose vector comes out."""

    async def run(self, _job: Callable[P, T], *args: P.args, **_: P.kwargs) -> T:
        data = args[0]
        assert isinstance(data, bytes)
        vector: Vector = unlike(data[0])
        return Selfie(vector, 200.0, 0.9, 1)  # type: ignore[return-value]  # the one job of this stage


@pytest.fixture
def models(tmp_path: Path) -> ModelSet:
    """Files that nobody opens."""
    return ModelSet(DetectorKind.HOG, None, tmp_path / "e", tmp_path / "p", "model-a")


@pytest.fixture
async def world(tmp_path: Path, models: ModelSet) -> World:
    """A person for each selfie, each on a track of the one source."""
    world, count = new_world(tmp_path), PARTITIONS * EACH
    rows = [face(near(unlike(person), 0.1), track=person) for person in range(count)]
    await world.faces.put_chunk(event_id=EVENT, source_video_key="cam", generation=1, chunk=0, faces=rows)
    await world.faces.activate(
        event_id=EVENT,
        source_video_key="cam",
        model=models.version,
        generation=1,
        object_key="sources/x",
        duration_ms=9_000,
    )
    for person in range(count):
        world.objects.private[f"selfies/{person}"] = bytes([person])
    return world


def selfies() -> dict[int, list[MatchSelfie]]:
    """By partition: as many in each, each of another person."""
    names = {partition: names_in(partition, "r", EACH) for partition in range(PARTITIONS)}
    numbered = enumerate((partition, name) for partition, of_one in names.items() for name in of_one)
    found: dict[int, list[MatchSelfie]] = {partition: [] for partition in names}
    for person, (partition, name) in numbered:
        work = MatchSelfie(
            event_id=EVENT,
            request_id=name,
            attempt=1,
            selfie=SelfieObject(object_key=f"selfies/{person}", sha256="ab" * 32),
            settings=ClipSettings(),
        )
        found[partition].append(work)
    return found


async def test_selfies_that_arrive_together_share_scans(cluster: Cluster, world: World, models: ModelSet) -> None:
    """Twelve in four partitions: while the first scan runs one of each other partition waits, and they go together."""
    faces: MemoryFaces = world.faces
    faces.gate.clear()
    tools = world.tools
    tools = type(tools)(objects=tools.objects, children=ReadyVectors(), clock=tools.clock, failpoint=tools.failpoint)
    stages = match_stages(tools, faces, models, secret=b"s" * 32, max_selfie_bytes=100)
    settings = ShellSettings(bootstrap_servers=cluster.bootstrap, namespace=cluster.namespace)
    app = build_app(Role.MATCH, [], stages, settings, tools.clock, tenure=Tenure())
    for partition, works in selfies().items():
        cluster.produce(works, partition=partition)
    await app.start()
    try:
        await asyncio.wait_for(recovered(app).wait(), SOON_S)
        reached = "match: embedded"
        await wait_until_async(lambda: world.points.count(reached) == PARTITIONS, SOON_S, "one of each partition waits")
        assert faces.scans == [(EVENT, 1)]
        faces.gate.set()
        await wait_until_async(
            lambda: world.points.count("match: scanned") == PARTITIONS * EACH, SOON_S, "all are answered"
        )
        await wait_until_async(lambda: len(cluster.read(SEARCH_FACTS)) == PARTITIONS * EACH, SOON_S, "all are sent")
    finally:
        await app.stop()
    assert faces.scans[:2] == [(EVENT, 1), (EVENT, PARTITIONS - 1)]
    assert sum(count for _, count in faces.scans) == PARTITIONS * EACH
    assert len(faces.scans) < PARTITIONS * EACH
    matched = [decode(FACES_MATCHED, message.value()) for message in cluster.read(FACES_MATCHED)]
    tracks = {each.request_id: [s.track for s in each.sightings] for each in matched if isinstance(each, FacesMatched)}
    asked = [work for works in selfies().values() for work in works]
    assert tracks == {work.request_id: [f"0/{person}"] for person, work in enumerate(asked)}

"""The store of faces as a test looks at it: what a search of now sees, and which rows lie there."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, TypeVar

import clickhouse_connect

from infra.adapters.clickhouse import ClickHouseFaces
from infra.settings import Settings
from streams import jobs
from streams.ports import Vector
from streams.vision.selfie_outcome import Selfie
from tests.integration.kills.killable import Killable

MAX_DISTANCE = 0.5
# Enough searches to fall between any two steps of a worker, and not all of a core.
PAUSE_S = 0.01
T = TypeVar("T")

Sightings = tuple[tuple[str, tuple[int, ...]], ...]
"""Of one source: track and sample times of each sighting."""
Seen = dict[str, tuple[int, Sightings]]
"""What one search found: by source, the generation it saw and its sightings there."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whom a search looks for, and with which models.

    Attributes:
        model: Their version.
        vector: The person's selfie by those models.
    """

    model: str
    vector: Vector = field(repr=False)


@dataclass
class Searcher:
    """What somebody who searches an event all the time has found.

    Attributes:
        searches: How many searches there were.
        history: What they found, in order; the same again is left out.
    """

    searches: int = 0
    history: list[Seen] = field(default_factory=list)

    def take(self, seen: Seen) -> None:
        self.searches += 1
        if not self.history or self.history[-1] != seen:
            self.history.append(seen)


def embedded(killable: Killable, selfie: bytes, **changes: str) -> Person:
    """The person of a selfie by the models that a worker with these other settings has."""
    settings = Settings.from_environment(killable.system.environment | changes)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:  # decoders and networks stay out of here
        models = child.submit(jobs.build_models, settings.models_dir, settings.models).result()
        face = child.submit(jobs.embed_selfie, selfie, models).result()
    assert isinstance(face, Selfie)
    return Person(model=models.version, vector=face.vector)


class StoredFaces:
    """The deployment's store, through the product's own adapter and by SQL."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.clickhouse

    def see(self, event_id: int, person: Person) -> Seen:
        """One search."""

        async def once(faces: ClickHouseFaces) -> Seen:
            return await _see(faces, event_id, person)

        return asyncio.run(self._with_adapter(once))

    @contextmanager
    def searching(self, event_id: int, *people: Person) -> Iterator[list[Searcher]]:
        """Search for each of them, one search after the other, as long as the block lasts. Nobody else is disturbed."""
        searchers, stopped = [Searcher() for _ in people], threading.Event()

        async def search_on(faces: ClickHouseFaces) -> None:
            while not stopped.is_set():
                for searcher, person in zip(searchers, people, strict=True):
                    searcher.take(await _see(faces, event_id, person))
                await asyncio.sleep(PAUSE_S)

        errors: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._with_adapter(search_on))
            except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield searchers
        finally:
            stopped.set()
            thread.join()
        assert not errors, errors

    def rows(self, event_id: int, source_video_key: str) -> dict[int, int]:
        """How many faces of a source lie there, by generation; the same face stored twice is one."""
        query = """
            SELECT generation, uniqExact(chunk, track, time_ms) FROM face_vectors
            WHERE event_id = {event:UInt64} AND source_video_key = {source:String} GROUP BY generation
        """
        client = clickhouse_connect.get_client(
            host=self._settings.host,
            port=self._settings.port,
            username=self._settings.user,
            password=self._settings.password,
            database=self._settings.database,
        )
        try:
            answer = client.query(query, {"event": event_id, "source": source_video_key})
            return {int(generation): int(count) for generation, count in answer.result_rows}
        finally:
            client.close()

    async def _with_adapter(self, do: Callable[[ClickHouseFaces], Coroutine[Any, Any, T]]) -> T:
        faces = ClickHouseFaces(self._settings)
        try:
            return await do(faces)
        finally:
            await faces.close()


async def _see(faces: ClickHouseFaces, event_id: int, person: Person) -> Seen:
    [found] = await faces.find(event_id, person.model, [person.vector], [MAX_DISTANCE])
    generations = {source.source_video_key: source.generation for source in found.sources}
    seen = {
        key: tuple(
            sorted((each.track, each.sample_times_ms) for each in found.sightings if each.source_video_key == key)
        )
        for key in {each.source_video_key for each in found.sightings}
    }
    assert seen.keys() == generations.keys()
    return {key: (generations[key], sightings) for key, sightings in seen.items()}

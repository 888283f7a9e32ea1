"""Selfies that arrive together are answered by one scan of their event."""

import asyncio
from collections.abc import Iterable

import pytest

from streams.outcomes import Unavailable
from streams.ports import Found
from streams.search.scan_batches import ScanBatches
from tests.fakes.memory_faces import MemoryFaces
from tests.ports.faces_suite import LIMIT, MODEL, face, near, unlike
from tests.waiting import wait_until_async

EVENT, OTHER_EVENT, SOON_S = 1, 2, 5.0


@pytest.fixture
async def faces() -> MemoryFaces:
    """Four people in each event, one track each, at distances 0.1, 0.2, ... of their selfies."""
    faces = MemoryFaces()
    for event in (EVENT, OTHER_EVENT):
        rows = [face(near(unlike(event * 100 + n), (n + 1) / 10), track=n) for n in range(4)]
        await faces.put_chunk(event_id=event, source_video_key="cam", generation=1, chunk=0, faces=rows)
        await faces.activate(
            event_id=event, source_video_key="cam", model=MODEL, generation=1, object_key="sources/x", duration_ms=9_000
        )
    faces.put.clear()
    return faces


def asked(batches: ScanBatches, people: Iterable[int], event: int = EVENT) -> list[asyncio.Task[Found]]:
    return [asyncio.create_task(batches.find(event, unlike(event * 100 + n), LIMIT)) for n in people]


async def scanning(faces: MemoryFaces, count: int = 1) -> None:
    await wait_until_async(lambda: len(faces.scans) == count, SOON_S, f"{count} scans run")


async def turn_of_the_loop() -> None:
    """Let what was just asked reach the queue."""
    await asyncio.sleep(0)


def tracks(found: Iterable[Found]) -> list[list[str]]:
    return [[sighting.track for sighting in one.sightings] for one in found]


async def test_a_lone_selfie_is_scanned_for_at_once(faces: MemoryFaces) -> None:
    found = await ScanBatches(faces, MODEL).find(EVENT, unlike(100), LIMIT)
    assert tracks([found]) == [["0/0"]]
    assert faces.scans == [(EVENT, 1)]


async def test_what_is_asked_while_a_scan_runs_goes_together_in_the_next(faces: MemoryFaces) -> None:
    batches = ScanBatches(faces, MODEL)
    faces.gate.clear()
    first = asked(batches, [0])
    await scanning(faces)
    rest = asked(batches, [1, 2, 3])
    await turn_of_the_loop()
    faces.gate.set()
    assert tracks(await asyncio.gather(*first, *rest)) == [["0/0"], ["0/1"], ["0/2"], ["0/3"]]
    assert faces.scans == [(EVENT, 1), (EVENT, 3)]


async def test_each_keeps_a_limit_of_its_own(faces: MemoryFaces) -> None:
    """In one scan, the one with the stricter limit finds less."""
    batches = ScanBatches(faces, MODEL)
    strict, loose = await asyncio.gather(batches.find(EVENT, unlike(101), 0.15), batches.find(EVENT, unlike(101), 0.25))
    assert tracks([strict, loose]) == [[], ["0/1"]]
    assert faces.scans == [(EVENT, 2)]


async def test_a_scan_takes_no_more_than_the_largest_batch(faces: MemoryFaces) -> None:
    batches = ScanBatches(faces, MODEL, max_batch=3)
    found = await asyncio.gather(*asked(batches, [0, 1, 2, 3, 0, 1, 2]))
    assert tracks(found) == [[f"0/{n}"] for n in (0, 1, 2, 3, 0, 1, 2)]
    assert faces.scans == [(EVENT, 3), (EVENT, 3), (EVENT, 1)]


async def test_events_do_not_mix_nor_wait_for_each_other(faces: MemoryFaces) -> None:
    batches = ScanBatches(faces, MODEL)
    faces.gate.clear()
    here, there = asked(batches, [0, 1]), asked(batches, [2], OTHER_EVENT)
    await scanning(faces, 2)
    faces.gate.set()
    assert tracks(await asyncio.gather(*here, *there)) == [["0/0"], ["0/1"], ["0/2"]]
    assert sorted(faces.scans) == [(EVENT, 2), (OTHER_EVENT, 1)]


async def test_an_error_reaches_exactly_those_who_asked(faces: MemoryFaces) -> None:
    """Everyone in the scan that failed, and nobody in the next."""
    batches = ScanBatches(faces, MODEL)
    faces.gate.clear()
    failing = asked(batches, [0, 1])
    await scanning(faces)
    later = asked(batches, [2])
    await turn_of_the_loop()
    faces.failure = Unavailable("clickhouse", "it is down")
    faces.gate.set()
    errors = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(error) for error in errors] == [Unavailable, Unavailable]
    assert tracks(await asyncio.gather(*later)) == [["0/2"]]


async def test_an_answer_short_of_one_is_told_to_all_who_asked() -> None:
    """A store that breaks its word leaves nobody waiting for ever."""

    class Forgetful(MemoryFaces):
        async def find(self, *_: object) -> list[Found]:
            return []

    asking = asked(ScanBatches(Forgetful(), MODEL), [0, 1])
    done, waiting = await asyncio.wait(asking, timeout=SOON_S)
    assert not waiting
    assert [type(task.exception()) for task in done] == [ValueError, ValueError]


async def test_one_who_goes_away_leaves_the_others_their_answers(faces: MemoryFaces) -> None:
    batches = ScanBatches(faces, MODEL)
    faces.gate.clear()
    goes, stays = asked(batches, [0, 1])
    await scanning(faces)
    goes.cancel()
    faces.gate.set()
    assert tracks([await stays]) == [["0/1"]]
    assert goes.cancelled()
    assert faces.scans == [(EVENT, 2)]


async def test_nobody_is_scanned_for_who_has_gone_away(faces: MemoryFaces) -> None:
    batches = ScanBatches(faces, MODEL)
    faces.gate.clear()
    first = asked(batches, [0])
    await scanning(faces)
    goes, stays = asked(batches, [1, 2])
    await turn_of_the_loop()
    goes.cancel()
    await turn_of_the_loop()
    faces.gate.set()
    assert tracks(await asyncio.gather(*first, stays)) == [["0/0"], ["0/2"]]
    assert faces.scans == [(EVENT, 1), (EVENT, 1)]


async def test_a_cancelled_scan_leaves_nobody_waiting(faces: MemoryFaces) -> None:
    """When the process ends: those in the scan and those behind it."""
    batches = ScanBatches(faces, MODEL)
    faces.gate.clear()
    inside = asked(batches, [0])
    await scanning(faces)
    behind = asked(batches, [1])
    await turn_of_the_loop()
    [scan] = [task for task in asyncio.all_tasks() if "_scan_while_asked" in repr(task)]
    scan.cancel()
    done, waiting = await asyncio.wait([*inside, *behind], timeout=SOON_S)
    assert not waiting
    assert all(task.cancelled() for task in done)

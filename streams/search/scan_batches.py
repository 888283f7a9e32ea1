"""Selfies that arrive together are answered by one scan of their event."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from streams.ports import FaceStore, Found, Vector


@dataclass(frozen=True, slots=True)
class _Asking:
    vector: Vector
    max_distance: float
    answer: asyncio.Future[Found]


class ScanBatches:
    """Collects what is asked about an event while its scan before runs, and asks it at once.

    A selfie that arrives alone is scanned for at once. One scan for 16 took 7 times as long as one for 1, on a million
    vectors (`docs/matching.md`).

    Attributes:
        model: Version of the models that the vectors come from.
        max_batch: Vectors in one scan. 32: beyond it, a distance column each no longer gains.
    """

    def __init__(self, faces: FaceStore, model: str, *, max_batch: int = 32) -> None:
        self._faces = faces
        self._model = model
        self._max_batch = max_batch
        self._waiting: defaultdict[int, list[_Asking]] = defaultdict(list)
        self._scanning: dict[int, asyncio.Task[None]] = {}

    async def find(self, event_id: int, vector: Vector, max_distance: float) -> Found:
        """What `FaceStore.find` answers for this vector."""
        asking = _Asking(vector, max_distance, asyncio.get_running_loop().create_future())
        self._waiting[event_id].append(asking)
        if event_id not in self._scanning:
            self._scanning[event_id] = asyncio.create_task(self._scan_while_asked(event_id))
        return await asking.answer

    async def _scan_while_asked(self, event_id: int) -> None:
        try:
            while batch := self._next_batch(event_id):
                await self._scan(event_id, batch)
        finally:
            del self._scanning[event_id]
            for asking in self._waiting.pop(event_id, []):
                asking.answer.cancel()  # only a cancelled scan leaves any, and nobody would answer them

    def _next_batch(self, event_id: int) -> list[_Asking]:
        """Those who still wait, the first of them first; empty when there is nobody."""
        waiting = [asking for asking in self._waiting.pop(event_id, []) if not asking.answer.done()]
        if rest := waiting[self._max_batch :]:
            self._waiting[event_id] = rest
        return waiting[: self._max_batch]

    async def _scan(self, event_id: int, batch: list[_Asking]) -> None:
        try:
            found = await self._faces.find(
                event_id, self._model, [asking.vector for asking in batch], [asking.max_distance for asking in batch]
            )
            answers = list(zip(batch, found, strict=True))
        except BaseException as error:  # whatever it is belongs to those who asked; a cancelled scan cancels them
            for asking in batch:
                if not asking.answer.done():
                    asking.answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for asking, answer in answers:
            if not asking.answer.done():
                asking.answer.set_result(answer)

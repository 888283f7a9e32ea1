"""The thread that follows the log into the replica's file."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping

from api.ports import LogReader, LogUnavailable, Partition
from api.replica.store import FOLLOWED, ReplicaStore, Touched

_log = logging.getLogger(__name__)

# How long one poll may wait: also how long a stop may take.
POLL_S = 0.2

Announce = Callable[[Mapping[Partition, int], Touched], None]
"""Told after each transaction, on the thread: the next offsets that moved, and what was touched."""


class Follower:
    """Reads from the saved offsets on, for ever; an outage of the log or the disk is waited out."""

    def __init__(self, store: ReplicaStore, log: LogReader, *, retry_s: float, announce: Announce) -> None:
        self._store = store
        self._log = log
        self._retry_s = retry_s
        self._announce = announce
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replica", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the poll that is running, and close file and reader. Blocks."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._follow()
                except (LogUnavailable, sqlite3.Error) as error:
                    _log.warning("the replica cannot follow the log", extra={"reason": str(error)})
                    self._stop.wait(self._retry_s)
        finally:
            self._log.close()
            self._store.close()

    def _follow(self) -> None:
        offsets = self._starting_offsets()
        self._log.assign(offsets)
        self._announce(offsets, set())
        known = dict(offsets)
        while not self._stop.is_set():
            batch = self._log.poll(POLL_S)
            # A reader may tell the end of a partition again and again: only a move is worth a transaction.
            if batch.records or any(known.get(each) != offset for each, offset in batch.positions.items()):
                touched = self._store.apply(batch)
                self._announce(batch.positions, touched)
                known.update(batch.positions)

    def _starting_offsets(self) -> Mapping[Partition, int]:
        """Where to read on: behind what the file holds, or from the start when the file is of another log."""
        identity = self._log.identity()
        partitions = self._log.partitions(FOLLOWED)
        earliest = self._log.earliest_offsets(partitions)
        ends = self._log.end_offsets(partitions)
        saved = self._store.offsets()
        # An offset behind the end, or a partition that is no more, means that the topics were made anew.
        strange = any(saved_next > ends.get(partition, -1) for partition, saved_next in saved.items())
        if self._store.identity() != identity or strange:
            self._store.empty(identity)
            saved = {}
        return {each: max(saved.get(each, 0), earliest[each]) for each in partitions}

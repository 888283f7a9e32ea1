"""The replica: rebuilt from nothing, resumed from its file, never back to an old version."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from api.ports import Batch, LogRecord, Partition
from api.replica.replica import Replica
from api.replica.store import ReplicaInUse, ReplicaStore
from api.replica.views import Reading
from api.settings import ReplicaSettings
from schemas.catalog import ApiKey, CreateOrganisation, OrganisationRecord
from schemas.codec import encode
from schemas.ids import organisation_key
from schemas.records import Record
from schemas.topics import CATALOG, CATALOG_COMMANDS
from tests.fakes.memory_ledgers import MemoryLedgers
from tests.fakes.memory_log import MemoryLog, MemoryLogReader
from tests.waiting import wait_until_async

KEY = organisation_key(1)


class CountingReader(MemoryLogReader):
    """Keeps what it gave."""

    def __init__(self, log: MemoryLog) -> None:
        super().__init__(log)
        self.given: list[LogRecord] = []

    def poll(self, timeout_s: float) -> Batch:
        """As ever."""
        batch = super().poll(timeout_s)
        self.given.extend(batch.records)
        return batch


@asynccontextmanager
async def running(path: Path, reader: MemoryLogReader) -> AsyncIterator[Replica]:
    """A replica at work."""
    replica = Replica(ReplicaSettings(path=path, barrier_wait_s=1, refresh_s=0.05, retry_s=0.02), reader)
    await replica.start()
    try:
        yield replica
    finally:
        await replica.stop()


def organisation(
    version: int, *, offset: int = 0, name: str = "Race", keys: tuple[ApiKey, ...] = ()
) -> OrganisationRecord:
    """A record of organisation 1."""
    return OrganisationRecord(
        org_id=1, name=name, created_at_ms=1, version=version, applied={"commands": offset}, keys=keys
    )


def create(name: str = "Race", org_id: int = 1) -> CreateOrganisation:
    """A command that founds an organisation."""
    return CreateOrganisation(command_id=f"{org_id}-{name}", at_ms=1, org_id=org_id, name=name)


def name_in(replica: Replica) -> str | None:
    """What the replica believes the organisation's name to be."""
    record = replica.read(CATALOG, KEY).record
    return record.name if isinstance(record, OrganisationRecord) else None


async def test_rebuilds_from_nothing(tmp_path: Path) -> None:
    """Everything that the log holds is there."""
    log = MemoryLog()
    MemoryLedgers(log)
    for org_id in range(1, 40):
        log.append(create(org_id=org_id))
    async with running(tmp_path / "r.sqlite", MemoryLogReader(log)) as replica:
        assert len(await replica.with_prefix(CATALOG, "org/")) == 39


async def test_resumes_from_its_file(tmp_path: Path) -> None:
    """What was read once is not read again, and nothing in between is missed."""
    log, path = MemoryLog(), tmp_path / "r.sqlite"
    MemoryLedgers(log)
    log.append(create())
    async with running(path, MemoryLogReader(log)) as replica:
        await replica.catch_up()
    log.append(create(org_id=2))
    reader = CountingReader(log)
    async with running(path, reader) as replica:
        assert len(await replica.with_prefix(CATALOG, "org/")) == 2
    assert [record.key for record in reader.given] == [organisation_key(2).encode()] * 2


async def test_reads_its_file_while_the_log_is_down(tmp_path: Path) -> None:
    """What it knows does not go away with the log."""
    log, path = MemoryLog(), tmp_path / "r.sqlite"
    log.append(organisation(1))
    async with running(path, MemoryLogReader(log)) as replica:
        await replica.catch_up()
    log.down = True
    async with running(path, MemoryLogReader(log)) as replica:
        assert name_in(replica) == "Race"
        assert not replica.trusted


@pytest.mark.parametrize("how", ["another log", "made anew"])
async def test_file_of_another_log_is_emptied(tmp_path: Path, how: str) -> None:
    """Another cluster, or topics that were deleted and made again under their old names."""
    old, path = MemoryLog(), tmp_path / "r.sqlite"
    old.append(organisation(7, name="Old"))
    async with running(path, MemoryLogReader(old)) as replica:
        await replica.catch_up()
    new = MemoryLog("another" if how == "another log" else old.identity)
    if how == "another log":
        new.append(organisation(1, name="New"))
    async with running(path, MemoryLogReader(new)) as replica:
        await replica.catch_up()
        assert name_in(replica) == ("New" if how == "another log" else None)


async def test_highest_version_wins(tmp_path: Path) -> None:
    """A late waker's older record, or a repeat, changes nothing."""
    log = MemoryLog()
    for version, name in ((1, "first"), (3, "third"), (2, "second"), (3, "third again")):
        log.append(organisation(version, name=name))
    async with running(tmp_path / "r.sqlite", MemoryLogReader(log)) as replica:
        await replica.catch_up()
        assert name_in(replica) == "third"


async def test_older_record_takes_no_key_back(tmp_path: Path) -> None:
    """Keys are those of the highest version."""
    log = MemoryLog()
    key = ApiKey(key_id="k", key_hash="h", prefix="ppppp", created_at_ms=1)
    log.append(organisation(3))
    log.append(organisation(2, keys=(key,)))
    async with running(tmp_path / "r.sqlite", MemoryLogReader(log)) as replica:
        assert await replica.key("h") is None
        log.append(organisation(4, keys=(key,)))
        assert await replica.key("h") is not None
        log.append(organisation(5, keys=(msgspec.structs.replace(key, active=False),)))
        await replica.catch_up()
        known = await replica.key("h")
        assert known is not None
        assert not known.active


async def test_command_is_pending_until_the_record_has_taken_it_in(tmp_path: Path) -> None:
    """Whichever of both topics is read first."""
    log = MemoryLog()
    async with running(tmp_path / "r.sqlite", MemoryLogReader(log)) as replica:
        first, second = log.append(create("a")), log.append(create("b"))
        await replica.catch_up()
        assert replica.read(CATALOG, KEY).pending == (create("a"), create("b"))
        log.append(organisation(1, offset=first.offset))
        await replica.catch_up()
        assert replica.read(CATALOG, KEY).pending == (create("b"),)
        log.append(organisation(2, offset=second.offset))
        await replica.catch_up()
        assert replica.read(CATALOG, KEY).pending == ()


async def test_command_read_after_its_record_is_not_pending(tmp_path: Path) -> None:
    """The two topics have no common order."""
    log = MemoryLog()
    reader = MemoryLogReader(log)
    reader.held_topics = frozenset({CATALOG_COMMANDS})
    position = log.append(create())
    log.append(organisation(1, offset=position.offset))
    async with running(tmp_path / "r.sqlite", reader) as replica:
        await wait_until_async(lambda: name_in(replica) == "Race", 5, "the record is there")
        reader.release()
        await replica.catch_up()
        assert replica.read(CATALOG, KEY).pending == ()


async def test_pending_survives_a_restart(tmp_path: Path) -> None:
    """Its offset is behind the saved one, so it will not be read again."""
    log, path = MemoryLog(), tmp_path / "r.sqlite"
    log.append(create())
    async with running(path, MemoryLogReader(log)) as replica:
        await replica.catch_up()
    async with running(path, MemoryLogReader(log)) as replica:
        assert replica.read(CATALOG, KEY).pending == (create(),)


async def test_holes_and_expired_offsets_do_not_stop_it(tmp_path: Path) -> None:
    """Compaction leaves holes, also at the end; retention moves the start beyond what was saved."""
    log, path = MemoryLog(), tmp_path / "r.sqlite"
    for version in range(1, 6):
        last = log.append(organisation(version))
    log.compact_away(last)
    async with running(path, MemoryLogReader(log)) as replica:
        await replica.catch_up()
        assert replica.read(CATALOG, KEY).record == organisation(4)
    later = [log.append(organisation(version)) for version in range(6, 9)][-1]
    log.expire_before(later)
    async with running(path, MemoryLogReader(log)) as replica:
        await replica.catch_up()
        assert replica.read(CATALOG, KEY).record == organisation(8)


async def test_message_that_cannot_be_read_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, and what comes behind it is read."""
    log = MemoryLog()
    for value in (b"not json", b'{"type": "Strange"}', None):
        log.append_raw(CATALOG, KEY.encode(), value)
    log.append(organisation(1))
    async with running(tmp_path / "r.sqlite", MemoryLogReader(log)) as replica:
        await replica.catch_up()
        assert name_in(replica) == "Race"
    told = [
        record for record in caplog.records if record.getMessage() == "a message that cannot be read was passed over"
    ]
    assert len(told) == 3


async def test_outage_is_waited_out(tmp_path: Path) -> None:
    """It goes on by itself where it was."""
    log = MemoryLog()
    async with running(tmp_path / "r.sqlite", MemoryLogReader(log)) as replica:
        log.append(organisation(1, name="before"))
        await replica.catch_up()
        log.down = True
        log.append(organisation(2, name="meanwhile"))
        log.down = False
        await wait_until_async(lambda: name_in(replica) == "meanwhile", 5, "the replica goes on")


async def test_rows_and_offsets_stand_or_fall_together(tmp_path: Path) -> None:
    """A transaction that breaks off leaves neither."""
    store = ReplicaStore(tmp_path / "r.sqlite")
    store.empty("memory")
    log = MemoryLog()
    position = log.append(organisation(1))
    partition = Partition(CATALOG, position.partition)
    record = LogRecord(CATALOG, position.partition, 0, KEY.encode(), encode(organisation(1)))

    unstorable = {partition: 2**70}  # more than a column holds
    with pytest.raises(OverflowError):
        store.apply(Batch([record], unstorable))
    assert store.offsets() == {}
    assert store.apply(Batch([record], {partition: 1})) == {(CATALOG, KEY)}
    assert store.offsets() == {partition: 1}
    store.close()


async def test_one_file_has_one_owner(tmp_path: Path) -> None:
    """A second process would believe in rows that the first may empty."""
    store = ReplicaStore(tmp_path / "r.sqlite")
    with pytest.raises(ReplicaInUse, match="file of its own"):
        ReplicaStore(tmp_path / "r.sqlite")
    store.close()
    ReplicaStore(tmp_path / "r.sqlite").close()


async def test_who_waits_is_woken_by_the_record(tmp_path: Path) -> None:
    """And told nothing after the timeout."""
    log = MemoryLog()

    async with running(tmp_path / "r.sqlite", MemoryLogReader(log)) as replica:
        await replica.catch_up()

        def seen(version: int) -> Callable[[Reading], Record | None]:
            def check(reading: Reading) -> Record | None:
                record = reading.record
                return record if isinstance(record, Record) and record.version >= version else None

            return check

        assert await replica.wait_for(CATALOG, KEY, seen(1), 0.05) is None
        log.append(organisation(1))
        assert await replica.wait_for(CATALOG, KEY, seen(1), 5) == organisation(1)
        assert await replica.wait_for(CATALOG, KEY, seen(2), 0.05) is None


async def test_reader_is_closed_at_the_end(tmp_path: Path) -> None:
    """Its connections go with it."""
    reader = MemoryLogReader(MemoryLog())
    async with running(tmp_path / "r.sqlite", reader):
        assert not reader.closed
    assert reader.closed

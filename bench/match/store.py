"""An embedded ClickHouse with one event in two tables: ours, and the plain one a scan of which is the yardstick."""

import random
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import clickhouse_connect
import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.client import Client

from bench.match.strangers import ROWS_PER_TRACK, Floats
from infra.adapters.clickhouse_migrations import migrate
from infra.adapters.face_generations import scope_of
from infra.adapters.settings import ClickHouseSettings
from infra.embedded import clickhouse
from infra.embedded.credentials import keep_credentials
from infra.embedded.directory_lock import DirectoryLock
from infra.embedded.ports import LOOPBACK, free_port
from infra.embedded.supervisor import Supervisor

EVENT, GENERATION = 1, 1
MODEL = "bench"
_ROWS_PER_SOURCE = 51_200
_TRACKS_PER_CHUNK = 300
# The same columns with default settings, vectors whole.
_PLAIN = """
CREATE TABLE plain
(
    event_id UInt64, source_video_key LowCardinality(String), generation UInt32, chunk UInt32, track UInt32,
    track_start_ms UInt32, track_end_ms UInt32, sample_times_ms Array(UInt32), time_ms UInt32, quality Float32,
    vector Array(Float32) CODEC(NONE)
)
ENGINE = MergeTree ORDER BY (event_id, source_video_key, generation, chunk, track, time_ms)
"""
_COLUMNS = (
    *("event_id", "scope", "source_video_key", "generation", "chunk", "track", "track_start_ms", "track_end_ms"),
    *("sample_times_ms", "time_ms", "quality", "vector"),
)
_SAMPLES = 5
# ClickHouse's RowBinary of one row; a length stands before each string and list.
_ROW = np.dtype(
    [
        *(
            ("event_id", "<u8"),
            ("scope", "<u8"),
            ("key_length", "u1"),
            ("key", "S7"),
            ("generation", "<u4"),
            ("chunk", "<u4"),
        ),
        *(("track", "<u4"), ("start", "<u4"), ("end", "<u4"), ("samples_length", "u1"), ("samples", "<u4", _SAMPLES)),
        *(("time", "<u4"), ("quality", "<f4")),
        *(("vector_length", "<u2"), ("vector", "<f4", 128)),
    ]
)
_VECTOR_LENGTH = struct.unpack("<H", bytes([0x80, 0x01]))[0]  # 128 in the variable-length form


@dataclass(frozen=True)
class Store:
    """The running server, its tables, and the process they live in."""

    settings: ClickHouseSettings
    client: Client
    pid: int

    def fill(self, first_row: int, vectors: Floats) -> None:
        """Puts rows with these vectors, float32 [n, 128], into both tables; `first_row` counts those already there."""
        data = _rows(first_row, vectors).tobytes()
        self.client.raw_insert("face_vectors", column_names=_COLUMNS, insert_block=data, fmt="RowBinary")

    def settle(self) -> None:
        """Fills the plain table with the same rows, and merges each to one part, as both are long after the race."""
        self.client.command(_PLAIN)
        columns = ", ".join(name for name in _COLUMNS if name != "scope")
        self.client.command(f"INSERT INTO plain SELECT {columns} FROM face_vectors")  # noqa: S608 - our own names
        for table in ("face_vectors", "plain"):
            self.client.command(f"OPTIMIZE TABLE {table} FINAL")
        keys = self.client.query("SELECT DISTINCT source_video_key FROM face_vectors").result_rows
        active = [[EVENT, key, MODEL, GENERATION, f"sources/{key}", 600_000] for (key,) in keys]
        names = ["event_id", "source_video_key", "model", "generation", "object_key", "duration_ms"]
        self.client.insert("sources", active, column_names=names)

    def bytes_per_row(self, table: str) -> float:
        """On the disk."""
        where = "WHERE active AND database = currentDatabase() AND table = {t:String}"
        query = f"SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts {where}"  # noqa: S608 - our own text
        return float(self.client.query(query, {"t": table}).result_rows[0][0])

    def cpu_s(self) -> float:
        """Processor time of the server's process so far; Linux alone lets another process read this clock."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory_mb(self, *, peak: bool = False) -> float:
        """Of the server's process, resident: now, or the most since it started."""
        field = "VmHWM:" if peak else "VmRSS:"
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(field)]
        return int(line.split()[1]) / 1024


@contextmanager
def running_store(folder: Path) -> Iterator[Store]:
    """A server of its own over an empty folder, with its tables."""
    folder.mkdir(parents=True)
    credentials = keep_credentials(folder / "credentials.json")
    port = free_port(random.SystemRandom())
    settings = ClickHouseSettings(
        host=LOOPBACK,
        port=port,
        user=credentials.clickhouse_user,
        password=credentials.clickhouse_password,
        database="bench",
    )
    service = clickhouse.service(folder / "clickhouse", port, credentials)
    with DirectoryLock(folder) as lock, Supervisor(folder / "run", [service], lock) as supervisor:
        migrate(settings)
        client = clickhouse_connect.get_client(
            host=settings.host,
            port=settings.port,
            username=settings.user,
            password=settings.password,
            database=settings.database,
            autogenerate_session_id=False,
            form_encode_query_params=True,
            compress=False,
            send_receive_timeout=600,
        )
        yield Store(settings, client, supervisor.pids()[clickhouse.NAME])
        client.close()


def _rows(first_row: int, vectors: Floats) -> npt.NDArray[np.void]:
    number = np.arange(first_row, first_row + len(vectors))
    track = number // ROWS_PER_TRACK
    rows = np.zeros(len(vectors), _ROW)
    rows["event_id"], rows["generation"], rows["quality"] = EVENT, GENERATION, 0.9
    keys = [f"cam-{source:03}".encode() for source in range(int(number[-1]) // _ROWS_PER_SOURCE + 1)]
    rows["key_length"], rows["key"] = 7, np.array(keys)[number // _ROWS_PER_SOURCE]
    scopes = [scope_of(EVENT, key.decode(), GENERATION) for key in keys]
    rows["scope"] = np.array(scopes, np.uint64)[number // _ROWS_PER_SOURCE]
    rows["chunk"], rows["track"] = track // _TRACKS_PER_CHUNK, track % _TRACKS_PER_CHUNK
    rows["start"] = track % 3_000 * 200
    rows["end"], rows["time"] = rows["start"] + 800, rows["start"] + number % ROWS_PER_TRACK * 200
    rows["samples_length"], rows["samples"] = _SAMPLES, rows["start"][:, None] + 200 * np.arange(_SAMPLES)
    rows["vector_length"], rows["vector"] = _VECTOR_LENGTH, vectors
    return rows

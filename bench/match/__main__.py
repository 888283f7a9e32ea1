"""Prints what a search of an event's faces costs: ours, a plain scan of the same engine, and numpy in memory.

    python -m bench match [--vectors 1000000] [--growth] [--json]

Ours is `ClickHouseFaces.find` against the embedded ClickHouse over HTTP, with its looks at what is active before and
after the scan. The plain scan is one query of the same columns over a table of `Array(Float32)` with ClickHouse's
defaults, `L2SquaredDistance` in PREWHERE and the same grouping by track. Numpy holds all vectors in memory. Each round
asks ours and the plain scan for the same selfies, one after the other, in turns. Numpy comes last, for all rounds: the
threads of its products spin for a while, and would take a core from whoever is asked next. No selfie is ever asked
twice, since ClickHouse remembers which granules a filter left empty. Selfies are of people in the event; those of
strangers, which take a second scan for their nearest distance, are told apart. How the vectors are made:
`bench/match/strangers.py`.

Reading is what a scan costs, so the bandwidth of memory is its limit: a plain scan must read 512 bytes a row, ours 80
and whole vectors around few rows. `read_limit_ms` is 80 bytes a row at the speed at which numpy sums float32 here.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.match.plain import MemoryScan, PlainScan, Tracks, tracks_of
from bench.match.store import EVENT, MODEL, Store, running_store
from bench.match.strangers import LIMIT, Crowd, Fit, Floats, fit_strangers
from bench.output import Figure, conditions, parser, progress, report
from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.face_sketch import SKETCHED
from infra.adapters.found_tracks import Limits
from infra.user_folders import CACHE_DIR

T = TypeVar("T")

ROUNDS, SINGLES, TOGETHER = 6, 8, 16
# The crowd of the first rounds warms caches and is not counted.
WARM_UP = 1
GROWTH = (100_000, 1_000_000, 5_000_000)
BLOCK = 240_000


@dataclass
class Calls:
    """Milliseconds of each call on the clock, and of the server's processors."""

    ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return float(np.median(self.ms))

    @property
    def cpu_p50(self) -> float:
        return float(np.median(self.cpu_ms))


@dataclass
class Times:
    """Every call of everybody; `asked` are the single selfies, each with the number of its tracks."""

    ours: Calls = field(default_factory=Calls)
    plain: Calls = field(default_factory=Calls)
    numpy: Calls = field(default_factory=Calls)
    strangers: Calls = field(default_factory=Calls)
    together: Calls = field(default_factory=Calls)
    identical: bool = True
    asked: list[tuple[Floats, int]] = field(default_factory=list)


async def measure(store: Store, selfies: Floats, strangers: Floats, memory: MemoryScan | None) -> Times:
    """Each round: single selfies by all in turns, strangers by ours, and one batch of ours."""
    # No cap on what a message carries: a selfie near the middle of the crowd is near to a thousand tracks.
    faces = ClickHouseFaces(store.settings, limits=Limits(sightings=100_000, sample_times=10_000_000))
    plain, times = await PlainScan.connect(store.settings), Times()
    mine, others = iter(selfies), iter(strangers)

    async def ours(*vectors: Floats) -> list[Tracks]:
        return [tracks_of(found) for found in await faces.find(EVENT, MODEL, vectors, [LIMIT] * len(vectors))]

    for number in range(-WARM_UP, ROUNDS):
        kept = times if number >= 0 else Times()
        for _ in range(SINGLES):
            selfie = next(mine)
            [found] = await timed(store, kept.ours, lambda: ours(selfie))  # noqa: B023 - awaited before the next
            expected = await timed(store, kept.plain, lambda: plain.find(selfie))  # noqa: B023 - as above
            times.identical &= found == expected
            kept.asked.append((selfie, len(found)))
            await timed(store, kept.strangers, lambda: ours(next(others)))
        batch = [next(mine) for _ in range(TOGETHER)]
        answers = await timed(store, kept.together, lambda: ours(*batch))  # noqa: B023 - as above
        times.identical &= answers[:2] == [await plain.find(batch[0]), await plain.find(batch[1])]
    await faces.close()
    await plain.close()
    if memory is not None:
        for selfie, tracks in times.asked:
            began = time.perf_counter()
            rows = memory.find(selfie)
            times.numpy.ms.append((time.perf_counter() - began) * 1_000)
            assert len(rows) >= tracks
    return times


async def timed(store: Store, kept: Calls, call: Callable[[], Awaitable[T]]) -> T:
    began, cpu = time.perf_counter(), store.cpu_s()
    answer = await call()
    kept.ms.append((time.perf_counter() - began) * 1_000)
    kept.cpu_ms.append((store.cpu_s() - cpu) * 1_000)
    return answer


def run(fit: Fit, rows: int, folder: Path, *, with_numpy: bool) -> dict[str, Figure]:
    """One event of this many rows on a server of its own."""
    progress(f"{rows} rows: filling")
    crowd, wanted = Crowd(fit, seed=rows), (ROUNDS + WARM_UP) * (SINGLES + TOGETHER)
    with running_store(folder) as store:
        idle_mb, blocks, selfies, began = store.memory_mb(), [], [], time.perf_counter()
        filled = 0
        while filled < rows:
            count = min(BLOCK, rows - filled)
            block, own = crowd.draw(count - count % 3 or 3, selfies=-(-wanted * count // rows))
            store.fill(filled, block)
            filled += count
            selfies.append(own)
            if with_numpy:
                blocks.append(block)
        filling_s = time.perf_counter() - began
        store.settle()
        progress(f"{rows} rows: measuring")
        memory = MemoryScan(np.concatenate(blocks)) if with_numpy else None
        mine = np.random.default_rng(rows).permutation(np.concatenate(selfies))
        strangers = crowd.strangers((ROUNDS + WARM_UP) * SINGLES)
        times = asyncio.run(measure(store, mine, strangers, memory))
        figures = _figures(rows, times, memory)
        figures |= {
            "bytes_per_vector": store.bytes_per_row("face_vectors"),
            "plain_bytes_per_vector": store.bytes_per_row("plain"),
            "insert_rows_per_s": rows / filling_s,
            "server_idle_mb": idle_mb,
            "server_mb": store.memory_mb(),
            "server_peak_mb": store.memory_mb(peak=True),
        }
    return figures


def _figures(rows: int, times: Times, memory: MemoryScan | None) -> dict[str, Figure]:
    figures: dict[str, Figure] = {
        "vectors": rows,
        "p50_ms": times.ours.p50,
        "p90_ms": float(np.percentile(times.ours.ms, 90)),
        "numpy_p50_ms": times.numpy.p50 if memory else None,
        "plain_scan_p50_ms": times.plain.p50,
        "ratio_to_plain": times.ours.p50 / times.plain.p50,
        "stranger_p50_ms": times.strangers.p50,
        "coalesced16_ms": times.together.p50,
        "coalesced16_speedup": TOGETHER * times.ours.p50 / times.together.p50,
        "cpu_p50_ms": times.ours.cpu_p50,
        "plain_scan_cpu_p50_ms": times.plain.cpu_p50,
        "cpu_ratio_to_plain": times.ours.cpu_p50 / times.plain.cpu_p50,
        "coalesced16_cpu_speedup": TOGETHER * times.ours.cpu_p50 / times.together.cpu_p50,
        "identical_rows": times.identical,
        "tracks_p50": float(np.median([tracks for _, tracks in times.asked])),
    }
    if memory:
        figures["read_limit_ms"] = SKETCHED * rows / memory.bytes_per_s() * 1_000
    return figures


def main() -> None:
    arguments_of = parser(__doc__)
    arguments_of.add_argument("--vectors", type=int, default=1_000_000)
    arguments_of.add_argument("--growth", action="store_true", help="0.1, 1 and 5 million, one after the other")
    arguments = arguments_of.parse_args()
    progress("fitting the shape of strangers' vectors")
    fit = fit_strangers(CACHE_DIR / "models")
    shape: dict[str, Figure] = {
        "real_people": fit.real_people,
        "real_strangers_under_limit": fit.real_under_limit,
        "drawn_strangers_under_limit": fit.drawn_under_limit,
    }
    sizes = GROWTH if arguments.growth else (arguments.vectors,)
    runs = []
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="spotclip-bench-") as folder:
            runs.append(run(fit, rows, Path(folder) / "store", with_numpy=not arguments.growth))
    machine: dict[str, Figure] = {"conditions": conditions()}
    if not arguments.growth:
        report(runs[0] | shape | machine, as_json=arguments.json)
        return
    by_size: dict[str, Figure] = {str(each["vectors"]): each for each in runs}
    report({"growth": by_size} | shape | machine, as_json=arguments.json, table=_growth_table(runs))


def _growth_table(runs: list[dict[str, Figure]]) -> str:
    names = ("vectors", "p50_ms", "plain_scan_p50_ms", "coalesced16_ms", "server_mb", "server_peak_mb")
    lines = [" ".join(f"{name:>18}" for name in names)]
    lines += [" ".join(f"{float(str(each[name])):18.6g}" for name in names) for each in runs]
    return "\n".join([*lines, conditions()])


if __name__ == "__main__":
    main()

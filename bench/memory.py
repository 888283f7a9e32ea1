"""Prints how much memory Spotclip holds: every process in a demo, and an index worker on a short and on a long file.

    python -m bench memory [--keep FOLDER] [--part demo|index] [--chunks 6]

Linux alone: figures come from /proc. The demo is the start of everything, the race indexed, and a search. The long
file is 1080p of 8 Mb/s, 20 s end to end for 120 minutes (7 GB): it is split as a whole, and some whole chunks of it
are indexed.
"""

import argparse
import asyncio
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from bench.footprint import MIB, Peaks, Watch
from bench.index_footage import build
from bench.index_peak import IndexPeak, index_peak, join_copies
from bench.output import conditions
from bench.running import running_event, scratch
from infra.embedded.stack import EmbeddedStack
from infra.local import Deployment, environment_of
from infra.user_folders import CACHE_DIR

SEARCHES = 5
MINUTES = (2, 120)
PIECE_S = 20


def demo(folder: Path, race: Path) -> None:
    """Every process of a demo, at the moment when the sum was largest."""
    with Watch({"bench (in the place of `spotclip demo`)": os.getpid()}) as watch, running_event(folder, race) as event:
        watch.roots = {**event.running.pids, **watch.roots}
        for _ in range(SEARCHES):
            event.search()
    print(f"\nthe demo, {conditions()}\n")
    print(f"{'MiB':<48} {'PSS':>8} {'peak RSS':>10}")
    for label, pss, peak in rows(watch.peaks):
        print(f"{label:<48} {pss / MIB:8.0f} {peak / MIB:10.0f}")
    print(f"{'all':<48} {watch.peaks.largest_pss_sum / MIB:8.0f}")


def rows(peaks: Peaks) -> list[tuple[str, int, int]]:
    """Label, share at the largest sum, own peak; in order of the label."""
    return sorted((peaks.label[pid], pss, peaks.peak_rss[pid]) for pid, pss in peaks.pss.items())


def index(folder: Path, chunks: int) -> None:
    """The index worker on a file of 2 and of 120 minutes."""
    found: list[IndexPeak] = []
    piece = folder / "piece.mp4"
    build(piece, seconds=PIECE_S, b_frames=3)
    with EmbeddedStack(folder / "engines", CACHE_DIR) as stack:
        for minutes in MINUTES:
            video = folder / f"{minutes}-minutes.mp4"
            join_copies(piece, video, length_ms=minutes * 60_000)
            deployment = Deployment(
                secret=secrets.token_hex(32), admin_token=secrets.token_hex(32), port=1, namespace=f"bench-{minutes}"
            )
            environment: Mapping[str, str] = environment_of(stack.addresses, deployment, folder / "parts", CACHE_DIR)
            found.append(asyncio.run(index_peak(environment, folder, video, spans=chunks)))
            video.unlink()
    print(f"\nan index worker with its children, {chunks} chunks of each file, {conditions()}\n")
    print(f"{'file':<16} {'samples':>8} {'faces':>6} {'seconds':>8} {'peak RSS of each, MiB':<24} {'sum':>6}")
    for each in found:
        own = ", ".join(f"{peak / MIB:.0f}" for _, peak in sorted(each.peaks.peak_rss.items()))
        print(
            f"{each.duration_ms / 60_000:8.1f} min     {each.samples:8} {each.faces:6} {each.seconds:8.1f} "
            f"{own:<24} {each.peaks.sum_of_peak_rss / MIB:6.0f}"
        )
    short, long = (each.peaks.sum_of_peak_rss for each in found)
    print(f"the long file took {100 * (long / short - 1):+.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="where the race is kept from one run to the next")
    parser.add_argument("--part", choices=["demo", "index"], help="one of the two alone")
    parser.add_argument("--chunks", type=int, default=6)
    arguments = parser.parse_args()
    with scratch(arguments.keep) as (folder, race):
        if arguments.part != "index":
            demo(folder, race)
        if arguments.part != "demo":
            index(folder, arguments.chunks)


if __name__ == "__main__":
    main()

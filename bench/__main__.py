"""The benches by name: `python -m bench NAME [OPTIONS]`; without a name all of them, one after the other."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.demo_media import build_race

# Name -> its arguments when nobody gives any, from the path of a built race.
BENCHES: Mapping[str, Callable[[Path], Sequence[str]]] = {
    "search_latency": lambda race: ("--keep", str(race.parent)),
    "memory": lambda race: ("--keep", str(race.parent)),
    "index": lambda race: ("--keep", str(race.parent)),
    "cut_cost": lambda _race: (),
    "match": lambda _race: (),
    "accuracy": lambda race: ("--models", str(race.parent / "models")),
    "detectors": lambda race: ("--models", str(race.parent / "models")),
}


def run(name: str, arguments: Sequence[str]) -> int:
    """A process of its own: one bench's memory and threads are no other's."""
    return subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], check=False).returncode


def main() -> int:
    match sys.argv[1:]:
        case [name, *arguments] if name in BENCHES:
            return run(name, arguments)
        case []:
            return run_all()
    print(f"{__doc__}\n\n" + "\n".join(BENCHES))
    return 2


def run_all() -> int:
    with tempfile.TemporaryDirectory(prefix="spotclip-bench-") as folder:
        race = Path(folder) / "race.mp4"
        build_race(race)
        codes = []
        for name, arguments in BENCHES.items():
            print(f"\n== {name}", flush=True)
            codes.append(run(name, arguments(race)))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())

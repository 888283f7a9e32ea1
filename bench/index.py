"""What indexing costs, against decoding alone and against what people write with dlib, in processor time.

    python -m bench index [--seconds 20] [--rounds 3] [--json]

The footage is built: 1080p at 25 pictures a second, H.264 of 8 Mb/s, one face in about every sample of 5 a second; once
with B-pictures, as x264 writes by itself, and once without, as many cameras do. All ways are measured in turn, round by
round, each in one thread; the middle of the rounds counts. Processor seconds are for one second of footage.

- decode: every picture of the file, nothing else.
- index: `streams.index.chunk_faces.find_tracks`, all there is.
- naive: the recipe of the `face_recognition` package as people write it: each sample in full size, HOG upsampled once,
  the five-point predictor, dlib's own embedding. Few samples are looked at, since each takes seconds.
- fair: the same on a grey picture of 720 lines without upsampling.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import av

from bench.index_baseline import Baseline, DlibFaces, baselines
from bench.index_footage import build
from bench.output import Figure, conditions, parser, progress, report
from streams.index.chunk_faces import find_tracks
from streams.index.tracks import ChunkFaces
from streams.media.samples import samples
from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.store import build_models

SAMPLING_FPS = 5.0
LONG_MS = 10**9
KINDS = {"b_pictures": 3, "no_b_pictures": 0}


def decode(video: Path) -> None:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "NONE", 1
        for _ in container.decode(stream):
            pass


def cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def seen_share(found: ChunkFaces, times_ms: Sequence[int]) -> float:
    """Share of these moments at which a track goes on."""
    return statistics.fmean(any(t.first_ms <= time <= t.last_ms for t in found.tracks) for time in times_ms)


def measure(video: Path, models: FaceModels, seconds: int, rounds: int) -> dict[str, Figure]:
    """Decoding and indexing, in turn."""
    find_tracks(video, 0, 1000, SAMPLING_FPS, models)
    decoding, indexing = [], []
    for _ in range(rounds):
        decoding.append(cpu_s(lambda: decode(video)) / seconds)
        indexing.append(cpu_s(lambda: find_tracks(video, 0, LONG_MS, SAMPLING_FPS, models)) / seconds)
    found = find_tracks(video, 0, LONG_MS, SAMPLING_FPS, models)
    ratios = [index / alone for index, alone in zip(indexing, decoding, strict=True)]
    return {
        "decode_cpu_s_per_s": statistics.median(decoding),
        "index_cpu_s_per_s": statistics.median(indexing),
        "ratio_to_decode": statistics.median(ratios),
        "samples": found.samples,
        "sightings": found.faces_seen,
    }


def compare(
    video: Path, models: FaceModels, baseline: Baseline, *, decode_cpu: float, looked_at: int
) -> dict[str, Figure]:
    """A plain recipe on evenly spread samples; what it sees there, and what indexing sees at the same moments."""
    faces = DlibFaces()
    every = list(samples(video, 0, LONG_MS, SAMPLING_FPS))
    chosen = every[:: max(1, len(every) // looked_at)][:looked_at]
    counts: list[int] = []
    spent = cpu_s(lambda: counts.extend(len(baseline.look(sample.rgb(), faces)) for sample in chosen))
    found = find_tracks(video, 0, LONG_MS, SAMPLING_FPS, models)
    return {
        "cpu_s_per_s": decode_cpu + SAMPLING_FPS * spent / len(chosen),
        "recall": statistics.fmean(count > 0 for count in counts),
        "index_recall": seen_share(found, [sample.time_ms for sample in chosen]),
        "looked_at": len(chosen),
    }


def _index_in_child(video: Path, folder: Path) -> float:
    models = load_face_models(build_models(folder))
    find_tracks(video, 0, 1000, SAMPLING_FPS, models)
    began = time.monotonic()
    find_tracks(video, 0, LONG_MS, SAMPLING_FPS, models)
    return time.monotonic() - began


def scaling(video: Path, folder: Path, rounds: int) -> float:
    """Footage indexed by two processes over that by one, in the same time; the best of the rounds, since the machine is
    not ours alone."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        gains = []
        for _ in range(rounds):
            alone = pool.submit(_index_in_child, video, folder).result()
            both = [pool.submit(_index_in_child, video, folder) for _ in range(2)]
            gains.append(sum(alone / each.result() for each in both))
    return max(gains)


def main() -> int:
    arguments = parser(__doc__)
    arguments.add_argument("--seconds", type=int, default=20)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--naive-samples", type=int, default=4, help="each takes seconds")
    arguments.add_argument("--fair-samples", type=int, default=20)
    arguments.add_argument("--keep", type=Path, help="where footage and models stay from one run to the next")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="spotclip-bench-") as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        models = load_face_models(build_models(folder / "models"))
        kinds: dict[str, dict[str, Figure]] = {}
        for kind, b_frames in KINDS.items():
            video = folder / f"index-{kind}-{given.seconds}.mp4"
            if not video.exists():
                progress(f"building {given.seconds} s of 1080p ({kind})")
                build(video, seconds=given.seconds, b_frames=b_frames)
            progress(f"measuring {kind}")
            kinds[kind] = measure(video, models, given.seconds, given.rounds)
        video = folder / f"index-b_pictures-{given.seconds}.mp4"
        figures: dict[str, Figure] = dict(kinds["b_pictures"])
        for name, baseline in baselines().items():
            progress(f"measuring {name}")
            looked_at = given.naive_samples if name == "naive" else given.fair_samples
            plain = compare(
                video, models, baseline, decode_cpu=float(str(figures["decode_cpu_s_per_s"])), looked_at=looked_at
            )
            figures[f"{name}_cpu_s_per_s"] = plain["cpu_s_per_s"]
            figures[f"speedup_vs_{name}"] = float(str(plain["cpu_s_per_s"])) / float(str(figures["index_cpu_s_per_s"]))
            figures[f"{name}_recall"], figures["index_recall"] = plain["recall"], plain["index_recall"]
        progress("measuring two processes")
        figures["two_process_scaling"] = scaling(video, folder / "models", given.rounds)
        figures["without_b_pictures"] = kinds["no_b_pictures"]
        figures["conditions"] = conditions()
        report(figures, as_json=given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())

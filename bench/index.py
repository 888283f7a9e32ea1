"""What indexing costs, against decoding alone and against what people write with dlib, in processor time.

    python -m bench index [--seconds 20] [--rounds 3] [--json]

The footage is built: 1080p at 25 pictures a second, H.264 of 8 Mb/s, one face in about every sample of 5 a second; once
with B-pictures, as x264 writes by itself, and once without, as many cameras do. All ways are measured in turn, round by
round, each in one thread; the middle of the rounds counts. Processor seconds are for one second of footage.

- decode: every picture of the file, nothing else.
- index: `streams.index.chunk_faces.find_tracks`, all there is.
- naive: the recipe of the `face_recognition` package as people write it (`bench.plain_recipe`): each sample in full
  size, dlib's own embedding. Few samples are looked at, since each takes seconds.
- fair: as somebody writes it who has measured: faces are looked for in a grey picture of 720 lines, not upsampled.
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
import cv2
import dlib
import numpy as np

from bench.index_footage import build
from bench.output import Figure, conditions, parser, progress, report
from bench.plain_recipe import Image, PlainFaces, Vectors, dlib_network
from streams.index.chunk_faces import find_tracks
from streams.index.tracks import ChunkFaces
from streams.media.sample import Sample
from streams.media.samples import samples
from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.sources import PREDICTOR, RESNET
from streams.vision.models.store import build_models

SAMPLING_FPS = 5.0
LONG_MS = 10**9
KINDS = {"b_pictures": 3, "no_b_pictures": 0}
FAIR_LINES = 720


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


def measure(video: Path, models: FaceModels, seconds: int, rounds: int) -> tuple[dict[str, float], ChunkFaces]:
    """Decoding and indexing, in turn; and what indexing found."""
    found = find_tracks(video, 0, LONG_MS, SAMPLING_FPS, models)
    decoding, indexing = [], []
    for _ in range(rounds):
        decoding.append(cpu_s(lambda: decode(video)) / seconds)
        indexing.append(cpu_s(lambda: find_tracks(video, 0, LONG_MS, SAMPLING_FPS, models)) / seconds)
    ratios = [index / alone for index, alone in zip(indexing, decoding, strict=True)]
    figures: dict[str, float] = {
        "decode_cpu_s_per_s": statistics.median(decoding),
        "index_cpu_s_per_s": statistics.median(indexing),
        "ratio_to_decode": statistics.median(ratios),
        "samples": found.samples,
        "sightings": found.faces_seen,
    }
    return figures, found


def spread_samples(video: Path, count: int) -> list[Sample]:
    """About so many samples, evenly spread."""
    every = list(samples(video, 0, LONG_MS, SAMPLING_FPS))
    return every[:: max(1, len(every) // count)][:count]


def naive(rgb: Image, faces: PlainFaces) -> Vectors:
    return faces.encode(rgb, faces.locate(rgb))


def fair(rgb: Image, faces: PlainFaces) -> Vectors:
    scale = rgb.shape[0] / FAIR_LINES
    size = (round(rgb.shape[1] / scale), FAIR_LINES)
    grey = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    places = faces.locate(grey.astype(np.uint8, copy=False), upsample=0)
    return faces.encode(rgb, [scaled(place, scale) for place in places])


def scaled(place: dlib.rectangle, scale: float) -> dlib.rectangle:
    return dlib.rectangle(*(round(side * scale) for side in (place.left(), place.top(), place.right(), place.bottom())))


def compare(
    name: str,
    look: Callable[[Image, PlainFaces], Vectors],
    chosen: Sequence[Sample],
    found: ChunkFaces,
    figures: dict[str, float],
) -> None:
    """Adds what a plain recipe costs and sees on some samples, and what indexing saw at the same moments."""
    faces = PlainFaces(PREDICTOR.locate(), dlib_network(RESNET.locate()))
    counts: list[int] = []
    spent = cpu_s(lambda: counts.extend(len(look(sample.rgb(), faces)) for sample in chosen))
    cost = figures["decode_cpu_s_per_s"] + SAMPLING_FPS * spent / len(chosen)
    figures[f"{name}_cpu_s_per_s"] = cost
    figures[f"speedup_vs_{name}"] = cost / figures["index_cpu_s_per_s"]
    figures[f"{name}_recall"] = statistics.fmean(count > 0 for count in counts)
    figures[f"index_recall_vs_{name}"] = seen_share(found, [sample.time_ms for sample in chosen])


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
        videos = {kind: folder / f"index-{kind}-{given.seconds}.mp4" for kind in KINDS}
        measured: dict[str, tuple[dict[str, float], ChunkFaces]] = {}
        for kind, video in videos.items():
            if not video.exists():
                progress(f"building {given.seconds} s of 1080p ({kind})")
                build(video, seconds=given.seconds, b_frames=KINDS[kind])
            progress(f"measuring {kind}")
            measured[kind] = measure(video, models, given.seconds, given.rounds)
        video = videos["b_pictures"]
        figures, found = measured["b_pictures"]
        for look, looked_at in ((naive, given.naive_samples), (fair, given.fair_samples)):
            progress(f"measuring {look.__name__}")
            compare(look.__name__, look, spread_samples(video, looked_at), found, figures)
        progress("measuring two processes")
        figures["two_process_scaling"] = scaling(video, folder / "models", given.rounds)
        told: dict[str, Figure] = {**figures, "without_b_pictures": {**measured["no_b_pictures"][0]}}
        report(told | {"conditions": conditions()}, as_json=given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())

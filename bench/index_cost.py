"""Prints what each stage of indexing costs on one file, in processor milliseconds per sample.

    python -m bench.index_cost VIDEO [--fps 5] [--models DIR]

The stages are those of `streams.index.chunk_faces`, called one by one.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.media.samples import samples
from streams.vision.face_models import load_face_models
from streams.vision.models.store import build_models
from streams.vision.policy import FacePolicy
from streams.vision.quality import second_look
from streams.vision.track import SeenFace, Tracker

LONG_MS = 10**9


class StageClock:
    """Adds up processor time by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.process_time()
        try:
            yield
        finally:
            self.seconds[name] += time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--models", type=Path, default=Path("data/models"))
    arguments = parser.parse_args()

    models = load_face_models(build_models(arguments.models))
    policy = FacePolicy()
    clock = StageClock()
    tracker = Tracker(policy, 1000 / arguments.fps)
    reader = samples(arguments.video, 0, LONG_MS, arguments.fps)
    count = faces = vectors = 0
    while True:
        with clock.stage("decode"):
            sample = next(reader, None)
        if sample is None:
            break
        count += 1
        with clock.stage("scale"):
            small, scale = sample.bgr(round(policy.detect_side_px * models.detector.detail))
        with clock.stage("detect"):
            found = models.detector.detect(
                small, min_score=policy.min_score, max_overlap=policy.max_overlap, scale=scale
            )
        boxes = [face.box for face in found if face.box.width >= policy.min_face_px]
        seen: list[SeenFace] = []
        if boxes:
            with clock.stage("full-size RGB"):
                rgb = sample.rgb()
            with clock.stage("align"):
                chips = [models.aligner.chip(rgb, box) for box in boxes]
            with clock.stage("second look"):
                looks = [second_look(chip, models.detector) for chip in chips]
            kept = [
                (box, look.score, chip)
                for box, look, chip in zip(boxes, looks, chips, strict=True)
                if look.passes(min_score=policy.min_second_score, max_error_px=policy.max_second_error_px)
            ]
            with clock.stage("embed"):
                embedded = models.embedder.embed([chip for _, _, chip in kept])
            seen = [
                SeenFace(sample.time_ms, box, score, vector, chip)
                for (box, score, chip), vector in zip(kept, embedded, strict=True)
            ]
            faces += len(seen)
        with clock.stage("track"):
            ended = tracker.add(sample.time_ms, seen)
        for track in ended:
            vectors += len(track.best)
            with clock.stage("mirror"):
                models.embedder.embed_mirrored([face.chip for face in track.best])
    for track in tracker.finish():
        vectors += len(track.best)
        with clock.stage("mirror"):
            models.embedder.embed_mirrored([face.chip for face in track.best])

    print(f"{arguments.video.name}: {count} samples, {faces} faces, {vectors} stored vectors")
    for name, seconds in clock.seconds.items():
        print(f"{name:>14} {seconds * 1000 / count:7.2f} cpu-ms per sample")
    total = sum(clock.seconds.values())
    print(f"{'all':>14} {total * 1000 / count:7.2f} cpu-ms per sample, {total:.2f} s in all")


if __name__ == "__main__":
    main()

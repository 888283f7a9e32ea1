"""Faces found by each detector, by width and by tilt, and what a picture costs it.

    python -m bench detectors [--json] [--models DIR]

Faces that YuNet finds in the packaged photos and films, one picture of a film each second, are scaled to a width in a
1080p frame and put at random places on packaged footage without faces; or turned, at 120 px. Looked at in pictures
640 px wide and 960 px wide. `recall` counts faces found, `passed` those of them that the second look lets pass.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.output import Figure, parser, progress, report
from infra.demo_media import LOCATIONS, find_media
from streams.media.samples import samples
from streams.vision.box import Box
from streams.vision.detect import Detection
from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.choice import DetectorKind, ModelChoice
from streams.vision.models.store import build_models
from streams.vision.policy import FacePolicy
from streams.vision.quality import second_look

Image = npt.NDArray[np.uint8]

KINDS = (DetectorKind.YUNET, DetectorKind.BLAZEFACE, DetectorKind.HOG)
SIDES_PX = (640, 960)
# HOG's least face is 80 px: it is given twice the picture.
LARGER = {DetectorKind.YUNET: 1, DetectorKind.BLAZEFACE: 1, DetectorKind.HOG: 2}
MIN_SCORE = 0.6
WIDTHS_PX = (30, 40, 50, 60, 80, 100, 140, 200)
TILTS_DEG = (0, 15, 30, 45, 60, 90)
TILTED_PX = 120
FRAME = (1080, 1920)
EMPTY = ("bikes.mp4", "no_face.mp4")
# A face is not enlarged much beyond what its picture holds; its surroundings reach this many widths from its middle.
LEAST_FACTOR = 0.8
AROUND = 1.6
POLICY = FacePolicy()


@dataclass(frozen=True, eq=False)
class Pasted:
    """rgb 1080p with one known face."""

    picture: Image
    face: Box


@dataclass
class Tally:
    """What one detector made of one kind of pictures."""

    pictures: int = 0
    found: int = 0
    passed: int = 0
    cpu_s: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Figure]:
        return {
            "pictures": self.pictures,
            "recall": round(self.found / self.pictures, 3),
            "passed": round(self.passed / self.pictures, 3),
            "cpu_ms": round(1000 * float(np.median(self.cpu_s)), 2),
        }


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--models", type=Path, default=Path("data/models"))
    given = arguments.parse_args()
    recipes = {kind: load_face_models(build_models(given.models, ModelChoice(detector=kind))) for kind in KINDS}
    pictures = dict(packaged())
    known = [(rgb, face.box) for rgb in pictures.values() for face in look(rgb, recipes[KINDS[0]], SIDES_PX[0])[0]]
    known = [(rgb, box) for rgb, box in known if box.width >= POLICY.min_face_px]
    backgrounds = [
        cv2.resize(rgb, FRAME[::-1]).astype(np.uint8) for (name, _), rgb in pictures.items() if name in EMPTY
    ]
    figures: dict[str, Figure] = {"faces": len(known)}
    lines = [f"{len(known)} faces, found / let pass in %, and cpu-ms", f"{'':12}" + "".join(map(column, columns()))]
    for label, made in [
        *((f"width_{px}", pasted(known, backgrounds, px)) for px in WIDTHS_PX),
        *((f"tilt_{degrees}", tilted(known, degrees)) for degrees in TILTS_DEG),
    ]:
        progress(label)
        tallies = measured(made, recipes)
        figures[label] = {name: tally.figures() for name, tally in tallies.items()}
        lines.append(f"{label:12}" + "".join(column(cell(tally)) for tally in tallies.values()))
    report(figures, as_json=given.json, table="\n".join(lines))


def columns() -> list[str]:
    return [f"{kind}_{side}" for side in SIDES_PX for kind in KINDS]


def column(text: str) -> str:
    return f"{text:>18}"


def cell(tally: Tally) -> str:
    shares = (100 * part / tally.pictures for part in (tally.found, tally.passed))
    return "/".join(f"{share:.0f}" for share in shares) + f"{1000 * np.median(tally.cpu_s):8.1f}"


def packaged() -> Iterator[tuple[tuple[str, int], Image]]:
    """Every photo, and a picture of each second of every film; rgb."""
    for name in LOCATIONS:
        path = find_media(name)
        if path.suffix == ".jpg":
            photo = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
            assert photo is not None
            yield (name, 0), photo.astype(np.uint8)
        else:
            for sample in samples(path, 0, 10**9, 1):
                yield (name, sample.time_ms), sample.rgb()


def look(rgb: Image, models: FaceModels, side_px: int) -> tuple[list[Detection], float]:
    """What the detector finds in a picture scaled as for indexing, and the processor seconds it took to find."""
    scale = max(rgb.shape) / side_px
    size = (round(rgb.shape[1] / scale), round(rgb.shape[0] / scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)
    bgr = np.ascontiguousarray(small[..., ::-1]).astype(np.uint8)
    began = time.process_time()
    faces = models.detector.detect(bgr, min_score=MIN_SCORE, max_overlap=POLICY.max_overlap, scale=scale)
    return faces, time.process_time() - began


def measured(made: Iterator[Pasted], recipes: dict[DetectorKind, FaceModels]) -> dict[str, Tally]:
    """Each picture goes to every detector in turn, so that what else the machine does weighs on all alike."""
    tallies = {name: Tally() for name in columns()}
    for each in made:
        for side in SIDES_PX:
            for kind, models in recipes.items():
                faces, cpu_s = look(each.picture, models, side * LARGER[kind])
                tally = tallies[f"{kind}_{side}"]
                tally.pictures += 1
                tally.cpu_s.append(cpu_s)
                on_it = next((face for face in faces if is_on(face.box, each.face)), None)
                if on_it is not None:
                    tally.found += 1
                    seen = second_look(models.aligner.chip(each.picture, on_it.box), models.detector)
                    tally.passed += seen.passes(
                        min_score=POLICY.min_second_score, max_error_px=POLICY.max_second_error_px
                    )
    return tallies


def is_on(box: Box, face: Box) -> bool:
    """Whether a box's centre lies in the face."""
    (x, y), (wanted_x, wanted_y) = box.center, face.center
    return max(abs(x - wanted_x), abs(y - wanted_y)) < face.width / 2


def pasted(known: list[tuple[Image, Box]], backgrounds: list[Image], width_px: int) -> Iterator[Pasted]:
    """Each face that is large enough, so wide, at two random places of two random backgrounds."""
    random = np.random.default_rng(width_px)
    for rgb, box in known:
        if box.width < LEAST_FACTOR * width_px:
            continue
        (x, y), reach = box.center, AROUND * box.width
        top, left = max(0, int(y - reach)), max(0, int(x - reach))
        part = rgb[top : int(y + reach), left : int(x + reach)]
        factor = width_px / box.width
        small = cv2.resize(
            part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        )
        for _ in range(2):
            picture = backgrounds[random.integers(len(backgrounds))].copy()
            to_y, to_x = (
                int(random.integers(whole - side)) for whole, side in zip(FRAME, small.shape[:2], strict=True)
            )
            picture[to_y : to_y + small.shape[0], to_x : to_x + small.shape[1]] = small
            yield Pasted(picture, square(to_x + (x - left) * factor, to_y + (y - top) * factor, width_px))


def tilted(known: list[tuple[Image, Box]], degrees: int) -> Iterator[Pasted]:
    """Each face in the middle of a frame, turned to either side."""
    height, width = FRAME
    for rgb, box in known:
        for sign in (1, -1) if degrees else (1,):
            matrix = np.asarray(cv2.getRotationMatrix2D(box.center, sign * degrees, TILTED_PX / box.width), np.float64)
            matrix[:, 2] += np.array([width / 2, height / 2]) - box.center
            picture = cv2.warpAffine(rgb, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
            yield Pasted(picture.astype(np.uint8), square(width / 2, height / 2, TILTED_PX))


def square(x: float, y: float, width_px: float) -> Box:
    return Box(x - width_px / 2, y - width_px / 2, x + width_px / 2, y + width_px / 2)


if __name__ == "__main__":
    main()

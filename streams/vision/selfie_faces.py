"""The faces of a selfie, each as it is read: upright, light enough, and judged."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from streams.vision.box import Box
from streams.vision.detect import Detection
from streams.vision.face_models import FaceModels
from streams.vision.policy import SelfiePolicy
from streams.vision.quality import SecondLook, second_look, sharpness
from streams.vision.selfie_outcome import SelfieProblem
from streams.vision.selfie_picture import brightened, light

Image = npt.NDArray[np.uint8]

_QUARTER_TURNS = 4
# Sides of the face around its box: a chip of a turned head reaches 1.5 sides from the middle of the face.
_PATCH_MARGIN = 1.5


@dataclass(frozen=True, eq=False)
class SelfieFace:
    """A face of a selfie.

    Attributes:
        patch: uint8 [h, w, 3], red first: the face with what is around it, upright, brightened where it was dark.
        box: where the face is in `patch`.
        width_px: side of the face in the picture's own pixels.
        shown: share of the face that lies within the picture, 0 to 1.
        score: the detector's, 0 to 1.
        look: the detector's second look at the upright chip.
        sharpness: of the upright chip.
        light: of the face before it was brightened, 0 to 255.
    """

    patch: Image
    box: Box
    width_px: float
    shown: float
    score: float
    look: SecondLook
    sharpness: float
    light: float

    def is_face(self, policy: SelfiePolicy) -> bool:
        """Whether the second look confirms it, and enough of it is in the picture."""
        return self.shown >= policy.min_shown and self.look.passes(
            min_score=policy.min_second_score, max_error_px=policy.max_second_error_px
        )

    def problem(self, policy: SelfiePolicy) -> SelfieProblem | None:
        """Why it cannot be searched with; None for a usable face."""
        if self.light < policy.min_light:
            return SelfieProblem.TOO_DARK
        if self.width_px < policy.min_face_px:
            return SelfieProblem.TOO_SMALL
        if self.sharpness < policy.min_sharpness:
            return SelfieProblem.TOO_BLURRED
        return None if self.is_face(policy) else SelfieProblem.TURNED_AWAY


def find_faces(rgb: Image, models: FaceModels, policy: SelfiePolicy, side_px: int) -> list[SelfieFace]:
    """Returns the largest faces of a picture, largest first, in the quarter turn in which they look most like faces.

    A picture on its side without an orientation is common, and its faces are found and pass for faces: but their
    vectors are those of nobody. So all four turns are looked at, 18 ms in all.

    Args:
        rgb: uint8 [H, W, 3] contiguous, red first.
        models: the loaded models.
        policy: the numbers.
        side_px: long side of the picture that the detector works at.
    """
    small, scale = _reduced(rgb, side_px * models.detector.detail)
    small = brightened(small, light(small), policy.full_light)
    best: list[SelfieFace] = []
    best_likeness = 0.0
    for turn in range(_QUARTER_TURNS):
        bgr = np.ascontiguousarray(np.rot90(small, turn)[..., ::-1])
        found = models.detector.detect(bgr, min_score=policy.min_score, max_overlap=policy.max_overlap, scale=scale)
        largest = sorted(found, key=lambda face: -face.box.width)[: policy.max_faces]
        faces = [_read(np.rot90(rgb, turn), face, models, policy) for face in largest]
        likeness = max((face.score * face.look.score for face in faces), default=0.0)
        if not best or likeness > best_likeness + policy.min_turn_gain:
            best, best_likeness = faces, likeness
    return best


def _reduced(rgb: Image, side_px: float) -> tuple[Image, float]:
    """The picture with this long side, and the factor back to its own pixels."""
    height, width = rgb.shape[:2]
    scale = max(height, width) / side_px
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)
    return small.astype(np.uint8, copy=False), scale


def _read(turned: Image, face: Detection, models: FaceModels, policy: SelfiePolicy) -> SelfieFace:
    """Cuts the face out of the turned picture (a view of the whole, which is never copied) and looks at it."""
    patch, box, shown = _patch(turned, face.box)
    inner = patch[int(box.y0) : int(box.y1) + 1, int(box.x0) : int(box.x1) + 1]
    face_light = light(inner)
    patch = brightened(patch, face_light, policy.full_light)
    chip = models.aligner.chip(patch, box)
    look = second_look(chip, models.detector)
    return SelfieFace(patch, box, box.width, shown, face.score, look, sharpness(chip), face_light)


def _patch(rgb: Image, box: Box) -> tuple[Image, Box, float]:
    """The face with its surroundings, where it is in them, and the share of it that the picture shows.

    Beyond the picture its edge goes on: black there would make an edge that looks like sharp detail.
    """
    height, width = rgb.shape[:2]
    margin = _PATCH_MARGIN * box.width
    x0, y0, x1, y1 = (round(each) for each in (box.x0 - margin, box.y0 - margin, box.x1 + margin, box.y1 + margin))
    inside = rgb[max(0, y0) : min(height, y1), max(0, x0) : min(width, x1)]
    border = max(0, -y0), max(0, y1 - height), max(0, -x0), max(0, x1 - width)
    patch = cv2.copyMakeBorder(np.ascontiguousarray(inside), *border, cv2.BORDER_REPLICATE)
    shown_x = max(0.0, min(width, box.x1) - max(0.0, box.x0))
    shown_y = max(0.0, min(height, box.y1) - max(0.0, box.y0))
    moved = Box(box.x0 - x0, box.y0 - y0, box.x1 - x0, box.y1 - y0)
    return patch.astype(np.uint8, copy=False), moved, shown_x * shown_y / box.width**2

"""From the bytes of a selfie to one vector, or to a named reason why there is none."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from streams.vision.align import CHIP_PADDING
from streams.vision.face_models import FaceModels
from streams.vision.models.model_set import CHIP_PX
from streams.vision.policy import SelfiePolicy
from streams.vision.selfie_faces import SelfieFace, find_faces
from streams.vision.selfie_outcome import SENTENCES, Selfie, SelfieProblem, SelfieRefused
from streams.vision.selfie_picture import decode_upright, light

Image = npt.NDArray[np.uint8]

# The crops are cut from a chip with a wider margin, so that turning and shifting never reaches its edge, and of twice
# the resolution, so that cutting blurs nothing: 1 + 2 x 0.5 sides of the face where a chip has 1 + 2 x 0.25.
_WIDE_PADDING = 0.5
_WIDE_PX = round(2 * CHIP_PX * (1 + 2 * _WIDE_PADDING) / (1 + 2 * CHIP_PADDING))


def read_selfie(data: bytes, models: FaceModels, policy: SelfiePolicy | None = None) -> Selfie | SelfieRefused:
    """Returns the vector of the largest sharp face in a JPEG or PNG, or why there is none.

    Equal bytes give an equal vector; the network runs once, on the crops of one face. Takes about 0.2 s of one
    processor; a picture without a usable face is looked at a second time in more detail.
    """
    policy = policy or SelfiePolicy()
    rgb = decode_upright(data, policy.max_megapixels)
    if rgb is None:
        return _refused(SelfieProblem.UNDECODABLE)
    refused: list[tuple[SelfieFace, SelfieProblem]] = []
    for side_px in _sides_px(rgb, policy):
        faces = find_faces(rgb, models, policy, side_px)
        for face in faces:
            problem = face.problem(policy)
            if problem is None:
                return Selfie(_vector(face, models, policy), face.width_px, face.look.score, len(faces))
            refused.append((face, problem))
    if not refused and light(rgb) < policy.min_light:
        return _refused(SelfieProblem.TOO_DARK)
    return _refused(_main_problem(refused, policy))


def _sides_px(rgb: Image, policy: SelfiePolicy) -> tuple[int, ...]:
    """Enlarging a picture for the second look would show nothing new."""
    own = max(rgb.shape[:2])
    if own <= policy.detect_side_px:
        return (policy.detect_side_px,)
    return policy.detect_side_px, min(own, policy.second_side_px)


def _main_problem(refused: Sequence[tuple[SelfieFace, SelfieProblem]], policy: SelfiePolicy) -> SelfieProblem:
    """That of the largest face which is certainly one, else of the largest that may be one."""
    certain = [each for each in refused if each[0].is_face(policy)]
    likely = [each for each in refused if each[1] is not SelfieProblem.TOO_SMALL]
    _, problem = max(certain or likely, key=lambda each: each[0].width_px, default=(None, SelfieProblem.NO_FACE))
    return problem


def _vector(face: SelfieFace, models: FaceModels, policy: SelfiePolicy) -> npt.NDArray[np.float32]:
    """float32 [128]: the mean over the jittered crops of the face."""
    wide = models.aligner.chip(face.patch, face.box, size_px=_WIDE_PX, padding=_WIDE_PADDING)
    vectors = models.embedder.embed(jittered_crops(wide, policy))
    mean: npt.NDArray[np.float32] = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def jittered_crops(wide_chip: Image, policy: SelfiePolicy) -> list[Image]:
    """Returns the crops, uint8 [150, 150, 3] each: turned, scaled and shifted at random, every second one mirrored.

    The random numbers are those of `policy.seed`, the same for every selfie.
    """
    draws = np.random.default_rng(policy.seed).uniform(-1, 1, (policy.crops, 4))
    center = (wide_chip.shape[0] - 1) / 2
    half = (CHIP_PX - 1) / 2
    unit = CHIP_PX * (1 + 2 * _WIDE_PADDING) / (1 + 2 * CHIP_PADDING) / wide_chip.shape[0]
    crops: list[Image] = []
    for number, (turn, scale, dx, dy) in enumerate(draws):
        matrix = cv2.getRotationMatrix2D(
            (center, center), turn * policy.max_turn_deg, unit * (1 + scale * policy.max_scale)
        )
        matrix[:, 2] += np.array([dx, dy]) * policy.max_shift_px + half - center
        crop = cv2.warpAffine(wide_chip, matrix, (CHIP_PX, CHIP_PX), flags=cv2.INTER_LINEAR)
        crops.append(np.ascontiguousarray(crop[:, ::-1] if number % 2 else crop).astype(np.uint8, copy=False))
    return crops


def _refused(problem: SelfieProblem) -> SelfieRefused:
    return SelfieRefused(problem, SENTENCES[problem])

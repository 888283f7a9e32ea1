"""Pictures with known faces."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from infra.demo_media import find_media
from streams.vision.detect import Detection, FaceDetector
from streams.vision.embed import Embedder, Vectors
from streams.vision.policy import FacePolicy
from streams.vision.quality import SecondLook

Image = npt.NDArray[np.uint8]


def photo(name: str) -> Image:
    """uint8 [H, W, 3], red first."""
    picture = cv2.imread(str(find_media(name)), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return picture.astype(np.uint8)


def faces_in(rgb: Image, detector: FaceDetector) -> list[Detection]:
    return detector.detect(np.ascontiguousarray(rgb[..., ::-1]), min_score=0.6, max_overlap=0.5)


def passes(look: SecondLook) -> bool:
    """By the recipe's own numbers."""
    policy = FacePolicy()
    return look.passes(min_score=policy.min_second_score, max_error_px=policy.max_second_error_px)


def turned(rgb: Image, degrees: float) -> Image:
    """The picture turned around its centre, in its own size."""
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(rgb, matrix, (width, height)).astype(np.uint8)


def blurred(rgb: Image, sigma_px: float) -> Image:
    return cv2.GaussianBlur(rgb, (0, 0), sigma_px).astype(np.uint8)


def scaled(rgb: Image, factor: float) -> Image:
    return cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.uint8)


def stored_vectors(chips: Sequence[Image], embedder: Embedder) -> Vectors:
    """float32 [n, 128], as a track's faces are stored: with the mirror image."""
    return embedder.with_mirror(embedder.embed(chips), chips)

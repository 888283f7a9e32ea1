"""From the bytes of a selfie to its picture: checked by its header, decoded, upright."""

import cv2
import numpy as np
import numpy.typing as npt

from schemas.image_header import ImageFormat, ImageHeaderError, image_header
from streams.vision.png_still import png_still

Image = npt.NDArray[np.uint8]

_LIGHT_PERCENTILE = 95


def decode_upright(data: bytes, max_megapixels: float) -> Image | None:
    """Returns the picture as uint8 [H, W, 3], red first, turned as its Exif orientation says.

    None where the bytes are no JPEG or PNG of at most `max_megapixels`, or cannot be decoded.
    """
    try:
        header = image_header(data)
    except ImageHeaderError:
        return None
    if header.megapixels > max_megapixels:
        return None
    picture = png_still(data) if header.format is ImageFormat.PNG else data
    if picture is None:
        return None
    try:
        stored = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if stored is None else upright(stored.astype(np.uint8, copy=False), header.orientation)


def upright(stored: Image, orientation: int) -> Image:
    """Turns and mirrors a stored picture [H, W, 3] the way Exif's orientation (1 to 8) says."""
    if orientation in (5, 6, 7, 8):
        stored = stored.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        stored = stored[::-1]
    if orientation in (2, 3, 6, 7):
        stored = stored[:, ::-1]
    return np.ascontiguousarray(stored)


def light(rgb: Image) -> float:
    """Returns how bright the light parts of a picture [H, W, 3] are: the 95th percentile of its grey, 0 to 255."""
    return float(np.percentile(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), _LIGHT_PERCENTILE))


def brightened(rgb: Image, measured: float, wanted: float) -> Image:
    """Multiplies a picture of the light `measured` up to the light `wanted`; one that has it stays as it is."""
    if measured >= wanted:
        return rgb
    return cv2.convertScaleAbs(rgb, alpha=wanted / max(measured, 1.0)).astype(np.uint8, copy=False)

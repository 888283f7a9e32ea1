"""What makes faces in footage hard, as operations on pictures (uint8 [H, W, 3], red first) of known strength."""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

# A share of the light, and noise as a small sensor has it then, in steps of 255.
_DIM_GAIN, _DIM_NOISE = 0.22, 4.0
# Against a bright sky: the surroundings near white, the face at a third of its light, under a veil of stray light.
_SKY_GAIN, _SKY_VEIL = 0.45, 135.0
_SHADE_GAIN, _SHADE_VEIL = 0.35, 28.0
# How softly a pasted head ends: 1 at the centre, 0 at this superellipse.
_EDGE_POWER, _EDGE_SOFT = 4, 0.35


def to_pixels(values: npt.NDArray[np.floating]) -> Image:
    """The values as uint8, each held within 0 to 255, its fraction dropped."""
    pixels: Image = np.clip(values, 0, 255).astype(np.uint8)
    return pixels


def motion_blur(picture: Floats, length_px: float) -> Floats:
    """Smears along the rows, as a camera does with what passes it while the shutter is open."""
    size = max(1, round(length_px))
    kernel = np.full((1, size), 1 / size, np.float32)
    return cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_CONSTANT).astype(np.float32)


def dim(frame: Image, random: np.random.Generator) -> Image:
    """Little light, and noise."""
    noise = random.normal(0, _DIM_NOISE, frame.shape).astype(np.float32)
    return to_pixels(frame * np.float32(_DIM_GAIN) + noise)


def bright_sky(frame: Image) -> Image:
    """The surroundings of somebody who stands against the light."""
    return to_pixels(frame * np.float32(_SKY_GAIN) + _SKY_VEIL)


def in_shade(head: Floats, alpha: Floats) -> Floats:
    """Somebody who stands against the light; `head` is already weighted by `alpha`, so the veil is too."""
    return head * np.float32(_SHADE_GAIN) + alpha * np.float32(_SHADE_VEIL)


def soft_mask(height: int, width: int) -> Floats:
    """float32 [height, width, 1]: 1 over the middle, falling to 0 before the edges."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    radius = (np.abs(x) ** _EDGE_POWER + np.abs(y) ** _EDGE_POWER) ** (1 / _EDGE_POWER)
    mask: Floats = np.clip((1 - radius) / _EDGE_SOFT, 0, 1).astype(np.float32)
    return mask[..., None]

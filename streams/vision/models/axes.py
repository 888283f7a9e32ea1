"""Principal axes of the embedder's vectors, read off its weights: no picture of anyone decides them."""

import numpy as np
import numpy.typing as npt

from streams.vision.models.dlib_file import Floats


def principal_axes(projection: Floats) -> npt.NDArray[np.float64]:
    """Returns the orthonormal axes, float64 [out, out], one per row, the one the projection stretches most first.

    A vector turned into these axes is `axes @ vector`; turned vectors are as far apart as before. Its first components
    tell most of a distance, which is what makes a search cheap: of dlib's network, on packaged faces, 48 of 128 hold
    85 % of the variance, 64 hold 95 % and 88 all of it.

    Args:
        projection: float32 [in, out], applied as `features @ projection`.
    """
    _, _, axes = np.linalg.svd(projection.astype(np.float64), full_matrices=True)
    # A singular vector has no sign of its own; a rule makes every machine's the same.
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    turned: npt.NDArray[np.float64] = axes * np.sign(largest)[:, None]
    return turned


def on_principal_axes(projection: Floats) -> Floats:
    """Returns a projection, float32 [in, out], whose vectors are those of the given one in their principal axes."""
    return (projection.astype(np.float64) @ principal_axes(projection).T).astype(np.float32)

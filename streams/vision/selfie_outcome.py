"""What becomes of a selfie: one vector, or a named reason why there is none. No vision library is imported here."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class SelfieProblem(StrEnum):
    """Why a selfie cannot be searched with."""

    UNDECODABLE = "undecodable"
    NO_FACE = "no_face"
    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"
    TURNED_AWAY = "turned_away"


SENTENCES = {
    SelfieProblem.UNDECODABLE: "The selfie is not a JPEG or PNG image that can be decoded: send another file.",
    SelfieProblem.NO_FACE: "No face was found in the selfie: send a photo that shows the face from the front.",
    SelfieProblem.TOO_SMALL: "The face in the selfie is too small: send a photo taken from nearer.",
    SelfieProblem.TOO_BLURRED: "The face in the selfie is blurred: send a sharp photo, taken with a steady hand.",
    SelfieProblem.TOO_DARK: "The selfie is too dark: send a photo taken in better light.",
    SelfieProblem.TURNED_AWAY: "The face in the selfie is turned away, covered or cut off: send one from the front.",
}


@dataclass(frozen=True, eq=False)
class Selfie:
    """A usable selfie: vector float32 [128], the face's width in px, its second score, and how many faces there were.

    With several faces the vector is that of the largest sharp one.
    """

    vector: npt.NDArray[np.float32]
    face_px: float
    second_score: float
    faces: int


@dataclass(frozen=True)
class SelfieRefused:
    """A selfie that cannot be searched with, and one sentence for the person who sent it."""

    problem: SelfieProblem
    sentence: str

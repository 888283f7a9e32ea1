"""Vectors shaped like those of real faces, any number of them, of people who do not exist.

From some 50 real people of packaged photos a few thousand vectors are made with the recipe's own network: their photos,
bent, and blends of two or three people, bent. Two normal distributions are fitted to them: how people differ from one
another (the blends give its shape, the real people its size) and how photos of one person differ (residuals of the real
people's photos). Both covariances are shrunk towards their own diagonal on the vectors' principal axes. A row is a
person drawn from the first plus a difference drawn from the second; a selfie is another such row of the same person.

What matters for a search that leaves rows out is how distances of strangers spread: `Fit.real_under_limit` and
`Fit.drawn_under_limit` say which share of pairs of strangers lies under 0.5, of the real people and of the drawn ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.accuracy.effects import to_pixels
from bench.accuracy.people import load_people
from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.store import build_models

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

LIMIT = 0.5
_BLENDS = 1_500
_SHRINKAGE = 0.2
# Three stored faces of each track; a person passes 16 times: a big race's loop, or many cameras.
ROWS_PER_TRACK = 3
_TRACKS_PER_PERSON = 16
_PAIRS = 400_000


@dataclass(frozen=True, eq=False)
class Fit:
    """The two distributions.

    Attributes:
        mean: float64 [128].
        people, photos: float64 [128, 128], lower triangles: a draw is `triangle @ standard normal`.
        real_people: How many real people it rests on.
        real_under_limit: Share of pairs of photos of different real people that are under 0.5 apart.
        drawn_under_limit: The same of drawn ones.
        genuine_p50: Median distance of two drawn rows of one person.
    """

    mean: Doubles
    people: Doubles
    photos: Doubles
    real_people: int
    real_under_limit: float
    drawn_under_limit: float
    genuine_p50: float


class Crowd:
    """People of one fit and their rows; the same seed gives the same people."""

    def __init__(self, fit: Fit, *, seed: int) -> None:
        self._fit = fit
        self._dice = np.random.default_rng(seed)

    def draw(self, rows: int, *, selfies: int) -> tuple[Floats, Floats]:
        """Float32 [rows, 128], each track's in a row and tracks in no order; and [selfies, 128] of people there.

        Args:
            rows: a multiple of the rows of a track.
            selfies: of different people.
        """
        tracks = rows // ROWS_PER_TRACK
        people = self._normal(max(selfies, -(-tracks // _TRACKS_PER_PERSON)), self._fit.people)
        people += self._fit.mean.astype(np.float32)
        who = np.repeat(self._dice.permutation(np.arange(tracks) % len(people)), ROWS_PER_TRACK)
        shown = people[who] + self._normal(len(who), self._fit.photos)
        chosen = self._dice.permutation(len(people))[:selfies]
        return shown, people[chosen] + self._normal(selfies, self._fit.photos)

    def strangers(self, count: int) -> Floats:
        """Float32 [count, 128]: selfies of people who are nowhere."""
        return self.draw(count * ROWS_PER_TRACK, selfies=count)[1]

    def _normal(self, count: int, triangle: Doubles) -> Floats:
        drawn = self._dice.standard_normal((count, len(triangle)), dtype=np.float32)
        return drawn @ triangle.T.astype(np.float32)


def fit_strangers(models_dir: Path) -> Fit:
    """Embeds the packaged people and fits; takes half a minute of one processor.

    Raises:
        MediaMissingError: a package of the `media` group is not installed.
    """
    models = load_face_models(build_models(models_dir))
    chips = [
        [models.aligner.chip(picture.rgb, picture.face) for picture in person.pictures]
        for person in load_people(models.detector)
    ]
    vectors = [_embedded(of_one, models) for of_one in chips]
    blends = _blends([of_one[0] for of_one in chips], models)
    apart = _stranger_distances(vectors)
    residuals = np.concatenate([v - v.mean(axis=0) for v in vectors if len(v) > 1])
    freedom = len(residuals) - sum(len(v) > 1 for v in vectors)
    photos = _shrunk(residuals.T @ residuals / freedom)
    people = _shrunk(np.cov(blends.T))
    people *= (np.mean(apart**2) / 2 - np.trace(photos)) / np.trace(people)
    mean = np.mean([v.mean(axis=0) for v in vectors], axis=0)
    real = float(np.mean(apart < LIMIT))
    fit = Fit(mean, _triangle(people), _triangle(photos), len(vectors), real, 0.0, 0.0)
    drawn, genuine = _checked(fit)
    return Fit(fit.mean, fit.people, fit.photos, fit.real_people, real, drawn, genuine)


def _embedded(chips: Sequence[npt.NDArray[np.uint8]], models: FaceModels) -> Doubles:
    """As stored: the mean of a chip's vector and its mirror image's."""
    return models.embedder.with_mirror(models.embedder.embed(chips), chips).astype(np.float64)


def _blends(faces: Sequence[npt.NDArray[np.uint8]], models: FaceModels) -> Doubles:
    dice = np.random.default_rng(1)
    made = []
    for _ in range(_BLENDS):
        count = dice.integers(1, 4)
        shares = dice.dirichlet(np.ones(count))
        chosen = dice.choice(len(faces), count, replace=False)
        blend = sum(share * faces[who].astype(np.float32) for share, who in zip(shares, chosen, strict=True))
        made.append(_bent(np.asarray(blend, np.float32), dice))
    return _embedded(made, models)


def _bent(chip: Floats, dice: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Moved by a smooth field of a few pixels, in other light."""
    side = chip.shape[0]
    field = dice.normal(0, dice.uniform(2, 7), (2, 5, 5)).astype(np.float32)
    dx, dy = (cv2.resize(each, (side, side), interpolation=cv2.INTER_CUBIC) for each in field)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    bent = cv2.remap(chip, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    lit = (bent - 128) * dice.uniform(0.6, 1.3) + 128 + dice.uniform(-30, 30)
    return to_pixels(lit)


def _stranger_distances(vectors: Sequence[Doubles]) -> Doubles:
    """Of every pair of photos of different people."""
    who = np.repeat(np.arange(len(vectors)), [len(v) for v in vectors])
    everything = np.concatenate(vectors)
    squares = (everything**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * everything @ everything.T, 0))
    different: Doubles = apart[np.triu(who[:, None] != who[None])]
    return different


def _shrunk(covariance: Doubles) -> Doubles:
    return (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.diag(np.diag(covariance))


def _triangle(covariance: Doubles) -> Doubles:
    # Some 40 of the 128 axes hold nothing at all; a hair of variance keeps the matrix positive definite.
    return np.linalg.cholesky(covariance + 1e-12 * np.eye(len(covariance))).astype(np.float64, copy=False)


def _checked(fit: Fit) -> tuple[float, float]:
    rows, _ = Crowd(fit, seed=2).draw(60_000, selfies=1)
    one, other = np.random.default_rng(3).integers(0, len(rows) // ROWS_PER_TRACK, (2, _PAIRS)) * ROWS_PER_TRACK
    apart = np.linalg.norm(rows[one] - rows[other], axis=1)
    genuine = np.linalg.norm(rows[::ROWS_PER_TRACK] - rows[1::ROWS_PER_TRACK], axis=1)
    # Of 1,250 people: a pair of one and the same is no pair of strangers, and nearer than that.
    same = len(rows) / ROWS_PER_TRACK
    share = float(np.mean(apart < LIMIT)) - _TRACKS_PER_PERSON / same * float(np.mean(genuine < LIMIT))
    return max(share, 0.0), float(np.median(genuine))

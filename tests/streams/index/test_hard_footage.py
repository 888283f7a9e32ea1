"""Faces at known places and times, found in every kind of footage."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from schemas.settings import ClipSettings, distance_of
from streams.index.chunk_faces import find_tracks
from streams.index.tracks import ChunkFaces, TrackFaces
from streams.media.errors import SourceUnreadable
from streams.media.probe import probe
from streams.vision.face_models import FaceModels
from streams.vision.policy import face_policy
from streams.vision.selfie_outcome import Selfie
from tests.face_video import PEOPLE, Cutout, Image, Placed, compose, cutout, walk, woven, write_video
from tests.numbered_video import write_sound

FPS = 5.0
SIZE = (640, 360)
WALK = walk(8)
EVERY_200_MS = tuple(range(0, 1_600, 200))
MATCH_DISTANCE = distance_of(ClipSettings().confidence_percent)


def index(path: Path, models: FaceModels, *, far_faces: bool = False) -> ChunkFaces:
    """All of a video, by the length that its probe tells."""
    return find_tracks(path, 0, probe(path).duration_ms, FPS, models, policy=face_policy(far_faces=far_faces))


def nearest(track: TrackFaces, selfie: Selfie) -> float:
    return min(float(np.linalg.norm(face.vector - selfie.vector)) for face in track.faces)


def assert_the_walk(
    found: ChunkFaces, man: Selfie, *, times_ms: Sequence[int] = EVERY_200_MS, places: Sequence[Placed] = WALK
) -> None:
    """One track with a face in every picture, the kept ones where and when the man was; and nothing wrong with it."""
    assert (found.samples, found.faces_seen, found.damaged_ms) == (len(times_ms), len(times_ms), ())
    (track,) = found.tracks
    assert track.sample_times == tuple(times_ms)
    assert nearest(track, man) < MATCH_DISTANCE
    for face in track.faces:
        place = places[times_ms.index(face.time_ms)]
        assert face.box.center == pytest.approx((place.x, place.y), abs=0.13 * place.width)
        assert face.box.width == pytest.approx(place.width, rel=0.15)


def pictures_of(places: Sequence[Placed], size: tuple[int, int] = SIZE) -> list[Image]:
    return [compose(size, [place]) for place in places]


X265 = {"preset": "ultrafast", "x265-params": "log-level=none"}
VP9 = {"deadline": "realtime", "cpu-used": "8"}
IRREGULAR = [Fraction(200 * n + (37 * n * n) % 90) for n in range(8)]
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "turned by 90 degrees": ("mp4", {"rotation": 90}),
    "turned by 180 degrees": ("mp4", {"rotation": 180}),
    "turned by 270 degrees": ("mov", {"rotation": 270}),
    "HEVC": ("mp4", {"codec": "libx265", "options": X265}),
    "HEVC, 10 bit": ("mov", {"codec": "libx265", "options": X265, "pix_fmt": "yuv420p10le"}),
    "H.264, 10 bit": ("mp4", {"pix_fmt": "yuv420p10le"}),
    "H.264, 4:4:4": ("mkv", {"pix_fmt": "yuv444p"}),
    "VP9": ("webm", {"codec": "libvpx-vp9", "options": VP9}),
    "VP8": ("webm", {"codec": "libvpx", "options": VP9}),
    "AV1": ("mp4", {"codec": "libsvtav1", "options": {"preset": "12", "svtav1-params": "lp=1"}, "fps": 25}),
    "MPEG-2, broadcast": ("ts", {"codec": "mpeg2video", "options": {"flags": "+ildct+ilme"}, "fps": 25, "b_frames": 2}),
    "MPEG-2, MXF": ("mxf", {"codec": "mpeg2video", "options": {}, "fps": 25}),
    "MPEG-4, AVI": ("avi", {"codec": "mpeg4", "options": {}, "fps": 25, "b_frames": 2}),
    "Motion JPEG": ("avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "options": {}, "fps": 25}),
    "ProRes": ("mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "options": {}, "fps": 25}),
    "FLV": ("flv", {}),
    "MPEG transport stream": ("ts", {}),
    "one keyframe": ("mp4", {"gop": 1000, "b_frames": 2, "options": {"preset": "veryfast"}}),
    "beginning at 5 s": ("mkv", {"times_ms": [Fraction(5_000 + 200 * n) for n in range(8)]}),
    "beginning at 5 s, with an edit list": ("mp4", {"times_ms": [Fraction(5_000 + 200 * n) for n in range(8)]}),
    "transport stream beginning at 5 s": ("ts", {"times_ms": [Fraction(5_000 + 200 * n) for n in range(8)]}),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_man_is_found_where_and_when_he_walks(
    kind: str, tmp_path: Path, face_models: FaceModels, man: Selfie
) -> None:
    container, coding = FORMATS[kind]
    path = write_video(tmp_path / f"walk.{container}", pictures_of(WALK), **coding)
    assert_the_walk(index(path, face_models), man)


def test_a_portrait_picture(tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    places = walk(8, size=(360, 640), width=70)
    path = write_video(tmp_path / "portrait.mp4", pictures_of(places, (360, 640)))
    assert_the_walk(index(path, face_models), man, places=places)


def test_pixels_that_are_not_square(tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    """Stored at half the width; a player stretches it to twice that."""
    narrow = [cv2.resize(picture, (320, 360), interpolation=cv2.INTER_AREA) for picture in pictures_of(WALK)]
    path = write_video(tmp_path / "narrow.mp4", narrow, sample_aspect=Fraction(2))
    assert_the_walk(index(path, face_models), man)


def test_a_variable_frame_rate(tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    path = write_video(tmp_path / "variable.mp4", pictures_of(WALK), times_ms=IRREGULAR)
    assert_the_walk(index(path, face_models), man, times_ms=[int(time) for time in IRREGULAR])


@pytest.mark.parametrize("odd", [(641, 361), (639, 359)])
def test_odd_sizes(odd: tuple[int, int], tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    path = write_video(tmp_path / "odd.webm", pictures_of(WALK, odd), codec="libvpx-vp9", options=VP9)
    assert_the_walk(index(path, face_models), man)


def test_a_single_picture(tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    path = write_video(tmp_path / "one.mp4", pictures_of(WALK[:1]))
    assert_the_walk(index(path, face_models), man, times_ms=[0])


@pytest.mark.parametrize("size", [(16, 16), (2, 2), (18, 66), (2000, 2), (2, 2000)])
def test_pictures_too_small_for_a_face_are_looked_at_and_show_none(
    size: tuple[int, int], tmp_path: Path, face_models: FaceModels
) -> None:
    path = write_video(tmp_path / "tiny.mov", [compose(size, WALK[:1])] * 3, codec="png", pix_fmt="rgb24", options={})
    found = index(path, face_models)
    assert (found.samples, found.tracks, found.damaged_ms) == (3, (), ())


def test_a_4k_picture(tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    """As in a group of runners seen from afar: 9 % of the picture's width are 350 px."""
    size = (3840, 2160)
    places = walk(3, size=size, width=350)
    path = write_video(tmp_path / "4k.mp4", pictures_of(places, size))
    assert_the_walk(index(path, face_models), man, times_ms=EVERY_200_MS[:3], places=places)


def interlaced(path: Path, *, step_px: float, flagged: bool) -> Path:
    """The man standing for one field and `step_px` further on for the other, told to be interlaced or not."""
    man, width = cutout("man"), 160
    pictures = [
        woven(*(compose(SIZE, [Placed(man, 260 + 10 * n + shift, 190, width)]) for shift in (0, step_px)))
        for n in range(4)
    ]
    options = {"preset": "ultrafast", "crf": "10"} | ({"x264-params": "tff=1"} if flagged else {})
    return write_video(path, pictures, options=options)


def test_combs_of_interlaced_pictures_do_not_reach_the_embedding(
    tmp_path: Path, face_models: FaceModels, man: Selfie
) -> None:
    """By a tenth of the face's width from field to field; the same pictures called progressive show that it matters."""
    still, fields, combed = (
        index(interlaced(tmp_path / f"{name}.mp4", step_px=step, flagged=flagged), face_models).tracks[0]
        for name, step, flagged in (("still", 0, False), ("fields", 16, True), ("combed", 16, False))
    )
    assert len(still.sample_times) == len(fields.sample_times) == 4
    moved = [float(np.linalg.norm(track.faces[0].vector - still.faces[0].vector)) for track in (fields, combed)]
    assert moved[0] < 0.12
    assert moved[1] > 0.3
    assert nearest(fields, man) < MATCH_DISTANCE


def tilted(face: Cutout, degrees: float) -> Cutout:
    turn = cv2.getRotationMatrix2D((face.x, face.y), degrees, 1)
    size = face.image.shape[1::-1]
    image = cv2.warpAffine(face.image, turn, size, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    return Cutout(image, face.x, face.y, face.width)


def dimmed(face: Cutout, light: float) -> Cutout:
    return Cutout((face.image * light).astype(np.uint8), face.x, face.y, face.width)


def blurred(face: Cutout, share: float) -> Cutout:
    """By a Gaussian of this share of the face's width."""
    image = cv2.GaussianBlur(face.image, (0, 0), share * face.width).astype(np.uint8)
    return Cutout(image, face.x, face.y, face.width)


HARD: dict[str, Cutout] = {
    **{f"tilted by {degrees}": tilted(cutout("man"), degrees) for degrees in (-45, -30, -15, 15, 30, 45)},
    **{f"light of {light}": dimmed(cutout("man"), light) for light in (0.5, 0.25, 0.12)},
    **{f"blurred by {share}": blurred(cutout("man"), share) for share in (0.01, 0.02, 0.03)},
}


@pytest.mark.parametrize("kind", HARD)
def test_a_face_seen_badly_is_still_his(kind: str, tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    pictures = [compose(SIZE, [Placed(HARD[kind], place.x, place.y, place.width)]) for place in WALK[:3]]
    path = write_video(tmp_path / "hard.mp4", pictures, options={"preset": "ultrafast", "crf": "15"})
    (track,) = index(path, face_models).tracks
    assert len(track.sample_times) == 3
    assert nearest(track, man) < MATCH_DISTANCE


def test_far_faces_are_found_by_the_larger_picture(tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    """A face of 42 px in a picture of 5376x3024 is one of 10 px in the detector's of 1280, of 15 px in one of 1920."""
    size = (5376, 3024)
    places = walk(8, size=size, width=42)
    path = write_video(tmp_path / "far.mp4", pictures_of(places, size), options={"preset": "ultrafast", "crf": "12"})
    assert index(path, face_models).faces_seen < 4
    assert_the_walk(index(path, face_models, far_faces=True), man, places=places)


def test_thirty_faces_in_a_picture(tmp_path: Path, face_models: FaceModels, man: Selfie) -> None:
    """Six people at five sizes, in rows; each is one track, at its place."""
    size = (1920, 1080)
    places = [
        Placed(cutout(person), 190 + 305 * column, 110 + 212 * row, 76 + 8 * row)
        for row in range(5)
        for column, person in enumerate(PEOPLE)
    ]
    path = write_video(tmp_path / "crowd.mp4", [compose(size, places)] * 2)
    found = index(path, face_models)
    assert (found.samples, found.faces_seen, len(found.tracks)) == (2, 60, 30)
    for track in found.tracks:
        x, y = track.faces[0].box.center
        place = min(places, key=lambda place: abs(place.x - x) + abs(place.y - y))
        assert (x, y) == pytest.approx((place.x, place.y), abs=0.15 * place.width)
        assert track.sample_times == (0, 200)
        assert (nearest(track, man) < MATCH_DISTANCE) == (place.cutout is cutout("man"))


def test_a_recording_cut_off_before_its_index_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = write_video(tmp_path / "whole.mp4", pictures_of(WALK))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceUnreadable, match="cut off before its index"):
        probe(cut)


def test_a_picture_larger_than_8k_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = write_video(tmp_path / "large.mp4", [np.zeros((4608, 8208, 3), np.uint8)])
    with pytest.raises(SourceUnreadable, match="8208x4608"):
        probe(path)


@pytest.mark.parametrize(("end", "codec"), [("h264", "libx264"), ("hevc", "libx265")])
def test_a_bare_stream_has_no_times_and_is_refused_with_a_sentence(end: str, codec: str, tmp_path: Path) -> None:
    options = {"preset": "ultrafast"} | (X265 if codec == "libx265" else {})
    path = write_video(tmp_path / f"bare.{end}", pictures_of(WALK), codec=codec, options=options)
    with pytest.raises(SourceUnreadable, match="says no times"):
        probe(path)


def test_sound_alone_has_no_picture(tmp_path: Path, face_models: FaceModels) -> None:
    path = write_sound(tmp_path / "sound.mp4")
    with pytest.raises(SourceUnreadable, match="no picture"):
        find_tracks(path, 0, 1_000, FPS, face_models)

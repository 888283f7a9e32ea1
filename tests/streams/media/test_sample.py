from pathlib import Path

import numpy as np
import pytest

from infra.demo_media import find_media
from streams.media.sample import Region, Sample
from streams.media.samples import samples
from tests.numbered_video import Recipe, build, regular_times


def first(path: Path) -> Sample:
    return next(samples(path, 0, 1, 5))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return first(build(tmp_path_factory.mktemp("plain") / "plain.mp4", Recipe(times_ms=regular_times(0.2))))


def test_the_small_picture_has_the_wanted_long_side_and_tells_its_scale(tmp_path: Path, plain: Sample) -> None:
    assert plain.small_size(160) == (160, 96, 2)
    small = plain.bgr(160)
    assert small.shape == (96, 160, 3)
    blue, green, red = (small[..., channel].astype(int) for channel in range(3))
    full = plain.rgb().astype(int)
    assert np.abs(np.stack([red, green, blue], -1).mean((0, 1)) - full.mean((0, 1))).max() < 3
    upright = first(build(tmp_path / "t.mp4", Recipe(times_ms=regular_times(0.2), size=(192, 320))))
    assert upright.bgr(160).shape == (160, 96, 3)


FILMS = {
    "plain": Recipe(times_ms=regular_times(0.2)),
    "turned by 90": Recipe(times_ms=regular_times(0.2), rotation=90),
    "turned by 180": Recipe(times_ms=regular_times(0.2), rotation=180),
    "turned by 270": Recipe(times_ms=regular_times(0.2), rotation=270),
    "ten bits": Recipe(times_ms=regular_times(0.2), codec="libx265", pix_fmt="yuv420p10le"),
    "full colours": Recipe(times_ms=regular_times(0.2), pix_fmt="yuv444p"),
}


@pytest.mark.parametrize("region", [(16, 32, 120, 96), (0, 0, 320, 192), (200, 150, 320, 192), (17, 33, 121, 97)])
@pytest.mark.parametrize("film", FILMS)
def test_a_part_is_that_of_the_whole(tmp_path: Path, film: str, region: Region) -> None:
    sample = first(build(tmp_path / "film.mp4", FILMS[film]))
    assert sample.size == (320, 192)
    x0, y0, x1, y1 = region
    np.testing.assert_array_equal(sample.rgb_part(region), sample.rgb()[y0:y1, x0:x1])


@pytest.mark.parametrize("film", FILMS)
def test_a_part_of_the_small_picture_is_near_that_of_the_whole(tmp_path: Path, film: str) -> None:
    """Its edges lie less than a pixel elsewhere, so next to a sharp edge it differs."""
    sample = first(build(tmp_path / "film.mp4", FILMS[film]))
    whole = sample.bgr(160).astype(int)
    part = sample.bgr_part(160, (20, 4, 101, 77))
    assert part.shape == (73, 81, 3)
    assert np.abs(part - whole[4:77, 20:101]).mean() < 4


@pytest.mark.parametrize("name", ["carphone_pristine.mp4", "WolfgangLanger_Pexels.mp4", "noface_face.mov"])
def test_parts_of_real_footage(name: str) -> None:
    """Wide pixels; colours of the usual kinds."""
    sample = first(find_media(name))
    width, height, _ = sample.small_size(320)
    region = (32, 16, width // 2, height // 2)
    x0, y0, x1, y1 = region
    assert np.abs(sample.bgr_part(320, region).astype(int) - sample.bgr(320)[y0:y1, x0:x1]).mean() < 2


def test_pixels_come_out_square() -> None:
    sample = first(find_media("carphone_pristine.mp4"))
    assert sample.size == (round(176 * 128 / 117), 144)
    assert sample.rgb().shape == (144, 193, 3)

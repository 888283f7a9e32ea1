"""A selfie's bytes to its picture: every kind of file, every orientation, any damage."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.demo_media import find_media
from streams.vision.selfie_picture import brightened, decode_upright, light, upright
from tests.streams.vision.picture_files import (
    STORED_AS,
    as_cmyk_jpeg,
    as_grey_jpeg,
    as_grey_png,
    as_jpeg,
    as_png,
    as_png_of_16_bits,
    as_png_with_alpha,
    as_png_with_palette,
    as_progressive_jpeg,
)
from tests.streams.vision.pictures import Image, photo

IN_COLOUR: dict[Callable[[Image], bytes], float] = {
    as_png: 0,
    as_png_of_16_bits: 0,
    as_png_with_alpha: 0,
    as_png_with_palette: 14,
    as_jpeg: 4,
    as_progressive_jpeg: 4,
    as_cmyk_jpeg: 4,
}


@pytest.mark.parametrize("stored", IN_COLOUR, ids=lambda stored: stored.__name__)
def test_every_kind_of_file_is_read_in_colour(stored: Callable[[Image], bytes]) -> None:
    rgb = photo("single_face.jpg")
    picture = decode_upright(stored(rgb), 50)
    assert picture is not None
    assert (picture.shape, picture.dtype) == (rgb.shape, np.uint8)
    assert np.abs(picture.astype(int) - rgb).mean() <= IN_COLOUR[stored]


@pytest.mark.parametrize("stored", [as_grey_jpeg, as_grey_png])
def test_a_grey_file_gets_three_equal_channels(stored: Callable[[Image], bytes]) -> None:
    rgb = photo("single_face.jpg")
    picture = decode_upright(stored(rgb), 50)
    assert picture is not None
    assert (picture[..., 0] == picture[..., 1]).all()
    assert (picture[..., 0] == picture[..., 2]).all()
    assert np.abs(picture[..., 0].astype(int) - cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)).mean() < 4


def test_a_published_picture_with_alpha_is_read() -> None:
    picture = decode_upright(find_media("Image_with_alpha.png").read_bytes(), 50)
    assert picture is not None
    assert picture.shape == (1036, 1524, 3)


def test_more_pixels_than_allowed_are_not_decoded() -> None:
    data = as_png(np.zeros((100, 101, 3), np.uint8))
    assert decode_upright(data, 0.0101) is not None
    assert decode_upright(data, 0.01) is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(orientation: int) -> None:
    rgb = photo("single_face.jpg")
    stored = np.ascontiguousarray(STORED_AS[orientation](rgb))
    np.testing.assert_array_equal(upright(stored, orientation), rgb)
    png = decode_upright(as_png(stored, orientation), 50)
    assert png is not None
    np.testing.assert_array_equal(png, rgb)
    jpeg = decode_upright(as_jpeg(stored, orientation), 50)
    assert jpeg is not None
    assert np.abs(jpeg.astype(int) - rgb).mean() < 4


@pytest.mark.parametrize(("value", "wanted"), [(20, 160), (159, 160), (160, 160), (230, 230)])
def test_what_is_dark_is_brightened_and_nothing_else(value: int, wanted: int) -> None:
    rgb = np.full((30, 20, 3), value, np.uint8)
    assert light(rgb) == value
    assert (brightened(rgb, light(rgb), 160) == wanted).all()


def test_light_is_that_of_the_light_parts() -> None:
    rgb = np.zeros((100, 100, 3), np.uint8)
    rgb[:10] = 200
    assert light(rgb) == 200
    assert light(rgb[3:]) == 200
    assert light(rgb[6:]) == 0


def test_brightening_black_divides_by_nothing() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert (brightened(black, 0.0, 160) == 0).all()


@settings(deadline=None)  # a shared machine may stop a process for longer than a decode takes
@given(st.sampled_from(["jpeg", "png"]), st.data())
def test_no_damage_to_a_selfie_crashes_the_decoder(kind: str, data: st.DataObject) -> None:
    rgb = np.random.default_rng(1).integers(0, 255, (24, 17, 3), np.uint8)
    whole = as_jpeg(rgb, 6) if kind == "jpeg" else as_png(rgb, 6)
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 5))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    picture = decode_upright(bytes(damaged), 1)
    assert picture is None or (picture.ndim == 3 and picture.shape[2] == 3 and picture.size > 0)

"""The match bench: its vectors have the shape they are said to have, and both tables hold the same rows."""

from pathlib import Path

import numpy as np
import pytest

from bench.match.__main__ import Times, measure
from bench.match.plain import MemoryScan
from bench.match.store import running_store
from bench.match.strangers import ROWS_PER_TRACK, Crowd, Fit

PEOPLE, PHOTOS = 0.05, 0.015
"""Standard deviation of each component."""


@pytest.fixture
def fit() -> Fit:
    """Round clouds: strangers are 16 x (0.05^2 + 0.015^2)^0.5 = 0.84 apart, photos of one person 0.24."""
    eye = np.eye(128)
    return Fit(np.full(128, 0.1), PEOPLE * eye, PHOTOS * eye, 0, 0.0, 0.0, 0.0)


def test_strangers_and_photos_are_as_far_apart_as_the_fit_says(fit: Fit) -> None:
    rows, selfies = Crowd(fit, seed=1).draw(6_000, selfies=50)
    assert (rows.shape, selfies.shape, rows.dtype) == ((6_000, 128), (50, 128), np.float32)
    of_track = np.linalg.norm(rows[::ROWS_PER_TRACK] - rows[1::ROWS_PER_TRACK], axis=1)
    assert np.median(of_track) == pytest.approx(16 * PHOTOS, rel=0.02)
    apart = np.linalg.norm(rows[::ROWS_PER_TRACK] - np.roll(rows[::ROWS_PER_TRACK], 1, axis=0), axis=1)
    assert np.median(apart) == pytest.approx(16 * (PEOPLE**2 + PHOTOS**2) ** 0.5, rel=0.02)
    nearest = [np.linalg.norm(rows - selfie, axis=1).min() for selfie in selfies]
    assert max(nearest) < 0.4, "a selfie is of somebody who is there"


@pytest.mark.engines
async def test_everybody_finds_the_same(fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rounds over 3,000 faces of a real engine, filled row by row as bytes."""
    for name, few in (("ROUNDS", 1), ("SINGLES", 3), ("TOGETHER", 4)):
        monkeypatch.setattr(f"bench.match.__main__.{name}", few)
    crowd = Crowd(fit, seed=2)
    rows, selfies = crowd.draw(3_000, selfies=14)
    with running_store(tmp_path / "store") as store:
        store.fill(0, rows)
        store.settle()
        times: Times = await measure(store, selfies, crowd.strangers(6), MemoryScan(rows))
        assert store.bytes_per_row("face_vectors") > store.bytes_per_row("plain") > 512
    assert times.identical
    assert len(times.ours.ms) == len(times.plain.ms) == len(times.numpy.ms) == 3
    assert min(tracks for _, tracks in times.asked) >= 10, "each selfie is of somebody with 16 tracks"
    assert times.together.cpu_p50 > 0

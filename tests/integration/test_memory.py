"""How much memory an index worker needs does not grow with the length of the video."""

import secrets
import sys
from pathlib import Path

import pytest

from bench.index_peak import IndexPeak, index_peak, join_copies
from infra.demo_media import Race
from infra.embedded.addresses import Addresses
from infra.local import Deployment, environment_of

# Less than `python -m bench memory` runs over 120 minutes, by the same path.
SHORT_MINUTES, LONG_MINUTES = 2, 60
SPANS, SPAN_MS = 3, 10_000
SAMPLING_FPS = 5


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
async def test_a_video_of_an_hour_needs_at_most_a_tenth_more_memory_than_one_of_two_minutes(
    stack: Addresses, stack_cache: Path, race: Race, tmp_path: Path
) -> None:
    """Each is split as a whole and indexed in three places by a fresh worker with its children."""

    async def peak(minutes: int) -> IndexPeak:
        video = tmp_path / f"{minutes}-minutes.mp4"
        length_ms = join_copies(race.path, video, length_ms=minutes * 60_000)
        deployment = Deployment(
            secret=secrets.token_hex(32),
            admin_token=secrets.token_hex(32),
            port=1,
            namespace=f"memory-{secrets.token_hex(4)}",
        )
        environment = environment_of(stack, deployment, tmp_path, stack_cache)
        found = await index_peak(environment, tmp_path, video, spans=SPANS, span_ms=SPAN_MS)
        video.unlink()
        assert abs(found.duration_ms - length_ms) < 1_000
        return found

    short, long = await peak(SHORT_MINUTES), await peak(LONG_MINUTES)
    for found in (short, long):
        # Where two copies meet there is a moment without a picture.
        assert SPANS * (SPAN_MS * SAMPLING_FPS // 1_000 - 2) <= found.samples <= SPANS * SPAN_MS * SAMPLING_FPS // 1_000
        assert found.faces > 0
        # The worker and both of its children at least.
        assert len(found.peaks.peak_rss) >= 3
    assert long.peaks.sum_of_peak_rss < 1.1 * short.peaks.sum_of_peak_rss

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from infra.demo_media import Race, find_media
from schemas.settings import ClipSettings, distance_of
from streams.index.chunk_faces import find_tracks
from streams.index.split import plan_chunks
from streams.index.tracks import ChunkFaces, TrackFaces
from streams.vision.face_models import FaceModels
from streams.vision.policy import FacePolicy
from streams.vision.selfie_outcome import Selfie

FPS = 5.0
STEP_MS = 200
LONG = 10**8
MATCH_DISTANCE = distance_of(ClipSettings().confidence_percent)


def distances(track: TrackFaces, selfie: Selfie) -> list[float]:
    return [float(np.linalg.norm(face.vector - selfie.vector)) for face in track.faces]


def slots(times_ms: Iterable[int]) -> list[int]:
    """Which steps of the sampling they lie in: one of each is looked at, wherever in its first half."""
    return [time_ms // STEP_MS for time_ms in times_ms]


def matches(track: TrackFaces, selfie: Selfie) -> bool:
    return min(distances(track, selfie)) < MATCH_DISTANCE


@pytest.mark.parametrize(
    ("film", "first_ms", "end_ms"),
    [("single_face.mp4", 0, 2_400), ("face_noface.mov", 0, 2_400), ("noface_face.mov", 4_000, 6_400)],
)
def test_the_man_is_found_where_he_is(
    film: str, first_ms: int, end_ms: int, man: Selfie, face_models: FaceModels
) -> None:
    (track,) = find_tracks(find_media(film), 0, LONG, FPS, face_models).tracks
    assert max(distances(track, man)) < MATCH_DISTANCE
    assert first_ms <= track.first_ms < first_ms + STEP_MS + 50
    assert end_ms - STEP_MS - 50 <= track.last_ms < end_ms
    assert len(track.sample_times) == 12


@pytest.mark.parametrize("film", ["WolfgangLanger_Pexels.mp4", "carphone_pristine.mp4"])
def test_nobody_else_is_taken_for_him(film: str, man: Selfie, face_models: FaceModels) -> None:
    (track,) = find_tracks(find_media(film), 0, 4_000, FPS, face_models).tracks
    assert min(distances(track, man)) > 0.7


@pytest.mark.parametrize("film", ["no_face.mp4", "bikes.mp4"])
def test_where_there_is_no_face_there_is_no_track(film: str, face_models: FaceModels) -> None:
    found = find_tracks(find_media(film), 0, LONG, FPS, face_models)
    assert (found.tracks, found.faces_seen, found.skipped_frames) == ((), 0, 0)
    assert found.samples >= 20


@pytest.fixture(scope="module")
def race_chunks(race: Race, face_models: FaceModels) -> list[ChunkFaces]:
    plan = plan_chunks(race.duration_ms, chunk_ms=35_000)
    return [find_tracks(race.path, span.start_ms, span.end_ms, FPS, face_models) for span in plan]


def test_everybody_is_seen_when_the_truth_says(race: Race, race_chunks: list[ChunkFaces], man: Selfie) -> None:
    """Nobody is taken for the man, and no track goes on over a cut; some riders of the bikes' film show a face too."""
    tracks = [track for chunk in race_chunks for track in chunk.tracks]
    men = [track for track in tracks if matches(track, man)]
    strangers = [track for track in tracks if not matches(track, man)]
    for found, shows in ((men, ("man",)), (strangers, ("stranger", "nobody"))):
        for track in found:
            (span,) = [span for span in race.truth if span.start_ms <= track.first_ms < span.end_ms]
            assert span.shows in shows, track
            assert track.last_ms < span.end_ms, track
        for span in race.spans(shows[0]):
            times = {time for track in found for time in track.sample_times if span.start_ms <= time < span.end_ms}
            assert slots(sorted(times)) == list(range(span.start_ms // STEP_MS, span.end_ms // STEP_MS))


def test_a_face_across_the_border_of_chunks_is_tracked_in_both(race_chunks: list[ChunkFaces]) -> None:
    """The second man span is 34.0 to 36.2 s, the chunks are 0 to 36 and 35 to 64 s."""
    before = race_chunks[0].tracks[-1].sample_times
    after = race_chunks[1].tracks[0].sample_times
    assert slots(before) == list(range(34_000 // STEP_MS, 36_000 // STEP_MS))
    assert slots(after) == list(range(35_000 // STEP_MS, 36_200 // STEP_MS))
    assert [time for time in before if time >= 35_000] == [time for time in after if time < 36_000]


def test_equal_input_gives_equal_output(race: Race, face_models: FaceModels) -> None:
    one, other = (find_tracks(race.path, 8_000, 9_000, FPS, face_models) for _ in range(2))
    assert one.samples == other.samples == 5
    for track, same in zip(one.tracks, other.tracks, strict=True):
        assert track.sample_times == same.sample_times
        for face, again in zip(track.faces, same.faces, strict=True):
            assert (face.time_ms, face.box, face.second_score) == (again.time_ms, again.box, again.second_score)
            np.testing.assert_array_equal(face.vector, again.vector)


def test_a_stored_face_is_complete(race: Race, face_models: FaceModels) -> None:
    (track,) = find_tracks(race.path, 8_000, 10_200, FPS, face_models).tracks
    assert len(track.faces) == 3
    assert track.first_ms == track.sample_times[0]
    assert track.last_ms == track.sample_times[-1]
    for face in track.faces:
        assert face.time_ms in track.sample_times
        assert face.vector.shape == (128,)
        assert face.vector.dtype == np.float32
        assert 0.6 <= face.second_score <= 1
        # The man's head fills about 340 px in the middle of the 1280x720 picture.
        assert 300 < face.box.width < 400
        assert 400 < face.box.center[0] < 900


def test_a_face_below_the_least_size_is_not_seen(race: Race, face_models: FaceModels) -> None:
    (track,) = find_tracks(race.path, 8_000, 8_200, FPS, face_models).tracks
    larger = replace(FacePolicy(), min_face_px=track.faces[0].box.width + 1)
    assert find_tracks(race.path, 8_000, 8_200, FPS, face_models, policy=larger).tracks == ()


@pytest.fixture
def man_on_his_side(tmp_path: Path) -> Path:
    """The man as a phone held upright stores him: the picture lies on its side and a note says how to turn it."""
    path = tmp_path / "phone.mp4"
    with av.open(str(find_media("single_face.mp4"))) as film, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 360, 640, "yuv420p"
        stream.set_display_rotation(90)
        for number, frame in enumerate(film.decode(video=0)):
            turned = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), -1), dtype=np.uint8)
            stored = av.VideoFrame.from_ndarray(turned, "rgb24")
            stored.pts, stored.time_base = number, Fraction(1, 30)
            out.mux(stream.encode(stored))
        out.mux(stream.encode())
    return path


def test_a_video_stored_on_its_side_is_looked_at_upright(
    man_on_his_side: Path, man: Selfie, face_models: FaceModels
) -> None:
    (track,) = find_tracks(man_on_his_side, 0, LONG, FPS, face_models).tracks
    (upright,) = find_tracks(find_media("single_face.mp4"), 0, LONG, FPS, face_models).tracks
    assert max(distances(track, man)) < MATCH_DISTANCE
    assert track.sample_times == upright.sample_times
    assert track.faces[0].box.center == pytest.approx(upright.faces[0].box.center, abs=15)

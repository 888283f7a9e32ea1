import threading
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import pytest

from infra.demo_media import Race, find_media
from streams.media.errors import SourceUnreachable, SourceUnreadable
from streams.media.probe import probe
from tests.numbered_video import Recipe, build, regular_times, write_sound
from tests.range_server import range_server


def test_a_plain_video(tmp_path: Path) -> None:
    facts = probe(build(tmp_path / "plain.mp4", Recipe(times_ms=regular_times(4), gop=50)))
    assert (facts.duration_ms, facts.fps, facts.width, facts.height) == (4000, 25, 320, 192)
    assert (facts.codec, facts.pix_fmt, facts.rotation_deg) == ("h264", "yuv420p", 0)
    assert (facts.has_audio, facts.audio_codec) == (True, "aac")
    assert facts.keyframe_ms == (0, 2000)


def test_frames_before_the_edit_list_are_not_on_the_timeline(tmp_path: Path) -> None:
    facts = probe(build(tmp_path / "lead.mp4", Recipe(times_ms=regular_times(2, lead_frames=10), gop=25)))
    assert facts.duration_ms == 2000
    # Keyframes stand at pictures 0, 25 and 50; the first lies 400 ms before the first shown frame.
    assert facts.keyframe_ms == (600, 1600)


def test_known_footage_with_an_edit_list() -> None:
    facts = probe(find_media("no_face.mp4"))
    assert (facts.first_pts, facts.duration_ms) == (0, 3945)


def test_variable_rate_and_hevc() -> None:
    facts = probe(find_media("face_noface.mov"))
    assert (facts.codec, facts.width, facts.height) == ("hevc", 960, 540)
    assert facts.duration_ms == 6402


@pytest.mark.parametrize("name", ["bikes.mp4", "noface_face.mov"])
def test_keyframe_times_are_those_of_the_packets(name: str) -> None:
    path = find_media(name)
    with av.open(str(path)) as container:
        times = [p.pts * p.time_base for p in container.demux(video=0) if p.is_keyframe and p.pts is not None]
    assert probe(path).keyframe_ms == tuple(sorted(round(time * 1000) for time in times))


def test_no_audio_and_pixels_that_are_not_square() -> None:
    facts = probe(find_media("carphone_pristine.mp4"))
    assert not facts.has_audio
    assert facts.audio_codec is None
    assert facts.sample_aspect == Fraction(128, 117)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_is_what_turns_the_stored_picture_upright(tmp_path: Path, rotation: int) -> None:
    path = build(tmp_path / "turned.mp4", Recipe(times_ms=regular_times(0.4), rotation=rotation))
    facts = probe(path)
    assert facts.rotation_deg == rotation
    assert (facts.width, facts.height) == ((192, 320) if rotation % 180 else (320, 192))


@pytest.mark.parametrize("container", ["mkv", "ts"])
def test_other_containers_tell_the_same_length(tmp_path: Path, container: str) -> None:
    path = tmp_path / f"other.{container}"
    with av.open(str(build(tmp_path / "plain.mp4", Recipe(times_ms=regular_times(4))))) as source:
        video = source.streams.video[0]
        with av.open(str(path), "w") as out:
            stream = out.add_stream_from_template(video)
            for packet in source.demux(video):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    assert probe(path).duration_ms == pytest.approx(4000, abs=1)


def test_a_recording_whose_length_was_never_written_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "live.mkv"
    with av.open(str(path), "w", format="matroska", options={"live": "1"}) as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(50):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with av.open(str(path)) as container:
        assert container.duration is None
    assert probe(path).duration_ms == 2000


@pytest.mark.parametrize("data", [b"", b"no video at all" * 100, b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"])
def test_what_is_no_video_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(data)
    with pytest.raises(SourceUnreadable, match="source"):
        probe(path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "sound.mp4")
    with pytest.raises(SourceUnreadable, match="no picture"):
        probe(path)


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="not there"):
        probe(tmp_path / "gone.mp4")


def test_a_missing_object_is_unreadable_and_its_address_stays_unsaid(tmp_path: Path) -> None:
    with range_server(tmp_path) as server, pytest.raises(SourceUnreadable) as caught:
        probe(server.url("gone.mp4?X-Amz-Signature=secret"))
    assert "secret" not in str(caught.value)


def test_an_address_that_does_not_answer_is_an_outage(tmp_path: Path) -> None:
    with range_server(tmp_path) as server:
        url = server.url("race.mp4")
    with pytest.raises(SourceUnreachable):
        probe(url, timeout_s=2)


def test_an_address_tells_what_the_file_does(race: Race) -> None:
    with range_server(race.path.parent) as server:
        assert probe(server.url(race.path.name)) == probe(race.path)


def test_notes_in_an_old_encoding_do_not_spoil_a_video(tmp_path: Path) -> None:
    path = build(tmp_path / "plain.mp4", Recipe(times_ms=regular_times(0.4)))
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"L\xe4vf"))
    assert probe(path).duration_ms == 400


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, SourceUnreadable), (404, SourceUnreadable), (429, SourceUnreachable), (503, SourceUnreachable)],
)
def test_what_a_store_answers_is_told_apart(status: int, error: type[Exception]) -> None:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Says nothing."""

        def do_GET(self) -> None:
            self.send_error(status)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            with pytest.raises(error):
                probe(f"http://127.0.0.1:{server.server_port}/video.mp4", timeout_s=5)
        finally:
            server.shutdown()
            thread.join()

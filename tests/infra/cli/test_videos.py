"""`spotclip video ...`."""

from pathlib import Path

from schemas.videos import VideoState
from tests.infra.cli.conftest import Spotclip
from tests.infra.cli.served import VIDEO_LIMIT_BYTES, Served


def test_a_video_is_sent_whole_under_its_files_name(
    spotclip: Spotclip, served: Served, event_id: int, video: Path, as_admin: tuple[str, ...]
) -> None:
    ran = spotclip("video", "add", event_id, video, "--wait", "--json", *as_admin)
    assert ran.code == 0, ran.err
    assert ran.json["source_video_key"] == "finish"
    assert (ran.json["state"], ran.json["progress"], ran.json["faces"]) == ("indexed", 1.0, 41)
    [key] = [key for key in served.media.private if key.startswith(f"sources/{event_id}/")]
    assert served.media.private[key] == video.read_bytes()


def test_people_get_a_table(spotclip: Spotclip, event_id: int, video: Path, as_admin: tuple[str, ...]) -> None:
    ran = spotclip("video", "add", event_id, video, "--key", "cam-1", "--wait", *as_admin)
    assert ran.code == 0, ran.err
    assert "Videos" in ran.out
    assert "cam-1" in ran.out
    assert "indexed" in ran.out


def test_without_wait_the_answer_comes_at_once(
    spotclip: Spotclip, event_id: int, video: Path, as_admin: tuple[str, ...]
) -> None:
    ran = spotclip("video", "add", event_id, video, "--json", *as_admin)
    assert ran.code == 0, ran.err
    assert ran.json["state"] in list(VideoState)


def test_a_video_that_cannot_be_indexed_fails_the_command(
    spotclip: Spotclip, served: Served, event_id: int, video: Path, as_admin: tuple[str, ...]
) -> None:
    """Programs still get its state."""
    served.workers.video_error = "The source file has no picture."
    ran = spotclip("video", "add", event_id, video, "--wait", "--json", *as_admin)
    assert (ran.code, ran.json["state"]) == (1, "failed")
    assert ran.err.splitlines()[-1] == "spotclip: the video could not be indexed: The source file has no picture."


def test_the_whole_sentence_of_a_failed_video_can_be_read(
    spotclip: Spotclip, served: Served, event_id: int, video: Path, as_admin: tuple[str, ...]
) -> None:
    """In a table of 80 columns too."""
    served.workers.video_error = "one two three four five six seven eight nine ten eleven twelve"
    spotclip("video", "add", event_id, video, "--wait", *as_admin)
    ran = spotclip("video", "status", event_id, *as_admin)
    assert ran.code == 0, ran.err
    assert "…" not in ran.out
    assert all(word in ran.out for word in ("one", "eleven", "twelve"))


def test_status_shows_all_or_one(spotclip: Spotclip, event_id: int, video: Path, as_admin: tuple[str, ...]) -> None:
    for key in ("a", "b"):
        spotclip("video", "add", event_id, video, "--key", key, "--wait", *as_admin)
    everything = spotclip("video", "status", event_id, "--json", *as_admin)
    assert [found["source_video_key"] for found in everything.json["videos"]] == ["a", "b"]
    one = spotclip("video", "status", event_id, "b", "--json", *as_admin)
    assert one.json["source_video_key"] == "b"
    table = spotclip("video", "status", event_id, *as_admin)
    assert (table.code, table.err) == (0, "")
    assert "indexed" in table.out


def test_a_video_nobody_knows_is_one_sentence(spotclip: Spotclip, event_id: int, as_admin: tuple[str, ...]) -> None:
    ran = spotclip("video", "status", event_id, "nobody", "--json", *as_admin)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "spotclip: the event has no video with this key (HTTP 404)\n"


def test_a_key_of_other_characters_is_refused_and_not_cut_short(
    spotclip: Spotclip, served: Served, event_id: int, video: Path, as_admin: tuple[str, ...]
) -> None:
    """A `?` or `/` must not make it another key or another route."""
    for key in ("cam?1", "cam/1", "cam#1"):
        ran = spotclip("video", "add", event_id, video, "--key", key, *as_admin)
        assert ran.code == 1
        assert ran.err.startswith("spotclip: ")
        assert "cam" not in str([name for name in served.media.private if name.startswith(f"sources/{event_id}/")])


def test_a_video_beyond_the_servers_limit_is_one_sentence(
    spotclip: Spotclip, event_id: int, tmp_path: Path, as_admin: tuple[str, ...]
) -> None:
    """The server answers before it has read everything."""
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(30_000_000))
    ran = spotclip("video", "add", event_id, large, *as_admin)
    assert ran.code == 1
    assert ran.err == f"spotclip: the video is larger than {VIDEO_LIMIT_BYTES} bytes (HTTP 413)\n"


def test_a_video_is_indexed_anew(
    spotclip: Spotclip, served: Served, event_id: int, video: Path, as_admin: tuple[str, ...]
) -> None:
    spotclip("video", "add", event_id, video, "--key", "a", "--wait", *as_admin)
    ran = spotclip("video", "reindex", event_id, "a", "--wait", "--json", *as_admin)
    assert (ran.code, ran.json["state"], ran.json["faces"]) == (0, "indexed", 41), ran.err
    served.workers.video_error = "The source file has no picture."
    failed = spotclip("video", "reindex", event_id, "a", "--wait", *as_admin)
    assert failed.code == 1
    assert "The source file has no picture." in failed.err


def test_a_video_is_deleted(spotclip: Spotclip, event_id: int, video: Path, as_admin: tuple[str, ...]) -> None:
    spotclip("video", "add", event_id, video, "--key", "a", "--wait", *as_admin)
    ran = spotclip("video", "delete", event_id, "a", *as_admin)
    assert (ran.code, ran.out) == (0, "a is deleted.\n"), ran.err
    again = spotclip("video", "delete", event_id, "a", "--json", *as_admin)
    assert (again.code, again.out) == (1, "")
    assert again.err == "spotclip: the event has no video with this key (HTTP 404)\n"

"""`spotclip search run`."""

import uuid
from pathlib import Path

import pytest

from schemas.searches import SearchStatus
from tests.infra.cli.conftest import Spotclip
from tests.infra.cli.served import CLIP, ORG, Served


def test_people_get_a_table_and_addresses_to_copy(
    spotclip: Spotclip, served: Served, event_id: int, selfie: Path, as_partner: tuple[str, ...]
) -> None:
    """An address stands whole on a line of its own, however narrow the terminal is."""
    ran = spotclip("search", "run", ORG, event_id, selfie, *as_partner)
    assert (ran.code, ran.err) == (0, "")
    assert "The search ended as completed." in ran.out
    assert all(text in ran.out for text in ("cam-1", "00:00:42", "00:00:52", "69.0 %", "needed 50 %"))
    addresses = [line for line in ran.out.splitlines() if line.startswith(f"{served.url}/vids/{event_id}/")]
    assert len(addresses) == 1
    assert addresses[0].endswith(".mp4")


def test_programs_get_json_alone_on_stdout(
    spotclip: Spotclip, event_id: int, selfie: Path, as_partner: tuple[str, ...]
) -> None:
    """What people read goes to stderr."""
    request_id = str(uuid.uuid4())
    ran = spotclip("search", "run", ORG, event_id, selfie, "--request-id", request_id, "--json", *as_partner)
    assert ran.code == 0, ran.err
    assert (ran.json["status"], ran.json["request_id"]) == ("completed", request_id)
    assert ran.json["videos"][0]["source_video_key"] == "cam-1"
    assert "The search ended as completed." in ran.err


def test_without_waiting_the_search_is_only_started(
    spotclip: Spotclip, served: Served, event_id: int, selfie: Path, as_partner: tuple[str, ...]
) -> None:
    served.workers.search = SearchStatus.PROCESSING
    ran = spotclip("search", "run", ORG, event_id, selfie, "--no-wait", "--json", *as_partner)
    assert (ran.code, ran.json["status"]) == (0, "processing")
    assert uuid.UUID(ran.json["request_id"])


def test_clips_are_saved_where_asked(
    spotclip: Spotclip, event_id: int, selfie: Path, tmp_path: Path, as_partner: tuple[str, ...]
) -> None:
    """The folder is made."""
    out = tmp_path / "new" / "clips"
    ran = spotclip("search", "run", ORG, event_id, selfie, "--out", out, "--json", *as_partner)
    assert ran.code == 0, ran.err
    [path] = out.iterdir()
    assert path.name == f"cam-1-{ran.json['videos'][0]['uuid']}.mp4"
    assert path.read_bytes() == CLIP


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (SearchStatus.NO_MATCHES, "nearest 0.71 (29 %), needed 0.5 (50 %)"),
        (SearchStatus.NO_SEGMENTS, "1 in one passage, needed 2"),
    ],
)
def test_finding_nobody_is_an_answer_and_no_failure(
    spotclip: Spotclip,
    served: Served,
    event_id: int,
    selfie: Path,
    as_partner: tuple[str, ...],
    status: SearchStatus,
    why: str,
) -> None:
    """It says why, with the numbers to tune by."""
    served.workers.search = status
    ran = spotclip("search", "run", ORG, event_id, selfie, *as_partner)
    assert (ran.code, ran.err) == (0, "")
    assert f"The search ended as {status}." in ran.out
    assert why in ran.out


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (SearchStatus.FAILED, "the search ended as failed: No face was found in the selfie."),
        (SearchStatus.CLIP_FAILED, "the search ended as clip_failed: "),
    ],
)
def test_a_failed_search_fails_the_command(
    spotclip: Spotclip,
    served: Served,
    event_id: int,
    selfie: Path,
    as_partner: tuple[str, ...],
    status: SearchStatus,
    sentence: str,
) -> None:
    """Programs still get the result."""
    served.workers.search = status
    ran = spotclip("search", "run", ORG, event_id, selfie, "--json", *as_partner)
    assert (ran.code, ran.json["status"]) == (1, status)
    assert ran.err.splitlines()[-1].startswith(f"spotclip: {sentence}")


def test_the_wait_has_an_end_and_says_that_nothing_is_lost(
    spotclip: Spotclip, served: Served, event_id: int, selfie: Path, as_partner: tuple[str, ...]
) -> None:
    served.workers.search = SearchStatus.PROCESSING
    ran = spotclip("search", "run", ORG, event_id, selfie, "--wait-limit", "0.1", *as_partner)
    assert ran.code == 1
    assert ran.err == "spotclip: it had not ended after 0.1 s; ask again later, nothing is lost\n"


def test_a_file_that_is_no_picture_is_one_sentence(
    spotclip: Spotclip, event_id: int, tmp_path: Path, as_partner: tuple[str, ...]
) -> None:
    text = tmp_path / "selfie.txt"
    text.write_text("not a picture")
    ran = spotclip("search", "run", ORG, event_id, text, "--json", *as_partner)
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert "(HTTP 4" in ran.err

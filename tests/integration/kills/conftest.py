"""One killable system for all tests here, with footage, and what its work looks like when nothing is killed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.demo_media import Shot, build_race
from infra.settings import Settings
from schemas.searches import SearchRecord, SearchStatus
from schemas.videos import VideoRecord, VideoState
from streams.flow import Role
from tests.integration.conftest import Event, make_event
from tests.integration.kills.end_states import plain_search, plain_video
from tests.integration.kills.killable import (
    Killable,
    film_twice,
    run_killable,
    start_search,
    start_video,
    wait_for_search,
    wait_for_video,
)
from tests.integration.kills.stored_faces import Person, StoredFaces, embedded
from tests.media import made_once, shared_folder

NOBODY = Shot("nobody", "bikes.mp4", 0, 2_000)
MAN = Shot("man", "single_face.mp4", 0, 2_200)
SHORT = (NOBODY, MAN, NOBODY)


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """A search and a video without a kill.

    Attributes:
        passed: How often each point was passed for it.
    """

    record: SearchRecord
    passed: Counter[tuple[Role, str]]


@dataclass(frozen=True, kw_only=True)
class UndisturbedVideo:
    """As `Undisturbed`, for a video; `search` is a search in its event."""

    record: VideoRecord
    passed: Counter[tuple[Role, str]]
    search: SearchRecord


@pytest.fixture(scope="session")
def killable(tmp_path_factory: pytest.TempPathFactory, stack_cache: Path) -> Iterator[Killable]:
    with run_killable(tmp_path_factory.mktemp("killable"), stack_cache) as killable:
        yield killable


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 6.2 s that shows the man from 2.0 to 4.2 s."""
    path = shared_folder(tmp_path_factory) / "short.mp4"
    return made_once(path, lambda path: build_race(path, shots=SHORT))


@pytest.fixture(scope="session")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but he comes from 4.0 to 6.2 s."""
    path = shared_folder(tmp_path_factory) / "later.mp4"
    return made_once(path, lambda path: build_race(path, shots=(NOBODY, NOBODY, MAN)))


@pytest.fixture(scope="session")
def stored(killable: Killable) -> StoredFaces:
    """The store of faces behind the system."""
    return StoredFaces(Settings.from_environment(killable.system.environment))


@pytest.fixture(scope="session")
def person(killable: Killable, man: bytes) -> Person:
    """The man, by the models that the workers have."""
    return embedded(killable, man)


@pytest.fixture(scope="session")
def footage(killable: Killable, short: Path) -> Event:
    """An event with two films of the man: two clips for each search."""
    return film_twice(killable, short)


@pytest.fixture(scope="session")
def undisturbed(killable: Killable, footage: Event, man: bytes) -> Undisturbed:
    """What every search in that event comes to."""
    killable.settle()
    killable.orders.clear()
    request_id = start_search(footage, man)
    wait_for_search(footage, request_id)
    killable.settle()
    record = killable.ends.search(footage, request_id)
    assert (record.status, len(record.clips)) == (SearchStatus.COMPLETED, 2)
    like = plain_search(record)
    killable.ends.check_search(footage, request_id, like)
    return Undisturbed(record=like, passed=killable.orders.passed())


@pytest.fixture(scope="session")
def undisturbed_video(killable: Killable, short: Path, man: bytes) -> UndisturbedVideo:
    """What becomes of the short film in every event, and of a search there."""
    event = make_event(killable.system)
    killable.settle()
    killable.orders.clear()
    start_video(event, "a", short)
    wait_for_video(event, "a")
    killable.settle()
    passed = killable.orders.passed()
    record = killable.ends.video(event, "a")
    assert record.state is VideoState.INDEXED
    request_id = start_search(event, man)
    wait_for_search(event, request_id)
    search = killable.ends.search(event, request_id)
    assert (search.status, len(search.clips)) == (SearchStatus.COMPLETED, 1)
    return UndisturbedVideo(record=plain_video(record), passed=passed, search=plain_search(search))

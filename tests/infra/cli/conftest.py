"""A server to talk to, and the program as its user sees it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.cli.main import main
from schemas.searches import SearchStatus
from tests.api.door import picture
from tests.infra.cli.served import ADMIN_TOKEN, KEY, Served, serve


@dataclass(frozen=True)
class Ran:
    """What a command left its user with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value that stands alone on standard output."""
        [line] = self.out.splitlines()
        return json.loads(line)


Spotclip = Callable[..., Ran]


@pytest.fixture
def spotclip(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Spotclip:
    """Runs the program in this process; nothing of the caller's environment reaches it."""
    for name in ("SPOTCLIP_URL", "SPOTCLIP_ADMIN_TOKEN", "SPOTCLIP_API_KEY", "SPOTCLIP_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def session_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def served(session_server: Served) -> Served:
    """Its workers do well."""
    session_server.workers.search = SearchStatus.COMPLETED
    session_server.workers.video_error = None
    return session_server


@pytest.fixture
def event_id(served: Served) -> int:
    """An event of this test's own."""
    return served.new_event()


@pytest.fixture
def as_admin(served: Served) -> tuple[str, ...]:
    return ("--url", served.url, "--admin-token", ADMIN_TOKEN)


@pytest.fixture
def as_partner(served: Served) -> tuple[str, ...]:
    return ("--url", served.url, "--api-key", KEY)


@pytest.fixture
def selfie(tmp_path: Path) -> Path:
    path = tmp_path / "selfie.jpg"
    path.write_bytes(picture())
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Bytes; nobody here looks into them."""
    path = tmp_path / "finish.mp4"
    path.write_bytes(b"a video's bytes " * 1_000)
    return path

"""What goes wrong is one sentence on stderr and an exit code: 1 for a failure, 2 for wrong usage."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.ports import free_port
from tests.infra.cli.conftest import Ran, Spotclip
from tests.infra.cli.served import ADMIN_TOKEN, KEY, ORG, Served, running


def assert_one_sentence(ran: Ran, *parts: str) -> None:
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("spotclip: ")
    assert len(ran.err.splitlines()) == 1
    for part in parts:
        assert part in ran.err


class TestCredentials:
    """Missing, wrong or mistyped; never shown."""

    def test_a_missing_one_is_named_with_its_variable(self, spotclip: Spotclip, served: Served, selfie: Path) -> None:
        assert_one_sentence(spotclip("video", "status", 1, "--url", served.url), "SPOTCLIP_ADMIN_TOKEN")
        assert_one_sentence(spotclip("search", "run", 1, 1, selfie, "--url", served.url, "--json"), "SPOTCLIP_API_KEY")

    def test_a_wrong_admin_token(self, spotclip: Spotclip, served: Served, event_id: int) -> None:
        ran = spotclip("video", "status", event_id, "--url", served.url, "--admin-token", "wrong-token")
        assert_one_sentence(ran, "(HTTP 401)")
        assert "wrong-token" not in ran.err

    def test_a_wrong_admin_token_before_a_large_upload(
        self, spotclip: Spotclip, served: Served, event_id: int, tmp_path: Path
    ) -> None:
        """The server answers while the file is still being sent."""
        path = tmp_path / "large.mp4"
        path.write_bytes(bytes(30_000_000))
        ran = spotclip("video", "add", event_id, path, "--url", served.url, "--admin-token", "wrong-token")
        assert_one_sentence(ran, "(HTTP 401)")

    def test_a_wrong_api_key(self, spotclip: Spotclip, served: Served, event_id: int, selfie: Path) -> None:
        ran = spotclip("search", "run", ORG, event_id, selfie, "--url", served.url, "--api-key", "x" * 43, "--json")
        assert_one_sentence(ran, "(HTTP 403)")
        assert "x" * 43 not in ran.err

    @pytest.mark.parametrize("token", ["tök€n", "two\nlines"])
    def test_one_that_no_header_can_carry(self, spotclip: Spotclip, served: Served, event_id: int, token: str) -> None:
        """The sentence does not repeat it."""
        ran = spotclip("video", "status", event_id, "--url", served.url, "--admin-token", token)
        assert_one_sentence(ran, "the admin token has characters")
        assert token.split("\n", maxsplit=1)[0] not in ran.err

    def test_they_are_read_from_the_environment(
        self, spotclip: Spotclip, served: Served, event_id: int, selfie: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SPOTCLIP_URL", served.url)
        monkeypatch.setenv("SPOTCLIP_ADMIN_TOKEN", ADMIN_TOKEN)
        monkeypatch.setenv("SPOTCLIP_API_KEY", KEY)
        assert spotclip("video", "status", event_id).code == 0
        assert spotclip("search", "run", ORG, event_id, selfie).code == 0


class TestServer:
    """Away, or another one."""

    @pytest.fixture
    def elsewhere(self) -> Iterator[str]:
        """A server that is not Spotclip's: a path names what it answers."""
        bodies = {b"/page": b"<html>", b"/list": b"[]", b"/object": b'{"ok":true}'}

        async def app(scope: Any, _receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return
            body = next(body for path, body in bodies.items() if scope["raw_path"].startswith(path))
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})

        port = free_port(random.SystemRandom())
        with running(app, port):
            yield f"http://127.0.0.1:{port}"

    def test_nobody_answers(self, spotclip: Spotclip, video: Path) -> None:
        url = f"http://127.0.0.1:{free_port(random.SystemRandom())}"
        for command in (("status", 1), ("add", 1, video)):
            ran = spotclip("video", *command, "--url", url, "--admin-token", ADMIN_TOKEN, "--json")
            assert_one_sentence(ran, f"{url} does not answer", "spotclip up", "SPOTCLIP_URL")

    @pytest.mark.parametrize("url", ["127.0.0.1:8080", "http://127.0.0.1:port", "http://[::1"])
    def test_an_address_that_is_none(self, spotclip: Spotclip, url: str) -> None:
        ran = spotclip("video", "status", 1, "--url", url, "--admin-token", ADMIN_TOKEN)
        assert_one_sentence(ran, "SPOTCLIP_URL")

    @pytest.mark.parametrize("path", ["page", "list", "object"])
    def test_another_server_answers(self, spotclip: Spotclip, elsewhere: str, path: str) -> None:
        ran = spotclip("video", "status", 1, "--url", f"{elsewhere}/{path}", "--admin-token", ADMIN_TOKEN)
        assert_one_sentence(ran, "is no Spotclip server")


class TestUsage:
    """Wrong words end with 2 and say what is right."""

    @pytest.mark.parametrize(
        "words",
        [
            ("fly",),
            ("video", "add"),
            ("video", "add", "one", "/dev/null"),
            ("video", "add", "1", "/no/such/file.mp4"),
            ("search", "run", "1", "1", "/no/such/selfie.jpg"),
            ("search", "run", "1", "1", "/dev/null", "--no-such-option"),
            ("worker", "juggle"),
            ("worker",),
        ],
        ids=" ".join,
    )
    def test_wrong_usage(self, spotclip: Spotclip, words: tuple[str, ...]) -> None:
        ran = spotclip(*words)
        assert (ran.code, ran.out) == (2, "")
        assert "Usage: " in ran.err

    def test_help_lists_the_commands(self, spotclip: Spotclip) -> None:
        ran = spotclip("--help")
        assert (ran.code, ran.err) == (0, "")
        for command in ("up", "demo", "api", "worker", "provision", "models", "video", "search"):
            assert f" {command} " in ran.out

    @pytest.mark.parametrize("words", [("video",), ("search",), ("search", "run")], ids=" ".join)
    def test_each_command_has_help(self, spotclip: Spotclip, words: tuple[str, ...]) -> None:
        ran = spotclip(*words, "--help")
        assert (ran.code, ran.err) == (0, "")
        assert "Usage: " in ran.out

    def test_credentials_of_the_environment_do_not_show_in_help(
        self, spotclip: Spotclip, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SPOTCLIP_API_KEY", KEY)
        monkeypatch.setenv("SPOTCLIP_ADMIN_TOKEN", ADMIN_TOKEN)
        shown = spotclip("search", "run", "--help").out + spotclip("video", "add", "--help").out
        assert "SPOTCLIP_API_KEY" in shown
        assert KEY not in shown
        assert ADMIN_TOKEN not in shown


class TestSettings:
    """The parts for a real cluster say what they miss."""

    @pytest.mark.parametrize("command", [("worker", "ledger"), ("provision",), ("api",)], ids=" ".join)
    def test_a_missing_setting_is_named(
        self, spotclip: Spotclip, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("SPOTCLIP_DATA", str(tmp_path))
        monkeypatch.delenv("SPOTCLIP_KAFKA", raising=False)
        assert_one_sentence(spotclip(*command), "Set SPOTCLIP_")

    def test_a_settings_file_that_is_not_there(self, spotclip: Spotclip, tmp_path: Path) -> None:
        ran = spotclip("provision", "--config", tmp_path / "none.toml")
        assert_one_sentence(ran, "none.toml")

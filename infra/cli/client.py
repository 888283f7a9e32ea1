"""A client of the admin and partner API, as the commands use it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from infra.errors import UserError

# The reference page's own polling advice.
POLL_PAUSES_S = (3.0, 5.0, 10.0, 15.0)
_PIECE_BYTES = 1 << 20
_ANSWER_S = 30.0


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Speaks to one Spotclip server; every failure becomes a sentence.

    Attributes:
        url: Its base, such as `http://127.0.0.1:8080`.
        admin_token: For admin routes. api_key: For partner routes.
    """

    url: str
    admin_token: str | None = None
    api_key: str | None = None

    def admin(self, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 - the envelope's data
        """Call `/admin/v1{path}` and return the envelope's data."""
        advice = "set SPOTCLIP_ADMIN_TOKEN to the one that `spotclip up` printed"
        headers = {"Authorization": f"Bearer {_credential(self.admin_token, 'the admin token', advice)}"}
        return self._call(method, f"/admin/v1{path}", headers, **request)

    def partner(self, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 - the envelope's data
        """Call `/api/v1/ext{path}` and return the envelope's data."""
        advice = "set SPOTCLIP_API_KEY to a key of the organisation"
        headers = {"X-API-Key": _credential(self.api_key, "the API key", advice)}
        return self._call(method, f"/api/v1/ext{path}", headers, **request)

    def put_video(self, event_id: int, key: str, path: Path, on_bytes: Callable[[int], None]) -> Any:  # noqa: ANN401
        """Stream a video file; `on_bytes` is told how many bytes were sent so far."""
        headers = {"Content-Type": "video/mp4", "Content-Length": str(path.stat().st_size)}
        return self.admin(
            "PUT",
            f"/events/{event_id}/videos/{as_part(key)}",
            content=_pieces(path, on_bytes),
            headers=headers,
            timeout=None,
        )

    def download(self, address: str, path: Path) -> int:
        """Fetch a clip into a file; returns its size in bytes."""
        try:
            with httpx.stream("GET", address, timeout=30) as answer, path.open("wb") as file:
                answer.raise_for_status()
                for piece in answer.iter_bytes():
                    file.write(piece)
        except httpx.HTTPError as error:
            raise UserError(f"the clip could not be fetched from {address}: {error}") from error
        return path.stat().st_size

    def _call(
        self,
        method: str,
        path: str,
        credentials: dict[str, str],
        headers: dict[str, str] | None = None,
        **request: Any,  # noqa: ANN401 - httpx's own arguments
    ) -> Any:  # noqa: ANN401 - the envelope's data
        address = self.url.rstrip("/") + path
        try:
            answer = httpx.request(
                method, address, headers={**credentials, **(headers or {})}, **{"timeout": _ANSWER_S, **request}
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            sentence = f"{self.url} does not answer ({error}); is `spotclip up` running, and is SPOTCLIP_URL right?"
            raise UserError(sentence) from error
        data, message = self._unwrapped(answer)
        if answer.is_error:
            raise UserError(f"{message} (HTTP {answer.status_code})")
        return data

    def _unwrapped(self, answer: httpx.Response) -> tuple[object, str]:
        """The envelope's data and message."""
        try:
            envelope = answer.json()
            return envelope["data"], str(envelope["message"])
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.url} is no Spotclip server: it answered {answer.status_code} without Spotclip's envelope; "
                "is SPOTCLIP_URL right?"
            ) from error


def as_part(text: str) -> str:
    """The text as one part of an address: a `/` or `?` in it leads nowhere else."""
    return quote(text, safe="")


def _credential(value: str | None, what: str, advice: str) -> str:
    if not value:
        raise UserError(f"{what} is missing: {advice}")
    if not value.isascii() or not value.isprintable():
        raise UserError(f"{what} has characters that no one of ours has: {advice}")
    return value


def poll(ask: Callable[[], Any], ended: Callable[[Any], bool], *, pauses_s: tuple[float, ...], limit_s: float) -> Any:  # noqa: ANN401
    """Ask until it has ended, with growing pauses; returns the last answer.

    Raises:
        UserError: It had not ended after `limit_s`.
    """
    deadline = time.monotonic() + limit_s
    for pause_s in _growing(pauses_s):
        answer = ask()
        if ended(answer):
            return answer
        if time.monotonic() > deadline:
            raise UserError(f"it had not ended after {limit_s:g} s; ask again later, nothing is lost")
        time.sleep(pause_s)
    raise AssertionError("pauses never end")


def _growing(pauses_s: tuple[float, ...]) -> Iterator[float]:
    yield from pauses_s
    while True:
        yield pauses_s[-1]


def _pieces(path: Path, on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    sent = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
            sent += len(piece)
            on_bytes(sent)

"""`spotclip video ...`: source videos of an event."""

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.client import ApiClient, as_part, poll
from infra.cli.connection import DEFAULT_URL, AdminToken, Url
from infra.cli.output import JsonFlag, Output
from infra.errors import UserError

app = typer.Typer(name="video", help="Source videos of an event.", no_args_is_help=True, add_completion=False)

EventId = Annotated[int, typer.Argument(help="The event's id.")]
Key = Annotated[str, typer.Argument(help="Its source_video_key.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return only when the video is indexed, or has failed.")]
WaitLimit = Annotated[float, typer.Option("--wait-limit", help="Seconds to wait at most.")]
_POLL_PAUSES_S = (0.2, 0.5, 1.0)
_COLUMNS = ("source_video_key", "state", "progress", "duration_s", "faces", "tracks", "error")


@app.command("add")
def add(
    event_id: EventId,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The video file.")],
    key: Annotated[str | None, typer.Option("--key", help="Its source_video_key; the file's name by default.")] = None,
    wait: Wait = False,  # noqa: FBT002 - a flag of the command line
    wait_limit_s: WaitLimit = 3600.0,
    url: Url = DEFAULT_URL,
    admin_token: AdminToken = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Upload a video and have it indexed."""
    output = Output(as_json=as_json)
    client = ApiClient(url, admin_token=admin_token)
    video = upload(client, output, event_id, key or file.stem, file)
    _waited_for(client, output, event_id, video, limit_s=wait_limit_s if wait else None)


@app.command("status")
def status(
    event_id: EventId,
    key: Annotated[str | None, typer.Argument(help="One source_video_key; all by default.")] = None,
    url: Url = DEFAULT_URL,
    admin_token: AdminToken = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show state and progress of an event's videos."""
    output = Output(as_json=as_json)
    client = ApiClient(url, admin_token=admin_token)
    base = f"/events/{event_id}/videos"
    found = client.admin("GET", f"{base}/{as_part(key)}" if key else base)
    show(output, [found] if key else found["videos"])
    output.result(found)


@app.command("reindex")
def reindex(
    event_id: EventId,
    key: Key,
    wait: Wait = False,  # noqa: FBT002 - a flag of the command line
    wait_limit_s: WaitLimit = 3600.0,
    url: Url = DEFAULT_URL,
    admin_token: AdminToken = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Index a video anew; searches see the old index until the new one is whole."""
    output = Output(as_json=as_json)
    client = ApiClient(url, admin_token=admin_token)
    video = client.admin("POST", f"/events/{event_id}/videos/{as_part(key)}/reindex")
    _waited_for(client, output, event_id, video, limit_s=wait_limit_s if wait else None)


@app.command("delete")
def delete(
    event_id: EventId,
    key: Key,
    url: Url = DEFAULT_URL,
    admin_token: AdminToken = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Delete a video: its faces and its bytes. Clips that were cut of it stay."""
    output = Output(as_json=as_json)
    ApiClient(url, admin_token=admin_token).admin("DELETE", f"/events/{event_id}/videos/{as_part(key)}")
    output.say(f"{key} is deleted.")
    output.result({"source_video_key": key, "deleted": True})


def _waited_for(
    client: ApiClient, output: Output, event_id: int, video: dict[str, Any], *, limit_s: float | None
) -> None:
    """Wait where a limit is given, show the video; one that failed fails the command."""
    if limit_s is not None:
        video = wait_until_indexed(client, output, event_id, video["source_video_key"], limit_s=limit_s)
    show(output, [video])
    output.result(video)
    if video["state"] == "failed":
        raise UserError(f"the video could not be indexed: {video['error']}")


def upload(client: ApiClient, output: Output, event_id: int, key: str, file: Path) -> dict[str, Any]:
    """Stream a file to the server with a progress bar; returns the video's state."""
    with output.progress(f"Sending {file.name}", file.stat().st_size, in_bytes=True) as meter:
        video: dict[str, Any] = client.put_video(event_id, key, file, meter.reach)
    return video


def wait_until_indexed(client: ApiClient, output: Output, event_id: int, key: str, *, limit_s: float) -> dict[str, Any]:
    """Poll with a progress bar until the video is indexed or has failed; returns its state."""
    with output.progress(f"Indexing {key}", 1.0) as meter:

        def ask() -> dict[str, Any]:
            video: dict[str, Any] = client.admin("GET", f"/events/{event_id}/videos/{as_part(key)}")
            meter.reach(video["progress"], 1.0)
            return video

        ended: dict[str, Any] = poll(
            ask, lambda video: video["state"] in ("indexed", "failed"), pauses_s=_POLL_PAUSES_S, limit_s=limit_s
        )
    return ended


def show(output: Output, videos: list[dict[str, Any]]) -> None:
    """A table of videos."""
    output.table("Videos", _COLUMNS, [[video[column] for column in _COLUMNS] for video in videos])

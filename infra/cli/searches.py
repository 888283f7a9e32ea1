"""`spotclip search ...`: a partner's side of the job."""

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.client import POLL_PAUSES_S, ApiClient, poll
from infra.cli.connection import DEFAULT_URL, ApiKey, Url
from infra.cli.output import JsonFlag, Output
from infra.errors import UserError

app = typer.Typer(name="search", no_args_is_help=True, add_completion=False)


@app.callback()
def search() -> None:
    """Clip searches."""


@app.command("run")
def run(
    org_id: Annotated[int, typer.Argument(help="Your organisation's id.")],
    event_id: Annotated[int, typer.Argument(help="The event to search.")],
    selfie: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JPEG or PNG of one person.")],
    request_id: Annotated[str | None, typer.Option(help="A UUID of your own; repeats of it are free.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the result.")] = True,  # noqa: FBT002 - a flag
    wait_limit_s: Annotated[float, typer.Option("--wait-limit", help="Seconds to wait at most.")] = 600.0,
    out: Annotated[Path | None, typer.Option(help="A folder to save the clips in.")] = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Search an event's videos for the person of a selfie."""
    output = Output(as_json=as_json)
    client = ApiClient(url, api_key=api_key)
    started = start(client, org_id, event_id, selfie, request_id)
    output.say(f"Search {started['request_id']} is {started['status']}.")
    if not wait:
        output.result(started)
        return
    result = wait_for_result(client, output, org_id, event_id, started["request_id"], limit_s=wait_limit_s)
    show(output, result)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for clip in result["videos"]:
            path = out / f"{clip['source_video_key']}-{clip['uuid']}.mp4"
            output.say(f"Saved {path} ({client.download(clip['video_url'], path)} bytes).")
    output.result(result)
    if result["status"] in ("failed", "clip_failed"):
        raise UserError(f"the search ended as {result['status']}: {result['error'] or 'no clip could be cut'}")


def start(client: ApiClient, org_id: int, event_id: int, selfie: Path, request_id: str | None) -> dict[str, Any]:
    """POST a selfie; returns the answer's data."""
    with selfie.open("rb") as file:
        started: dict[str, Any] = client.partner(
            "POST",
            f"/{org_id}/event/{event_id}/video-clipping/search-by-selfie",
            files={"file": (selfie.name, file)},
            data={"request_id": request_id} if request_id else {},
        )
    return started


def wait_for_result(
    client: ApiClient,
    output: Output,
    org_id: int,
    event_id: int,
    request_id: str,
    *,
    limit_s: float,
    pauses_s: tuple[float, ...] = (0.2, 0.5, 1.0, *POLL_PAUSES_S),
) -> dict[str, Any]:
    """Poll until the search has ended; returns the result."""
    with output.progress("Searching"):
        result: dict[str, Any] = poll(
            lambda: client.partner("GET", f"/{org_id}/event/{event_id}/video-clipping/{request_id}"),
            lambda result: result["status"] != "processing",
            pauses_s=pauses_s,
            limit_s=limit_s,
        )
    return result


def show(output: Output, result: dict[str, Any]) -> None:
    """The result for people."""
    output.say(f"The search ended as {result['status']}.")
    if result["error"]:
        output.say(result["error"])
    details = result["details"]
    if details["stopped_by"]:
        output.say(f"Why: {details['stopped_by']['sentence']}.")
    if result["videos"]:
        columns = ("source_video_key", "start_time", "end_time", "confidence", "samples")
        rows = [_row(clip, details["clips"][clip["uuid"]]) for clip in result["videos"]]
        output.table(f"Clips (needed {details['needed_confidence_percent']:g} %)", columns, rows)
        for clip in result["videos"]:
            output.say(clip["video_url"])  # on a line of its own, to be copied whole
    for failed in result["clip_errors"]:
        output.say(f"{failed['source_video_key']}: {failed['error']}")


def _row(clip: dict[str, Any], details: dict[str, Any]) -> list[object]:
    confidence = f"{details['confidence_percent']:.1f} %"
    return [clip["source_video_key"], clip["start_time"], clip["end_time"], confidence, details["samples"]]

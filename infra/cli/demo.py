"""`spotclip demo`: the whole job on real footage, from nothing to a clip that plays."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import av
import typer

from infra.cli import searches, up, videos
from infra.cli.client import ApiClient
from infra.cli.output import JsonFlag, Output
from infra.demo_media import build_race, find_media
from infra.errors import UserError
from infra.local import LocalSystem
from infra.user_folders import CACHE_DIR
from streams.media.mp4_boxes import Mp4Error, read_movie

app = typer.Typer(add_completion=False)

_SOURCE = "finish-line"
_LIMIT_S = 600.0


@app.command("demo")
def demo(
    data: Annotated[
        Path | None, typer.Option("--data", help="Where everything is kept; a temporary folder by default.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the system running until Ctrl-C.")] = False,  # noqa: FBT002 - a flag
    selfie: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A picture of your own.")] = None,
    video: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A video of your own.")] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Make an event, index a video, search with a selfie, fetch the clip and check it."""
    output = Output(as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="spotclip-demo-") as folder:
        steps = Steps(output)
        with steps.step("footage"):
            selfie = selfie or find_media("single_face.jpg")
            if video is None:
                video = Path(folder) / "race.mp4"
                build_race(video)
        with LocalSystem(data or Path(folder) / "data", CACHE_DIR) as system:
            with steps.step("start of Kafka, ClickHouse, S3, API and workers"):
                running = up.start(system, output)
            result = _job(running.url, running.admin_token, selfie, video, Path(folder), steps)
            output.result({**result, "url": running.url, "steps": steps.seconds})
            if keep:
                output.say(f"{running.url} runs on; admin token {running.admin_token}. Ctrl-C stops it.")
                _until_interrupted(system)


class Steps:
    """Says what was done and how long it took."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step; nothing is said of one that fails."""
        begin = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begin, 2)
        self.output.say(f"{self.seconds[name]:7.2f} s  {name}")


def _job(url: str, admin_token: str, selfie: Path, video: Path, folder: Path, steps: Steps) -> dict[str, Any]:
    admin = ApiClient(url, admin_token=admin_token)
    with steps.step("organisation, key and event"):
        org_id = admin.admin("POST", "/orgs", json={"name": "Demo Harriers"})["org_id"]
        api_key = admin.admin("POST", f"/orgs/{org_id}/keys", json={"label": "demo"})["api_key"]
        event_id = admin.admin("POST", f"/orgs/{org_id}/events", json={"event_name": "Demo Run"})["event_id"]
    with steps.step("upload of the video"):
        videos.upload(admin, steps.output, event_id, _SOURCE, video)
    with steps.step("indexing"):
        indexed = videos.wait_until_indexed(admin, steps.output, event_id, _SOURCE, limit_s=_LIMIT_S)
    if indexed["state"] != "indexed":
        raise UserError(f"the video could not be indexed: {indexed['error']}")
    partner = ApiClient(url, api_key=api_key)
    with steps.step("search, from POST to the end"):
        started = searches.start(partner, org_id, event_id, selfie, None)
        request_id = started["request_id"]
        result = searches.wait_for_result(
            partner, steps.output, org_id, event_id, request_id, limit_s=_LIMIT_S, pauses_s=(0.05,)
        )
    searches.show(steps.output, result)
    if result["status"] != "completed":
        raise UserError(
            f"no clip was made: the search ended as {result['status']} ({result['error'] or 'no sentence'})"
        )
    for clip in result["videos"]:
        with steps.step(f"clip {clip['uuid']} fetched and played to its end"):
            path = folder / f"{clip['uuid']}.mp4"
            partner.download(clip["video_url"], path)
            check_clip(path, steps.output)
    return result


def check_clip(path: Path, output: Output) -> None:
    """Play a clip to its end.

    Raises:
        UserError: It is not what a browser plays at once: H.264 in MP4, its index in front, every frame decodable.
    """
    try:
        if not read_movie(path).moov_first:
            raise UserError("the clip's index is not in front, so that it would not play before it is whole")
        with av.open(path) as container:
            stream = container.streams.video[0]
            codec = stream.codec_context.name
            frames = sum(1 for frame in container.decode(stream) if not frame.is_corrupt)
            length_s = (container.duration or 0) / 1_000_000
    except (av.FFmpegError, Mp4Error, OSError, IndexError) as error:
        raise UserError(f"the clip does not play: {error}") from error
    if codec != "h264" or not frames:
        raise UserError(f"the clip does not play in a browser: {frames} frames of {codec}")
    output.say(f"           {length_s:.2f} s, {frames} frames of {codec}, {path.stat().st_size} bytes")


def _until_interrupted(system: LocalSystem) -> None:
    try:
        system.wait()
    except KeyboardInterrupt:
        return

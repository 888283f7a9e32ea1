from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Message
from schemas.public import ClipPublished, UsageEntry
from schemas.records import Outcome
from schemas.searches import (
    AbandonSearch,
    ClipFailed,
    ClipReady,
    MatchSelfie,
    NothingToClip,
    RenderClip,
    SearchCommand,
    SearchFailed,
    SearchRecord,
    SearchStatus,
    SelfieObject,
    Stopped,
    StopRule,
    SubmitSearch,
    Window,
    WindowsPlanned,
)
from schemas.settings import ClipSettings
from streams.ledgers.searches import decide, expire
from tests.streams.ledgers.histories import Bench

REQUEST = "ddc661a7-8861-4793-9437-af42a82d12f8"
LIMIT_MS = 60_000
TOO_FAR = Stopped(rule=StopRule.TOO_FAR, seen=0.7, needed=0.5)
NAMES = {"event_id": 456, "request_id": REQUEST}


def submit(sha: str = "a", *, command: str = "c1", at_ms: int = 1_000) -> SubmitSearch:
    return SubmitSearch(
        **NAMES,
        command_id=command,
        at_ms=at_ms,
        org_id=903,
        selfie=SelfieObject(object_key=f"selfies/{sha}", sha256=sha),
        settings=ClipSettings(),
        deadline_ms=LIMIT_MS,
    )


def abandon(sha: str = "a", *, command: str = "c1") -> AbandonSearch:
    sent = submit(sha, command=command)
    return AbandonSearch(
        **NAMES,
        command_id=sent.command_id,
        at_ms=sent.at_ms,
        org_id=sent.org_id,
        selfie=sent.selfie,
        settings=sent.settings,
        error="not stored",
    )


def window(source: str, attempt: int = 1) -> Window:
    return Window(
        clip_id=f"{source}-{attempt}",
        source_video_key=source,
        object_key=f"sources/{source}",
        start_ms=1_000,
        end_ms=6_000,
        samples=9,
        distance=0.3,
    )


def ready(work: RenderClip) -> ClipReady:
    return ClipReady(
        **NAMES,
        attempt=work.attempt,
        at_ms=5_000,
        clip_id=work.window.clip_id,
        source_video_key=work.window.source_video_key,
        start_ms=1_000,
        end_ms=6_000,
        object_key=f"vids/{work.window.clip_id}",
        size_bytes=10,
        sha256="f",
        method="copy",
    )


def failed(work: RenderClip) -> ClipFailed:
    return ClipFailed(
        **NAMES,
        attempt=work.attempt,
        at_ms=5_000,
        clip_id=work.window.clip_id,
        source_video_key=work.window.source_video_key,
        error="no",
    )


@dataclass(frozen=True)
class Workers:
    """What the workers would report: the sources that show the person, and those that cannot be cut."""

    sources: tuple[str, ...] = ()
    broken: frozenset[str] = frozenset()
    nothing: SearchStatus | None = None
    error: str | None = None

    def __call__(self, work: Message) -> list[Message]:
        if isinstance(work, RenderClip):
            return [failed(work) if work.window.source_video_key in self.broken else ready(work)]
        if not isinstance(work, MatchSelfie):
            return []
        about = {**NAMES, "attempt": work.attempt, "at_ms": 4_000}
        if self.error:
            return [SearchFailed(**about, error=self.error)]
        if self.nothing:
            return [
                NothingToClip(**about, status=self.nothing, nearest_distance=0.7, stopped_by=TOO_FAR, other_models=1)
            ]
        windows = tuple(window(source, work.attempt) for source in self.sources)
        return [WindowsPlanned(**about, windows=windows, nearest_distance=0.3, other_models=2)]


def run_plain(workers: Workers, *commands: SearchCommand) -> Bench:
    bench = Bench(decide, workers)
    for command in commands:
        bench.under_way.append(command)
        while bench.under_way:
            bench.deliver(bench.under_way.pop(0))
    return bench


def record_of(bench: Bench) -> SearchRecord:
    assert isinstance(bench.record, SearchRecord)
    return bench.record


ENDS = [
    (Workers(("a", "b")), SearchStatus.COMPLETED),
    (Workers(("a", "b", "c"), frozenset("b")), SearchStatus.COMPLETED),
    (Workers(("a", "b"), frozenset("ab")), SearchStatus.CLIP_FAILED),
    (Workers(nothing=SearchStatus.NO_MATCHES), SearchStatus.NO_MATCHES),
    (Workers(nothing=SearchStatus.NO_SEGMENTS), SearchStatus.NO_SEGMENTS),
    (Workers(error="there is no face in the picture"), SearchStatus.FAILED),
]


@pytest.mark.parametrize(("workers", "status"), ENDS, ids=lambda value: str(value)[:40])
@given(data=st.data())
def test_any_order_repeat_and_crash_gives_the_end_state_of_the_plain_run(
    workers: Workers, status: SearchStatus, data: st.DataObject
) -> None:
    bench = Bench(decide, workers)
    bench.run([submit()], data)
    plain = record_of(run_plain(workers, submit()))
    assert msgspec.structs.replace(record_of(bench), version=plain.version) == plain
    assert record_of(bench).status is status
    assert len({entry.key for entry in bench.sent if isinstance(entry, UsageEntry)}) == 1


@given(data=st.data())
def test_attempts_never_mix_and_every_history_ends(data: st.DataObject) -> None:
    """Several submissions, other bytes, late facts of older attempts: terminal, with clips of the last attempt only."""
    bench = Bench(decide, Workers(("a", "b"), frozenset("ab")))
    shas = data.draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=4))
    for n, sha in enumerate(shas):
        bench.run([submit(sha, command=f"c{n}", at_ms=1_000 + n)], data)
    record = record_of(bench)
    assert record.status is SearchStatus.CLIP_FAILED
    assert {clip.attempt for clip in record.clip_errors} == {record.attempt}
    assert {clip.clip_id for clip in record.clip_errors} == {clip.clip_id for clip in record.windows}
    assert {entry.number for entry in bench.sent if isinstance(entry, UsageEntry)} == set(range(1, record.number + 1))


@given(data=st.data())
def test_no_history_is_processing_after_its_deadline(data: st.DataObject) -> None:
    bench = Bench(decide, Workers(("a", "b", "c")))
    bench.under_way.append(submit())
    for _ in range(data.draw(st.integers(1, 6), label="steps before the silence")):
        if bench.under_way:
            bench.deliver(bench.under_way.pop(0))
    record = record_of(bench)
    assert expire(record, record.deadline_at_ms) is None
    command = expire(record, record.deadline_at_ms + 1)
    assert (command is None) == record.status.terminal
    if command is not None:
        bench.deliver(command)
    late = record_of(bench)
    assert late.status.terminal
    assert len(late.clips) + len(late.clip_errors) == len(late.windows)
    for message in bench.under_way:
        bench.deliver(message)
    assert record_of(bench) == late


@pytest.mark.parametrize(
    ("first_end", "second", "outcome", "attempt", "number"),
    [
        (Workers(("a",)), submit("a", command="c2"), Outcome.CACHED, 1, 1),
        (Workers(nothing=SearchStatus.NO_MATCHES), submit("a", command="c2"), Outcome.CACHED, 1, 1),
        (Workers(nothing=SearchStatus.NO_SEGMENTS), submit("a", command="c2"), Outcome.CACHED, 1, 1),
        (Workers(error="no face"), submit("a", command="c2"), Outcome.ACCEPTED, 2, 1),
        (Workers(("a",), frozenset("a")), submit("a", command="c2"), Outcome.ACCEPTED, 2, 1),
        (Workers(("a",)), submit("b", command="c2"), Outcome.ACCEPTED, 2, 2),
        (Workers(error="no face"), submit("b", command="c2"), Outcome.ACCEPTED, 2, 2),
    ],
    ids=[
        "file, same bytes, ended completed: cached",
        "file, same bytes, ended no_matches: cached",
        "file, same bytes, ended no_segments: cached",
        "file, same bytes, ended failed: runs again, free",
        "file, same bytes, ended clip_failed: runs again, free",
        "file, other bytes, ended: runs again, billed",
        "file, other bytes, ended failed: runs again, billed",
    ],
)
def test_a_second_submission(
    first_end: Workers, second: SubmitSearch, outcome: Outcome, attempt: int, number: int
) -> None:
    bench = run_plain(first_end, submit("a"), second)
    record = record_of(bench)
    assert (record.verdict_on("c2"), record.attempt, record.number) == (outcome, attempt, number)


@pytest.mark.parametrize(("sha", "outcome"), [("a", Outcome.CACHED), ("b", Outcome.CONFLICT)])
def test_a_submission_while_the_job_runs(sha: str, outcome: Outcome) -> None:
    bench = Bench(decide, Workers(("a",)))
    bench.deliver(submit("a"))
    bench.deliver(submit(sha, command="c2"))
    record = record_of(bench)
    assert (record.verdict_on("c2"), record.selfie.sha256, record.attempt) == (outcome, "a", 1)
    assert sum(isinstance(work, MatchSelfie) for work in bench.sent) == 1


def test_each_ready_clip_is_published_under_its_public_path() -> None:
    bench = run_plain(Workers(("a", "b"), frozenset("b")), submit())
    published = [event for event in bench.sent if isinstance(event, ClipPublished)]
    assert [event.video_path for event in published] == [f"/vids/456/motion/selfie/{REQUEST}/a-1.mp4"]


def test_a_published_clip_says_how_sure_it_is() -> None:
    [published] = [event for event in run_plain(Workers(("a",)), submit()).sent if isinstance(event, ClipPublished)]
    assert (published.distance, published.samples) == (0.3, 9)
    assert published.confidence_percent == pytest.approx(70)


def test_an_empty_search_keeps_what_stopped_it() -> None:
    record = record_of(run_plain(Workers(nothing=SearchStatus.NO_MATCHES), submit()))
    assert (record.nearest_distance, record.stopped_by, record.other_models) == (0.7, TOO_FAR, 1)


def test_a_search_with_clips_was_not_stopped_but_may_have_missed_footage() -> None:
    record = record_of(run_plain(Workers(("a",)), submit()))
    assert (record.nearest_distance, record.stopped_by, record.other_models) == (0.3, None, 2)


def test_a_new_submission_forgets_what_stopped_the_one_before() -> None:
    bench = run_plain(Workers(nothing=SearchStatus.NO_MATCHES), submit("a"))
    bench.deliver(submit("b", command="c2"))
    record = record_of(bench)
    assert (record.nearest_distance, record.stopped_by, record.other_models) == (None, None, 0)


def test_a_fact_without_a_record_changes_nothing() -> None:
    assert decide(None, failed(RenderClip(**NAMES, attempt=1, window=window("a"), quality=20))).record is None


class TestAbandoned:
    """A submission that did not get through, and what comes before and after it."""

    def test_the_record_is_failed_with_the_sentence_and_nothing_is_asked_or_billed(self) -> None:
        bench = run_plain(Workers(("a",)), abandon())
        record = record_of(bench)
        assert (record.status, record.error, record.number) == (SearchStatus.FAILED, "not stored", 0)
        assert (record.verdict_on("c1"), bench.sent) == (Outcome.ABANDONED, [])
        assert expire(record, record.deadline_at_ms + 1) is None

    @pytest.mark.parametrize("sha", ["a", "b"], ids=["same bytes", "other bytes"])
    def test_the_next_submission_runs_and_is_billed_once(self, sha: str) -> None:
        bench = run_plain(Workers(("a",)), abandon("a"), submit(sha, command="c2"))
        record = record_of(bench)
        assert (record.status, record.attempt, record.number) == (SearchStatus.COMPLETED, 1, 1)
        assert [entry.number for entry in bench.sent if isinstance(entry, UsageEntry)] == [1]

    def test_the_submission_itself_comes_too_late(self) -> None:
        """Its sender was told that it failed."""
        bench = run_plain(Workers(("a",)), abandon(command="c1"), submit(command="c1"))
        assert (record_of(bench).status, bench.sent) == (SearchStatus.FAILED, [])

    @pytest.mark.parametrize(("workers", "status"), ENDS, ids=lambda value: str(value)[:40])
    def test_what_an_earlier_submission_came_to_stays(self, workers: Workers, status: SearchStatus) -> None:
        before = record_of(run_plain(workers, submit()))
        after = record_of(run_plain(workers, submit(), abandon("b", command="c2")))
        assert after.verdict_on("c2") is Outcome.ABANDONED
        assert msgspec.structs.replace(after, verdicts=before.verdicts, version=before.version) == before
        assert before.status is status

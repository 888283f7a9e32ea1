"""The pipeline's page against the topics, and the whole flow in one process."""

import typing
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from infra.demo_media import SELFIE, find_media
from schemas import indexing, public, searches, topics, videos
from schemas.base import Message
from schemas.codec import decode, encode
from schemas.records import Record
from schemas.searches import SearchRecord, SearchStatus, SelfieObject, SubmitSearch
from schemas.settings import ClipSettings
from schemas.topics import Spread, Topic, message_types, topic_of
from schemas.videos import RegisterVideo, SourceObject, VideoRecord, VideoState
from streams.flow import Ledger, Role, Stage
from streams.pipeline import LEDGERS, index_stages, match_stages, render_stages
from streams.vision.models.model_set import ModelSet
from tests.streams.work import EVENT, NOW_MS, REQUEST, SOURCE_KEY, World, new_world

# Work that no ledger gives up: it is tried until it is done, or lies among the dead letters.
NEVER_GIVEN_UP = {indexing.RemoveEvent, indexing.RemoveSource, indexing.SweepSource}
EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
# Read by replicas, organisers and people who mend things; no part of the flow.
READ_OUTSIDE = {topics.CATALOG, topics.VIDEOS, topics.SEARCHES, topics.CLIPS_READY, topics.USAGE, topics.DEAD_LETTERS}
# What the ledgers may send, by their modules' rules; the flow below and their own tests send each of them.
LEDGER_OUTPUTS: dict[str, set[type[Message]]] = {
    "catalog": {indexing.RemoveEvent},
    "videos": {
        indexing.SplitSource,
        indexing.IndexChunk,
        indexing.ActivateGeneration,
        indexing.RemoveSource,
        indexing.SweepSource,
    },
    "searches": {searches.MatchSelfie, searches.RenderClip, public.ClipPublished, public.UsageEntry},
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


@pytest.fixture
def stages(world: World, model_set: ModelSet) -> tuple[Stage, ...]:
    scratch = world.folder / "scratch"
    scratch.mkdir()
    return (
        *index_stages(world.tools, world.faces, model_set),
        *match_stages(world.tools, world.faces, model_set, secret=b"s", max_selfie_bytes=10_000_000),
        *render_stages(world.tools, scratch=scratch),
    )


def sent_by(stage: Stage) -> set[type[Message]]:
    """The types in the signature of a stage's work."""
    answer = typing.get_type_hints(type(stage.handle).__call__)["return"]
    [kinds] = typing.get_args(answer)
    return set(typing.get_args(kinds)) or {kinds}


def example(kind: type[Message], topic: Topic) -> Message:
    return decode(topic, (EXAMPLES / f"{kind.__name__}.json").read_bytes())


def commands_and_facts(ledger: Ledger) -> list[Topic]:
    return [ledger.commands, *([ledger.facts] if ledger.facts else [])]


class TestReaders:
    """Every topic of the flow has exactly one reader of the right kind."""

    def test_no_topic_is_read_twice_and_none_is_forgotten(self, stages: tuple[Stage, ...]) -> None:
        """What nobody in the flow reads is meant for outside."""
        read = [topic.name for ledger in LEDGERS for topic in commands_and_facts(ledger)]
        read += [stage.source.name for stage in stages]
        assert max(Counter(read).values()) == 1
        assert set(read) == {topic.name for topic in topics.ALL if topic not in READ_OUTSIDE}

    def test_a_ledger_reads_what_is_keyed_by_its_records(self) -> None:
        """Commands, facts and the record itself have one key and one count of partitions: one writer decides."""
        for ledger in LEDGERS:
            inputs = commands_and_facts(ledger)
            assert [topic.part for topic in inputs] == ["commands", "facts"][: len(inputs)]
            for topic in (*inputs, ledger.records):
                assert (topic.spread, topic.key) == (Spread.RECORD, ledger.records.key), topic.name
            assert ledger.records.compacted
            assert not any(topic.compacted for topic in inputs)

    def test_a_stage_reads_work_that_spreads(self, stages: tuple[Stage, ...]) -> None:
        for stage in stages:
            assert stage.source.spread is Spread.WORK, stage.name
            assert not stage.source.compacted, stage.name

    def test_each_stage_runs_where_its_dependencies_are(self, stages: tuple[Stage, ...]) -> None:
        """One role, one process: no name twice, and the ledgers' role has no stage."""
        roles = {stage.name: stage.role for stage in stages}
        assert roles == {
            "split": Role.INDEX,
            "index": Role.INDEX,
            "match": Role.MATCH,
            "segment": Role.MATCH,
            "render": Role.RENDER,
        }
        assert len({ledger.name for ledger in LEDGERS}) == len(LEDGERS)


class TestMessages:
    """Everything that is sent arrives somewhere."""

    def test_whatever_a_stage_sends_has_a_reader_in_the_flow(self, stages: tuple[Stage, ...]) -> None:
        for stage in stages:
            for kind in sent_by(stage):
                assert topic_of(kind) not in READ_OUTSIDE, (stage.name, kind)
                assert topic_of(kind) != stage.source, f"{stage.name} would feed itself"

    def test_every_type_of_the_flow_is_sent_by_someone(self, stages: tuple[Stage, ...]) -> None:
        """Neither a work type nor a fact that nobody sends."""
        sent = set[type[Message]]().union(*(sent_by(stage) for stage in stages), *LEDGER_OUTPUTS.values())
        inside = [topic for topic in topics.ALL if topic not in READ_OUTSIDE and topic.part != "commands"]
        assert {kind for topic in inside for kind in message_types(topic)} <= sent

    def test_a_ledger_sends_no_commands_and_no_facts(self) -> None:
        """It asks for work and publishes; only others report to a ledger."""
        for kinds in LEDGER_OUTPUTS.values():
            assert not [kind for kind in kinds if topic_of(kind).part]

    def test_a_failure_fact_goes_to_the_ledger_of_its_record(self, stages: tuple[Stage, ...]) -> None:
        """For each type a stage may read: the key of the record whose ledger asked for the work."""
        for stage in stages:
            for kind in message_types(stage.source):
                work = example(kind, stage.source)
                fact = stage.failure(work, "a sentence", NOW_MS)
                assert (fact is None) == (kind in NEVER_GIVEN_UP)
                if fact is None:
                    continue
                assert topic_of(type(fact)).part == "facts", stage.name
                assert fact.key == record_key(work), (stage.name, kind)
                assert decode(topic_of(type(fact)), encode(fact)) == fact
                assert msgspec.to_builtins(fact)["error"] == "a sentence"
                assert msgspec.to_builtins(fact)["at_ms"] == NOW_MS


def record_key(work: Message) -> str:
    fields = msgspec.to_builtins(work)
    return f"{fields['event_id']}/{fields.get('request_id') or fields.get('source_video_key')}"


class Flow:
    """Carries messages between the ledgers and the stages in this process, in order of sending.

    Attributes:
        sent: Everything that was sent, in order.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.sent: list[Message] = []
        self.records: defaultdict[str, dict[str, Record]] = defaultdict(dict)
        self._stages = {stage.source.name: stage for stage in stages}
        self._ledgers = {topic.name: ledger for ledger in LEDGERS for topic in commands_and_facts(ledger)}

    async def run(self, message: Message) -> None:
        """Send a message and all that comes of it."""
        waiting = [message]
        while waiting:
            taken = waiting.pop(0)
            topic = topic_of(type(taken))
            taken = decode(topic, encode(taken))
            self.sent.append(taken)
            if topic.name in self._ledgers:
                waiting += self._decided(self._ledgers[topic.name], taken)
            elif topic.name in self._stages:
                waiting += await self._stages[topic.name].handle(taken)

    def of(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.sent if isinstance(message, kind)]

    def _decided(self, ledger: Ledger, message: Message) -> tuple[Message, ...]:
        records = self.records[ledger.name]
        decision = ledger.decide(records.get(message.key), message)
        if decision.record is not None:
            records[message.key] = decision.record
        assert {type(output) for output in decision.outputs} <= LEDGER_OUTPUTS[ledger.name]
        return decision.outputs


class TestFlow:
    """The main job on real footage through every stage and ledger, without an engine."""

    @pytest.fixture
    def flow(self, stages: tuple[Stage, ...]) -> Flow:
        return Flow(stages)

    async def test_a_selfie_becomes_the_clip_of_its_person(self, world: World, flow: Flow) -> None:
        world.objects.private["sources/v"] = find_media("face_noface.mov").read_bytes()
        world.objects.private["selfies/s"] = find_media(SELFIE).read_bytes()
        await flow.run(register("sources/v", command_id="1"))
        video = flow.records["videos"][f"{EVENT}/{SOURCE_KEY}"]
        assert isinstance(video, VideoRecord)
        assert (video.state, video.active_generation, video.error) == (VideoState.INDEXED, 1, None)
        assert video.tracks > 0
        await flow.run(submit("selfies/s"))
        search = flow.records["searches"][f"{EVENT}/{REQUEST}"]
        assert isinstance(search, SearchRecord)
        assert (search.status, search.error, search.clip_errors) == (SearchStatus.COMPLETED, None, ())
        [clip] = search.clips
        # He is on screen from 0 to 2.4 s; a second of padding follows.
        assert (clip.source_video_key, clip.start_ms) == (SOURCE_KEY, 0)
        assert 2_400 <= clip.end_ms <= 3_600
        assert list(world.objects.clips) == [clip.object_key]
        [published], [usage] = flow.of(public.ClipPublished), flow.of(public.UsageEntry)
        assert published.key == usage.key.rpartition("/")[0] == search.key

    async def test_other_bytes_are_shown_once_they_are_whole(
        self, world: World, flow: Flow, model_set: ModelSet
    ) -> None:
        """A second registration leaves the first in sight until it is activated."""
        for generation, name in ((1, "face_noface.mov"), (2, "noface_face.mov")):
            key = f"sources/v{generation}"
            world.objects.private[key] = find_media(name).read_bytes()
            await flow.run(register(key, command_id=str(generation)))
            assert world.faces.active[EVENT, SOURCE_KEY, model_set.version].generation == generation
        assert len(flow.of(indexing.ActivateGeneration)) == len(flow.of(videos.GenerationActivated)) == 1
        video = flow.records["videos"][f"{EVENT}/{SOURCE_KEY}"]
        assert isinstance(video, VideoRecord)
        assert (video.state, video.active_generation) == (VideoState.INDEXED, 2)

    async def test_a_video_and_a_selfie_of_no_use_end_with_sentences(self, world: World, flow: Flow) -> None:
        world.objects.private |= {"sources/v": b"no video", "selfies/s": b"no picture"}
        await flow.run(register("sources/v", command_id="1"))
        await flow.run(submit("selfies/s"))
        video, search = flow.records["videos"][f"{EVENT}/{SOURCE_KEY}"], flow.records["searches"][f"{EVENT}/{REQUEST}"]
        assert isinstance(video, VideoRecord)
        assert isinstance(search, SearchRecord)
        assert (video.state, video.error) == (
            VideoState.FAILED,
            "The source video is damaged, cut off before its index, or not a video file.",
        )
        assert search.status is SearchStatus.FAILED
        assert (search.error or "").startswith("The selfie is not a JPEG or PNG")


def register(object_key: str, *, command_id: str) -> RegisterVideo:
    source = SourceObject(object_key=object_key, sha256=command_id * 64, size_bytes=1, content_type="video/mp4")
    return RegisterVideo(
        command_id=command_id,
        at_ms=NOW_MS,
        event_id=EVENT,
        source_video_key=SOURCE_KEY,
        org_id=1,
        source=source,
        sampling_fps=5.0,
        deadline_ms=60_000,
    )


def submit(object_key: str) -> SubmitSearch:
    return SubmitSearch(
        command_id="search",
        at_ms=NOW_MS,
        event_id=EVENT,
        request_id=REQUEST,
        org_id=1,
        selfie=SelfieObject(object_key=object_key, sha256="cd" * 32),
        settings=ClipSettings(),
        deadline_ms=60_000,
    )

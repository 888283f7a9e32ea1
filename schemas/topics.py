"""Every topic: the only place one is named, with its types, partitions, retention and compaction."""

from enum import StrEnum
from typing import cast, get_args

import msgspec

from schemas import catalog, indexing, public, searches, videos
from schemas.base import Message

DAY_MS = 86_400_000
# Longer than any outage that people are expected to mend over a long weekend, shorter than selfies may lie about.
RETENTION_MS = 7 * DAY_MS
# Kafka's own default limit of a record batch; sightings are merged and cut to stay below it.
MAX_MESSAGE_BYTES = 1_000_000


class Spread(StrEnum):
    """How many partitions a topic has: a deployment's two numbers, by kind."""

    RECORD = "record"  # commands, facts and ledgers of one kind move together: fixed for ever
    WORK = "work"  # units of work: wide, may grow


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic.

    Attributes:
        name: Without the deployment's namespace; ends in the version of its schema.
        part: Its part in a ledger's `applied`: `commands` or `facts`; empty elsewhere.
        key: What its Kafka key names, for people.
        types: The messages it carries: one class or a tagged union.
    """

    name: str
    types: object
    key: str
    part: str = ""
    spread: Spread = Spread.RECORD
    compacted: bool = False
    retention_ms: int = RETENTION_MS

    def full_name(self, namespace: str) -> str:
        """Its name on the broker."""
        return f"{namespace}.{self.name}"


def _ledger(name: str, types: object, key: str) -> Topic:
    return Topic(name=name, types=types, key=key, compacted=True)


def _work(name: str, types: object, key: str) -> Topic:
    return Topic(name=name, types=types, key=key, spread=Spread.WORK)


_SEARCH = "event_id/request_id"
_VIDEO = "event_id/source_video_key"
_CATALOG = "org/org_id or event/event_id"

CATALOG_COMMANDS = Topic(name="catalog.commands.v1", types=catalog.CatalogMessage, key=_CATALOG, part="commands")
CATALOG = _ledger("catalog.v1", catalog.CatalogRecord, _CATALOG)

VIDEO_COMMANDS = Topic(name="videos.commands.v1", types=videos.VideoCommand, key=_VIDEO, part="commands")
VIDEO_FACTS = Topic(name="videos.facts.v1", types=videos.VideoFactMessage, key=_VIDEO, part="facts")
VIDEOS = _ledger("videos.v1", videos.VideoRecord, _VIDEO)
SOURCES = _work("sources.v1", indexing.SourceWork, "event_id/source_video_key or event/event_id")
CHUNKS = _work("chunks.v1", indexing.IndexChunk, "event_id/source_video_key/generation/chunk")

SEARCH_COMMANDS = Topic(name="searches.commands.v1", types=searches.SearchCommand, key=_SEARCH, part="commands")
SEARCH_FACTS = Topic(name="searches.facts.v1", types=searches.SearchFactMessage, key=_SEARCH, part="facts")
SEARCHES = _ledger("searches.v1", searches.SearchRecord, _SEARCH)
MATCHES = _work("matches.v1", searches.MatchSelfie, _SEARCH)
FACES_MATCHED = _work("faces.matched.v1", searches.FacesMatched, _SEARCH)
CLIPS = _work("clips.v1", searches.RenderClip, "clip_id")

CLIPS_READY = Topic(name="clips.ready.v1", types=public.ClipPublished, key=_SEARCH, retention_ms=30 * DAY_MS)
USAGE = _ledger("usage.v1", public.UsageEntry, "event_id/request_id/number")

# The value is the refused message as it came, with its own key; headers say why and whence.
DEAD_LETTERS = Topic(name="dead-letters.v1", types=bytes, key="as it came", retention_ms=30 * DAY_MS)

ALL: tuple[Topic, ...] = (
    CATALOG_COMMANDS, CATALOG,
    VIDEO_COMMANDS, VIDEO_FACTS, VIDEOS, SOURCES, CHUNKS,
    SEARCH_COMMANDS, SEARCH_FACTS, SEARCHES, MATCHES, FACES_MATCHED, CLIPS,
    CLIPS_READY, USAGE, DEAD_LETTERS,
)  # fmt: skip


def message_types(topic: Topic) -> tuple[type[Message], ...]:
    """The classes a topic carries; none for the dead letters, whose values are whatever came."""
    if topic.types is bytes:
        return ()
    return get_args(topic.types) or (cast("type[Message]", topic.types),)


_TOPIC_OF: dict[type[Message], Topic] = {kind: topic for topic in ALL for kind in message_types(topic)}


def topic_of(kind: type[Message]) -> Topic:
    """The one topic that carries this type.

    Raises:
        KeyError: It travels on none.
    """
    return _TOPIC_OF[kind]

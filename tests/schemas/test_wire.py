"""The wire is held by its stored examples, and the topics by their table."""

import json
from pathlib import Path

import pytest

from schemas.base import Message
from schemas.codec import Undecodable, decode, encode
from schemas.export import json_schema
from schemas.records import Record
from schemas.topics import ALL, DEAD_LETTERS, MAX_MESSAGE_BYTES, SEARCH_COMMANDS, Topic, message_types, topic_of

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "schemas" / "examples"
TYPES = [(topic, kind) for topic in ALL for kind in message_types(topic)]


@pytest.mark.parametrize(("topic", "kind"), TYPES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_type_has_a_stored_example_that_decodes_to_itself(topic: Topic, kind: type[Message]) -> None:
    stored = (EXAMPLES / f"{kind.__name__}.json").read_bytes()
    message = decode(topic, stored)
    assert type(message) is kind
    assert json.loads(encode(message)) == json.loads(stored)
    assert topic_of(kind) is topic


@pytest.mark.parametrize("path", sorted((EXAMPLES / "older").glob("*.json")), ids=lambda path: path.stem)
def test_a_message_of_before_a_field_still_decodes(path: Path) -> None:
    """Its fields keep their values; what was added later has its default. Names: the type, a dot, what came after."""
    [(topic, kind)] = [(topic, kind) for topic, kind in TYPES if kind.__name__ == path.stem.split(".")[0]]
    stored = json.loads(path.read_bytes())
    message = decode(topic, path.read_bytes())
    assert type(message) is kind
    assert _holds(json.loads(encode(message)), stored)


def _holds(now: object, before: object) -> bool:
    if isinstance(now, dict) and isinstance(before, dict):
        return before.keys() <= now.keys() and all(_holds(now[name], value) for name, value in before.items())
    return now == before


def test_no_example_is_without_a_type() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == {kind.__name__ for _, kind in TYPES}


@pytest.mark.parametrize(("topic", "kind"), TYPES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_newer_writers_extra_field_is_ignored(topic: Topic, kind: type[Message]) -> None:
    stored = json.loads((EXAMPLES / f"{kind.__name__}.json").read_bytes())
    assert decode(topic, json.dumps({**stored, "added_later": 1}).encode()) == decode(
        topic, json.dumps(stored).encode()
    )


@pytest.mark.parametrize(("topic", "kind"), TYPES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_message_names_its_key_and_is_frozen(topic: Topic, kind: type[Message]) -> None:
    message = decode(topic, (EXAMPLES / f"{kind.__name__}.json").read_bytes())
    assert message.key
    assert kind.__struct_config__.frozen


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b'{"type":"Nobody"}', b"\xff\xfe", b'{"type":"SubmitSearch"}']
)
def test_bytes_that_are_no_message_are_undecodable(value: bytes | None) -> None:
    with pytest.raises(Undecodable, match=r"searches\.commands\.v1"):
        decode(SEARCH_COMMANDS, value)


def test_every_topic_is_versioned_named_once_and_no_type_travels_on_two() -> None:
    assert len({topic.name for topic in ALL}) == len(ALL)
    assert all(topic.name.endswith(".v1") for topic in ALL)
    assert len({kind for _, kind in TYPES}) == len(TYPES)


def test_only_records_and_usage_are_compacted_and_dead_letters_outlive_the_work() -> None:
    assert {topic.name for topic in ALL if topic.compacted} == {"catalog.v1", "videos.v1", "searches.v1", "usage.v1"}
    assert all(issubclass(kind, Record) for topic, kind in TYPES if topic.compacted and topic.name != "usage.v1")
    assert DEAD_LETTERS.retention_ms > max(topic.retention_ms for topic in ALL if topic.part)


def test_the_largest_message_that_matching_may_send_fits_into_kafkas_limit() -> None:
    """2,000 sightings of a minute each at one sample a second is what `find` may return."""
    stored = json.loads((EXAMPLES / "FacesMatched.json").read_bytes())
    times = list(range(3_600_000, 3_660_000, 6_000))
    stored["sightings"] = [{**stored["sightings"][0], "sample_times_ms": times}] * 2_000
    assert len(json.dumps(stored, separators=(",", ":"))) < MAX_MESSAGE_BYTES


def test_the_stored_json_schema_is_the_code() -> None:
    """`make wire` writes it anew."""
    stored = json.loads((ROOT / "docs" / "wire.schema.json").read_text())
    assert stored == json_schema()

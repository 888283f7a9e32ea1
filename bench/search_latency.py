"""Prints how long a search takes, from POST to `completed`, and where the time goes.

    python -m bench search_latency [--searches 30] [--keep FOLDER]

Starts the whole system, indexes the race, then searches with one selfie under new ids, one search after the other. The
steps between are told by the timestamps that their producers put on the messages of the topics.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from bench.output import conditions
from bench.running import POLL_S, Timed, running_event, scratch, spread
from schemas import topics
from schemas.codec import decode
from schemas.searches import (
    ClipReady,
    FacesMatched,
    MatchSelfie,
    RenderClip,
    SearchRecord,
    SubmitSearch,
    WindowsPlanned,
)

WARM_UP = 3
NAMESPACE = "spotclip"
_READ_WITHIN_S = 10.0

# What marks each step's end, in order.
STEPS: Sequence[tuple[type, str]] = (
    (SubmitSearch, "API: key, selfie checked, stored; command acknowledged by now"),
    (MatchSelfie, "ledger: accepted, match asked for"),
    (FacesMatched, "match: selfie read, embedded, event scanned"),
    (WindowsPlanned, "segment"),
    (RenderClip, "ledger: clip asked for"),
    (ClipReady, "render: cut, proved, uploaded"),
    (SearchRecord, "ledger: end recorded"),
)
KINDS = (SubmitSearch, MatchSelfie, FacesMatched, WindowsPlanned, RenderClip, ClipReady, SearchRecord)
READ = (
    topics.SEARCH_COMMANDS,
    topics.MATCHES,
    topics.FACES_MATCHED,
    topics.SEARCH_FACTS,
    topics.CLIPS,
    topics.SEARCHES,
)


def message_times(bootstrap: str) -> dict[str, dict[type, float]]:
    """Request id -> type of message -> when its last one was sent, milliseconds since 1970 UTC."""
    names = {topic.full_name(NAMESPACE): topic for topic in READ}
    found: dict[str, dict[type, float]] = defaultdict(dict)
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False, "enable.partition.eof": True}
    )
    try:
        known = consumer.list_topics(timeout=_READ_WITHIN_S).topics
        places = [TopicPartition(name, number, 0) for name in names for number in known[name].partitions]
        consumer.assign(places)
        open_places = {(place.topic, place.partition) for place in places}
        while open_places:
            message = consumer.poll(_READ_WITHIN_S)
            assert message is not None, f"these topics were not read to their ends: {open_places}"
            if message.error() is not None:
                open_places.discard((message.topic(), message.partition()))
                continue
            content = decode(names[message.topic() or ""], message.value())
            assert isinstance(content, KINDS), content
            found[content.request_id][type(content)] = message.timestamp()[1]
    finally:
        consumer.close()
    return found


def steps_of(timed: Timed, sent: dict[type, float]) -> dict[str, float]:
    """Milliseconds of each step of one search."""
    steps: dict[str, float] = {}
    before = timed.posted_ms
    for kind, name in STEPS:
        steps[name] = sent[kind] - before
        before = sent[kind]
    steps[f"API: replica, and a poll every {POLL_S * 1000:.0f} ms"] = timed.ended_ms - before
    return steps


def report(timed: Sequence[Timed], sent: dict[str, dict[type, float]]) -> None:
    print(f"\n{len(timed)} searches, one after the other, {conditions()}\n")
    print(f"{'milliseconds':<64} {'p50':>8} {'p90':>8} {'max':>8}")
    print(f"{'POST until its answer':<64} {spread([each.answered_ms - each.posted_ms for each in timed])}")
    print(f"{'POST until completed':<64} {spread([each.ended_ms - each.posted_ms for each in timed])}")
    steps = [steps_of(each, sent[each.request_id]) for each in timed]
    for name in steps[0]:
        print(f"  {name:<62} {spread([each[name] for each in steps])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="where the race is kept from one run to the next")
    arguments = parser.parse_args()
    with scratch(arguments.keep) as (folder, race), running_event(folder, race) as event:
        first = event.search()
        print(f"{(first.ended_ms - first.posted_ms) / 1000:7.2f} s  the first search")
        for _ in range(WARM_UP - 1):
            event.search()
        timed = [event.search() for _ in range(arguments.searches)]
        report(timed, message_times(event.system.addresses.kafka_bootstrap))


if __name__ == "__main__":
    main()

"""How the guard ends a message. One suite over a fake outlet and over the real sender on Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from schemas.base import Message
from schemas.codec import Undecodable, encode
from schemas.searches import SearchFailed
from schemas.topics import DEAD_LETTERS, SEARCH_FACTS, Topic
from streams.outcomes import Invalid, TryLater, Unavailable
from streams.shell.alive import Alive
from streams.shell.app import ShellApp
from streams.shell.exits import ExitCode
from streams.shell.failpoints import FailpointName, pass_by
from streams.shell.guard import Guard, Outlet, Unit
from streams.shell.sender import Refused, Sender
from streams.shell.settings import ShellSettings
from streams.shell.tenure import HandedBack, Tenure
from tests.streams.shell import toy
from tests.streams.shell.apps import ledger_app
from tests.streams.shell.cluster import Cluster
from tests.streams.shell.ended import Ended, end

MESSAGE_LIMIT = 1_048_576
NOW_MS = 1_800_000_000_000


class Sent(Protocol):
    """What arrived, read back: (topic, key, value, headers), facts before dead letters."""

    def __call__(self) -> list[tuple[str, bytes | None, bytes | None, dict[str, bytes]]]: ...


@dataclass
class FakeOutlet:
    """Keeps what it is given, and refuses what a broker refuses."""

    sent: list[tuple[str, bytes | None, bytes | None, dict[str, bytes]]] = field(default_factory=list)

    async def send(self, messages: Sequence[Message], *, between: FailpointName | None = None) -> None:
        assert between is None
        for message in messages:
            self._take(SEARCH_FACTS, message.key.encode(), encode(message), {})

    async def send_raw(
        self, topic: Topic, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes]
    ) -> None:
        self._take(topic, key, b"" if key is None and value is None else value, headers)

    def _take(self, topic: Topic, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes]) -> None:
        if len(value or b"") > MESSAGE_LIMIT:
            raise Refused("too large")
        self.sent.append((topic.name, key, value, {str(name): text for name, text in headers.items()}))


@pytest.fixture(params=["fake", pytest.param("kafka", marks=pytest.mark.engines)])
async def outlet(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Outlet, Sent]]:
    if request.param == "fake":
        fake = FakeOutlet()
        yield fake, lambda: fake.sent
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with ledger_app(cluster.bootstrap, cluster.namespace) as app:
        await app.producer.start()
        yield sender_of(app, cluster), lambda: read_back(cluster)
        await app.producer.stop()


def sender_of(app: ShellApp, cluster: Cluster) -> Sender:
    alive = Alive(limit_s=60, end=end)
    return Sender(producer=lambda: app.producer, namespace=cluster.namespace, alive=alive, failpoint=pass_by)


def read_back(cluster: Cluster) -> list[tuple[str, bytes | None, bytes | None, dict[str, bytes]]]:
    return [
        (topic.name, message.key(), message.value(), dict(message.headers() or ()))
        for topic in (SEARCH_FACTS, DEAD_LETTERS)
        for message in cluster.read(topic)
    ]


class Place:
    topic = "a.matches.v1"
    partition = 3


@dataclass
class Delivered:
    """A message as Kafka would deliver it."""

    key: bytes | None = b"7/one"
    value: bytes | None = b"as it came"
    topic: str = Place.topic
    partition: int = Place.partition
    offset: int = 12
    tp: type[Place] = Place


@dataclass
class Work:
    """Raises these, one after another, then works."""

    errors: list[BaseException]
    calls: int = 0

    async def __call__(self) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


@dataclass
class Waits:
    """Notes the pauses and lets them pass at once, on the clock that it is."""

    now_s: float = 0.0
    pauses_s: list[float] = field(default_factory=list)

    async def sleep(self, pause_s: float) -> None:
        self.pauses_s.append(pause_s)
        self.now_s += pause_s


def fact(sentence: str, at_ms: int) -> SearchFailed:
    return toy.failure(toy.match("one"), sentence, at_ms)


def make_guard(outlet: Outlet, waits: Waits, *, tenure: Tenure | None = None, **settings: float) -> Guard:
    return Guard(
        settings=ShellSettings(bootstrap_servers="", namespace="", **settings),  # type: ignore[arg-type]
        outlet=outlet,
        tenure=tenure or Tenure(),
        end=end,
        failpoint=pass_by,
        clock=lambda: NOW_MS,
        monotonic_s=lambda: waits.now_s,
        sleep=waits.sleep,
        jitter=lambda: 1.0,
    )


def make_unit(
    work: Callable[[], Awaitable[None]],
    delivery: Delivered | None = None,
    failure: Callable[[str, int], Message | None] = fact,
) -> Unit:
    return Unit(stage="toy", delivery=delivery or Delivered(), work=work, failure=failure)  # type: ignore[arg-type]


Outlets = tuple[Outlet, Sent]


@pytest.mark.parametrize(
    "errors",
    [
        [],
        [TryLater("not yet")] * 4,
        [RuntimeError("a bug")] * 4,
        [Unavailable("s3", "S3 does not answer.")] * 6,
        [Unavailable("s3", "S3 does not answer."), TryLater("not yet"), Unavailable("s3", "S3 does not answer.")],
    ],
    ids=["at once", "fifth try", "fifth try after bugs", "after an outage", "mixed"],
)
async def test_what_works_in_the_end_is_done_and_nothing_is_sent(outlet: Outlets, errors: list[BaseException]) -> None:
    work, tries = Work(list(errors)), len(errors) + 1
    assert await make_guard(outlet[0], Waits()).run(make_unit(work))
    assert work.calls == tries
    assert outlet[1]() == []


@pytest.mark.parametrize(
    ("error", "tries", "sentence"),
    [
        (Invalid("No face was found."), 1, "No face was found."),
        (Undecodable("at byte 3"), 1, "This is not a message of its topic."),
        (TryLater("The file could not be read."), 5, "The file could not be read."),
        (RuntimeError("secret"), 5, "This failed 5 times and was given up."),
    ],
    ids=["invalid", "undecodable", "try later", "a bug"],
)
async def test_what_is_given_up_sends_the_fact_first_then_the_dead_letter(
    outlet: Outlets, error: Exception, tries: int, sentence: str
) -> None:
    work = Work([error] * 9)
    assert await make_guard(outlet[0], Waits()).run(make_unit(work))
    assert work.calls == tries
    failed, letter = outlet[1]()
    assert failed == (SEARCH_FACTS.name, b"7/one", encode(fact(sentence, NOW_MS)), {})
    assert letter == (
        DEAD_LETTERS.name,
        b"7/one",
        b"as it came",
        {
            "error": sentence.encode(),
            "origin-topic": b"a.matches.v1",
            "origin-partition": b"3",
            "origin-offset": b"12",
            "attempt": str(tries).encode(),
            "stage": b"toy",
            "at-ms": str(NOW_MS).encode(),
        },
    )


@pytest.mark.parametrize(
    ("key", "value", "kept"), [(b"7/one", None, None), (None, b"bytes", b"bytes"), (None, None, b"")]
)
async def test_without_a_fact_only_the_dead_letter_goes(
    outlet: Outlets, key: bytes | None, value: bytes | None, kept: bytes | None
) -> None:
    """As it came; only what has neither key nor value gets an empty one, since no client sends nothing at all."""
    delivery = Delivered(key=key, value=value)
    await make_guard(outlet[0], Waits()).run(make_unit(Work([Undecodable("none")]), delivery, lambda *_: None))
    assert [sent[:3] for sent in outlet[1]()] == [(DEAD_LETTERS.name, key, kept)]


async def test_a_failure_fact_that_cannot_be_written_ends_the_process(outlet: Outlets) -> None:
    """And no dead letter stands without it."""
    huge = fact("x" * (MESSAGE_LIMIT + 1), NOW_MS)
    with pytest.raises(Ended) as ended:
        await make_guard(outlet[0], Waits()).run(make_unit(Work([Invalid("no")]), failure=lambda *_: huge))
    assert ended.value.code is ExitCode.UNDELIVERED
    assert outlet[1]() == []


async def test_a_dead_letter_that_cannot_be_written_ends_the_process(outlet: Outlets) -> None:
    delivery = Delivered(value=b"x" * (MESSAGE_LIMIT + 1))
    with pytest.raises(Ended) as ended:
        await make_guard(outlet[0], Waits()).run(make_unit(Work([Invalid("no")]), delivery))
    assert ended.value.code is ExitCode.UNDELIVERED
    assert [topic for topic, *_ in outlet[1]()] == [SEARCH_FACTS.name]


async def test_a_failure_that_raises_ends_the_process(outlet: Outlets) -> None:
    def broken(_sentence: str, _at_ms: int) -> Message:
        raise RuntimeError("a bug in the failure")

    with pytest.raises(Ended) as ended:
        await make_guard(outlet[0], Waits()).run(make_unit(Work([Invalid("no")]), failure=broken))
    assert ended.value.code is ExitCode.UNDELIVERED


async def test_an_outage_ends_the_process_after_its_limit(outlet: Outlets) -> None:
    waits, work = Waits(), Work([Unavailable("s3", "S3 does not answer.")] * 1000)
    with pytest.raises(Ended) as ended:
        await make_guard(outlet[0], waits, outage_limit_s=40.0, tries=1).run(make_unit(work))
    assert ended.value.code is ExitCode.UNAVAILABLE
    assert 40.0 < waits.now_s <= 50.0
    assert outlet[1]() == []


async def test_a_message_that_is_cancelled_ends_the_process(outlet: Outlets) -> None:
    """The stream would acknowledge it on the way out."""
    with pytest.raises(Ended) as ended:
        await make_guard(outlet[0], Waits()).run(make_unit(Work([asyncio.CancelledError()])))
    assert ended.value.code is ExitCode.INTERRUPTED
    assert outlet[1]() == []


@pytest.mark.parametrize(
    "error", [TryLater("not yet"), RuntimeError("a bug"), Unavailable("s3", "S3 does not answer.")], ids=repr
)
async def test_nothing_is_tried_again_while_partitions_are_given_away(error: Exception) -> None:
    """A pause, and an outage, would hold up the rebalance; nothing is sent, and nothing counts as failed."""
    outlet, work, tenure = FakeOutlet(), Work([error] * 9), Tenure()
    tenure.end()
    assert not await make_guard(outlet, Waits(), tenure=tenure, failure_window=1).run(make_unit(work))
    assert (work.calls, outlet.sent) == (1, [])


async def test_work_that_did_not_get_a_child_goes_back() -> None:
    outlet, work = FakeOutlet(), Work([HandedBack("no child was free")])
    assert not await make_guard(outlet, Waits()).run(make_unit(work))
    assert (work.calls, outlet.sent) == (1, [])


async def test_too_large_a_share_of_failures_ends_the_process_before_the_next_dead_letter(outlet: Outlets) -> None:
    guard = make_guard(outlet[0], Waits(), failure_window=4, failure_share_limit=0.5)
    for error in (Invalid("no"), None, Invalid("no")):
        await guard.run(make_unit(Work([error] if error else [])))
    with pytest.raises(Ended) as ended:
        await guard.run(make_unit(Work([Invalid("no")])))
    assert ended.value.code is ExitCode.FAILING
    assert [topic for topic, *_ in outlet[1]()].count(DEAD_LETTERS.name) == 2


async def test_pauses_double_up_to_the_limit() -> None:
    waits = Waits()
    await make_guard(FakeOutlet(), waits, tries=7, backoff_s=1.0, backoff_limit_s=10.0).run(
        make_unit(Work([TryLater("no")] * 7))
    )
    assert waits.pauses_s == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]

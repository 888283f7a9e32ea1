import pytest

from schemas.catalog import (
    ApiKey,
    CatalogMessage,
    CatalogRecord,
    CreateEvent,
    CreateKey,
    CreateOrganisation,
    DeleteEvent,
    DeleteKey,
    EventFlags,
    EventRecord,
    OrganisationRecord,
    SetKeyActive,
    UpdateEvent,
)
from schemas.indexing import RemoveEvent
from schemas.records import VERDICTS_KEPT, Outcome
from schemas.settings import ClipSettings
from streams.ledgers.catalog import decide


def ask(n: int) -> dict[str, object]:
    return {"command_id": f"c{n}", "at_ms": 1_000 + n}


def key(n: int) -> CreateKey:
    return CreateKey(**ask(n), org_id=903, key_id=f"k{n}", key_hash=f"h{n}", prefix="abcde")


def run(*messages: CatalogMessage) -> CatalogRecord | None:
    record: CatalogRecord | None = None
    for message in messages:
        decision = decide(record, message)
        assert decision.outputs == ()
        assert decision.record is None or isinstance(decision.record, OrganisationRecord | EventRecord)
        record = decision.record
    return record


def organisation(*messages: CatalogMessage) -> OrganisationRecord:
    record = run(CreateOrganisation(**ask(0), org_id=903, name="Harriers"), *messages)
    assert isinstance(record, OrganisationRecord)
    return record


def test_a_taken_id_is_a_conflict_and_changes_nothing() -> None:
    record = organisation(CreateOrganisation(**ask(1), org_id=903, name="Others"))
    assert (record.name, record.verdict_on("c1")) == ("Harriers", Outcome.CONFLICT)


def test_the_eleventh_key_is_refused_and_a_deleted_one_makes_room() -> None:
    ten = [key(n) for n in range(1, 11)]
    assert organisation(*ten, key(11)).verdict_on("c11") is Outcome.LIMIT
    room = organisation(*ten, DeleteKey(**ask(20), org_id=903, key_id="k3"), key(11))
    assert room.verdict_on("c11") is Outcome.ACCEPTED
    assert [each.key_id for each in room.keys][-2:] == ["k10", "k11"]


def test_a_key_is_switched_off_and_on_with_its_value_kept() -> None:
    off = organisation(key(1), SetKeyActive(**ask(2), org_id=903, key_id="k1", active=False))
    assert off.keys == (ApiKey(key_id="k1", key_hash="h1", prefix="abcde", active=False, created_at_ms=1_001),)
    on = organisation(
        key(1),
        SetKeyActive(**ask(2), org_id=903, key_id="k1", active=False),
        SetKeyActive(**ask(3), org_id=903, key_id="k1", active=True),
    )
    assert on.keys[0].active


@pytest.mark.parametrize(
    "message",
    [SetKeyActive(**ask(1), org_id=903, key_id="k9", active=True), DeleteKey(**ask(1), org_id=903, key_id="k9")],
)
def test_an_unknown_key_is_named_so(message: CatalogMessage) -> None:
    assert organisation(message).verdict_on("c1") is Outcome.UNKNOWN


def test_an_update_changes_what_is_given_and_leaves_the_rest() -> None:
    record = run(
        CreateEvent(**ask(0), event_id=456, org_id=903, event_name="Autumn Run", event_slug="autumn"),
        UpdateEvent(**ask(1), event_id=456, event_name="Winter Run", flags=EventFlags(video_search=False)),
    )
    assert isinstance(record, EventRecord)
    assert (record.event_name, record.event_slug, record.settings) == ("Winter Run", "autumn", ClipSettings())
    assert not record.flags.video_search


@pytest.mark.parametrize(
    "message", [key(1), UpdateEvent(**ask(1), event_id=456, event_name="x"), DeleteEvent(**ask(1), event_id=456)]
)
def test_a_command_about_nothing_changes_nothing(message: CatalogMessage) -> None:
    assert run(message) is None


def test_a_deleted_event_has_its_faces_removed_and_keeps_its_id() -> None:
    made = decide(None, CreateEvent(**ask(0), event_id=456, org_id=903, event_name="Autumn Run")).record
    delete = DeleteEvent(**ask(1), event_id=456)
    deleted = decide(made, delete)
    assert deleted.outputs == (RemoveEvent(event_id=456),)
    record = deleted.record
    assert isinstance(record, EventRecord)
    assert (record.deleted, record.event_name, record.org_id) == (True, None, 903)
    assert record.verdict_on("c0") is record.verdict_on("c1") is Outcome.ACCEPTED
    assert decide(record, delete).outputs == ()
    later = [
        UpdateEvent(**ask(2), event_id=456, event_name="x"),
        DeleteEvent(**ask(3), event_id=456),
        CreateEvent(**ask(4), event_id=456, org_id=903),
    ]
    for message in later:
        decision = decide(record, message)
        assert decision.outputs == ()
        record = decision.record
        assert isinstance(record, EventRecord)
        assert record.deleted
    assert [record.verdict_on(f"c{n}") for n in (2, 3, 4)] == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.CONFLICT]


def test_old_verdicts_are_forgotten() -> None:
    many = [SetKeyActive(**ask(n), org_id=903, key_id="none", active=True) for n in range(1, VERDICTS_KEPT + 2)]
    record = organisation(*many)
    assert len(record.verdicts) == VERDICTS_KEPT
    assert record.verdict_on("c1") is None

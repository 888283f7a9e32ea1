"""`spotclip provision` against real engines."""

import uuid
from pathlib import Path

import pytest

from infra.embedded.addresses import Addresses
from infra.local import engines_of
from tests.infra.cli.conftest import Spotclip

pytestmark = pytest.mark.engines


@pytest.fixture
def namespace(stack: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A deployment that nobody made yet, as the command's environment names it."""
    namespace = f"t-{uuid.uuid4().hex[:12]}"
    values = {
        **engines_of(stack),
        "SPOTCLIP_NAMESPACE": namespace,
        "SPOTCLIP_PUBLIC_BASE": "http://127.0.0.1:8000",
        "SPOTCLIP_DATA": str(tmp_path),
        "SPOTCLIP_CACHE": str(tmp_path),
        "SPOTCLIP_RECORD_PARTITIONS": "1",
        "SPOTCLIP_WORK_PARTITIONS": "1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return namespace


def test_it_says_what_it_made_and_a_repeat_changes_nothing(spotclip: Spotclip, namespace: str) -> None:
    """To people and to programs."""
    first = spotclip("provision", "--json")
    assert first.code == 0, first.err
    changes = first.json["changes"]
    assert any(f"topic {namespace}.searches.v1" in change for change in changes)
    assert f"{len(changes)} changed." in first.err
    again = spotclip("provision")
    assert (again.code, again.out) == (0, "Nothing to change.\n")


@pytest.mark.usefixtures("namespace")
def test_what_cannot_be_made_is_one_sentence(spotclip: Spotclip, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three copies need three brokers; here is one."""
    monkeypatch.setenv("SPOTCLIP_KAFKA_REPLICATION", "3")
    ran = spotclip("provision", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("spotclip: ")
    assert len(ran.err.splitlines()) == 1

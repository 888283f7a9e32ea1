"""The committed lock and the rules by which it is made."""

import re

import pytest

from infra.embedded.errors import EmbeddedError
from infra.embedded.jars import Jar, read_lock
from infra.embedded.lock_jars import LOCK, ROOTS, merge, render


def jar(artifact: str, version: str) -> Jar:
    return Jar(group="org.example", artifact=artifact, version=version, sha256="0" * 64, size_bytes=1)


def test_two_versions_of_one_jar_are_refused() -> None:
    with pytest.raises(EmbeddedError, match=r"^b needs org.example:x 2, another root needs 1; .*$"):
        merge([("a", [jar("x", "1")]), ("b", [jar("x", "2")])])


def test_one_jar_of_two_roots_is_kept_once() -> None:
    merged = merge([("a", [jar("y", "1"), jar("x", "1")]), ("b", [jar("x", "1")])])
    assert [item.artifact for item in merged] == ["x", "y"]


def test_the_committed_lock_is_in_the_tools_own_form() -> None:
    jars = read_lock(LOCK)
    assert len(jars) == 46
    assert render(merge([("lock", jars)])) == LOCK.read_text()
    assert all(re.fullmatch("[0-9a-f]{64}", item.sha256) for item in jars)
    assert len({item.file_name for item in jars}) == len(jars)


def test_the_committed_lock_holds_the_roots() -> None:
    assert set(ROOTS) <= {item.coordinate for item in read_lock(LOCK)}

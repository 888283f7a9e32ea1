"""`spotclip models` as its user sees it."""

from pathlib import Path

import pytest

from streams.vision.models.model_set import ModelSet
from tests.infra.cli.conftest import Spotclip
from tests.streams.conftest import model_set

__all__ = ["model_set"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPOTCLIP_CACHE", str(tmp_path))
    monkeypatch.delenv("SPOTCLIP_DETECTOR", raising=False)
    monkeypatch.delenv("SPOTCLIP_EMBEDDER", raising=False)
    return tmp_path / "models"


def test_what_is_chosen_is_built_and_then_listed_as_whole(spotclip: Spotclip, cache: Path) -> None:
    built = spotclip("models", "build", "--json").json
    assert built["folder"] == str(cache)
    assert built["detector"] == "yunet"
    listed = {model["name"]: model for model in spotclip("models", "list", "--json").json}
    assert {name for name, model in listed.items() if model["in_use"]} == {"yunet", "dlib-five-points", "dlib-resnet"}
    assert listed["yunet"]["state"] == listed["dlib-resnet"]["state"] == "whole"
    assert listed["blazeface"]["state"] == "not built"
    wanted = {"role", "package", "version", "licence", "source_sha256", "sha256", "size_bytes"}
    assert all(wanted <= set(model) for model in listed.values())


def test_the_table_names_every_model_and_licence(spotclip: Spotclip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    table = spotclip("models", "list").out
    for word in ("yunet", "blazeface", "hog", "dlib-resnet", "BSD-3-Clause", "Apache-2.0", "CC0-1.0", "BSL-1.0"):
        assert word in table


def test_an_own_file_that_does_not_fit_is_refused_in_one_sentence(
    spotclip: Spotclip, model_set: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A detector in an embedder's place."""
    monkeypatch.setenv("SPOTCLIP_EMBEDDER", str(model_set.detector))
    ran = spotclip("models", "build")
    assert ran.code == 1
    assert ran.err.startswith("spotclip: The model file ")
    assert ran.err.endswith("an embedder takes uint8 [n, 150, 150, 3] and gives float32 [n, 128].\n")

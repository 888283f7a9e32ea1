"""Reads the layers out of dlib's serialised face recognition network (`anet_type`)."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# dlib writes a string as its length (an integer: one control byte, then the bytes of the number) and its characters;
# a layer begins with its tag.
_TAG = re.compile(rb"\x01(?:\x05(con)_\d|\x07(affine)_|\x04(fc)_\d)")
_TENSOR_VERSION = 2


@dataclass(frozen=True)
class DlibLayers:
    """Flat parameters in the order from input to output.

    Each convolution holds its kernels [out, in, k, k] and then its biases [out], each affine layer its factors and then
    its offsets, `projection` is [in, out].
    """

    convolutions: list[Floats]
    affines: list[Floats]
    projection: Floats


def read_layers(data: bytes) -> DlibLayers:
    """Returns the layers of the network in `data`.

    Raises:
        ValueError: `data` is not such a file.
    """
    convolutions: list[Floats] = []
    affines: list[Floats] = []
    projection: Floats | None = None
    for tag in _TAG.finditer(data):
        if tag[1]:
            convolutions.append(_tensor(data, tag.end())[0])
        elif tag[2]:
            affines.append(_tensor(data, tag.end())[0])
        else:
            outputs, at = _integer(data, tag.end())
            inputs, at = _integer(data, at)
            projection = _tensor(data, at)[0].reshape(inputs, outputs)
    if projection is None or not convolutions:
        raise ValueError("no dlib network in the file")
    return DlibLayers(convolutions, affines, projection)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Decodes one integer: low four bits of the control byte count the bytes, its top bit is the sign."""
    control = data[at]
    end = at + 1 + (control & 0x0F)
    value = int.from_bytes(data[at + 1 : end], "little")
    return (-value if control & 0x80 else value), end


def _tensor(data: bytes, at: int) -> tuple[Floats, int]:
    version, at = _integer(data, at)
    if version != _TENSOR_VERSION:
        raise ValueError(f"tensor version {version} in the dlib file, expected {_TENSOR_VERSION}")
    count = 1
    for _ in range(4):
        size, at = _integer(data, at)
        count *= size
    return np.frombuffer(data, "<f4", count, at), at + 4 * count

"""dlib's face recognition ResNet (CC0, D. King, `dlib_face_recognition_resnet_model_v1`) as an ONNX graph.

The network is `anet_type` of dlib's `examples/dnn_face_recognition_ex.cpp`: 29 convolutions, each with an affine layer
(folded into it here), and a projection to 128 numbers, here onto its principal axes (`axes.py`): dlib's own vectors,
turned, with the same distances.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from streams.vision.models.axes import on_principal_axes
from streams.vision.models.dlib_file import DlibLayers, read_layers
from streams.vision.models.graph import GraphBuilder
from streams.vision.models.model_set import CHIP_PX, VECTOR_SIZE

# dlib's `input_rgb_image_sized`: these means are subtracted from R, G, B, and the rest divided by 256.
_MEAN_RGB = (122.782, 117.001, 104.298)
_STEM_CHANNELS = 32
# Side of the feature map behind the stem: (150 - 7) // 2 + 1 = 72, pooled (72 - 3) // 2 + 1 = 35.
_STEM_SIDE = 35
# Channels of each level and, per block, whether it halves the map.
_LEVELS: tuple[tuple[int, tuple[bool, ...]], ...] = (
    (32, (False, False, False)),
    (64, (True, False, False, False)),
    (128, (True, False, False)),
    (256, (True, False, False)),
    (256, (True,)),
)


def resnet_onnx(data: bytes) -> bytes:
    """Returns the ONNX model made of dlib's `.dat` file.

    Input `rgb`: uint8 [n, 150, 150, 3]. Output `vector`: float32 [n, 128], not normalised to unit length.

    Raises:
        ValueError: the bytes are not the expected file.
    """
    return _Resnet(read_layers(data)).build()


class _Resnet:
    def __init__(self, layers: DlibLayers) -> None:
        self.graph = GraphBuilder()
        self.layers: Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = iter(
            zip(layers.convolutions, layers.affines, strict=True)
        )
        self.projection = layers.projection

    def build(self) -> bytes:
        graph = self.graph
        x = graph.node("Transpose", [graph.node("Cast", ["rgb"], to=TensorProto.FLOAT)], perm=[0, 3, 1, 2])
        x = graph.node("Sub", [x, graph.constant(np.array(_MEAN_RGB, np.float32).reshape(1, 3, 1, 1))])
        x = graph.node("Mul", [x, graph.constant(np.array(1 / 256, np.float32))])
        x = graph.relu(self._conv(x, 3, _STEM_CHANNELS, kernel=7, stride=2))
        x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
        channels, side = _STEM_CHANNELS, _STEM_SIDE
        for out_channels, blocks in _LEVELS:
            for halves in blocks:
                if halves:
                    x, side = self._halving_block(x, channels, out_channels, side)
                else:
                    x = graph.relu(graph.node("Add", [x, self._two_convs(x, channels, out_channels, stride=1)]))
                channels = out_channels
        if next(self.layers, None) is not None:
            raise ValueError("the dlib file has more layers than the face recognition network")
        x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])])
        graph.node("MatMul", [x, graph.constant(on_principal_axes(self.projection))], output="vector")
        return graph.build("dlib_resnet", {"rgb": ["n", CHIP_PX, CHIP_PX, 3]}, {"vector": ["n", VECTOR_SIZE]})

    def _halving_block(self, x: str, channels: int, out_channels: int, side: int) -> tuple[str, int]:
        """The `residual_down` of dlib: its branches differ by a row and a column; the smaller gets zeros."""
        y = self._two_convs(x, channels, out_channels, stride=2)
        conv_side, pool_side = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        out_side = max(conv_side, pool_side)
        skip = self.graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
        skip = self._pad(skip, out_channels - channels, out_side - pool_side)
        y = self._pad(y, 0, out_side - conv_side)
        return self.graph.relu(self.graph.node("Add", [skip, y])), out_side

    def _two_convs(self, x: str, channels: int, out_channels: int, *, stride: int) -> str:
        y = self.graph.relu(self._conv(x, channels, out_channels, kernel=3, stride=stride))
        return self._conv(y, out_channels, out_channels, kernel=3, stride=1)

    def _conv(self, x: str, channels: int, out_channels: int, *, kernel: int, stride: int) -> str:
        flat, affine = next(self.layers)
        count = out_channels * channels * kernel * kernel
        if flat.size != count + out_channels or affine.size != 2 * out_channels:
            raise ValueError("a layer of the dlib file has another size than in the face recognition network")
        factors, offsets = affine[:out_channels], affine[out_channels:]
        weights = flat[:count].reshape(out_channels, channels, kernel, kernel) * factors[:, None, None, None]
        bias = flat[count:] * factors + offsets
        # dlib pads a convolution only where its stride is 1.
        return self.graph.conv(x, weights, bias, stride=stride, pad=kernel // 2 if stride == 1 else 0)

    def _pad(self, x: str, channels: int, side: int) -> str:
        if channels == 0 and side == 0:
            return x
        pads = self.graph.constant(np.array([0, 0, 0, 0, 0, channels, side, side], np.int64))
        return self.graph.node("Pad", [x, pads])

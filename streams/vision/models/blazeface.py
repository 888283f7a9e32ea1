"""BlazeFace, full range (Apache-2.0, Google), as an ONNX graph.

V. Bazarevsky et al.: "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs" (2019); the full-range model is
MediaPipe's. It comes as a TensorFlow Lite file with weights of 16 bits, which are widened to 32 here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite
from onnx import TensorProto

from streams.vision.models.graph import GraphBuilder
from streams.vision.models.tflite_file import Operator, TfliteGraph

TILE_PX = 192
STRIDE_PX = 4
POINTS = 6
_BOX_VALUES = 4 + 2 * POINTS
# MediaPipe feeds pixels as -1 to 1.
_HALF_RANGE = 127.5
_CHANNELS_FIRST = (0, 3, 1, 2)


def blazeface_onnx(data: bytes) -> bytes:
    """Returns the ONNX model made of the `.tflite` file.

    Input `bgr`: uint8 [n, 192, 192, 3], blue first. Output `pred`: float32 [n, 2304, 17], rows for the cells of stride
    4, row-major: score 0 to 1, x and y of the box's centre from the cell's centre, its width and height, then 6 points
    x, y from the cell's centre (eyes, tip of the nose, middle of the mouth, ears; left in the picture first), in px.

    Raises:
        ValueError: the bytes are not the expected file.
    """
    graph = TfliteGraph(data)
    if [graph.shape(tensor) for tensor in graph.inputs] != [(1, TILE_PX, TILE_PX, 3)]:
        raise ValueError("the TensorFlow Lite file is not BlazeFace full range")
    return _Converter(graph).build()


class _Converter:
    def __init__(self, source: TfliteGraph) -> None:
        self.source = source
        self.graph = GraphBuilder()
        self.names: dict[int, str] = {}
        self.widened: dict[int, npt.NDArray[np.float32]] = {}

    def build(self) -> bytes:
        graph = self.graph
        pixels = graph.node("Transpose", [graph.node("Cast", ["bgr"], to=TensorProto.FLOAT)], perm=_CHANNELS_FIRST)
        red_first = graph.node("Gather", [pixels, graph.constant(np.array([2, 1, 0], np.int64))], axis=1)
        scaled = graph.node("Mul", [red_first, graph.constant(np.array(1 / _HALF_RANGE, np.float32))])
        self.names[self.source.inputs[0]] = graph.node("Sub", [scaled, graph.constant(np.array(1, np.float32))])
        kinds: dict[str, Callable[[Operator], str]] = {
            "CONV_2D": self._conv,
            "DEPTHWISE_CONV_2D": self._depthwise,
            "RELU": lambda operator: graph.relu(self._input(operator)),
            "ADD": self._add,
            "PAD": self._pad,
            "MAX_POOL_2D": self._max_pool,
            "RESIZE_BILINEAR": self._double,
            "RESHAPE": self._rows,
        }
        for operator in self.source.operators():
            if operator.name == "DEQUANTIZE":
                self.widened[operator.output] = self._constant(operator.inputs[0]).astype(np.float32)
            elif operator.name in kinds:
                self.names[operator.output] = kinds[operator.name](operator)
            else:
                _must(operator.name in kinds, f"an operator {operator.name}")
        by_width = {self.source.shape(tensor)[-1]: self.names[tensor] for tensor in self.source.outputs}
        if set(by_width) != {1, _BOX_VALUES}:
            raise ValueError("the TensorFlow Lite file has other outputs than BlazeFace full range")
        graph.node("Concat", [graph.node("Sigmoid", [by_width[1]]), by_width[_BOX_VALUES]], output="pred", axis=2)
        cells = (TILE_PX // STRIDE_PX) ** 2
        return graph.build("blazeface", {"bgr": ["n", TILE_PX, TILE_PX, 3]}, {"pred": ["n", cells, 1 + _BOX_VALUES]})

    def _input(self, operator: Operator) -> str:
        return self.names[operator.inputs[0]]

    def _constant(self, tensor: int) -> npt.NDArray[Any]:
        values = self.widened.get(tensor)
        found = values if values is not None else self.source.constant(tensor)
        if found is None:
            raise ValueError("the TensorFlow Lite file computes what should be a weight")
        return found

    def _conv(self, operator: Operator) -> str:
        kernel = self._constant(operator.inputs[1]).transpose(0, 3, 1, 2)  # stored [out, k, k, in]
        return self._convolution(operator, kernel, groups=1)

    def _depthwise(self, operator: Operator) -> str:
        kernel = self._constant(operator.inputs[1]).transpose(3, 0, 1, 2)  # stored [1, k, k, channels]
        return self._convolution(operator, kernel, groups=kernel.shape[0])

    def _convolution(self, operator: Operator, kernel: npt.NDArray[np.float32], *, groups: int) -> str:
        options = operator.options
        _must(options.StrideH() == options.StrideW(), "strides of two sizes")
        _must(options.FusedActivationFunction() == tflite.ActivationFunctionType.NONE, "an activation in a convolution")
        return self.graph.conv(
            self._input(operator),
            kernel,
            self._constant(operator.inputs[2]),
            stride=options.StrideH(),
            pad=None if options.Padding() == tflite.Padding.SAME else 0,
            groups=groups,
        )

    def _add(self, operator: Operator) -> str:
        fused = operator.options is not None and operator.options.FusedActivationFunction()
        _must(not fused, "an activation in a sum")
        return self.graph.node("Add", [self.names[tensor] for tensor in operator.inputs])

    def _pad(self, operator: Operator) -> str:
        amounts = self._constant(operator.inputs[1])[list(_CHANNELS_FIRST)]
        return self.graph.node(
            "Pad", [self._input(operator), self.graph.constant(amounts.T.reshape(-1).astype(np.int64))]
        )

    def _max_pool(self, operator: Operator) -> str:
        options = operator.options
        sizes = {options.FilterHeight(), options.FilterWidth(), options.StrideH(), options.StrideW()}
        _must(sizes == {2}, "pooling of another size than 2")
        return self.graph.node("MaxPool", [self._input(operator)], kernel_shape=[2, 2], strides=[2, 2])

    def _double(self, operator: Operator) -> str:
        options = operator.options
        mode = "half_pixel" if options.HalfPixelCenters() else "asymmetric"
        before, after = self.source.shape(operator.inputs[0]), self.source.shape(operator.output)
        doubles = after[1:3] == (2 * before[1], 2 * before[2])
        _must(doubles and not options.AlignCorners(), "resizing other than to the double")
        scales = self.graph.constant(np.array([1, 1, 2, 2], np.float32))
        return self.graph.node(
            "Resize", [self._input(operator), "", scales], mode="linear", coordinate_transformation_mode=mode
        )

    def _rows(self, operator: Operator) -> str:
        """One row for each cell of a feature map, as TensorFlow lays them out."""
        cells_last = self.graph.node("Transpose", [self._input(operator)], perm=[0, 2, 3, 1])
        width = self.source.shape(operator.output)[-1]
        return self.graph.node("Reshape", [cells_last, self.graph.constant(np.array([0, -1, width], np.int64))])


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - private, reads as a sentence
    if not holds:
        raise ValueError(f"the TensorFlow Lite file has {otherwise}, which is not converted here")

"""YuNet, the face detector of libfacedetection (BSD-3-Clause), as an ONNX graph.

W. Wu, H. Peng, S. Yu: "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20 (2023). The
weights are exported symbols of the library's compiled form, with batch normalisation already folded in.
"""

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from streams.vision.models.elf import float_symbols
from streams.vision.models.graph import GraphBuilder

Weights = dict[str, npt.NDArray[np.float32]]

_BACKBONE_STAGES = 5
_FIRST_PYRAMID_STAGE = 3
_POOLED_STAGES = (2, 3, 4)
# The library stores the first layer's 3 x 3 x 3 kernel padded from 27 to 32 floats for its vector unit.
_STEM_ROW_FLOATS = 32
_STEM_USED_FLOATS = 27


def yunet_onnx(library: bytes) -> bytes:
    """Returns the ONNX model made of the weights inside libfacedetection.

    Input `bgr`: uint8 [1, H, W, 3], H and W multiples of 32. Output `pred`: float32 [1, N, 15], rows for the cells of
    strides 8, 16 and 32 in turn, row-major: score, dx, dy, log w, log h, then 5 points x, y, all in strides.

    Raises:
        ValueError: the bytes are not the expected library.
    """
    net = _Yunet(float_symbols(library, ("_weight", "_bias")))
    try:
        return net.build()
    except KeyError as missing:
        raise ValueError(f"the library has no symbol {missing}") from missing


class _Yunet:
    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.graph = GraphBuilder()

    def build(self) -> bytes:
        graph = self.graph
        pixels = graph.node("Transpose", [graph.node("Cast", ["bgr"], to=TensorProto.FLOAT)], perm=[0, 3, 1, 2])
        pyramid = self._backbone(self._stem(pixels))
        rows: list[str] = []
        x = ""
        for level in reversed(range(len(pyramid))):
            x = graph.node("Add", [self._double(x), pyramid[level]]) if x else pyramid[level]
            x = self._separable(x, f"neck__lateral_convs__{level}")
            rows.append(self._head(x, level))
        graph.node("Concat", rows[::-1], output="pred", axis=1)
        return graph.build("yunet", {"bgr": [1, "h", "w", 3]}, {"pred": [1, "n", 15]})

    def _stem(self, x: str) -> str:
        bias = self.weights["backbone__model0_pw_bias"]
        rows = self.weights["backbone__model0_pw_weight"].reshape(len(bias), _STEM_ROW_FLOATS)[:, :_STEM_USED_FLOATS]
        kernel = rows.reshape(-1, 3, 3, 3).transpose(0, 3, 1, 2)  # stored (y, x, channel)
        x = self.graph.relu(self.graph.conv(x, kernel, bias, stride=2, pad=1))
        return self._halve(self._separable(x, "backbone__model0_dp"))

    def _backbone(self, x: str) -> list[str]:
        pyramid = []
        for stage in range(1, _BACKBONE_STAGES + 1):
            x = self._separable(x, f"backbone__model{stage}_dp1")
            x = self._separable(x, f"backbone__model{stage}_dp2")
            if stage >= _FIRST_PYRAMID_STAGE:
                pyramid.append(x)
            if stage in _POOLED_STAGES:
                x = self._halve(x)
        return pyramid

    def _head(self, x: str, level: int) -> str:
        graph = self.graph

        def branch(kind: str) -> str:
            return self._depthwise(x, f"bbox_head__multi_level_{kind}__{level}")

        class_score = graph.node("Sigmoid", [branch("cls")])
        object_score = graph.node("Sigmoid", [branch("obj")])
        score = graph.node("Sqrt", [graph.node("Mul", [class_score, object_score])])
        joined = graph.node("Concat", [score, branch("bbox"), branch("kps")], axis=1)
        cells_last = graph.node("Transpose", [joined], perm=[0, 2, 3, 1])
        return graph.node("Reshape", [cells_last, graph.constant(np.array([1, -1, 15], np.int64))])

    def _separable(self, x: str, name: str) -> str:
        return self.graph.relu(self._depthwise(x, name))

    def _depthwise(self, x: str, name: str) -> str:
        bias = self.weights[f"{name}_pw_bias"]
        kernel = self.weights[f"{name}_pw_weight"].reshape(len(bias), -1, 1, 1)
        x = self.graph.conv(x, kernel, bias)
        bias = self.weights[f"{name}_dw_bias"]
        kernel = self.weights[f"{name}_dw_weight"].reshape(9, len(bias)).T.reshape(len(bias), 1, 3, 3)
        return self.graph.conv(x, kernel, bias, pad=1, groups=len(bias))

    def _halve(self, x: str) -> str:
        return self.graph.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])

    def _double(self, x: str) -> str:
        scales = self.graph.constant(np.array([1, 1, 2, 2], np.float32))
        return self.graph.node(
            "Resize",
            [x, "", scales],
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )

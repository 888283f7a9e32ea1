"""A small writer of ONNX graphs: constants and nodes get names in order, so equal input gives equal bytes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
# The oldest IR version that opset 17 asks for; every ONNX Runtime of the supported range reads it.
IR_VERSION = 8


class GraphBuilder:
    """Collects nodes and constants; tensors are referred to by the names that the methods return."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Adds a constant tensor and returns its name."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], *, output: str = "", **attributes: Any) -> str:  # noqa: ANN401 - ONNX attributes are ints, strings or lists of them
        """Adds a node with one output and returns the output's name (`output`, or a running number)."""
        output = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def relu(self, x: str) -> str:
        """Adds a rectifier."""
        return self.node("Relu", [x])

    def conv(
        self,
        x: str,
        weights: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
        *,
        stride: int = 1,
        pad: int | None = 0,
        groups: int = 1,
    ) -> str:
        """Adds a convolution; `weights` is [out, in / groups, k, k], `bias` [out].

        `pad` None pads as TensorFlow's SAME does: to a side of ceil(side / stride), the odd pixel at the end.
        """
        padding: dict[str, Any] = {"auto_pad": "SAME_UPPER"} if pad is None else {"pads": [pad] * 4}
        return self.node(
            "Conv",
            [x, self.constant(weights.astype(np.float32)), self.constant(bias.astype(np.float32))],
            kernel_shape=list(weights.shape[2:]),
            strides=[stride, stride],
            group=groups,
            **padding,
        )

    def build(self, name: str, inputs: dict[str, list[int | str]], outputs: dict[str, list[int | str]]) -> bytes:
        """Serialises the graph; inputs are uint8 and outputs float32, strings in a shape are free dimensions."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(key, TensorProto.UINT8, shape) for key, shape in inputs.items()],
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised

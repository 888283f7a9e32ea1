"""YuNet's built model in the form in which OpenCV's model zoo publishes it: planes of floats in, twelve tensors out."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from streams.vision.detectors.yunet import STRIDES

# Columns of a row of ours; the zoo's two scores are multiplied before the root, so that the score twice gives itself.
_COLUMNS = {"cls": (0, 1), "obj": (0, 1), "bbox": (1, 5), "kps": (5, 15)}


def write_zoo_model(built: Path, path: Path, *, side: int | None) -> Path:
    """Writes the model to `path`; its input is `side` px square as in the published file, or free."""
    model = onnx.load(built)
    graph = model.graph
    cast, transpose, *nodes, concat = graph.node
    assert (cast.op_type, transpose.op_type, concat.op_type) == ("Cast", "Transpose", "Concat")
    for node in nodes:
        node.input[:] = ["input" if name == transpose.output[0] else name for name in node.input]
    outputs = []
    for stride, rows in zip(STRIDES, concat.input, strict=True):
        for kind, (first, end) in _COLUMNS.items():
            bounds = [f"{kind}_{stride}_{name}" for name in ("first", "end", "axis")]
            for name, value in zip(bounds, (first, end, 2), strict=True):
                graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [1], [value]))
            nodes.append(helper.make_node("Slice", [rows, *bounds], [f"{kind}_{stride}"]))
            outputs.append(helper.make_tensor_value_info(f"{kind}_{stride}", TensorProto.FLOAT, [1, None, end - first]))
    shape = [1, 3, side or "h", side or "w"]
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)
    zoo = helper.make_graph(nodes, "zoo", [given], outputs, graph.initializer)
    onnx.save(helper.make_model(zoo, opset_imports=model.opset_import, ir_version=model.ir_version), path)
    return path

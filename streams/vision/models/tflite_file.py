"""Reads the one graph of a TensorFlow Lite file: operators in order, their options, and the constant tensors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

Floats = npt.NDArray[np.float32]

_IDENTIFIER = b"TFL3"
_IDENTIFIER_AT = slice(4, 8)
_DTYPES = {
    tflite.TensorType.FLOAT32: "<f4",
    tflite.TensorType.FLOAT16: "<f2",
    tflite.TensorType.INT32: "<i4",
}
_NAMES: dict[int, str] = {
    number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)
}


@dataclass(frozen=True)
class Operator:
    """One operator: its name as in the schema (`CONV_2D`), numbers of its tensors, and its table of options or None."""

    name: str
    inputs: tuple[int, ...]
    output: int
    options: Any


class TfliteGraph:
    """The first subgraph of a file; tensors are known by number, pictures are [n, H, W, channels]."""

    def __init__(self, data: bytes) -> None:
        """Reads the file.

        Raises:
            ValueError: `data` is no TensorFlow Lite file.
        """
        if data[_IDENTIFIER_AT] != _IDENTIFIER:
            raise ValueError("no TensorFlow Lite file")
        self._model = tflite.Model.GetRootAs(data, 0)
        self._graph = self._model.Subgraphs(0)
        self.inputs: tuple[int, ...] = tuple(self._graph.InputsAsNumpy().tolist())
        self.outputs: tuple[int, ...] = tuple(self._graph.OutputsAsNumpy().tolist())

    def operators(self) -> Iterator[Operator]:
        """Yields the operators in the order they run."""
        for index in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(index)
            code = self._model.OperatorCodes(operator.OpcodeIndex())
            # Files of before 2020 keep the number in the narrow field alone, newer ones in both where it fits.
            name = _NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            inputs = tuple(operator.InputsAsNumpy().tolist())
            yield Operator(name, inputs, int(operator.Outputs(0)), _options(operator))

    def shape(self, tensor: int) -> tuple[int, ...]:
        """The tensor's shape, with a batch of one."""
        return tuple(self._graph.Tensors(tensor).ShapeAsNumpy().tolist())

    def constant(self, tensor: int) -> npt.NDArray[Any] | None:
        """The tensor's values where the file holds them, else None.

        Raises:
            ValueError: the values have a type that is not read here.
        """
        table = self._graph.Tensors(tensor)
        buffer = self._model.Buffers(table.Buffer())
        if buffer.DataLength() == 0:
            return None
        dtype = _DTYPES.get(table.Type())
        if dtype is None:
            raise ValueError(f"tensor {tensor} has type {table.Type()}, which is not read here")
        return np.frombuffer(buffer.DataAsNumpy().tobytes(), dtype).reshape(self.shape(tensor))


def _options(operator: Any) -> Any:  # noqa: ANN401 - generated tables, one class for each operator
    table = operator.BuiltinOptions()
    if table is None:
        return None
    kinds = {number: name for name, number in vars(tflite.BuiltinOptions).items() if isinstance(number, int)}
    options = getattr(tflite, kinds[operator.BuiltinOptionsType()])()
    options.Init(table.Bytes, table.Pos)
    return options

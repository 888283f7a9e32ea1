import cv2
import numpy as np
import numpy.typing as npt
import pytest

from streams.vision.models.blazeface import TILE_PX, blazeface_onnx
from streams.vision.models.sources import BLAZEFACE
from streams.vision.models.tflite_file import TfliteGraph
from streams.vision.session import open_session
from tests.streams.vision.pictures import photo

Floats = npt.NDArray[np.float32]


def padded(x: Floats, kernel: int, stride: int) -> Floats:
    """TensorFlow's SAME: up to ceil(side / stride) windows, the odd pixel at the end; of an even side."""
    total = max((-(-x.shape[0] // stride) - 1) * stride + kernel - x.shape[0], 0)
    amounts = (total // 2, total - total // 2)
    return np.pad(x, (amounts, amounts, (0, 0)))


def windows(x: Floats, kernel: int, stride: int) -> Floats:
    """[H, W, channels, k, k] under a kernel as it moves."""
    return np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (0, 1))[::stride, ::stride]


def doubled(x: Floats) -> Floats:
    """Bilinear, with the centres of pixels in their middle."""
    return cv2.resize(x, (2 * x.shape[1], 2 * x.shape[0]), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def reference(data: bytes, rgb: Floats) -> list[Floats]:
    """What the file says, operator by operator in numpy, without ONNX: its outputs for one picture [192, 192, 3]."""
    graph = TfliteGraph(data)
    known: dict[int, Floats] = {graph.inputs[0]: rgb}

    def value(tensor: int) -> Floats:
        if tensor not in known:
            constant = graph.constant(tensor)
            assert constant is not None
            known[tensor] = constant
        return known[tensor]

    for operator in graph.operators():
        first, *others = (value(tensor) for tensor in operator.inputs)
        options = operator.options
        match operator.name:
            case "DEQUANTIZE":
                out = first.astype(np.float32)
            case "CONV_2D" | "DEPTHWISE_CONV_2D":
                kernel, bias = others
                side, stride = kernel.shape[1], options.StrideH()
                x = windows(padded(first, side, stride), side, stride)
                sums = "hwcij,oijc->hwo" if operator.name == "CONV_2D" else "hwcij,qijc->hwc"
                out = np.einsum(sums, x, kernel, optimize=True) + bias
            case "RELU":
                out = np.maximum(first, 0)
            case "ADD":
                out = first + others[0]
            case "PAD":
                out = np.pad(first, others[0][1:].astype(int))
            case "MAX_POOL_2D":
                out = windows(first, 2, 2).max(axis=(3, 4))
            case "RESIZE_BILINEAR":
                assert options.HalfPixelCenters()
                out = doubled(first)
            case "RESHAPE":
                out = first.reshape(graph.shape(operator.output)[1:])
            case other:
                raise AssertionError(other)
        known[operator.output] = out.astype(np.float32)
    return [known[tensor] for tensor in graph.outputs]


def test_the_converted_model_computes_what_the_file_says() -> None:
    """Against LiteRT 2.3 the same rows came out equal to 6e-5 px (measured); here against plain arithmetic."""
    data = BLAZEFACE.read()
    tile = cv2.resize(photo("multi_face.jpg")[:, :667], (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
    boxes, logits = reference(data, (tile / 127.5 - 1).astype(np.float32))
    session = open_session(blazeface_onnx(data))
    bgr = np.ascontiguousarray(tile[..., ::-1]).astype(np.uint8)
    (rows, twin) = session.run(None, {"bgr": np.stack([bgr, bgr])})[0]
    np.testing.assert_allclose(rows[:, 1:], boxes, rtol=0, atol=1e-3)
    np.testing.assert_allclose(rows[:, :1], 1 / (1 + np.exp(-logits)), rtol=0, atol=1e-4)
    np.testing.assert_array_equal(rows, twin)
    assert (rows[:, 0] > 0.6).sum() >= 3


@pytest.mark.parametrize("junk", [b"", b"TFL3", bytes(100)])
def test_other_files_are_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="no TensorFlow Lite file"):
        blazeface_onnx(junk)


def test_another_model_of_the_package_is_refused() -> None:
    other = BLAZEFACE.locate().with_name("face_landmark.tflite").read_bytes()
    with pytest.raises(ValueError, match=r"not BlazeFace full range|not converted here"):
        blazeface_onnx(other)

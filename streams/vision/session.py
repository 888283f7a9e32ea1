"""ONNX Runtime sessions as every model here uses them."""

from pathlib import Path

import onnxruntime

_ERRORS_ONLY = 3


def open_session(model: Path) -> onnxruntime.InferenceSession:
    """Opens a model on the CPU with one thread: workers scale by processes, and one thread costs least per picture.

    `run` releases the interpreter lock. A session may be shared between threads.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

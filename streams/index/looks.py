"""Looks at whole pictures at times, and between them only where faces were before or after."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from streams.media.sample import Image, Region, Sample
from streams.vision.box import Box
from streams.vision.detect import Detection, FaceDetector, once
from streams.vision.policy import FacePolicy

# The detectors work on multiples of this many pixels.
_GRID_PX = 32


@dataclass(eq=False)
class Looks:
    """Finds the faces of samples that come in order of time.

    A face that is there for two samples is there in one that is looked at as a whole, or on both sides of one; then it
    is looked for between, near where it was. So a face is missed only where it shows for one sample alone, of which no
    clip is made.

    Attributes:
        detector: finds faces in a picture.
        policy: the recipe's numbers.
        step_ms: time from one sample to the next.
    """

    detector: FaceDetector
    policy: FacePolicy
    step_ms: float
    _between: list[Sample] = field(default_factory=list)

    def at(self, samples: Iterable[Sample]) -> Iterator[tuple[Sample, list[Detection]]]:
        """Yields each sample with its faces, boxes in full-size pixels; a few samples late."""
        every = max(1, int(self.policy.look_every_ms / self.step_ms))
        before: list[Detection] = []
        before_ms: int | None = None
        for sample in samples:
            late = before_ms is None or sample.time_ms - before_ms > 2 * every * self.step_ms
            if not late and len(self._between) < every - 1:
                self._between.append(sample)
                continue
            now = self._whole(sample)
            yield from self._looked_between(before, now)
            yield sample, now
            before, before_ms = now, sample.time_ms
        if self._between:
            last = self._between.pop()
            now = self._whole(last)
            yield from self._looked_between(before, now)
            yield last, now

    def _looked_between(
        self, before: Sequence[Detection], after: Sequence[Detection]
    ) -> Iterator[tuple[Sample, list[Detection]]]:
        boxes = [face.box for face in (*before, *after)]
        for sample in self._between:
            yield sample, self._near(sample, boxes) if boxes else []
        self._between.clear()

    def _whole(self, sample: Sample) -> list[Detection]:
        side_px = self._side_px(1)
        _, _, scale = sample.small_size(side_px)
        return self._detect(sample.bgr(side_px), scale)

    def _near(self, sample: Sample, boxes: Sequence[Box]) -> list[Detection]:
        """The faces near the boxes, large ones in smaller pictures; or all, where regions are most of the picture."""
        width, height, scale = sample.small_size(self._side_px(1))
        by_shrink = defaultdict(list)
        for box in boxes:
            by_shrink[self._shrink(box.width / scale)].append(box)
        regions = {shrink: self._regions(sample, shrink, boxes) for shrink, boxes in by_shrink.items()}
        pixels = sum(_area(region) for found in regions.values() for region in found)
        if pixels > self.policy.max_look_share * width * height:
            return self._whole(sample)
        faces = [
            face
            for shrink, found in sorted(regions.items())
            for region in found
            for face in self._part(sample, shrink, region)
        ]
        return faces if len(faces) < 2 else once(faces, self.policy.max_overlap)

    def _regions(self, sample: Sample, shrink: int, boxes: Sequence[Box]) -> list[Region]:
        width, height, scale = sample.small_size(self._side_px(shrink))
        return _joined([_region(box, self.policy.look_margin, scale, width, height) for box in boxes])

    def _part(self, sample: Sample, shrink: int, region: Region) -> list[Detection]:
        side_px = self._side_px(shrink)
        _, _, scale = sample.small_size(side_px)
        faces = self._detect(sample.bgr_part(side_px, region), scale)
        return [face.moved(region[0] * scale, region[1] * scale) for face in faces]

    def _side_px(self, shrink: int) -> int:
        """Longer side of the small pictures that the detector is given."""
        return round(self.policy.detect_side_px * self.detector.detail / shrink)

    def _shrink(self, width_px: float) -> int:
        """How many times smaller, in powers of two, a face of this width in the small picture may be looked for."""
        return 1 << max(0, int(math.log2(max(1.0, width_px / self.policy.enough_face_px))))

    def _detect(self, bgr: Image, scale: float) -> list[Detection]:
        return self.detector.detect(
            bgr, min_score=self.policy.min_score, max_overlap=self.policy.max_overlap, scale=scale
        )


def _region(box: Box, margin: float, scale: float, width: int, height: int) -> Region:
    """A box with its margin in the small picture, as large as the detector's grid asks."""
    side = box.width * (1 + 2 * margin) / scale
    (x0, x1), (y0, y1) = (
        _span(middle / scale, side, limit) for middle, limit in zip(box.center, (width, height), strict=True)
    )
    return x0, y0, x1, y1


def _span(middle: float, side: float, limit: int) -> tuple[int, int]:
    length = min(limit, -int(-side // _GRID_PX) * _GRID_PX)
    begin = min(max(0, round(middle - length / 2)), limit - length)
    return begin, begin + length


def _joined(regions: Iterable[Region]) -> list[Region]:
    """Regions of which no two overlap: those that do become one around both."""
    joined: list[Region] = []
    for region in regions:
        while overlapping := next((other for other in joined if _overlap(region, other)), None):
            joined.remove(overlapping)
            region = (  # noqa: PLW2901 - grows until it touches no other
                min(region[0], overlapping[0]),
                min(region[1], overlapping[1]),
                max(region[2], overlapping[2]),
                max(region[3], overlapping[3]),
            )
        joined.append(region)
    return joined


def _overlap(a: Region, b: Region) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _area(region: Region) -> int:
    return (region[2] - region[0]) * (region[3] - region[1])

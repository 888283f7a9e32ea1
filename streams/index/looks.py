"""Looks at whole pictures at times, and between them only where faces were before or after."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, pairwise

from streams.media.sample import Image, Region, Sample
from streams.vision.box import Box
from streams.vision.detect import Detection, FaceDetector, once
from streams.vision.policy import FacePolicy

# The detectors work on multiples of this many pixels.
_GRID_PX = 32


@dataclass(eq=False)
class _Looked:
    """A sample and the faces found in it so far, boxes in full-size pixels."""

    sample: Sample
    faces: list[Detection]


@dataclass(eq=False)
class Looks:
    """Finds the faces of samples that come in order of time.

    A face that is there for two samples is there in one that is looked at as a whole, or on both sides of one; then it
    is looked for between, near where it was. Where a sample still lacks a face that one beside it has, it is looked for
    there once more, larger: small and tilted faces are not found in every picture, and who was found once is followed
    both ways. Whole pictures are looked at in two sizes in turn: who passes quickly is near the camera and large, and
    who is far away stays in view for longer.

    Attributes:
        detector: finds faces in a picture.
        policy: the recipe's numbers.
        step_ms: time from one sample to the next.
    """

    detector: FaceDetector
    policy: FacePolicy
    step_ms: float
    _between: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sides_px = cycle((self.policy.detect_side_px, self.policy.quick_side_px))

    def at(self, samples: Iterable[Sample]) -> Iterator[tuple[Sample, list[Detection]]]:
        """Yields each sample with its faces, boxes in full-size pixels; a few samples late."""
        every = max(1, int(self.policy.look_every_ms / self.step_ms))
        before: _Looked | None = None
        for sample in samples:
            late = before is None or sample.time_ms - before.sample.time_ms > 2 * every * self.step_ms
            if not late and len(self._between) < every - 1:
                self._between.append(sample)
                continue
            after = _Looked(sample, self._whole(sample, next(self._sides_px)))
            yield from self._until(after, before)
            before = after
        if self._between:
            last = self._between.pop()
            after = _Looked(last, self._whole(last, next(self._sides_px)))
            yield from self._until(after, before)
            before = after
        if before is not None:
            yield before.sample, before.faces

    def _until(self, after: _Looked, before: _Looked | None) -> Iterator[tuple[Sample, list[Detection]]]:
        """The whole look before and the samples between: only now that the one after is known are they complete."""
        if before is None:
            return
        boxes = [face.box for face in (*before.faces, *after.faces)]
        between = [_Looked(sample, self._near(sample, boxes, self.policy.enough_face_px)) for sample in self._between]
        self._between.clear()
        looked = [before, *between, after]
        for one, beside in (*pairwise(looked), *pairwise(reversed(looked))):
            self._follow(one, beside)
        for each in looked[:-1]:
            yield each.sample, each.faces

    def _follow(self, one: _Looked, beside: _Looked) -> None:
        """Looks in a sample for those faces of the one beside it that it lacks."""
        lacking = [face.box for face in one.faces if not any(_is_near(face.box, other.box) for other in beside.faces)]
        if found := self._near(beside.sample, lacking, self.policy.follow_face_px):
            beside.faces = once([*beside.faces, *found], self.policy.max_overlap)

    def _whole(self, sample: Sample, long_side_px: float) -> list[Detection]:
        side_px = round(long_side_px * self.detector.detail)
        _, _, scale = sample.small_size(side_px)
        return self._detect(sample.bgr(side_px), scale)

    def _near(self, sample: Sample, boxes: Sequence[Box], face_px: float) -> list[Detection]:
        """The faces near the boxes, in pictures where they are this wide; or all, where that is most of the picture."""
        by_side = defaultdict(list)
        for box in boxes:
            by_side[self._side_px(sample, box.width, face_px)].append(box)
        regions = {side_px: self._regions(sample, side_px, alike) for side_px, alike in by_side.items()}
        pixels = sum(_area(region) for found in regions.values() for region in found)
        width, height, _ = sample.small_size(round(self.policy.detect_side_px * self.detector.detail))
        if pixels > self.policy.max_look_share * width * height:
            return self._whole(sample, self.policy.detect_side_px)
        faces = [
            face
            for side_px, found in sorted(regions.items())
            for region in found
            for face in self._part(sample, side_px, region)
        ]
        return faces if len(faces) < 2 else once(faces, self.policy.max_overlap)

    def _side_px(self, sample: Sample, width_px: float, face_px: float) -> int:
        """Longer side of the picture, halved from full size, in which a face of this width is still `face_px` wide."""
        halvings = max(0, int(math.log2(max(1.0, width_px / (face_px * self.detector.detail)))))
        return round(max(sample.size) / (1 << halvings))

    def _regions(self, sample: Sample, side_px: int, boxes: Sequence[Box]) -> list[Region]:
        width, height, scale = sample.small_size(side_px)
        return _joined([_region(box, self.policy.look_margin, scale, width, height) for box in boxes])

    def _part(self, sample: Sample, side_px: int, region: Region) -> list[Detection]:
        _, _, scale = sample.small_size(side_px)
        faces = self._detect(sample.bgr_part(side_px, region), scale)
        return [face.moved(region[0] * scale, region[1] * scale) for face in faces]

    def _detect(self, bgr: Image, scale: float) -> list[Detection]:
        return self.detector.detect(
            bgr, min_score=self.policy.min_score, max_overlap=self.policy.max_overlap, scale=scale
        )


def _is_near(one: Box, other: Box) -> bool:
    """Whether two boxes of neighbouring samples may be one face: their middles are within a width."""
    (x0, y0), (x1, y1) = one.center, other.center
    return max(abs(x0 - x1), abs(y0 - y1)) < max(one.width, other.width)


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

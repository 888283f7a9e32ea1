"""The numbers of the face recipe, in one frozen place each, with their sources.

Where a source says "measured", it was on a small labelled set of faces of 36 to 400 px in 12 short clips, on 2 cores
without a GPU.
"""

from dataclasses import dataclass

# Long sides of the detector's pictures for far faces.
FAR_SIDE_PX, FAR_QUICK_SIDE_PX = 1920, 960


@dataclass(frozen=True)
class FacePolicy:
    """What counts as a face in a video, and how faces become tracks."""

    # Long sides of the detector's pictures in whole looks, the first and the second in turn. On docs/accuracy.md's set
    # recall of all who pass was .861 with 1280 and 640 in turn, .826 with 960 always, for 2 % more time (measured).
    detect_side_px: int = 1280
    quick_side_px: int = 640
    # Low, since the second look has the last word. From .45 to .35 a third of those whose faces were never found came
    # in (18 searches of 486 to 12, 26 to 16 with other dice), for 1 % more time (measured on the same set).
    min_score: float = 0.35
    # Two boxes are one face where their overlap covers this part of the smaller one.
    max_overlap: float = 0.5
    # A whole picture is looked at this often; between, only where a face was on either side of it, with this margin (in
    # widths of the face: a runner moves by up to one from sample to sample), unless that is most of the picture.
    look_every_ms: int = 400
    look_margin: float = 1.0
    max_look_share: float = 0.5
    # Between, a face is looked for in a picture in which it is still this wide: all faces of 40 px are found (those of
    # 80 px in a 1080p frame at 960, docs/models.md).
    enough_face_px: float = 40.0
    # One that a sample lacks and a neighbour has is looked for twice as large, as far as the source has the pixels:
    # searches with a clip too short fell from 14 to 3 of 486, for no time where faces are found (measured).
    follow_face_px: float = 80.0
    # Under this width in the source's own pixels an embedding says too little (measured).
    min_face_px: float = 36.0
    # Second look: the detector again on the upright chip. Removed 23 of 23 non-faces and 5.5 % of true faces, most of
    # which were too far from their person's selfie to be found anyway (measured).
    min_second_score: float = 0.6
    max_second_error_px: float = 20.0
    # A face belongs to a track seen at most this long ago ...
    max_link_gap_ms: int = 1_010
    # ... or this many sampling steps ago, where sampling is slow.
    max_link_steps: float = 1.5
    # ... near its last place (in widths of the face), of about its size, and of nearly its vector (measured).
    max_link_dx: float = 1.2
    max_link_dy: float = 1.0
    max_link_size_ratio: float = 2.0
    max_link_distance: float = 0.55
    # At most so many samples in a row are linked by place alone, before one is read: with 6 of 7 unread a stretch of
    # 1.4 seconds is known by both its ends.
    max_unread: int = 6
    # An unread face is read for its looks where the detector gives it so many times the worst kept of its track.
    min_promise_gain: float = 1.03
    # How far from the expected place (in widths of the face), and how much larger or smaller, a face may be to be
    # linked unread; a runner who comes nearer grows by a tenth from one sample to the next.
    max_unread_shift: float = 0.6
    max_unread_size_ratio: float = 1.4
    # Best faces kept of a track, by second score and size; above `full_size_px` size says nothing more (measured:
    # 139 faces became 37 stored vectors).
    faces_per_track: int = 3
    full_size_px: float = 80.0
    size_weight: float = 0.25


def face_policy(*, far_faces: bool) -> FacePolicy:
    """The policy for an event's videos; `far_faces` is its setting."""
    return FacePolicy(detect_side_px=FAR_SIDE_PX, quick_side_px=FAR_QUICK_SIDE_PX) if far_faces else FacePolicy()


@dataclass(frozen=True)
class SelfiePolicy:
    """What counts as a usable selfie, and how its vector is averaged."""

    # Long side of the detector's picture. Of 16 heads in a street of 3200 px it found 12 at a face of 100 px and none
    # at 60; where nothing usable is found, a second look of 960 px finds all of both, for 35 ms a turn (measured).
    detect_side_px: int = 320
    second_side_px: int = 960
    min_score: float = 0.6
    max_overlap: float = 0.5
    # Second looks cost 3 ms each; who searches is among the largest faces of a group.
    max_faces: int = 5
    # How much better (first times second score) a face must look in another quarter turn. 16 heads, as they are,
    # blurred, small, dim and tilted by up to 30 degrees: the right turn led by .055 or more while they were sharp, and
    # fell behind by up to .015 in 1 of 16 at a tilt of 15 degrees (measured).
    min_turn_gain: float = 0.03
    # Sixteen sharp faces scaled down: at 56 px their vectors had moved by .14 (worst .19), at 37 px by .21 (.33), at
    # 28 px by .29 (.55): up to about .33 the same person is still found (measured).
    min_face_px: float = 40.0
    # Share of the face that lies within the picture. Of 137 faces that were cut off at the side or the chin and passed
    # the second look, 13 had moved by more than .35; of the 114 among them that show .8 and more, 4 (measured).
    min_shown: float = 0.8
    # A face whose light parts (95th percentile of grey) are darker is brightened up to this. The same faces at a third
    # of their light: their vectors had moved by .15 (worst .33), brightened by .05 (.09); at an eighth by .28 (.46) and
    # .11 (.16); faces in full light stay as they are (measured).
    full_light: float = 160.0
    # At a sixteenth of their light (10 of 255) brightened faces had moved by .20 (.29), at half of that by .32 (.51).
    min_light: float = 8.0
    min_second_score: float = 0.6
    max_second_error_px: float = 20.0
    # Variance of the Laplacian of the grey 150 px chip, the best number for blur (rank correlation -.89 with how far a
    # vector had moved). Sixteen faces under growing Gaussian blur: of 66 at 6 and above 8 had moved by more than .35
    # (worst .44), of 94 below 6 five by less than .30; unblurred they had 129 to 727 (measured).
    min_sharpness: float = 6.0
    max_megapixels: float = 50.0
    # Mean over this many jittered crops, every second one mirrored: misses at a false match rate of 0.001 fell from
    # 20.6 to 11.5 % on a hard set (measured, together with the second look).
    crops: int = 40
    max_turn_deg: float = 6.0
    max_scale: float = 0.10
    max_shift_px: float = 6.0
    seed: int = 1

"""The chart and the page, from made-up figures."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.accuracy.chart import HEIGHT, WIDTH, Axis, Line, Panel, svg
from bench.accuracy.measure import Measures, Row
from bench.accuracy.publish import write_docs
from bench.accuracy.score import Miss
from bench.accuracy.statistics import Rate
from bench.accuracy.tables import figures

SVG = "{http://www.w3.org/2000/svg}"
RATE = Rate(0.5, 0.4, 0.625)
PAGE = "# Title\n\n<!-- figures: written by the bench -->\nwhat was here\n<!-- end of figures -->\n\nEnd\n"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own


def measures(recipe: str) -> Measures:
    return Measures(
        recipe=recipe, max_distance=0.5, people=41, selfies=81, passes=246, searches=1_539, comparisons=30_000,
        recall_s=RATE, recall_s_from_60_px=RATE, precision_s=RATE, false_clips=3, false_clips_per_1000=Rate(1, 0, 2),
        false_match_rate=RATE, fnmr={1e-2: (0.55, RATE), 1e-3: (0.48, RATE)},
        rows=(Row("36-60 px", 40, 60, RATE, RATE),), misses={Miss.FACE: 7}, same_photo_recall_s=RATE,
        same_photo_people=11, curve=((0.3, 0.2, 1.0), (0.5, 0.5, 0.9)), tradeoff=((1e-4, 0.4), (0.1, 0.1)),
    )  # fmt: skip


def test_lines_are_drawn_where_the_axes_say() -> None:
    axis = Axis("x", (0, 10), str)
    log = Axis("y", (0.01, 1), str, "log")
    drawn = parsed(svg([Panel("t", axis, log, [Line("a < b", [(0, 0.01), (5, 0.1), (10, 1)], "red")])]))
    [line] = drawn.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in (line.get("points") or "").split()]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert 0 < x0 < x1 < x2 < WIDTH
    assert HEIGHT > y0 > y1 > y2 > 0
    assert (x1, y1) == pytest.approx(((x0 + x2) / 2, (y0 + y2) / 2), abs=0.1)
    assert "a < b" in [text.text for text in drawn.iter(f"{SVG}text")]


def test_the_page_keeps_its_words_and_takes_new_figures(tmp_path: Path) -> None:
    page = tmp_path / "accuracy.md"
    page.write_text(PAGE)
    write_docs([measures("ours"), measures("theirs")], tmp_path)
    once = page.read_text()
    assert once.startswith("# Title")
    assert once.endswith("End\n")
    assert "what was here" not in once
    assert "| recall in seconds | 50.0 % [40.0, 62.5] | 50.0 % [40.0, 62.5] |" in once
    assert "| no face was found in the pass | 7 | 7 |" in once
    write_docs([measures("ours"), measures("theirs")], tmp_path)
    assert page.read_text() == once
    assert len(list(parsed((tmp_path / "accuracy.svg").read_text()).iter(f"{SVG}polyline"))) == 6
    page.write_text("# Title\n")
    with pytest.raises(ValueError, match="no place for figures"):
        write_docs([measures("ours")], tmp_path)


def test_the_object_has_the_agreed_keys_and_those_of_the_other_recipe() -> None:
    keys = {
        "recall_s",
        "precision_s",
        "false_clips_per_1000",
        "fnmr_at_fmr_1e3",
        "fnmr_at_fmr_1e2",
        "people",
        "comparisons",
    }
    made = figures([measures("ours"), measures("face_recognition")], "here")
    assert keys <= made.keys()
    other = made["face_recognition"]
    assert isinstance(other, dict)
    assert keys <= other.keys()

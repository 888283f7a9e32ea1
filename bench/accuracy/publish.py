"""Writes the measured figures into docs/accuracy.md, and the picture beside it."""

from collections.abc import Sequence
from pathlib import Path

from bench.accuracy.chart import Axis, Line, Panel, svg
from bench.accuracy.measure import Measures
from bench.accuracy.tables import tables

DOCS = Path(__file__).parents[2] / "docs"
_BEGIN, _END = "<!-- figures: written by the bench -->", "<!-- end of figures -->"
_COLORS = ("#1f6fb4", "#3a9d5d", "#d9622b")


def write_docs(measured: Sequence[Measures], docs: Path = DOCS) -> None:
    """Puts tables between the marks of `accuracy.md` in place of those there, and writes `accuracy.svg`.

    Raises:
        ValueError: the page has no such marks.
    """
    page = docs / "accuracy.md"
    before, begin, rest = page.read_text().partition(_BEGIN)
    _old, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no place for figures: {_BEGIN} and {_END}")
    page.write_text(f"{before}{_BEGIN}\n\n{tables(measured)}\n\n{_END}{after}")
    (docs / "accuracy.svg").write_text(svg([_thresholds(measured), _tradeoffs(measured)]))


def _thresholds(measured: Sequence[Measures]) -> Panel:
    lines = []
    for each, color in zip(measured, _COLORS, strict=False):
        recall = [(threshold, recall_s) for threshold, recall_s, _ in each.curve]
        precision = [(threshold, precision_s) for threshold, _, precision_s in each.curve]
        lines += [
            Line(f"recall, {each.recipe}", recall, color, mark=(each.max_distance, each.recall_s.value)),
            Line(
                f"precision, {each.recipe}", precision, color, dashed=True,
                mark=(each.max_distance, each.precision_s.value),
            ),
        ]  # fmt: skip
    x = Axis("threshold (Euclidean distance)", (0.3, 0.4, 0.5, 0.6, 0.7), lambda value: f"{value:.1f}")
    return Panel("Seconds of footage; dots: usual thresholds", x, _percent("share of seconds"), lines)


def _tradeoffs(measured: Sequence[Measures]) -> Panel:
    lines = [Line(each.recipe, each.tradeoff, color) for each, color in zip(measured, _COLORS, strict=False)]
    x = Axis("false match rate (FMR)", (1e-4, 1e-3, 1e-2, 1e-1), lambda value: f"{value:g}", "log")
    return Panel("Passes missed, by false matches allowed", x, _percent("false non-match rate (FNMR)"), lines)


def _percent(title: str) -> Axis:
    return Axis(title, (0, 0.2, 0.4, 0.6, 0.8, 1), lambda value: f"{value:.0%}")

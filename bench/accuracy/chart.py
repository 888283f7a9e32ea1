"""A small line chart as SVG text: axes, grid, lines, marks, a legend. No more than docs/accuracy.svg needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import log10
from typing import Literal

WIDTH, HEIGHT = 460, 348
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 34, 96
_FONT = "font-family='Helvetica, Arial, sans-serif' font-size='12' fill='#333'"

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """A named line; `mark` is a point of it to show."""

    name: str
    points: Points
    color: str
    dashed: bool = False
    mark: tuple[float, float] | None = None


@dataclass(frozen=True)
class Axis:
    """An axis with ticks at these values; a logarithmic one needs positive values."""

    title: str
    ticks: Sequence[float]
    text: Callable[[float], str]
    scale: Literal["linear", "log"] = "linear"

    def place(self, value: float) -> float:
        """0 at the first tick, 1 at the last."""
        low, high, at = (self._along(each) for each in (self.ticks[0], self.ticks[-1], value))
        return min(1.0, max(0.0, (at - low) / (high - low)))

    def _along(self, value: float) -> float:
        return log10(value) if self.scale == "log" else value


@dataclass(frozen=True)
class Panel:
    """One chart."""

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side, on white."""
    width = WIDTH * len(panels)
    body = "\n".join(
        f"<g transform='translate({WIDTH * number} 0)'>\n{_panel(panel)}\n</g>" for number, panel in enumerate(panels)
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {HEIGHT}' width='{width}' height='{HEIGHT}'>\n"
        f"<rect width='{width}' height='{HEIGHT}' fill='white'/>\n{body}\n</svg>\n"
    )


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.place(value) * (WIDTH - _LEFT - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - _BOTTOM - axis.place(value) * (HEIGHT - _TOP - _BOTTOM)


def _panel(panel: Panel) -> str:
    parts = [_text((_LEFT + WIDTH - _RIGHT) / 2, 20, panel.title, weight="bold")]
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    for value in panel.x.ticks:
        x = _x(panel.x, value)
        parts += [_grid(x, _TOP, x, bottom), _text(x, bottom + 16, panel.x.text(value))]
    for value in panel.y.ticks:
        y = _y(panel.y, value)
        parts += [_grid(_LEFT, y, right, y), _text(_LEFT - 6, y + 4, panel.y.text(value), anchor="end")]
    parts.append(_text((_LEFT + right) / 2, bottom + 34, panel.x.title))
    middle = (_TOP + bottom) / 2
    parts.append(f"<g transform='rotate(-90 14 {middle:.0f})'>{_text(14, middle + 4, panel.y.title)}</g>")
    parts += [_line(line, panel) for line in panel.lines]
    parts += [_legend(number, line) for number, line in enumerate(panel.lines)]
    return "\n".join(parts)


def _line(line: Line, panel: Panel) -> str:
    points = " ".join(f"{_x(panel.x, x):.1f},{_y(panel.y, y):.1f}" for x, y in line.points)
    drawn = f"<polyline points='{points}' fill='none' stroke='{line.color}' stroke-width='2'{_dash(line)}/>"
    if line.mark is None:
        return drawn
    x, y = _x(panel.x, line.mark[0]), _y(panel.y, line.mark[1])
    return f"{drawn}\n<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{line.color}'/>"


def _legend(number: int, line: Line) -> str:
    column, row = number % 2, number // 2
    x, y = _LEFT + column * 205, HEIGHT - 48 + row * 18
    swatch = f"<line x1='{x}' y1='{y}' x2='{x + 22}' y2='{y}' stroke='{line.color}' stroke-width='2'{_dash(line)}/>"
    return swatch + _text(x + 28, y + 4, line.name, anchor="start")


def _dash(line: Line) -> str:
    return " stroke-dasharray='5 4'" if line.dashed else ""


def _grid(x0: float, y0: float, x1: float, y1: float) -> str:
    return f"<line x1='{x0:.1f}' y1='{y0:.1f}' x2='{x1:.1f}' y2='{y1:.1f}' stroke='#ddd'/>"


def _text(x: float, y: float, text: str, *, anchor: str = "middle", weight: str = "normal") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-weight='{weight}' {_FONT}>{escape(text)}</text>"

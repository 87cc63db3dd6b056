"""Draws one panel of a message's chart, with Pillow.

A plotting library lays out and draws such a panel in a tenth of a second of processor time. All that is needed of it is
a few lines, marks and words, and this draws them in a tenth of that. The font is the one that Matplotlib brings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from itertools import groupby, pairwise
from math import ceil, floor, hypot, log10
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from features.registry import BY_NAME
from flows.alerts.facts import CONCERN, IMPROVEMENT, Series
from flows.alerts.letter.figures import short_month, value_text

#: Okabe and Ito's palette, which works with any kind of colour vision, darkened for contrast on white.
ORANGE, BLUE, GREY, DARK, GREEN = "#d55e00", "#0072b2", "#76838f", "#33414d", "#006b4f"
_LIMIT, _AXIS, _GRID, _LABEL, _TITLE = "#9aa5ae", "#c3cbd2", "#eef1f3", "#4a5862", "#1b262e"

#: The size of a panel, and of the field with the line in it, in pixels. A phone shows two as one.
WIDTH, HEIGHT = 720, 284
_LEFT, _RIGHT, _TOP, _BOTTOM = 97, 698, 60, 236
_TEXT, _TITLE_SIZE, _GOAL_SIZE = 20.8, 22.8, 19.4
_TITLE_FITS = 46
#: Slanting lines and round marks are drawn so many times larger and then reduced, which makes their edges smooth.
_FINE = 4
#: Lengths of dash and gap.
_DASHES, _DOTS, _GOAL_DASHES, _ANEW = (7, 3), (2, 4), (22, 8), (3, 4)
#: Marks begin this far from the axes, in months; the scale leaves this share free above and below the line.
_BESIDE, _FREE, _FREE_FOR_GOAL = 0.6, 0.05, 0.16
_STEPS, _MOST_STEPS = (5.0, 2.5, 2.0, 1.0), 3

_Point = tuple[float, float]


def draw_panel(picture: Image.Image, top: int, series: Series, title: str, goal: float | None) -> None:
    """Draw a series into the picture, from this row of pixels on; `goal` is the level that the council set itself."""
    panel = _Panel(picture, top, series, goal)
    panel.axes()
    panel.levels()
    panel.lines()
    if goal is not None:
        panel.goal(goal)
    size = min(_TITLE_SIZE, _TITLE_SIZE * _TITLE_FITS / len(title))
    panel.words((13, _TOP - 11), title, "ls", size, _TITLE, bold=True)


class _Panel:
    """One panel: where a month and a value lie, and what is drawn there."""

    def __init__(self, picture: Image.Image, top: int, series: Series, goal: float | None) -> None:
        self._picture, self._top, self._series = picture, top, series
        self._draw = ImageDraw.Draw(picture)
        drawn = [*series.values, *series.mean, *series.lower, *series.upper, *series.neighbours, series.settled, goal]
        known = [v for v in drawn if v is not None]
        low, high = min(known), max(known)
        if low == high:
            low, high = (low - 0.05 * abs(low), high + 0.05 * abs(high)) if low else (-0.05, 0.05)
        free = (high - low) * (_FREE if goal is None else _FREE_FOR_GOAL)
        self._low, self._high = low - free, high + free

    def _x(self, month: float) -> float:
        return _LEFT + (month + _BESIDE) * (_RIGHT - _LEFT) / (len(self._series.months) - 1 + 2 * _BESIDE)

    def _y(self, value: float) -> float:
        return self._top + _BOTTOM - (value - self._low) * (_BOTTOM - _TOP) / (self._high - self._low)

    def axes(self) -> None:
        """The axes with their marks and words, and a pale line for each step of the scale."""
        measure, months = BY_NAME[self._series.measure], self._series.months
        bottom = self._top + _BOTTOM
        for value in steps(self._low, self._high):
            self._level(_LEFT, _RIGHT, value, _GRID)
            self.words((_LEFT - 11, self._y(value) - self._top), value_text(measure, value), "rm", _TEXT, _LABEL)
        self._draw.rectangle((_LEFT - 1, self._top + _TOP, _LEFT, bottom), fill=_AXIS)
        self._draw.rectangle((_LEFT - 1, bottom - 1, _RIGHT, bottom), fill=_AXIS)
        last = len(months) - 1
        for index in sorted({0, last // 2, last}):
            x = round(self._x(index))
            self._draw.rectangle((x, bottom, x, bottom + 6), fill=_LABEL)
            anchor = "ra" if index == last else "ma"
            self.words((x, _BOTTOM + 10), short_month(months[index]), anchor, _TEXT, _LABEL)

    def levels(self) -> None:
        """Mean, usual range and settled level, and where the chart begins anew."""
        one = self._series
        for limits, dashes in ((one.mean, None), (one.lower, _DASHES), (one.upper, _DASHES)):
            for start, end, value in _runs(limits):
                self._level(self._x(start - 0.5), self._x(end + 0.5), value, _LIMIT, dashes)
        if one.settled is not None:
            self._level(self._x(-0.5), self._x(len(one.months) - 0.5), one.settled, ORANGE, _DOTS)
        for month in one.begun_anew:
            x = round(self._x(one.months.index(month)))
            for start, end in _dashed(self._top + _TOP, self._top + _BOTTOM, _ANEW):
                self._draw.rectangle((x - 1, start, x + 1, end), fill=DARK)

    def lines(self) -> None:
        """The line of similar councils, dotted, and the council's own line with its marks."""
        one = self._series
        dots = [dot for run in self._known(one.neighbours) for dot in _dotted(run, 2.5, 4.1)]
        self._fine(DARK, lines=dots, width=2.5)
        signs = {i: t for i, t in enumerate(one.toward) if t in (CONCERN, IMPROVEMENT)}
        marks: dict[str | None, list[_Point]] = {None: [], CONCERN: [], IMPROVEMENT: []}
        for index, value in enumerate(one.values):
            if value is not None:
                marks[signs.get(index)].append((self._x(index), self._y(value)))
        self._fine(GREY, lines=self._known(one.values), width=3.1, dots=marks[None], radius=3.1)
        self._fine(BLUE, dots=marks[IMPROVEMENT], radius=5.0)
        self._fine(ORANGE, squares=marks[CONCERN], radius=4.9)

    def goal(self, goal: float) -> None:
        """A dashed line at the goal, with its words beside it."""
        self._level(self._x(-0.5), self._x(len(self._series.months) - 0.5), goal, GREEN, _GOAL_DASHES, thick=3)
        below = goal < next(v for v in reversed(self._series.values) if v is not None)
        at = (self._x(len(self._series.months) - 0.5), self._y(goal) - self._top + (7 if below else -7))
        text = f"your goal {value_text(BY_NAME[self._series.measure], goal)}"
        self.words(at, text, "ra" if below else "rd", _GOAL_SIZE, GREEN, bold=True, ground=True)

    def words(
        self, at: _Point, text: str, anchor: str, size: float, colour: str, *, bold: bool = False, ground: bool = False
    ) -> None:
        """Text at a point of the panel; `anchor` is Pillow's. With `ground`, lines behind the text are taken away."""
        where, font = (at[0], self._top + at[1]), _font(bold, size)
        if ground:
            left, top, right, bottom = self._draw.textbbox(where, text, font, anchor)
            self._draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), fill="white")
        self._draw.text(where, text, colour, font, anchor)

    def _level(
        self, start: float, end: float, value: float, colour: str, dashes: tuple[int, int] | None = None, thick: int = 2
    ) -> None:
        """A level line, on whole pixels so that it is sharp."""
        y = round(self._y(value) - thick / 2)
        for first, last in [(round(start), round(end))] if dashes is None else _dashed(start, end, dashes):
            self._draw.rectangle((first, y, last, y + thick - 1), fill=colour)

    def _known(self, values: Sequence[float | None]) -> list[list[_Point]]:
        """Unbroken runs of months as points, so that a gap is shown as a gap."""
        runs = groupby(enumerate(values), key=lambda pair: pair[1] is not None)
        return [[(self._x(i), self._y(v)) for i, v in run if v is not None] for known, run in runs if known]

    def _fine(
        self,
        colour: str,
        *,
        lines: Sequence[Sequence[_Point]] = (),
        width: float = 0.0,
        dots: Sequence[_Point] = (),
        squares: Sequence[_Point] = (),
        radius: float = 0.0,
    ) -> None:
        """Lines and marks with smooth edges, drawn on no more of the picture than they need."""
        every = [*(p for line in lines for p in line), *dots, *squares]
        if not every:
            return
        edge = ceil(max(width, radius)) + 1
        left, top = (floor(min(p[axis] for p in every)) - edge for axis in (0, 1))
        right, bottom = (ceil(max(p[axis] for p in every)) + edge for axis in (0, 1))
        mask = Image.new("L", (_FINE * (right - left), _FINE * (bottom - top)))
        draw = ImageDraw.Draw(mask)

        def fine(point: _Point) -> _Point:
            return _FINE * (point[0] - left), _FINE * (point[1] - top)

        for line in lines:
            draw.line([fine(p) for p in line], fill=255, width=round(_FINE * width), joint="curve")
        for marks, shape in ((dots, draw.ellipse), (squares, draw.rectangle)):
            for x, y in map(fine, marks):
                shape((x - _FINE * radius, y - _FINE * radius, x + _FINE * radius, y + _FINE * radius), fill=255)
        self._picture.paste(colour, (left, top), mask.reduce(_FINE))


def steps(low: float, high: float) -> list[float]:
    """The values that a scale names: at least two, and round ones, in about three steps."""
    rough = (high - low) / _MOST_STEPS
    power = 10.0 ** floor(log10(rough))
    sizes = [size * tens for tens in (10 * power, power, power / 10) for size in _STEPS]
    enough = sum(size >= rough * (1 - 1e-9) for size in sizes)
    for size in sizes[enough - 1 :]:
        first, last = ceil(low / size - 1e-9), floor(high / size + 1e-9)
        if last > first:
            return [number * size for number in range(first, last + 1)]
    raise AssertionError("a scale without two round values")


def _runs(limits: Sequence[float | None]) -> Iterator[tuple[int, int, float]]:
    """Runs of months with the same limit, so that a redrawn baseline appears as a step and not as a slope."""
    for level, run in groupby(enumerate(limits), key=lambda pair: pair[1]):
        months = [index for index, _ in run]
        if level is not None:
            yield months[0], months[-1], level


def _dashed(start: float, end: float, dashes: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """First and last pixel of each dash."""
    dash, gap = dashes
    for at in range(round(start), round(end) + 1, dash + gap):
        yield at, min(at + dash - 1, round(end))


def _dotted(line: Sequence[_Point], dash: float, gap: float) -> Iterator[tuple[_Point, _Point]]:
    """The dashes along a line of several pieces."""
    due = 0.0
    for (x, y), (to_x, to_y) in pairwise(line):
        length = hypot(to_x - x, to_y - y)
        across, down = (to_x - x) / length, (to_y - y) / length
        while due < length:
            end = due + dash
            yield (x + due * across, y + due * down), (x + end * across, y + end * down)
            due += dash + gap
        due -= length


@lru_cache
def _font(bold: bool, size: float) -> ImageFont.FreeTypeFont:
    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    file = Path(found.origin).parent / "mpl-data/fonts/ttf" / name
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)

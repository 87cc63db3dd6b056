"""Small inline SVGs, without script or external reference: a series of months, and the bands of two years.

A series shows own line, usual range and neighbours; bands are one bar for each month, whose height and colour both show
the band.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup, escape

from flows.alerts.facts import CONCERN, IMPROVEMENT, Series
from flows.alerts.letter.charts import alt_text
from flows.alerts.letter.panel import BLUE, ORANGE
from flows.alerts.state import Band, BandPoint

_WIDTH, _HEIGHT, _PAD = 132.0, 36.0, 4.0

#: The scale of a drawing covers at least this share of the level.
_LEAST_SPREAD = 0.2


def sparkline(series: Series, goal: float | None = None) -> Markup:
    """The SVG of one series; empty if fewer than two months have a value.

    The last point that signals is a square (concern) or a dot (improvement), so that colour is not the only sign.
    """
    known = [(i, v) for i, v in enumerate(series.values) if v is not None]
    if len(known) < 2:
        return Markup("")
    low, high = series.lower[-1], series.upper[-1]
    near = [(i, v) for i, v in enumerate(series.neighbours) if v is not None]
    every = [v for _, v in known] + [v for v in (low, high, goal) if v is not None] + [v for _, v in near]
    bottom, top = min(every), max(every)
    # Small differences must not look like a cliff, so the scale covers at least a share of the level.
    least = _LEAST_SPREAD * max(abs(top), abs(bottom), 1e-9)
    if top - bottom < least:
        middle = (top + bottom) / 2
        bottom, top = middle - least / 2, middle + least / 2
    spread = top - bottom
    last = len(series.values) - 1

    def x(index: int) -> float:
        return _PAD + index * (_WIDTH - 2 * _PAD) / max(last, 1)

    def y(value: float) -> float:
        return _HEIGHT - _PAD - (value - bottom) * (_HEIGHT - 2 * _PAD) / spread

    parts: list[str] = []
    if low is not None and high is not None:
        parts.append(
            f'<rect class="usual" x="{_PAD:.0f}" y="{y(high):.1f}" width="{_WIDTH - 2 * _PAD:.0f}" '
            f'height="{max(y(low) - y(high), 0.5):.1f}"/>'
        )
    if len(near) > 1:
        parts.append(f'<path class="near" d="{_path([(x(i), y(v)) for i, v in near])}"/>')
    if goal is not None:
        parts.append(f'<path class="goal" d="{_path([(_PAD, y(goal)), (_WIDTH - _PAD, y(goal))])}"/>')
    for run in _runs(known):
        parts.append(f'<path class="own" d="{_path([(x(i), y(v)) for i, v in run])}"/>')
    index, value = known[-1]
    toward = series.toward[index]
    if toward == CONCERN:
        parts.append(f'<rect fill="{ORANGE}" x="{x(index) - 3:.1f}" y="{y(value) - 3:.1f}" width="6" height="6"/>')
    else:
        fill = BLUE if toward == IMPROVEMENT else "currentColor"
        parts.append(f'<circle fill="{fill}" cx="{x(index):.1f}" cy="{y(value):.1f}" r="{3 if toward else 2}"/>')
    label = escape(alt_text([series], {} if goal is None else {series.measure: goal}).partition(". ")[2])
    return Markup(
        f'<svg class="spark" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _runs(known: list[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """Unbroken runs of months, so that a gap is shown as a gap."""
    runs: list[list[tuple[int, float]]] = []
    for index, value in known:
        if runs and runs[-1][-1][0] == index - 1:
            runs[-1].append((index, value))
        else:
            runs.append([(index, value)])
    return runs


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)


_STANDALONE_STYLE = (
    "<style>svg{color:#4a5862;background:#fff}.own{fill:none;stroke:currentColor;stroke-width:1.4}"
    ".near{fill:none;stroke:currentColor;stroke-width:1;stroke-dasharray:1.5 2.5;opacity:.85}"
    ".usual{fill:#e4e9ed}</style>"
)


def sparkline_picture(series: Series) -> str:
    """The same drawing as a `data:` address for an image; empty if there is nothing to draw."""
    drawn = str(sparkline(series))
    if not drawn:
        return ""
    size = f'xmlns="http://www.w3.org/2000/svg" width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" '
    opened, closed, rest = drawn.partition(">")
    alone = f"{opened.replace('<svg ', f'<svg {size}')}{closed}{_STANDALONE_STYLE}{rest}"
    return f"data:image/svg+xml;base64,{base64.b64encode(alone.encode()).decode()}"


_BAR, _TALL = 5, 18
#: The height of each band's bar. An outlined bar is a month without a score.
_BAND_HEIGHTS: dict[Band, int] = {
    Band.STEADY: 4,
    Band.FIRST_MONTHS: 4,
    Band.RECOVERING: 10,
    Band.NOT_SCORED: 10,
    Band.WATCH: 11,
    Band.LOSING_GRIP: 18,
}


def band_strip(points: Sequence[BandPoint]) -> Markup:
    """The picture of the bands of some months, oldest first; empty if there are fewer than two."""
    if len(points) < 2:
        return Markup("")
    first, last = points[0].month, points[-1].month
    width = _BAR * (last.minus(first) + 1)
    bars = "".join(
        f'<rect class="bar {p.band.value}" x="{_BAR * p.month.minus(first)}" y="{_TALL - _BAND_HEIGHTS[p.band]}" '
        f'width="{_BAR - 1}" height="{_BAND_HEIGHTS[p.band]}"/>'
        for p in points
    )
    return Markup(
        f'<svg class="strip" viewBox="0 0 {width} {_TALL}" width="{width}" height="{_TALL}" role="img" '
        f'aria-label="{escape(strip_words(points))}">{bars}</svg>'
    )


def strip_words(points: Sequence[BandPoint]) -> str:
    """The last changes in the picture, in words: “losing grip since July 2026; before, watch from May 2026”."""
    runs = [(band, list(run)) for band, run in groupby(points, key=lambda p: p.band)]
    words = [f"{runs[-1][0].words} since {runs[-1][1][0].month.in_words}"]
    words += [f"before, {band.words} from {run[0].month.in_words}" for band, run in reversed(runs[-3:-1])]
    return "; ".join(words)

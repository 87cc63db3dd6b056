"""A small picture of the bands of two years: one bar for each month, whose height and colour both show the band."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup, escape

from flows.alerts.letter.figures import month_words
from flows.alerts.state import Band, BandPoint

_BAR, _HEIGHT = 5, 18
#: The height of each band's bar. An outlined bar is a month without a score.
_HEIGHTS: dict[Band, int] = {
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
        f'<rect class="bar {p.band.value}" x="{_BAR * p.month.minus(first)}" y="{_HEIGHT - _HEIGHTS[p.band]}" '
        f'width="{_BAR - 1}" height="{_HEIGHTS[p.band]}"/>'
        for p in points
    )
    return Markup(
        f'<svg class="strip" viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}" role="img" '
        f'aria-label="{escape(strip_words(points))}">{bars}</svg>'
    )


def strip_words(points: Sequence[BandPoint]) -> str:
    """The last changes in the picture, in words: “losing grip since July 2026; before, watch from May 2026”."""
    runs = [(band, list(run)) for band, run in groupby(points, key=lambda p: p.band)]
    words = [f"{runs[-1][0].words} since {month_words(runs[-1][1][0].month)}"]
    words += [f"before, {band.words} from {month_words(run[0].month)}" for band, run in reversed(runs[-3:-1])]
    return "; ".join(words)

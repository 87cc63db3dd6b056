"""Process-behaviour (XmR) charts as small multiples, in the manner of NHS Making Data Count.

The line and its points are grey, the mean is a line, and the natural process limits are dashed. Points that signal a
concern are orange squares and those that signal an improvement blue circles, so that colour is never the only sign.
Each message has one PNG, drawn for the width of a phone. The same data gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from features.measuring.rates import per_year, window_of
from features.months import Month
from features.registry import BY_NAME, Measure
from features.words import listed, lower_first
from flows.alerts.facts import CONCERN, IMPROVEMENT, Series
from flows.alerts.letter.figures import value_text
from flows.alerts.letter.panel import HEIGHT, WIDTH, draw_panel

_NO_GOALS: Mapping[str, float] = {}

_COLOURS = 48
_METHOD = Image.Quantize.FASTOCTREE
_OF_MONTHS = re.compile(r" (in \d+ months(, as a yearly rate)?|\(\d+ months\))")


@dataclass(frozen=True, slots=True)
class ChartPicture:
    """A drawn chart. `alt` describes the picture for readers who cannot see it."""

    png: bytes
    alt: str
    width: int
    height: int
    """Size in CSS pixels on a phone. The picture itself has more pixels."""


def draw_chart(series: Sequence[Series], goals: Mapping[str, float] = _NO_GOALS) -> ChartPicture | None:
    """Draw small multiples, one panel per measure, one below the other. None if there is nothing to draw.

    `goals` has the levels that the council set itself, by measure; each is drawn as a line with its label.
    """
    drawable = [s for s in series if sum(v is not None for v in s.values) >= 2]
    if not drawable:
        return None
    picture = Image.new("RGB", (WIDTH, HEIGHT * len(drawable)), "white")
    for position, one in enumerate(drawable):
        draw_panel(picture, HEIGHT * position, one, _title(one), goals.get(one.measure))
    return ChartPicture(_png(picture), alt_text(drawable, goals), picture.width // 2, picture.height // 2)


def _title(series: Series) -> str:
    measure = BY_NAME[series.measure]
    settled = " (worse, settled)" if series.settled is not None else ""
    return f"{_drawn(measure)}: {value_text(measure, [v for v in series.values if v is not None][-1])}{settled}"


def _png(picture: Image.Image) -> bytes:
    """The picture with a small palette: a fifth of the size without visible loss."""
    small = picture.quantize(colors=_COLOURS, method=_METHOD, dither=Image.Dither.NONE)
    palette = small.getpalette() or []
    ground = 3 * small.tobytes()[0]
    palette[ground : ground + 3] = [255, 255, 255]  # the octree rounds white to nearly white
    small.putpalette(palette)
    out = io.BytesIO()
    small.save(out, format="PNG", compress_level=6)
    return out.getvalue()


def _toward(value: str | None) -> str | None:
    return value if value in (CONCERN, IMPROVEMENT) else None


def _drawn(measure: Measure) -> str:
    """What the points show. For a sum over months that is each month's own figure, not the figure in the message."""
    return measure.label if window_of(measure) is None else f"{_bare(measure)}, by month"


def _bare(measure: Measure) -> str:
    """The label without its window."""
    return _OF_MONTHS.sub("", measure.label)


#: The longest alternative text. Screen readers cut longer ones, or they are hard to listen to.
ALT_FITS = 250


def alt_text(series: Sequence[Series], goals: Mapping[str, float] = _NO_GOALS) -> str:
    """The chart in words, short enough to listen to: value, usual range, and for how long it is worse or better."""
    last = series[0].months[-1]
    parts = [_panel_words(one, last, goals.get(one.measure)) for one in series]
    for keep in (3, 2, 1):
        said = " ".join(f"{', '.join(words[:1] + words[1:][: keep - 1] if keep < 3 else words)}." for words in parts)
        text = f"{'Chart' if len(series) == 1 else 'Charts'} to {last.in_words}. {said}"
        if len(text) <= ALT_FITS:
            return text
    worse = sum(_toward(one.toward[-1]) == CONCERN or one.settled is not None for one in series)
    return (
        f"Charts of the {len(series)} measures above, {series[0].months[0].in_words} to {last.in_words}: "
        f"{worse} of them worse than usual or settled at a worse level."
    )


def _panel_words(one: Series, last: Month, goal: float | None) -> list[str]:
    """What one panel shows, most important first."""
    measure = BY_NAME[one.measure]
    month, value = [(m, v) for m, v in zip(one.months, one.values, strict=True) if v is not None][-1]
    words = [f"{_drawn(measure)} {value_text(measure, value)}"]
    if month != last:
        words[0] += f" in {month.in_words}, the last known"
    words += [run] if (run := _run(one)) else []
    words += [f"begun anew in {one.begun_anew[-1].in_words}"] if one.begun_anew else []
    words += [f"goal {value_text(measure, goal)}"] if goal is not None else []
    low, high = one.lower[-1], one.upper[-1]
    if low is not None and high is not None:
        words.append(f"usual range {value_text(measure, low)} to {value_text(measure, high)}")
    if one.neighbours[-1] is not None:
        words.append(f"similar councils {value_text(measure, one.neighbours[-1])}")
    return words


def by_month_words(series: Sequence[Series]) -> str:
    """What “by month” means, if any is drawn by single months, whose points are not the figures in the message."""
    summed = [BY_NAME[one.measure] for one in series if window_of(BY_NAME[one.measure]) is not None]
    if not summed:
        return ""
    scaled = [m for m in summed if per_year(m)]
    which = "" if len(scaled) == len(summed) else f" for {listed([lower_first(_bare(m)) for m in scaled])}"
    return f"“By month” draws each single month{f', as a yearly rate{which}' if scaled else ''}."


def _run(series: Series) -> str:
    """“marked worse for 4 months”, from the unbroken run of signals at the end of the series."""
    if series.settled is not None:
        return "settled at a worse level"
    latest = _toward(series.toward[-1])
    if latest is None:
        return ""
    length = 0
    for toward in reversed(series.toward):
        if toward != latest:
            break
        length += 1
    noun = "marked worse" if latest == CONCERN else "marked better"
    more = " or more" if length == len(series.toward) else ""
    return f"{noun} this month" if length == 1 else f"{noun} for {length} months{more}"

"""Process-behaviour (XmR) charts as small multiples, in the manner of NHS Making Data Count.

The line and its points are grey, the mean is a line, and the natural process limits are dashed. Points that signal a
concern are orange squares and those that signal an improvement blue circles, so that colour is never the only sign.
Each message has one PNG, drawn for the width of a phone. The same data gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Any

from PIL import Image

from features.measuring.rates import per_year, window_of
from features.months import Month
from features.registry import BY_NAME, Measure
from features.words import listed, lower_first
from flows.alerts.facts import CONCERN, IMPROVEMENT, Series
from flows.alerts.letter.figures import month_words, short_month, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe and Ito's palette, which works with any kind of colour vision, darkened for contrast on white.
ORANGE, BLUE, GREY, DARK, GREEN = "#d55e00", "#0072b2", "#76838f", "#33414d", "#006b4f"

_NO_GOALS: Mapping[str, float] = {}

_WIDTH_INCHES, _PANEL_INCHES, _DPI = 3.6, 1.42, 200
_COLOURS = 48
_METHOD = Image.Quantize.FASTOCTREE
_TITLE_FITS = 46
_OF_MONTHS = re.compile(r" (in \d+ months(, as a yearly rate)?|\(\d+ months\))")

#: Held while drawing. Matplotlib's style is global to the process: if two threads drew at once, one would lose the
#: style half-way, and its picture would differ from the one that was approved.
_DRAWING = Lock()

_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#c3cbd2",
    "axes.linewidth": 0.6,
    "xtick.color": "#4a5862",
    "ytick.color": "#4a5862",
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.0,
    "text.hinting": "none",
    "path.simplify": False,
}


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
    # Imported here, as Matplotlib takes a second to import and most commands draw nothing.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = _PANEL_INCHES * len(drawable)
    with _DRAWING, matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_INCHES, height), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        for position, one in enumerate(drawable, start=1):
            _panel(figure.add_subplot(len(drawable), 1, position), one, goals.get(one.measure))
        inches = 1 / height
        figure.subplots_adjust(left=0.135, right=0.97, top=1 - 0.30 * inches, bottom=0.24 * inches, hspace=0.62)
        pixels = io.BytesIO()
        figure.savefig(pixels, format="rgba")
    return ChartPicture(
        png=_png(pixels.getvalue(), round(_WIDTH_INCHES * _DPI)),
        alt=alt_text(drawable, goals),
        width=round(_WIDTH_INCHES * 100),
        height=round(height * 100),
    )


def _png(pixels: bytes, width: int) -> bytes:
    """The picture with a small palette: a fifth of the size without visible loss."""
    picture = Image.frombytes("RGBA", (width, len(pixels) // (4 * width)), pixels).convert("RGB")
    small = picture.quantize(colors=_COLOURS, method=_METHOD, dither=Image.Dither.NONE)
    palette = small.getpalette() or []
    ground = 3 * small.tobytes()[0]
    palette[ground : ground + 3] = [255, 255, 255]  # the octree rounds white to nearly white
    small.putpalette(palette)
    out = io.BytesIO()
    small.save(out, format="PNG", compress_level=6)
    return out.getvalue()


def _panel(axes: Axes, series: Series, goal: float | None) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    measure = BY_NAME[series.measure]
    x = list(range(len(series.months)))
    y = [float("nan") if v is None else v for v in series.values]
    for limits, dashed in ((series.mean, False), (series.lower, True), (series.upper, True)):
        for start, end, level in _levels(limits):
            ends = [start - 0.5, end + 0.5]
            axes.plot(ends, [level, level], "--" if dashed else "-", color="#9aa5ae", linewidth=0.7, zorder=1)
    if any(v is not None for v in series.neighbours):
        near = [float("nan") if v is None else v for v in series.neighbours]
        axes.plot(x, near, ":", color=DARK, linewidth=0.9, zorder=1)
    axes.plot(x, y, "-", color=GREY, linewidth=1.1, zorder=2)
    for toward, colour, marker, size in (
        (None, GREY, "o", 2.2),
        (IMPROVEMENT, BLUE, "o", 3.6),
        (CONCERN, ORANGE, "s", 3.5),
    ):
        at = [i for i in x if series.values[i] is not None and _toward(series.toward[i]) == toward]
        axes.plot(at, [y[i] for i in at], marker, color=colour, markersize=size, markeredgewidth=0, zorder=3)
    if series.settled is not None:
        axes.plot([-0.5, len(x) - 0.5], 2 * [series.settled], ":", color=ORANGE, linewidth=0.8, zorder=1)
    for month in series.begun_anew:
        axes.axvline(series.months.index(month), color=DARK, linestyle=(0, (1, 1.5)), linewidth=1.0, zorder=1)
    if goal is not None:
        axes.hlines(goal, -0.5, len(x) - 0.5, colors=GREEN, linestyles=(0, (8, 3)), linewidth=1.0, zorder=2)
        below = goal < next(v for v in reversed(y) if v == v)
        axes.annotate(
            f"your goal {value_text(measure, goal)}",
            (len(x) - 0.5, goal),
            xytext=(0, -2.5 if below else 2.5),
            textcoords="offset points",
            ha="right",
            va="top" if below else "bottom",
            fontsize=7,
            color=GREEN,
            fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
            zorder=4,
        )
        axes.margins(y=0.16)
    last = max(i for i in x if series.values[i] is not None)
    settled = " (worse, settled)" if series.settled is not None else ""
    title = f"{_drawn(measure)}: {value_text(measure, y[last])}{settled}"
    size = min(8.2, 8.2 * _TITLE_FITS / len(title))
    # With `y` given, Matplotlib does not lay out all labels once more to find room for the title.
    axes.set_title(title, loc="left", x=-0.14, y=1.0, fontsize=size, color="#1b262e", fontweight="bold", pad=4)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: value_text(measure, v)))
    axes.set_xlim(-0.6, len(x) - 0.4)
    ticks = sorted({0, (len(x) - 1) // 2, len(x) - 1})
    axes.set_xticks(ticks, [short_month(series.months[i]) for i in ticks])
    axes.get_xticklabels()[-1].set_horizontalalignment("right")
    axes.tick_params(axis="x", length=2, pad=2)
    axes.tick_params(axis="y", pad=1)
    axes.grid(axis="y", color="#eef1f3", linewidth=0.6, zorder=0)


def _levels(limits: Sequence[float | None]) -> Iterator[tuple[int, int, float]]:
    """Runs of months with the same limit, so that a redrawn baseline appears as a step and not as a slope."""
    for level, run in groupby(enumerate(limits), key=lambda pair: pair[1]):
        months = [index for index, _ in run]
        if level is not None:
            yield months[0], months[-1], level


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
        text = f"{'Chart' if len(series) == 1 else 'Charts'} to {month_words(last)}. {said}"
        if len(text) <= ALT_FITS:
            return text
    worse = sum(_toward(one.toward[-1]) == CONCERN or one.settled is not None for one in series)
    return (
        f"Charts of the {len(series)} measures above, {month_words(series[0].months[0])} to {month_words(last)}: "
        f"{worse} of them worse than usual or settled at a worse level."
    )


def _panel_words(one: Series, last: Month, goal: float | None) -> list[str]:
    """What one panel shows, most important first."""
    measure = BY_NAME[one.measure]
    month, value = [(m, v) for m, v in zip(one.months, one.values, strict=True) if v is not None][-1]
    words = [f"{_drawn(measure)} {value_text(measure, value)}"]
    if month != last:
        words[0] += f" in {month_words(month)}, the last known"
    words += [run] if (run := _run(one)) else []
    words += [f"begun anew in {month_words(one.begun_anew[-1])}"] if one.begun_anew else []
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
    """“worse for 4 months”, from the unbroken run of signals at the end of the series."""
    if series.settled is not None:
        return "worse than before and no longer moving"
    latest = _toward(series.toward[-1])
    if latest is None:
        return ""
    length = 0
    for toward in reversed(series.toward):
        if toward != latest:
            break
        length += 1
    noun = "worse" if latest == CONCERN else "better"
    return f"{noun} this month" if length == 1 else f"{noun} for {length} months"

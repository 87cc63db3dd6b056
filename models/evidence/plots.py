"""The plots of the back-test as inline SVG: small enough for a phone, and the same bytes every time."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from models.evidence.audit import Slice
from models.evidence.table import Table
from models.learning.metrics import CalibrationBin
from models.learning.uncertainty import YearSeen

_BLUE, _ORANGE, _GREY = "#1f5a92", "#b3541e", "#767676"
_STYLE: Any = {
    "svg.hashsalt": "holdfast",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
}


def auc_forest(table: Table) -> str:
    """The AUC of each forecast with its interval."""
    rows = [(r, r.metrics.auc) for r in reversed(table.rows) if r.metrics.auc is not None]
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(0.34 * len(rows) + 0.9)
        for i, (row, middle) in enumerate(rows):
            low, high = row.intervals.get("auc", (middle, middle))
            colour = _GREY if row.baseline else _BLUE
            axes.plot([low, high], [i, i], color=colour, lw=2)
            axes.plot([middle], [i], "o", color=colour, ms=5)
        axes.axvline(0.5, color=_GREY, lw=0.8, ls=":")
        axes.set_yticks(range(len(rows)), [r.forecast for r, _ in rows])
        axes.set_xlim(0.3, 1.0)
        axes.set_xlabel(f"AUC, below good {table.question}, 95% interval")
        return _svg(figure, f"AUC of {len(rows)} forecasts of below good {table.question} with 95% intervals")


def calibration(bins: Sequence[CalibrationBin]) -> str:
    """Forecast against observed, in fifths by forecast."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(3.2)
        axes.plot([0, 1], [0, 1], color=_GREY, lw=0.8, ls=":")
        for b in bins:
            error = (b.observed * (1 - b.observed) / b.n) ** 0.5
            axes.plot([b.forecast] * 2, [b.observed - 1.96 * error, b.observed + 1.96 * error], color=_BLUE, lw=1.5)
        axes.plot([b.forecast for b in bins], [b.observed for b in bins], "o", color=_BLUE)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="forecast share below good", ylabel="observed share")
        return _svg(figure, "Calibration of the model, fifths of inspections by forecast")


def levels_by_year(years: Sequence[YearSeen]) -> str:
    """Expected and observed share by year."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(2.8)
        x = [y.year for y in years]
        axes.plot(x, [y.observed / y.n for y in years], "o-", color=_ORANGE, label="seen")
        axes.errorbar(
            x,
            [y.expected / y.n for y in years],
            yerr=[1.96 * y.standard_error / y.n for y in years],
            fmt="s--",
            color=_BLUE,
            lw=1,
            label="expected",
        )
        axes.set(ylim=(0, 1), ylabel="share below good")
        axes.set_xticks(x)
        axes.legend(frameon=False, fontsize=8)
        return _svg(figure, "Expected and seen share below good by year")


def audit_plot(slices: Sequence[Slice]) -> str:
    """Observed against expected for each kind of council."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(0.24 * len(slices) + 0.9)
        for i, s in enumerate(reversed(slices)):
            axes.plot(
                [(s.expected - 1.96 * s.standard_error) / s.n, (s.expected + 1.96 * s.standard_error) / s.n],
                [i, i],
                color=_BLUE,
                lw=2,
            )
            axes.plot([s.observed / s.n], [i], "o", color=_ORANGE, ms=4.5)
        axes.set_yticks(range(len(slices)), [f"{s.level} ({s.n})" for s in reversed(slices)])
        axes.set(xlim=(0, 1), xlabel="blue: expected share ± chance; orange: observed")
        return _svg(figure, "Observed and expected share below good by kind of council")


def _figure(height: float) -> tuple[Figure, mpl.axes.Axes]:
    figure = Figure(figsize=(4.6, height), layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Figure, alt: str) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<svg ", f'<svg role="img" aria-label="{alt}" ', text)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text))

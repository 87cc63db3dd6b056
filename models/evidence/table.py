"""The one table of results: every forecast of a question, including baselines, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.evidence.document import Grid
from models.learning.candidates import BASELINE_TO_BEAT, BY_CANDIDATE
from models.learning.fitting import Forecast
from models.learning.level import Floats
from models.learning.metrics import Metrics, ends, log_losses, measure_forecasts, resample_counts, resampled

#: The number of resamples of councils for an interval in the table.
DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One forecast of one question. Intervals are 95%, from resampled councils."""

    forecast: str
    group: str
    baseline: bool
    metrics: Metrics
    intervals: Mapping[str, tuple[float, float]]
    """`auc`, `average_precision`, `precision_tenth`, `precision_fifth`, `brier_skill`."""
    auc_gain: tuple[float, float, float] | None
    """AUC minus that of BASELINE_TO_BEAT on the same rows, with its interval."""
    loss_gain: tuple[float, float, float] | None
    """Log loss minus that of BASELINE_TO_BEAT, with its interval; below 0 is better."""
    slope: float | None
    """Slope of judgements on forecast log-odds: 1 if forecasts are spread as they should be, less if too widely."""


@dataclass(frozen=True, slots=True)
class Table:
    """All forecasts of one question."""

    question: str
    n: int
    positives: int
    rows: tuple[Row, ...]

    def row(self, forecast: str) -> Row:
        """The row of one forecast; raises KeyError."""
        return {row.forecast: row for row in self.rows}[forecast]


def build_table(
    question: str, rows: pl.DataFrame, forecasts: Mapping[str, Forecast], target: str = "below_good"
) -> Table | None:
    """The table of a question; None if it has too few judgements or all have the same outcome."""
    if rows.height < 2:
        return None
    y = rows[target].to_numpy().astype(np.bool_)
    if y.all() or not y.any():
        return None
    counts = resample_counts(rows["la_code"].to_numpy(), DRAWS)
    columns = {n: f.inadequate if target == "inadequate" else f.below_good for n, f in forecasts.items()}
    base = columns.get(BASELINE_TO_BEAT)
    base_auc = None if base is None else resampled(y, base, counts)["auc"]
    found = []
    for name, p in columns.items():
        drawn = resampled(y, p, counts)
        gain = loss = None
        if base is not None and base_auc is not None and name != BASELINE_TO_BEAT:
            gain = _difference(measure_forecasts(y, p).auc, measure_forecasts(y, base).auc, drawn["auc"] - base_auc)
            apart = log_losses(y, p) - log_losses(y, base)
            loss = _difference(float(apart.mean()), 0.0, (counts @ apart) / counts.sum(axis=1))
        candidate = BY_CANDIDATE.get(name)
        found.append(
            Row(
                forecast=name,
                group=candidate.group if candidate else "",
                baseline=bool(candidate and candidate.baseline),
                metrics=measure_forecasts(y, p),
                intervals={n: e for n, v in drawn.items() if (e := ends(v)) is not None},
                auc_gain=gain,
                loss_gain=loss,
                slope=slope(y, p),
            )
        )
    return Table(question, len(y), int(y.sum()), tuple(found))


def slope(y: NDArray[np.bool_], p: Floats) -> float | None:
    """The calibration slope; None where all forecasts are the same."""
    safe = np.clip(p, 1e-6, 1 - 1e-6)
    odds = np.log(safe / (1 - safe))
    if np.ptp(odds) < 1e-9:
        return None
    return float(LogisticRegression(C=1e6, max_iter=2000).fit(odds[:, None], y).coef_[0, 0])


def _difference(ours: float | None, theirs: float | None, drawn: Floats) -> tuple[float, float, float] | None:
    spread = ends(drawn)
    return None if ours is None or theirs is None or spread is None else (ours - theirs, *spread)


def rounded(value: Any) -> Any:
    """The same value with floats rounded to six decimals, through mappings and sequences; NaN becomes None."""
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return value


def grid(table: Table) -> Grid:
    head = (
        "Forecast",
        "AUC",
        "above baseline",
        "Riskiest fifth",
        "Brier skill",
        "Log loss against baseline",
        "Slope",
        "Expected / seen",
    )
    return Grid(head, tuple(_cells(row) for row in table.rows))


def _cells(row: Row) -> tuple[str, ...]:
    m = row.metrics
    return (
        row.forecast,
        f"{figure(m.auc, 3)} {interval(row, 'auc')}",
        _gain(row.auc_gain, 2),
        f"{m.fifth.precision:.2f} {interval(row, 'precision_fifth')}",
        f"{figure(m.brier_skill, 3)} {interval(row, 'brier_skill')}",
        _gain(row.loss_gain, 3),
        figure(row.slope),
        f"{m.expected:.1f} / {m.positives}",
    )


def _gain(gain: tuple[float, float, float] | None, digits: int) -> str:
    return "" if gain is None else f"{gain[0]:+.{digits}f} [{gain[1]:+.{digits}f}, {gain[2]:+.{digits}f}]"


def interval(row: Row, name: str) -> str:
    """An interval as `[0.70, 0.83]`; empty if there is none."""
    found = row.intervals.get(name)
    return "" if found is None else f"[{found[0]:.2f}, {found[1]:.2f}]"


def figure(value: float | None, digits: int = 2) -> str:
    """A figure, or a dash where it is not defined."""
    return "–" if value is None else f"{value:.{digits}f}"

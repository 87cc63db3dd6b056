"""The one table of results: every forecast, baselines among them, for each target, with intervals and by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.learning.candidates import BASELINE_TO_BEAT, BY_CANDIDATE
from models.learning.estimators import Floats
from models.learning.fitting import Forecast
from models.learning.metrics import Metrics, auc, ends, measure, resample_counts, resampled

#: Resamples of councils for an interval in the table.
TABLE_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """What is forecast: the outcome's column, which of the two probabilities, which inspections."""

    name: str
    outcome: str
    inadequate: bool = False
    good_before: bool = False
    note: str = ""


BELOW_GOOD = Target("below good", "below_good", note="impact of leaders; the label of DESIGN, section 7")
TARGETS: tuple[Target, ...] = (
    BELOW_GOOD,
    Target("a good council declines", "below_good", good_before=True, note="councils good at the time only"),
    Target("inadequate", "inadequate", inadequate=True, note="by the same ordinal model"),
    Target(
        "overall effectiveness below good",
        "overall_below_good",
        note="for comparison with earlier studies; no longer given from April 2026",
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One forecast of one target."""

    forecast: str
    group: str
    estimator: str
    baseline: bool
    metrics: Metrics
    intervals: Mapping[str, tuple[float, float]]
    """95%, from resampled councils: `auc`, `average_precision`, `precision_tenth`, `precision_fifth`, `brier_skill`."""
    auc_gain: tuple[float, float, float] | None
    """AUC above BASELINE_TO_BEAT on the same inspections, with its 95% interval."""
    by_year: Mapping[int, Metrics]
    """By the year in which the inspection began."""


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of one target."""

    target: Target
    n: int
    positives: int
    rows: tuple[Row, ...]

    def row(self, forecast: str) -> Row:
        """The row of one forecast; raises KeyError."""
        for row in self.rows:
            if row.forecast == forecast:
                return row
        raise KeyError(forecast)

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded."""
        return {
            "target": asdict(self.target),
            "n": self.n,
            "positives": self.positives,
            "rows": [rounded(asdict(r)) for r in self.rows],
        }


def with_outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `overall_below_good` (null where overall effectiveness was not given)."""
    return rows.with_columns(overall_below_good=pl.col("overall") > 2)


def of_target(rows: pl.DataFrame, target: Target) -> NDArray[np.bool_]:
    """Which inspections a target is judged on."""
    judged = rows[target.outcome].is_not_null()
    if target.good_before:
        judged = judged & rows["good_before"].fill_null(False)
    return judged.to_numpy()


def build_table(
    rows: pl.DataFrame,
    forecasts: Mapping[str, Forecast],
    target: Target,
    names: Sequence[str] | None = None,
    draws: int = TABLE_DRAWS,
) -> Table | None:
    """The table of a target, or None if its inspections are too few or all alike."""
    rows = with_outcomes(rows)
    chosen = of_target(rows, target)
    judged = rows.filter(pl.Series(chosen))
    if judged.height < 2:
        return None
    y = judged[target.outcome].to_numpy().astype(np.bool_)
    if y.all() or not y.any():
        return None
    years = judged["started"].dt.year().to_numpy()
    counts = resample_counts(judged["la_code"].to_numpy(), draws)
    columns = {n: _of(forecasts[n], target)[chosen] for n in (names or forecasts)}
    base = _of(forecasts[BASELINE_TO_BEAT], target)[chosen] if BASELINE_TO_BEAT in forecasts else None
    base_auc = None if base is None else resampled(y, base, counts)["auc"]
    found = []
    for name, p in columns.items():
        drawn = resampled(y, p, counts)
        candidate = BY_CANDIDATE.get(name)
        gain = None
        if base is not None and base_auc is not None and name != BASELINE_TO_BEAT:
            gain = _gain(auc(y, p), auc(y, base), drawn["auc"] - base_auc)
        found.append(
            Row(
                forecast=name,
                group=candidate.group if candidate else "all",
                estimator=str(candidate.kind) if candidate else "as chosen",
                baseline=bool(candidate and candidate.baseline),
                metrics=measure(y, p),
                intervals={n: e for n, v in drawn.items() if (e := ends(v)) is not None},
                auc_gain=gain,
                by_year={int(year): measure(y[years == year], p[years == year]) for year in np.unique(years)},
            )
        )
    return Table(target, len(y), int(y.sum()), tuple(found))


def _of(forecast: Forecast, target: Target) -> Floats:
    return forecast.inadequate if target.inadequate else forecast.below_good


def _gain(ours: float | None, theirs: float | None, drawn: Floats) -> tuple[float, float, float] | None:
    spread = ends(drawn)
    return None if ours is None or theirs is None or spread is None else (ours - theirs, *spread)


def rounded(value: Any) -> Any:
    """Floats to six decimals, through mappings and sequences; not-a-number becomes None."""
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return value


def text_rows(table: Table, names: Sequence[str]) -> list[str]:
    """The table as fixed-width text, one line per named forecast that is there."""
    width = max((len(n) for n in names), default=0)
    head = f"{'':{width}}  AUC [95%]           AP    tenth fifth  Brier skill [95%]     exp/obs  AUC over baseline"
    lines = [head]
    there = {r.forecast: r for r in table.rows}
    for name in names:
        if name in there:
            lines.append(f"{name:{width}}  {text_row(there[name])}")
    return lines


def text_row(row: Row) -> str:
    """The figures of one row."""
    m = row.metrics
    gain = "" if row.auc_gain is None else f"{row.auc_gain[0]:+.3f} [{row.auc_gain[1]:+.2f}, {row.auc_gain[2]:+.2f}]"
    tie = "*" if m.tenth.tied > 1 else " "
    return (
        f"{figure(m.auc, 3)} {interval(row, 'auc'):13} {figure(m.average_precision, 3)} {m.tenth.precision:5.2f}{tie} "
        f"{m.fifth.precision:5.2f} {figure(m.brier_skill, 3):>7} {interval(row, 'brier_skill'):15} "
        f"{m.expected:5.1f}/{m.positives:<3d} {gain}"
    )


def interval(row: Row, name: str) -> str:
    """An interval as `[0.70, 0.83]`, or nothing."""
    found = row.intervals.get(name)
    return "" if found is None else f"[{found[0]:.2f}, {found[1]:.2f}]"


def figure(value: float | None, digits: int = 2) -> str:
    """A figure, or a dash where it is not defined."""
    return "–" if value is None else f"{value:.{digits}f}"

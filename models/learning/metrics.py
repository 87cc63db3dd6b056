"""How good a forecast was: ranking, precision at the top (ties reported), Brier skill, calibration, intervals.

Everything is judged given an inspection. Intervals come from resampling councils, since one council's inspections are
not independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DRAWS = 1000
SEED = 20240101


@dataclass(frozen=True, slots=True)
class TopShare:
    """The riskiest part of the inspections. If scores tie at its edge, precision is the mean over their orders."""

    flagged: int
    precision: float
    recall: float
    tied: int
    """The number of inspections that share the score at the edge; 1 means that the order was clear."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Inspections with similar forecasts: how many, the mean forecast, the share observed."""

    n: int
    forecast: float
    observed: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """One forecast of one set of inspections. Measures that need both outcomes are None if one is missing."""

    n: int
    positives: int
    base_rate: float
    expected: float
    """Sum of the forecasts, to compare with `positives`."""
    auc: float | None
    average_precision: float | None
    tenth: TopShare
    fifth: TopShare
    brier: float
    brier_skill: float | None
    """1 − Brier / Brier of the base rate of these same inspections, which no forecaster could know."""
    log_loss: float


def measure_forecasts(y: Bools, p: Floats) -> Metrics:
    """All measures of forecasts `p` of outcomes `y`; raises ValueError if there are no inspections."""
    if len(y) == 0:
        raise ValueError("no inspections to judge")
    outcome = y.astype(np.float64)
    base = float(outcome.mean())
    brier = float(np.mean((p - outcome) ** 2))
    spread = base * (1 - base)
    return Metrics(
        n=len(y),
        positives=int(y.sum()),
        base_rate=base,
        expected=float(p.sum()),
        auc=auc(y, p),
        average_precision=average_precision(y, p),
        tenth=top_share(y, p, 0.1),
        fifth=top_share(y, p, 0.2),
        brier=brier,
        brier_skill=1 - brier / spread if spread > 0 else None,
        log_loss=float(log_losses(y, p).mean()),
    )


def auc(y: Bools, p: Floats) -> float | None:
    """The chance that an inspection judged badly was ranked above one judged well; ties count half."""
    positives = int(y.sum())
    negatives = len(y) - positives
    if positives == 0 or negatives == 0:
        return None
    ranks = rankdata(p)
    return float((ranks[y].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(y: Bools, p: Floats) -> float | None:
    """Area under precision by recall, stepwise; tied forecasts are added together."""
    positives = int(y.sum())
    if positives == 0 or positives == len(y):
        return None
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(y[order])
    last_of_tie = np.append(np.diff(p[order]) != 0, True)
    found = hits[last_of_tie]
    precision = found / (np.flatnonzero(last_of_tie) + 1)
    recall = found / positives
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def top_share(y: Bools, p: Floats, share: float) -> TopShare:
    """Precision and recall among the riskiest `share` (at least one inspection)."""
    k = max(1, round(len(y) * share))
    edge = np.sort(p)[::-1][k - 1]
    above, at = p > edge, p == edge
    hits = float(y[above].sum()) + (k - int(above.sum())) * float(y[at].mean())
    positives = int(y.sum())
    return TopShare(k, hits / k, hits / positives if positives else 0.0, int(at.sum()))


def calibration_curve(y: Bools, p: Floats, bins: int = 5) -> tuple[CalibrationBin, ...]:
    """Groups of equal size, in order of forecast.

    If rows with the same forecast fall into two groups, they count in each with their common rate, so the order of rows
    makes no difference.
    """
    forecasts, which, count = np.unique(p, return_inverse=True, return_counts=True)
    rate = np.bincount(which, weights=y, minlength=len(forecasts)) / count
    in_order, happened = np.repeat(forecasts, count), np.repeat(rate, count)
    parts = [part for part in np.array_split(np.arange(len(p)), bins) if len(part)]
    return tuple(CalibrationBin(len(i), float(in_order[i].mean()), float(happened[i].mean())) for i in parts)


def resamples(councils: NDArray[np.str_], draws: int = DRAWS, seed: int = SEED) -> Iterator[NDArray[np.intp]]:
    """Row numbers of each resample: as many councils as there are, drawn with replacement, with all their rows."""
    names, codes = np.unique(councils, return_inverse=True)
    rows = [np.flatnonzero(codes == i) for i in range(len(names))]
    generator = np.random.default_rng(seed)
    for _ in range(draws):
        yield np.concatenate([rows[i] for i in generator.integers(0, len(names), len(names))])


def resample_counts(councils: NDArray[np.str_], draws: int = DRAWS, seed: int = SEED) -> Floats:
    """The same resamples as a table, draws by rows: the number of times each row is in each resample."""
    return np.array(
        [np.bincount(rows, minlength=len(councils)) for rows in resamples(councils, draws, seed)], dtype=np.float64
    )


@dataclass(frozen=True, slots=True)
class _Tied:
    """Resampled positives and totals for each distinct forecast, highest first: draws by forecasts."""

    positives: Floats
    total: Floats

    @classmethod
    def of(cls, y: Bools, p: Floats, counts: Floats) -> _Tied:
        order = np.argsort(-p, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(p[order]) != 0))
        total = np.add.reduceat(counts[:, order], starts, axis=1)
        return cls(np.add.reduceat((counts * y)[:, order], starts, axis=1), total)


def resampled(y: Bools, p: Floats, counts: Floats) -> dict[str, Floats]:
    """Each measure that is given an interval, on every resample; NaN where a resample has only one kind of outcome."""
    tied = _Tied.of(y, p, counts)
    positives = tied.positives.sum(axis=1)
    total = tied.total.sum(axis=1)
    negatives = total - positives
    above = np.cumsum(tied.total, axis=1)
    good = tied.total - tied.positives
    good_below = negatives[:, None] - np.cumsum(good, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = (tied.positives * (good_below + good / 2)).sum(axis=1)
        precision = np.where(above > 0, np.cumsum(tied.positives, axis=1) / above, 0.0)
        found = {
            "auc": pairs / (positives * negatives),
            "average_precision": (tied.positives * precision).sum(axis=1) / positives,
            "precision_tenth": _precision_at(tied, above, total, 0.1),
            "precision_fifth": _precision_at(tied, above, total, 0.2),
        }
        base = positives / total
        brier = (counts @ (p - y) ** 2) / total
        found["brier_skill"] = 1 - brier / (base * (1 - base))
    one_kind = (positives == 0) | (negatives == 0)
    return {name: np.where(one_kind, np.nan, values) for name, values in found.items()}


def _precision_at(tied: _Tied, above: Floats, total: Floats, share: float) -> Floats:
    """Precision among the riskiest share; where forecasts tie at the edge, the mean over all orders of the tied."""
    k = np.maximum(1.0, np.round(total * share))[:, None]
    taken = np.clip(k - (above - tied.total), 0.0, tied.total)
    rate = np.where(tied.total > 0, tied.positives / tied.total, 0.0)
    return np.asarray((rate * taken).sum(axis=1) / k[:, 0])


def ends(values: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """The ends of the central part of resampled values; None if a measure was undefined in half of them or more."""
    there = values[np.isfinite(values)]
    if 2 * len(there) <= len(values):
        return None
    low, high = np.quantile(there, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def log_losses(y: Bools, p: Floats) -> Floats:
    """The log loss of each row."""
    safe = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(-np.where(y, np.log(safe), np.log(1 - safe)))

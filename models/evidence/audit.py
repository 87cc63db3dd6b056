"""Audits for which councils a forecast works: by deprivation, region, size, type, and the level year by year."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.learning.level import Floats
from models.learning.metrics import auc


@dataclass(frozen=True, slots=True)
class Slice:
    """One kind of council: how many, expected and observed below good, and how well they are ranked."""

    by: str
    level: str
    n: int
    observed: int
    expected: float
    standard_error: float
    """Of the expected number, from chance alone."""
    auc: float | None
    flagged: int
    """How many are in the riskiest fifth of all inspections."""
    flagged_good: int
    """How many of the flagged were judged good or better: false alarms."""


def audit(rows: pl.DataFrame, y: NDArray[np.bool_], p: Floats) -> tuple[Slice, ...]:
    """Slices by thirds of deprivation and of size, by region and by type."""
    edge = np.sort(p)[::-1][max(1, round(len(p) * 0.2)) - 1]
    flagged = p >= edge
    found = []
    for by, levels in _levels(rows).items():
        for level in dict.fromkeys(v for v in levels if v is not None):
            at = np.array([v == level for v in levels])
            chance = float(np.sum(p[at] * (1 - p[at])))
            found.append(
                Slice(
                    by=by,
                    level=level,
                    n=int(at.sum()),
                    observed=int(y[at].sum()),
                    expected=float(p[at].sum()),
                    standard_error=sqrt(chance),
                    auc=auc(y[at], p[at]),
                    flagged=int((at & flagged).sum()),
                    flagged_good=int((at & flagged & ~y).sum()),
                )
            )
    return tuple(sorted(found, key=lambda s: (s.by, s.level)))


def _levels(rows: pl.DataFrame) -> dict[str, list[str | None]]:
    return {
        "deprivation": _thirds(rows["imd_score"], ("1 least deprived", "2 middle", "3 most deprived")),
        "region": rows["region"].to_list(),
        "size": _thirds(rows["population_0_17"], ("1 smallest", "2 middle", "3 largest")),
        "type": rows["council_type"].to_list(),
    }


def _thirds(values: pl.Series, names: tuple[str, str, str]) -> list[str | None]:
    if values.null_count() == len(values):
        return [None] * len(values)
    rank = (values.rank("average") - 0.5) / values.count()
    return [None if r is None else names[int(3 * r)] for r in rank.to_list()]

"""Measures as a block of numbers: council by measure by month. What looks back in time is computed on it.

Each operation is elementwise in a fixed order, so a cell's result depends on its own series alone, bit for
bit: not on other councils, nor on months that came later, nor on how far back the table happens to reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Cube:
    """The axes, and where each row of the long frame lies on them."""

    councils: tuple[str, ...]
    measures: tuple[str, ...]
    months: tuple[date, ...]
    position: tuple[Ints, Ints, Ints] = field(repr=False)
    """For each row of the frame the cube was made from: council, measure and month index."""

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Cube:
        """Axes from the distinct values of `la_code`, `measure` and `month`, sorted; months need not be consecutive."""
        councils = frame.get_column("la_code").unique().sort()
        measures = frame.get_column("measure").unique().sort()
        months = frame.get_column("month").unique().sort()
        position = _positions(frame, councils, measures, months)
        return cls(tuple(councils.to_list()), tuple(measures.to_list()), tuple(months.to_list()), position)

    def fill(self, values: pl.Series) -> Floats:
        """A column of the frame as a block `[council, measure, month]`; NaN where there is no value."""
        block = np.full((len(self.councils), len(self.measures), len(self.months)), np.nan)
        block[self.position] = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        return block

    def fill_from(self, frame: pl.DataFrame, column: str) -> Floats:
        """The same of another long frame; rows outside the axes are left out."""
        inside = frame.filter(
            pl.col("la_code").is_in(list(self.councils)),
            pl.col("measure").is_in(list(self.measures)),
            pl.col("month").is_in(list(self.months)),
        )
        where = _positions(
            inside,
            pl.Series(self.councils, dtype=pl.String),
            pl.Series(self.measures, dtype=pl.String),
            pl.Series(self.months, dtype=pl.Date),
        )
        block = np.full((len(self.councils), len(self.measures), len(self.months)), np.nan)
        block[where] = inside.get_column(column).cast(pl.Float64).fill_null(np.nan).to_numpy()
        return block

    def lag(self, block: Floats, months: int, columns: Ints) -> Floats:
        """For each asked column the values so many calendar months earlier; NaN where that month is not there."""
        index = {_ordinal(day): i for i, day in enumerate(self.months)}
        source = [index.get(_ordinal(self.months[c]) - months, -1) for c in columns]
        found = np.array(source, dtype=np.intp)
        earlier = np.full((*block.shape[:2], len(columns)), np.nan)
        earlier[:, :, found >= 0] = block[:, :, found[found >= 0]]
        return earlier


def quotient(numerator: pl.Series, denominator: pl.Series) -> pl.Series:
    """Row by row, correctly rounded; null where one is null or the denominator is 0.

    Polars multiplies by the reciprocal when a divisor is the same in every row, and so the last bit would depend
    on the other rows.
    """
    over, under = (s.cast(pl.Float64).fill_null(np.nan).to_numpy() for s in (numerator, denominator))
    with np.errstate(invalid="ignore", divide="ignore"):
        return pl.Series(np.where(under != 0, over / under, np.nan)).fill_nan(None)


def _ordinal(day: date) -> int:
    return day.year * 12 + day.month


def _positions(
    frame: pl.DataFrame, councils: pl.Series, measures: pl.Series, months: pl.Series
) -> tuple[Ints, Ints, Ints]:
    """Row positions on each axis. Months are looked up by number: dates a few hundred apart make a small table."""
    la = frame.get_column("la_code").cast(pl.Enum(councils)).to_physical().to_numpy().astype(np.intp)
    measure = frame.get_column("measure").cast(pl.Enum(measures)).to_physical().to_numpy().astype(np.intp)
    month = np.searchsorted(months.to_physical().to_numpy(), frame.get_column("month").to_physical().to_numpy())
    return la, measure, month.astype(np.intp)

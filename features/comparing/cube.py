"""Measures as a three-dimensional array: council by measure by month. All look-backs in time are computed on it.

Each operation works cell by cell in a fixed order, so a result depends on its own series alone, bit for bit. Other
councils, later months and the length of the table make no difference to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.registry import ALL_MEASURES

MEASURE_AXIS = tuple(sorted(m.name for m in ALL_MEASURES))

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Cube:
    """The axes of the array, and the cell of each row of the long frame."""

    councils: tuple[str, ...]
    measures: tuple[str, ...]
    months: tuple[date, ...]
    places: tuple[Ints, Ints, Ints] = field(repr=False)
    """Where each row of the frame the cube was made from is on the axes."""

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Cube:
        """Axes from a frame: its councils and months, sorted (months need not be consecutive), and every measure."""
        councils, months = (tuple(_runs(frame[n])[0].unique().sort().to_list()) for n in ("la_code", "month"))
        nothing = np.zeros(0, dtype=np.intp)
        axes = cls(councils, MEASURE_AXIS, months, (nothing, nothing, nothing))
        return replace(axes, places=axes.locate(frame))

    @cached_property
    def ordinals(self) -> Ints:
        """The months, counted from the year 0; sorted."""
        return np.array([day.year * 12 + day.month for day in self.months], dtype=np.intp)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The number of councils, measures and months: the order of axes in every block."""
        return len(self.councils), len(self.measures), len(self.months)

    def locate(self, frame: pl.DataFrame) -> tuple[Ints, Ints, Ints]:
        """Council, measure and month index of each row; -1 where the value is not on the axis."""
        council, in_a_row = _runs(frame["la_code"])
        la = np.repeat(_index(council, self.councils), in_a_row)
        day, in_a_row = _runs(frame["month"])
        days, asked = np.array(self.months, dtype="datetime64[D]").astype(np.int32), day.to_physical().to_numpy()
        index = np.minimum(np.searchsorted(days, asked), len(days) - 1)
        month = np.repeat(np.where(days[index] == asked, index, -1), in_a_row)
        return la, _index(frame["measure"], self.measures), month

    def fill(self, values: pl.Series) -> Floats:
        """A column of the frame as a block `[council, measure, month]`; NaN where there is no value."""
        return self._block(self.places, values)

    def fill_from(self, frame: pl.DataFrame, column: str) -> Floats:
        """Like `fill`, from another long frame; rows outside the axes are left out."""
        la, measure, month = self.locate(frame)
        inside = (la >= 0) & (measure >= 0) & (month >= 0)
        if inside.all():
            return self._block((la, measure, month), frame.get_column(column))
        within = (la[inside], measure[inside], month[inside])
        return self._block(within, frame.get_column(column).filter(pl.Series(inside)))

    def _block(self, places: tuple[Ints, Ints, Ints], values: pl.Series) -> Floats:
        block = np.full(self.shape, np.nan)
        block[places] = values.cast(pl.Float64).to_numpy()
        return block

    def lag(self, block: Floats, months: int, columns: Ints, since: Ints | None = None) -> Floats:
        """The values of each requested column that many calendar months earlier; NaN where that month is missing.

        `since`: for each cell of the cube the first month that may be looked back on.
        """
        there, source = self.found(months, columns)
        earlier = np.full((*block.shape[:2], len(columns)), np.nan)
        earlier[:, :, there] = block[:, :, source]
        if since is not None:
            earlier[:, :, there] = np.where(source >= since[:, :, columns[there]], earlier[:, :, there], np.nan)
        return earlier

    def found(self, months: int, columns: Ints) -> tuple[Ints, Ints]:
        """Which of the columns have a column that many calendar months earlier, and which one."""
        wanted = self.ordinals[columns] - months
        source = np.minimum(np.searchsorted(self.ordinals, wanted), self.ordinals.size - 1)
        there = np.nonzero(self.ordinals[source] == wanted)[0]
        return there, source[there]


def quotient(numerator: pl.Series, denominator: pl.Series) -> pl.Series:
    """Divide row by row, correctly rounded; null where either value is null or the denominator is 0.

    Polars multiplies by the reciprocal when the divisor is the same in every row, so its last bit would depend on the
    other rows.
    """
    over, under = (s.cast(pl.Float64).to_numpy() for s in (numerator, denominator))
    with np.errstate(invalid="ignore", divide="ignore"):
        return pl.Series(np.where(under != 0, over / under, np.nan)).fill_nan(None)


def _runs(column: pl.Series) -> tuple[pl.Series, Ints]:
    """Distinct runs of equal values and their lengths, so that each run is looked up once, not row by row."""
    runs = column.rle().struct.unnest()
    return runs.get_column("value"), runs.get_column("len").to_numpy().astype(np.intp)


def _index(column: pl.Series, axis: tuple[str, ...]) -> Ints:
    """The position of each text on the axis; -1 if it is not there."""
    codes = column.cast(pl.Enum(axis), strict=False).to_physical()
    found: Ints = (codes.cast(pl.Int64).fill_null(-1) if codes.has_nulls() else codes).to_numpy().astype(np.intp)
    return found

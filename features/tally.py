"""Counting masks council by council, as fast as the rows can be read.

The rows of a council lie together, so a sum per council is a sum over a slice: of a Boolean column that is
counting bits. A grouping would first have to find out what is known already. A null mask is no: what is
not known to have happened is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """A frame whose councils' rows lie together, and where each begins."""

    frame: pl.DataFrame
    councils: pl.Series
    """la_code of each run of rows, in the frame's order, each once."""
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Rows:
        """Canonical extracts are in this order already and are not touched; any other frame is sorted."""
        runs = frame.get_column("la_code").rle().struct.unnest()
        if runs.get_column("value").n_unique() != runs.height:
            return cls.of(frame.sort("la_code", maintain_order=True))
        lengths = runs.get_column("len").to_numpy().astype(np.int64)
        return cls(frame, runs.get_column("value").alias("la_code"), lengths)

    def sums(self, masks: dict[str, pl.Expr], amounts: dict[str, pl.Expr]) -> pl.DataFrame:
        """Per council how many rows each mask holds and what each amount adds up to: `la_code` and Int64 columns."""
        selected = self.frame.select(
            *(m.alias(n) for n, m in masks.items()), *(a.cast(pl.Int64).alias(n) for n, a in amounts.items())
        )
        begins = [0, *accumulate(self.lengths.tolist())][:-1]
        slices = list(zip(begins, self.lengths.tolist(), strict=True))
        columns = [
            pl.Series(column.name, [column.slice(begin, n).sum() for begin, n in slices], dtype=pl.Int64)
            for column in (c.rechunk() for c in selected.get_columns())
        ]
        return pl.DataFrame([self.councils, *columns])

    def where(self, mask: pl.Expr, *columns: str) -> tuple[pl.DataFrame, NDArray[np.int64]]:
        """The rows under a mask with these columns, and how many there are of each council."""
        chosen = self.frame.select(mask.fill_null(False).alias("chosen")).to_series()
        begins = [0, *accumulate(self.lengths.tolist())][:-1]
        of_each = [chosen.slice(b, n).sum() for b, n in zip(begins, self.lengths.tolist(), strict=True)]
        return self.frame.select(columns).filter(chosen), np.array(of_each, dtype=np.int64)


def per_council(lengths: NDArray[np.int64], mask: pl.Series) -> pl.Series:
    """Of rows that lie together by council, so many each, how many of each council are under the mask."""
    ends = np.cumsum(lengths)
    up_to = np.concatenate([[0], np.cumsum(mask.fill_null(False).to_numpy(), dtype=np.int64)])
    return pl.Series(up_to[ends] - up_to[ends - lengths], dtype=pl.Int64)

"""Counts masks council by council, as fast as the rows can be read.

Each council's rows lie together, so a sum per council is a sum over a range of rows. For a mask this means counting the
set bits of machine words. Grouping would first have to find ranges that are already known. A null in a mask counts as
no: what is not known to have happened is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

_Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """A frame in which each council's rows lie together, and where they end."""

    frame: pl.DataFrame
    councils: pl.Series
    """la_code of each run of rows, each once, in the frame's order."""
    ends: _Whole
    """Cumulative number of rows at the end of each council; begins with 0."""

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Rows:
        """Rows of a frame. Canonical extracts are in this order already; any other frame is sorted."""
        runs = frame.get_column("la_code").rle().struct.unnest()
        if runs.get_column("value").n_unique() != runs.height:
            return cls.of(frame.sort("la_code", maintain_order=True))
        return cls(frame, runs.get_column("value").alias("la_code"), ends_of(runs.get_column("len")))

    def sums(self, masks: dict[str, pl.Expr], amounts: dict[str, pl.Expr]) -> pl.DataFrame:
        """Per council, the number of rows in each mask and the total of each amount: `la_code` and Int64 columns."""
        selected = self.frame.select(
            *(m.alias(n) for n, m in masks.items()), *(a.cast(pl.Int64).alias(n) for n, a in amounts.items())
        )
        counts = [pl.Series(n, count_by(selected.get_column(n), self.ends)) for n in masks]
        totals = [pl.Series(n, self._total(selected.get_column(n))) for n in amounts]
        return pl.DataFrame([self.councils, *counts, *totals])

    def _total(self, amount: pl.Series) -> _Whole:
        if not len(amount):
            return np.zeros(0, dtype=np.int64)
        return np.add.reduceat(amount.fill_null(0).to_numpy(), self.ends[:-1])

    def where(self, mask: pl.Expr, *columns: str) -> tuple[pl.DataFrame, _Whole]:
        """These columns of the rows selected by a mask, and where each council's rows end among them."""
        chosen = self.frame.select(mask.alias("chosen")).to_series()
        ends = np.concatenate([[0], np.cumsum(count_by(chosen, self.ends))])
        return self.frame.select(columns).filter(chosen), ends


def ends_of(lengths: pl.Series) -> _Whole:
    """Where runs of these lengths end; begins with 0."""
    return np.concatenate([[0], np.cumsum(lengths.to_numpy(), dtype=np.int64)])


def count_by(mask: pl.Series, ends: _Whole) -> _Whole:
    """The number of true values of a Boolean column in each range of rows; null counts as false."""
    bits = mask.rechunk().to_arrow()
    validity, values = bits.buffers()
    used = (bits.offset + len(bits) + 7) // 8
    words = np.zeros(used // 8 + 2, dtype="<u8")
    octets = words.view(np.uint8)
    octets[:used] = np.frombuffer(values, np.uint8, count=used)
    if validity is not None:
        octets[:used] &= np.frombuffer(validity, np.uint8, count=used)
    before_word = np.concatenate([[0], np.cumsum(np.bitwise_count(words), dtype=np.int64)])
    end = ends + bits.offset
    below = (np.uint64(1) << (end & 63).astype(np.uint64)) - np.uint64(1)
    before: _Whole = before_word[end >> 6] + np.bitwise_count(words[end >> 6] & below)
    return np.diff(before)

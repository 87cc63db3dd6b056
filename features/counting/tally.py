"""Counts masks council by council, as fast as the rows can be read.

Each council's rows lie together, so a sum per council is a sum over a range of rows. For a mask this means counting the
set bits of machine words. Grouping would first have to find ranges that are already known. A null in a mask counts as
no: what is not known to have happened is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    @property
    def lengths(self) -> pl.Series:
        """The number of rows of each council."""
        return pl.Series(np.diff(self.ends))

    def present(self) -> Rows:
        """The same without councils that have no row."""
        there = self.lengths > 0
        return Rows(self.frame, self.councils.filter(there), ends_of(self.lengths.filter(there)))

    def marks(self, masks: Mapping[str, pl.Expr], amounts: Mapping[str, pl.Expr] | None = None) -> pl.DataFrame:
        """Each mask and amount as a column, in one pass over the rows.

        The query is lazy because an eager `select` works out again for every mask what several of them share.
        """
        wholes = [amount.cast(pl.Int64).fill_null(0).alias(name) for name, amount in (amounts or {}).items()]
        return (
            self.frame.lazy()
            .select(*(mask.alias(name) for name, mask in masks.items()), *wholes)
            .collect(engine="in-memory")
        )

    def sums(self, marks: pl.DataFrame) -> pl.DataFrame:
        """Per council, the number of rows in each mask and the total of each amount: `la_code` and Int64 columns."""
        return pl.DataFrame([self.councils, *(pl.Series(m.name, self._sum(m)) for m in marks.get_columns())])

    def _sum(self, mark: pl.Series) -> _Whole:
        if mark.dtype == pl.Boolean:
            return count_by(mark, self.ends)
        total, there = np.zeros(len(self.councils), dtype=np.int64), np.diff(self.ends) > 0
        total[there] = np.add.reduceat(mark.to_numpy(), self.ends[:-1][there])
        return total

    def where(self, mask: pl.Series, *columns: str) -> Rows:
        """These columns of the rows in a mask. A council may have no row left."""
        ends = np.concatenate([[0], np.cumsum(count_by(mask, self.ends))])
        there = self.frame.lazy().select(columns).filter(mask).collect(engine="in-memory")
        return Rows(there, self.councils, ends)


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

"""Counts masks council by council, as fast as the rows can be read.

Each council's rows lie together, so a sum per council is a sum over a range of rows. For a mask this means counting the
set bits of machine words. Grouping would first have to find ranges that are already known. A null in a mask counts as
no: what is not known to have happened is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

    def where_council(self, there: pl.Series) -> Rows:
        """The rows of some councils: those that are `there`."""
        if there.all():
            return self
        kept = pl.Series(np.repeat(there.to_numpy(), self.lengths.to_numpy()))
        return Rows(self.frame.filter(kept), self.councils.filter(there), ends_of(self.lengths.filter(there)))

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
        masks = [m for m in marks.get_columns() if m.dtype == pl.Boolean]
        found = dict(zip((m.name for m in masks), count_by(masks, self.ends), strict=True))
        sums = ((m.name, found[m.name] if m.name in found else self._total(m)) for m in marks.get_columns())
        return pl.DataFrame([self.councils, *(pl.Series(name, values) for name, values in sums)])

    def _total(self, amount: pl.Series) -> _Whole:
        total, there = np.zeros(len(self.councils), dtype=np.int64), np.diff(self.ends) > 0
        total[there] = np.add.reduceat(amount.to_numpy(), self.ends[:-1][there])
        return total

    def where(self, mask: pl.Series, *columns: str) -> Rows:
        """These columns of the rows in a mask. A council may have no row left."""
        ends = np.concatenate([[0], np.cumsum(count_by([mask], self.ends)[0])])
        there = self.frame.lazy().select(columns).filter(mask).collect(engine="in-memory")
        return Rows(there, self.councils, ends)


def by_council(frame: pl.DataFrame, councils: Iterable[str]) -> pl.DataFrame:
    """Each council's row of a frame with one row for some councils; null where it has none. Leaves out `la_code`.

    For a row a council, a join takes longer than all the counting.
    """
    place = {code: row for row, code in enumerate(frame.get_column("la_code").to_list())}
    rows = pl.Series([place.get(code) for code in councils], dtype=pl.UInt32)
    return frame[[name for name in frame.columns if name != "la_code"]][rows]


def ends_of(lengths: pl.Series) -> _Whole:
    """Where runs of these lengths end; begins with 0."""
    return np.concatenate([[0], np.cumsum(lengths.to_numpy(), dtype=np.int64)])


def count_by(masks: Sequence[pl.Series], ends: _Whole) -> _Whole:
    """The number of true values of each Boolean column in each range of rows, `[column, range]`; null counts as false.

    All columns are counted together: the calls for each would take longer than the counting.
    """
    end = np.tile(ends, (len(masks), 1))
    words = np.zeros((len(masks), (ends[-1] + 7) // 64 + 2), dtype="<u8")
    for row, mask in enumerate(masks):
        bits = mask.rechunk().to_arrow()
        skipped, odd = divmod(bits.offset, 8)
        octets = words[row].view(np.uint8)[: (odd + len(bits) + 7) // 8]
        validity, values = bits.buffers()
        octets[:] = np.frombuffer(values, np.uint8, octets.size, skipped)
        if validity is not None:
            octets &= np.frombuffer(validity, np.uint8, octets.size, skipped)
        end[row] += odd
    before_word = np.zeros((len(masks), words.shape[1] + 1), dtype=np.int64)
    np.cumsum(np.bitwise_count(words), axis=1, out=before_word[:, 1:])
    word, below = end >> 6, (np.uint64(1) << (end & 63).astype(np.uint64)) - np.uint64(1)
    before = np.take_along_axis(before_word, word, axis=1)
    found: _Whole = np.diff(before + np.bitwise_count(np.take_along_axis(words, word, axis=1) & below))
    return found

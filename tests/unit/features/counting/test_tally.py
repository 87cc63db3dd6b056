from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.counting.tally import Rows, count_by

runs_of_flags = st.lists(st.lists(st.none() | st.booleans(), max_size=150), max_size=6)


@given(runs_of_flags, st.integers(0, 70))
def test_counting_bits_is_counting_rows(runs: list[list[bool | None]], skipped: int) -> None:
    flags = [flag for run in runs for flag in run]
    # Cut out of a longer column, so that the first bit need not be the first of a byte.
    column = pl.Series([True] * skipped + flags + [True] * 9, dtype=pl.Boolean).slice(skipped, len(flags))
    ends = np.cumsum([0, *(len(run) for run in runs)])
    found = count_by([column, ~column], ends).tolist()
    assert found == [[run.count(True) for run in runs], [run.count(False) for run in runs]]


def test_a_column_in_several_chunks() -> None:
    column = pl.concat([pl.Series([True, None]), pl.Series([True, False, True])], rechunk=False)
    assert count_by([column], np.array([0, 3, 5])).tolist() == [[2, 1]]


def test_rows_of_a_council_are_brought_together() -> None:
    frame = pl.DataFrame({"la_code": ["202", "201", "202"], "n": [1, 20, 300]})
    rows = Rows.of(frame)
    found = rows.sums(rows.marks({"many": pl.col("n") > 10}, {"n": pl.col("n")}))
    assert found.rows() == [("201", 1, 20), ("202", 1, 301)]
    nothing = Rows.of(frame.clear())
    assert nothing.sums(nothing.marks({"many": pl.col("n") > 10}, {"n": pl.col("n")})).is_empty()


def test_an_amount_that_is_not_known_adds_nothing() -> None:
    frame = pl.DataFrame({"la_code": ["201", "201"], "n": [None, 5]})
    rows = Rows.of(frame)
    assert rows.sums(rows.marks({}, {"n": pl.col("n")})).rows() == [("201", 5)]

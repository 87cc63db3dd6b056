"""Rows in order: as a sort leaves them, and not copied when they stand so already."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.frames import in_order

_KEYS = st.none() | st.sampled_from(["370", "5", "901"])


@given(st.lists(st.tuples(_KEYS, st.none() | st.integers(0, 3)), max_size=8))
def test_rows_stand_as_a_stable_sort_leaves_them(keys: list[tuple[str | None, int | None]]) -> None:
    rows = pl.DataFrame(keys, schema={"la_code": pl.String(), "file_row": pl.Int64()}, orient="row").with_row_index()
    by = ["la_code", "file_row"]
    assert_frame_equal(in_order(rows, by), rows.sort(by, maintain_order=True))


def test_rows_in_order_are_the_same_rows() -> None:
    rows = pl.DataFrame({"la_code": ["370", "370", "901"], "file_row": [2, 3, 1]})
    assert in_order(rows, ["la_code", "file_row"]) is rows
    assert in_order(rows, ["file_row"])["la_code"].to_list() == ["901", "370", "370"]

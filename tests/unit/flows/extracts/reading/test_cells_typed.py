"""Columns of a Parquet file keep the type of their field; what is read of them is what their text would say."""

from __future__ import annotations

import io
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.registry import EXTRACTS, Field, FieldType, Kind
from flows.extracts.reading.cells import Cells, read_columns
from flows.extracts.reading.table import as_text, has_type
from flows.extracts.reading.tables import read_table

from ..conftest import WHERE

_TYPED = [
    f for e in EXTRACTS.values() for f in e.fields if f.type in (FieldType.DATE, FieldType.INTEGER, FieldType.FLAG)
]
_dates = st.one_of(st.none(), st.dates(), st.sampled_from([date(1949, 12, 31), date(1950, 1, 1), date(2100, 1, 1)]))
_numbers = st.one_of(st.none(), st.integers(0, 1), st.integers(-(2**40), 2**40), st.sampled_from([999_999_999, 10**9]))


def _said(cells: Cells) -> list[tuple[object, ...]]:
    none = [None] * cells.values.len()
    problems = none if cells.problems is None else cells.problems.to_list()
    reasons = none if cells.reasons is None else cells.reasons.to_list()
    return [cells.note, cells.values.dtype, *zip(cells.values.to_list(), problems, reasons, strict=True)]  # type: ignore[list-item]


@given(st.sampled_from(_TYPED), st.data())
def test_a_columns_own_type_reads_as_its_text_does(field: Field, data: st.DataObject) -> None:
    of_dates = field.type is FieldType.DATE
    values = data.draw(st.lists(_dates if of_dates else _numbers, min_size=1, max_size=6))
    column = pl.Series(field.name, values, dtype=pl.Date() if of_dates else pl.Int64())
    assert has_type(column.dtype, field.type)
    typed, text = (read_columns(c.to_frame(), [field])[field.name] for c in (column, as_text(column)))
    assert _said(typed) == _said(text)


@pytest.mark.parametrize("dtype", [pl.UInt8(), pl.Int32(), pl.UInt64()])
def test_whole_numbers_of_every_width_keep_their_type(dtype: pl.DataType) -> None:
    assert has_type(dtype, FieldType.INTEGER)
    assert has_type(dtype, FieldType.FLAG)
    assert not has_type(dtype, FieldType.DATE)


def test_only_a_column_of_its_fields_type_keeps_it() -> None:
    """A council's code that is a number in the file becomes text, and so does a column that nobody reads."""
    file = io.BytesIO()
    frame = {"la_code": [301], "reference_date": [date(2026, 10, 31)], "worker_ref": [7], "cases": [12], "floor": [3]}
    pl.DataFrame(frame).write_parquet(file)
    content = file.getvalue()
    typed = read_table(content, kind=Kind.WORKFORCE, where=WHERE, typed=True).cells
    assert typed.drop("file_row").row(0) == ("301", date(2026, 10, 31), "7", 12, "3")
    text = read_table(content, kind=Kind.WORKFORCE, where=WHERE).cells
    assert text.drop("file_row").row(0) == ("301", "2026-10-31", "7", "12", "3")

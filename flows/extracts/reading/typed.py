"""Columns of a Parquet file that already have the type of their field, so that they need not become text first."""

from __future__ import annotations

from datetime import date

import polars as pl

from features.registry import FieldType
from flows.extracts.reading.dates import EARLIEST, LATEST

#: What text in plain notation may hold too (`flows.extracts.reading.cells`).
_BOUNDS: dict[FieldType, tuple[int, int] | tuple[date, date]] = {
    FieldType.DATE: (EARLIEST, LATEST),
    FieldType.INTEGER: (0, 999_999_999),
    FieldType.FLAG: (0, 1),
}


def as_text(column: pl.Series) -> pl.Series:
    """A typed column as the text a person would have written: dates in ISO form, without a time zone."""
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is not None:
            column = column.dt.convert_time_zone("Europe/London").dt.replace_time_zone(None)
        return column.dt.to_string("%Y-%m-%d %H:%M:%S")
    return column.cast(pl.String)


def has_type(dtype: pl.DataType, of: FieldType) -> bool:
    """Whether a column of this type may hold values of the field as they are."""
    return of in _BOUNDS and (dtype == pl.Date() if of is FieldType.DATE else dtype.is_integer())


def typed_values(column: pl.Series, of: FieldType) -> pl.Series | None:
    """The values of a column that has the type of its field; None if one of them must be looked at as text."""
    least, most = _BOUNDS[of]
    if column.null_count() < column.len() and not (column.min() >= least and column.max() <= most):  # type: ignore[operator]
        return None
    match of:
        case FieldType.INTEGER:
            return column.cast(pl.Int64)
        case FieldType.FLAG:
            return column == 1
        case _:
            return column

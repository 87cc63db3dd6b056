"""Combines the extracts of many councils and months into one table per kind, on which the rules run.

A single pass over all councils makes validation affordable (`docs/decisions.md`). Each row refers to its council and
month by a small number, `file_no`, through which every failure is attributed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from expectations.batch import Batch
from expectations.suites.generated import has_date_range
from expectations.suites.rules import Rule
from features.frames import conform, in_order
from features.months import Month, bank_holidays
from features.registry import EXTRACTS, FieldType, Kind

#: One row per file of the pass: its number, month and council.
_FILES = pl.Schema({"file_no": pl.UInt32(), "month": pl.Date(), "la_code": pl.String(), "rows": pl.UInt32()})


@dataclass(frozen=True)
class Prepared:
    """All rows of one kind in a pass, sorted by month, council and key, with extra columns that rules need."""

    kind: Kind
    rows: pl.DataFrame
    """The canonical columns, then `file_no, month, month_first, working_days, key_number, repeat`;
    a caseload also `worker_known, worker_in_post` (null where the council sent no workforce extract)."""
    files: pl.DataFrame
    """`file_no, month, la_code, rows`, in order of file_no, which counts from 0."""

    def file_numbers(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return self.rows["file_no"].cast(pl.Int64).to_numpy()


def prepare(kind: Kind, batches: Sequence[Batch]) -> Prepared | None:
    """Concatenate one kind's frames of several months; None if no council sent any rows.

    Raises HoldfastError if a frame does not have the canonical schema, so types are checked before any rule.
    """
    key = EXTRACTS[kind].key
    parts = []
    for batch in batches:
        frame = batch.frames.get(kind)
        if frame is None or frame.is_empty():
            continue
        month = batch.month
        parts.append(
            conform(frame, EXTRACTS[kind].schema, f"{kind} extract").with_columns(
                pl.lit(month.last_day).alias("month"),
                pl.lit(month.first_day).alias("month_first"),
                pl.lit(_working_days(month), dtype=pl.Int64).alias("working_days"),
            )
        )
    if not parts:
        return None
    # Sorted by file_row last, so that rows with the same key stay in the order of the file.
    order = list(dict.fromkeys(["month", "la_code", *key, "file_row"]))
    rows = in_order(pl.concat(parts), order)
    identity = pl.struct(list(dict.fromkeys(["month", "la_code", *key]))).rle_id()
    rows = rows.with_columns(
        pl.struct("month", "la_code").rle_id().alias("file_no"),
        pl.when(pl.all_horizontal(pl.col(k).is_not_null() for k in key))
        .then(identity.cast(pl.Int64))
        .alias("key_number"),
    ).with_columns((pl.col("key_number") == pl.col("key_number").shift(1)).fill_null(False).alias("repeat"))
    files = (
        rows.group_by("file_no", maintain_order=True)
        .agg(pl.col("month").first(), pl.col("la_code").first(), pl.len().alias("rows"))
        .sort("file_no")
    )
    return Prepared(kind, rows, files.select(list(_FILES)))


def with_workers(caseload: Prepared, workforce: Prepared | None, by_name: Sequence[tuple[Month, str]] = ()) -> Prepared:
    """Add to each case whether its worker is in the council's workforce extract, and whether in post.

    Both are null where the case has no worker or the council sent no workforce extract that month. They are also null
    for the councils and months in `by_name`, whose cases give workers by name and have no reference to look up.
    """
    nothing = pl.lit(None, dtype=pl.Boolean)
    if workforce is None:
        rows = caseload.rows.with_columns(nothing.alias("worker_known"), nothing.alias("worker_in_post"))
        return Prepared(caseload.kind, rows, caseload.files)
    ended = pl.col("role_end_date")
    workers = (
        workforce.rows.filter(pl.col("worker_ref").is_not_null())
        .group_by(pl.col("file_no").alias("staff_file"), "worker_ref")
        .agg((ended.is_null() | (ended > pl.col("month"))).any().alias("worker_in_post"))
    )
    named = pl.DataFrame(
        [(month.last_day, la_code) for month, la_code in by_name],
        schema={"month": pl.Date(), "la_code": pl.String()},
        orient="row",
    )
    # The workforce extract that each caseload extract is compared with.
    staff = caseload.files.join(
        workforce.files.select("month", "la_code", pl.col("file_no").alias("staff_file")).join(
            named, on=["month", "la_code"], how="anti"
        ),
        on=["month", "la_code"],
        how="left",
        validate="1:1",
    )
    known = (
        caseload.rows.select("file_no", "allocated_worker_ref")
        .join(staff.select("file_no", "staff_file"), on="file_no", how="left", validate="m:1", maintain_order="left")
        .join(
            workers,
            left_on=["staff_file", "allocated_worker_ref"],
            right_on=["staff_file", "worker_ref"],
            how="left",
            validate="m:1",
            maintain_order="left",
        )
        .select(
            "worker_in_post",
            pl.when(pl.col("staff_file").is_not_null() & pl.col("allocated_worker_ref").is_not_null())
            .then(pl.col("worker_in_post").is_not_null())
            .alias("worker_known"),
        )
    )
    return Prepared(caseload.kind, caseload.rows.hstack(known), caseload.files)


def tested_columns(prepared: Prepared, rules: Sequence[Rule], absent: frozenset[tuple[str, str, str]]) -> pl.DataFrame:
    """The columns that the rules test, as plain numbers and codes.

    Dates become days before the month end and decimals natural units, as the rules' arguments are. A key becomes its
    rank, so that no reference leaves this table. `absent` holds (la_code, month in ISO form, column) of columns that a
    file does not have; rules do not apply to them.
    """
    extract = EXTRACTS[prepared.kind]
    columns: dict[str, pl.Expr] = {}
    for rule in rules:
        if rule.holds is not None:
            columns[rule.column] = _spare_absent(rule, absent, rule.holds).cast(pl.Float32)
            continue
        field = extract.field(rule.column)
        column = pl.col(field.name)
        if field.name in extract.key:
            columns[field.name] = pl.col("key_number").cast(pl.Float64)
        elif has_date_range(field):
            columns[field.name] = (pl.col("month") - column).dt.total_days().cast(pl.Float64)
        elif field.type is FieldType.DATE:
            columns[field.name] = column.to_physical().cast(pl.Float64)
        elif field.type is FieldType.DECIMAL:
            columns[field.name] = column / 10**field.decimals
        elif field.type in (FieldType.INTEGER, FieldType.REFERENCE):
            columns[field.name] = column.cast(pl.Float64)
        elif field.type is FieldType.FLAG:
            columns[field.name] = _spare_missing(field.name, absent, column.cast(pl.Float32))
        else:
            columns[field.name] = column
    return prepared.rows.select(expression.alias(name) for name, expression in columns.items())


def _spare_absent(rule: Rule, absent: frozenset[tuple[str, str, str]], holds: pl.Expr) -> pl.Expr:
    without = sorted({(la_code, month) for la_code, month, column in absent if column in rule.fields})
    for la_code, month in without:
        here = (pl.col("la_code") == la_code) & (pl.col("month") == pl.lit(month).str.to_date())
        holds = pl.when(here.not_()).then(holds)
    return holds


def _spare_missing(name: str, absent: frozenset[tuple[str, str, str]], values: pl.Expr) -> pl.Expr:
    """Exempt a column that a file does not have at all: it has no empty cells to report."""
    for la_code, month in sorted({(la_code, month) for la_code, month, column in absent if column == name}):
        here = (pl.col("la_code") == la_code) & (pl.col("month") == pl.lit(month).str.to_date())
        values = pl.when(here).then(0.0).otherwise(values).cast(pl.Float32)
    return values


def _working_days(month: Month) -> int:
    closed = bank_holidays(month.year, month.year)
    return int(
        np.busday_count(
            np.datetime64(month.first_day),
            np.datetime64(month.plus(1).first_day),
            holidays=np.array(closed, "datetime64[D]"),
        )
    )

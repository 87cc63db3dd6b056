"""Where an episode's problems come from: a problem carries its list, column and row through the joins."""

from __future__ import annotations

import polars as pl

from flows.extracts.formats.annex_a.lists import PROBLEM

_NO_PROBLEMS = pl.DataFrame(
    schema={
        "file_row": pl.UInt32(),
        "field": pl.String(),
        "problem": pl.String(),
        "list": pl.UInt32(),
        "column": pl.String(),
        "at": pl.UInt32(),
    }
)
#: Separates a problem, its list, its column and its row while they are one text.
_ORIGIN = "|"


def with_origins(number: int, frame: pl.DataFrame) -> pl.DataFrame:
    """The list's problems with list, column and row attached, so that they keep them in whatever field they end up."""
    problems = [c for c in frame.columns if c.endswith(PROBLEM) and frame.get_column(c).null_count() < frame.height]
    between = {c: pl.lit(f"{_ORIGIN}{number}{_ORIGIN}{c.removesuffix(PROBLEM)}{_ORIGIN}") for c in problems}
    return frame.with_columns(pl.concat_str(pl.col(c), text, "row").alias(c) for c, text in between.items())


def problems_of(episodes: pl.DataFrame) -> pl.DataFrame:
    """Each problem of the episodes, with list, column and row of the cell it came from."""
    found = [
        episodes.filter(pl.col(name).is_not_null()).select(
            "file_row", pl.lit(name.removesuffix(PROBLEM)).alias("field"), pl.col(name).alias("problem")
        )
        for name in episodes.columns
        if name.endswith(PROBLEM) and episodes.get_column(name).null_count() < episodes.height
    ]
    if not found:
        return _NO_PROBLEMS
    parts = pl.col("problem").str.split_exact(_ORIGIN, 3).struct
    told = pl.concat(found).with_columns(
        parts.field("field_0").alias("problem"),
        parts.field("field_1").cast(pl.UInt32).alias("list"),
        parts.field("field_2").alias("column"),
        parts.field("field_3").cast(pl.UInt32).alias("at"),
    )
    return told.sort("file_row", "field")

"""What is kept of a month's files, so that later months can be compared with them."""

from __future__ import annotations

import polars as pl

from expectations.batch import PROFILE
from expectations.suites.rows import Prepared
from features.registry import EXTRACTS

#: Columns outside the digest: the date changes when last month's file is sent again, the row number when it is
#: re-sorted.
_NOT_CONTENT = frozenset({"la_code", "reference_date"})


def profile(prepared: Prepared) -> pl.DataFrame:
    """PROFILE of every file of a pass.

    `content` is a sum of row hashes, the same for the same rows in any order. It is compared for equality only. Another
    Polars version may hash differently; a repeat is then missed, but never wrongly reported.
    """
    names = [f.name for f in EXTRACTS[prepared.kind].fields if f.name not in _NOT_CONTENT]
    per_file = (
        prepared.rows.select("file_no", *(pl.col(n).is_not_null().alias(n) for n in names))
        .with_columns(prepared.rows.select(names).hash_rows().alias("content"))
        .group_by("file_no")
        .agg(pl.col(names).sum().cast(pl.UInt32), pl.col("content").sum())
    )
    return (
        prepared.files.join(per_file, on="file_no", how="left", validate="1:1")
        .unpivot(names, index=["la_code", "month", "rows", "content"], variable_name="column", value_name="filled")
        .with_columns(pl.lit(str(prepared.kind)).alias("extract"))
        .select(list(PROFILE))
        .cast(PROFILE)
        .sort("la_code", "month", "extract", "column")
    )

"""Does a file follow on from the month before? Looks up workers, cases and rows in last month's extract.

It finds three things that no single file shows: references that were reissued, so that nobody can be followed from
month to month; last month's file under this month's dates; and people and cases that disappeared without having left.
All limits are defined here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import xor

import polars as pl

from expectations.batch import Severity
from expectations.suites.plausible import COMPARISONS, ROWS_TO_JUDGE
from expectations.suites.rows import Prepared
from features.registry import EXTRACTS, FieldType, Kind

IDENTITY, STALE, GONE, ELSEWHERE = "identity", "stale", "gone", "elsewhere"

#: Less than this share of last month's references occurs again: no council lost half of its staff, or closed half of
#: its cases and opened as many others, within a month. In the made-up region nine in ten cases and workers recur.
RECURS = 0.5
#: If less than this share of the references on cases are references of workers, the two files use different references.
KNOWN = 0.2
#: The share of rows that are the same as last month's, leaving out dates. In the made-up region at most 0.51 of a
#: workforce file and 0.66 of a caseload file are the same; in a file that was sent again, all are.
SAME_ROWS = 0.9
#: How many of last month's workers and open cases may disappear without a question: a share, and a number of each.
GONE_SHARE, GONE_WORKERS, GONE_CASES = 0.02, 1.5, 5.0

FAMILIES: dict[str, str] = {
    IDENTITY: f"At least {RECURS:.0%} of last month's references occur again.",
    ELSEWHERE: f"At least {KNOWN:.0%} of the workers that cases name are in the workforce extract.",
    STALE: f"Fewer than {SAME_ROWS:.0%} of the rows are last month's, ignoring dates.",
    GONE: "Workers and cases of last month are still there, or have left or closed.",
}

_RECORDS = (Kind.WORKFORCE, Kind.CASELOAD)
_KEY = {Kind.WORKFORCE: "worker_ref", Kind.CASELOAD: "case_ref"}
_END = {Kind.WORKFORCE: "role_end_date", Kind.CASELOAD: "closed_date"}


def comparisons(prepared: Mapping[Kind, Prepared], before: Mapping[Kind, pl.DataFrame]) -> pl.DataFrame:
    """COMPARISONS of every file of a pass with the council's file of the month before.

    `before`: by kind, canonical rows of earlier months as they were used; their `reference_date` is the month.
    """
    parts = [COMPARISONS.to_frame()]
    every = [*(p.files["la_code"] for p in prepared.values()), *(f["la_code"].unique() for f in before.values())]
    codes = pl.Enum(pl.concat(every).unique().sort()) if every else pl.Enum([])
    for kind in _RECORDS:
        if kind in prepared:
            now = _rows(kind, prepared[kind].rows, codes, "month")
            then = _rows(kind, before[kind], codes, "reference_date") if kind in before else now.clear()
            then = then.with_columns(pl.col("file") + 1)
            files = prepared[kind].files.select(
                "la_code",
                "month",
                pl.col("month").dt.month_start().dt.offset_by("-1d").alias("other_month"),
                _file_number(codes, "month").alias("file"),
            )
            parts += _of_kind(kind, files, now, then.filter(pl.col("file").is_in(files["file"].implode())))
    if Kind.CASELOAD in prepared and Kind.WORKFORCE in prepared:
        parts.append(_elsewhere(prepared[Kind.CASELOAD].rows))
    return pl.concat(parts).sort("month", "la_code", "extract", "check")


def message(family: str, row: Mapping[str, object]) -> str:
    """The message about one failed comparison; `row` is a row of COMPARISONS."""
    column, month = row["column"], row["other_month"]
    of = f"{month:%B %Y}" if isinstance(month, date) else "the month before"
    value, expected = row["value"], row["expected"]
    if family == IDENTITY:
        return (
            f"Of the {_whole(expected)} values of {column} in {of} that could occur again, {_whole(value)} do. Has a "
            "new system or report issued new references? Figures that need the month before are withheld until next "
            "month. If the references are new, tell the data team, who confirm it: the charts of these figures then "
            "begin anew. If they should not have changed, send the extract again with last month's references, "
            "leading zeros included."
        )
    if family == ELSEWHERE:
        return (
            f"Of the {_whole(expected)} cases with a worker, {_whole(value)} name one who is in the workforce extract. "
            "Use the same reference for a worker in both extracts."
        )
    if family == STALE:
        return (
            f"{_whole(value)} of {_whole(expected)} rows are the same as in {of} apart from dates: this looks like "
            "last month's extract sent again. Send the extract of this month."
        )
    who = "workers who were in post" if column == "worker_ref" else "cases that were open"
    how = "with their role_end_date" if column == "worker_ref" else "with their closed_date"
    return (
        f"{_whole(value)} {who} at the end of {of} are not in the file. Is this true? Until somebody has answered, no "
        "message about the month goes to the director. Send those who left or closed in the month, "
        f"{how}; without them turnover and closures come out too low."
    )


def _whole(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, float) else "an unknown number"


def _file_number(codes: pl.Enum, month: str) -> pl.Expr:
    """A council's month as a number; that of its next month is one more."""
    number = pl.col(month).dt.year() * 12 + pl.col(month).dt.month().cast(pl.Int32)
    return pl.col("la_code").cast(codes).to_physical().cast(pl.Int32) * 120_000 + number


def _rows(kind: Kind, rows: pl.DataFrame, codes: pl.Enum, month: str) -> pl.DataFrame:
    """`file, key, there, worker, digest, varies` of rows with a key; `digest` leaves dates out."""
    extract, key = EXTRACTS[kind], _KEY[kind]
    content = [f.name for f in extract.fields if f.type is not FieldType.DATE and f.name not in ("la_code", key)]
    end = pl.col(_END[kind])
    return (
        rows.with_columns(rows.select(content).hash_rows().alias("digest"))
        .filter(pl.col(key).is_not_null())
        .select(
            _file_number(codes, month).alias("file"),
            pl.col(key).alias("key"),
            (end.is_null() | (end > pl.col(month))).alias("there"),
            (pl.col("allocated_worker_ref") if kind is Kind.CASELOAD else pl.lit(None, pl.UInt64())).alias("worker"),
            "digest",
            # A file with neither cases nor days lost looks the same every month.
            pl.any_horizontal(pl.col(n).is_not_null() for n in ("cases", "working_days_lost")).alias("varies")
            if kind is Kind.WORKFORCE
            else pl.lit(True).alias("varies"),
        )
    )


def _matched(*columns: str) -> pl.Expr:
    """Columns as one number of 64 bits: rows are matched by it in less time than by the columns."""
    one, *more = (pl.col(c).hash(seed=i) for i, c in enumerate(columns))
    return reduce(xor, more, one)


def _of_kind(kind: Kind, files: pl.DataFrame, now: pl.DataFrame, then: pl.DataFrame) -> list[pl.DataFrame]:
    key = _KEY[kind]
    both = files.filter(pl.col("file").is_in(f["file"].unique().implode()) for f in (now, then))
    again = _recurring(both, now, then.filter("there"), "key")
    parts = [_identity(again, kind, key), _gone(again, now, kind, key), _stale(both, now, then, kind)]
    if kind is Kind.CASELOAD:
        here, before = (f.filter(pl.col("there") & pl.col("worker").is_not_null()) for f in (now, then))
        parts.append(_identity(_recurring(both, here, before, "worker"), kind, "allocated_worker_ref"))
    return parts


def _recurring(both: pl.DataFrame, now: pl.DataFrame, then: pl.DataFrame, reference: str) -> pl.DataFrame:
    """By file: the number of references of the month before, the number now, and the number that occur again."""
    now, then = (f.select("file", of=_matched("file", reference)) for f in (now, then))
    again = then.filter(pl.col("of").is_in(now["of"].implode()))
    found = both
    for name, rows in (("before", then), ("here", now), ("again", again)):
        found = _with(found, rows, name, pl.col("of").n_unique())
    return found.with_columns(pl.col("before", "here", "again").fill_null(0.0))


def _with(files: pl.DataFrame, rows: pl.DataFrame, name: str, value: pl.Expr) -> pl.DataFrame:
    """The files with a number that their rows add up to; null where a file has none of these rows."""
    numbers = rows.group_by("file").agg(value.cast(pl.Float64).alias(name))
    return files.join(numbers, on="file", how="left", validate="1:1")


def _identity(again: pl.DataFrame, kind: Kind, column: str) -> pl.DataFrame:
    possible = pl.min_horizontal("before", "here")
    judged = again.filter(possible >= ROWS_TO_JUDGE)
    excess = (1 - pl.col("again") / possible) / (1 - RECURS)
    return _row(judged, kind, IDENTITY, Severity.QUERY, f"{column}.reissued", column, "again", possible, excess)


def _gone(again: pl.DataFrame, now: pl.DataFrame, kind: Kind, column: str) -> pl.DataFrame:
    left = now.group_by("file").agg(pl.col("there").not_().any().alias("some_left"))
    possible = pl.min_horizontal("before", "here")
    judged = again.join(left, on="file", how="left", validate="1:1").filter(
        pl.col("before") >= ROWS_TO_JUDGE, pl.col("again") >= RECURS * possible
    )
    gone = pl.col("before") - pl.col("again")
    few = GONE_WORKERS if kind is Kind.WORKFORCE else GONE_CASES
    # If the file says that nobody left, two missing people are enough to ask.
    share = pl.when("some_left").then(GONE_SHARE * pl.col("before"))
    excess = gone / pl.max_horizontal(share, pl.lit(few))
    return _row(judged, kind, GONE, Severity.QUERY, f"{column}.gone", column, gone, pl.col("before"), excess)


def _stale(both: pl.DataFrame, now: pl.DataFrame, then: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    row = _matched("file", "key", "digest")
    same = now.select("file", of=row).filter(pl.col("of").is_in(then.select(row).to_series().implode()))
    judged = both.join(now.group_by("file").agg(pl.col("varies").any()), on="file", how="left", validate="1:1")
    for name, rows in (("here", now), ("before", then), ("same", same)):
        judged = _with(judged, rows, name, pl.len())
    judged = judged.with_columns(pl.col("same").fill_null(0.0), most=pl.max_horizontal("here", "before")).filter(
        pl.col("varies"), pl.col("most") >= ROWS_TO_JUDGE
    )
    excess = pl.col("same") / (SAME_ROWS * pl.col("most"))
    return _row(judged, kind, STALE, Severity.ERROR, "file.stale", None, "same", pl.col("most"), excess)


def _elsewhere(rows: pl.DataFrame) -> pl.DataFrame:
    known = rows.filter(pl.col("worker_known").is_not_null()).group_by("la_code", "month")
    found = known.agg(
        pl.col("worker_known").sum().cast(pl.Float64).alias("known"), pl.len().cast(pl.Float64).alias("named")
    ).filter(pl.col("named") >= ROWS_TO_JUDGE)
    excess = (1 - pl.col("known") / pl.col("named")) / (1 - KNOWN)
    column = "allocated_worker_ref"
    return _row(
        found.with_columns(pl.lit(None, pl.Date).alias("other_month")),
        Kind.CASELOAD,
        ELSEWHERE,
        Severity.QUERY,
        f"{column}.elsewhere",
        column,
        "known",
        pl.col("named"),
        excess,
    )


def _row(
    frame: pl.DataFrame,
    kind: Kind,
    family: str,
    severity: Severity,
    check: str,
    column: str | None,
    value: str | pl.Expr,
    expected: pl.Expr,
    excess: pl.Expr,
) -> pl.DataFrame:
    return frame.select(
        pl.lit(family).alias("family"),
        pl.lit(f"{kind}.{check}").alias("check"),
        pl.lit(str(severity)).alias("severity"),
        "la_code",
        "month",
        pl.lit(str(kind)).alias("extract"),
        pl.lit(column, pl.String).alias("column"),
        (pl.col(value) if isinstance(value, str) else value).alias("value"),
        expected.alias("expected"),
        "other_month",
        excess.alias("excess"),
        pl.lit(0, pl.UInt32).alias("rows"),
    ).select(list(COMPARISONS))

"""Dynamic checks: is a month plausible against that council's own last twelve?

Nothing here is illegal, so little is withheld: a whole file that is cut short, doubled or an earlier month's sent
again; and a column that lost half of its cells. All limits are defined here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from expectations.batch import CheckHistory, Severity
from expectations.suites.rules import NEEDED
from features.registry import COUNTS, Kind, Unit, counts_of

#: How many months back a council is compared with itself.
MONTHS_BACK = 12
#: With fewer earlier months than this, no comparison is made.
MONTHS_NEEDED = 3
#: A value within this many spreads of the council's own median is ordinary. That would be about one false alarm in
#: 15,000 if months were normal and independent; they are neither.
SPREADS = 4.0
#: The median absolute deviation of a normal distribution, times this, is its standard deviation.
MAD_TO_SD = 1.4826
#: Fewer than half the usual rows, or more than twice, means a truncated or a doubled export. No council lost half of
#: its workers or cases in a month of the published years.
CUT_SHORT, DOUBLED = 0.5, 2.0
#: Files with fewer rows than this are not judged by their number of rows.
ROWS_TO_JUDGE = 20
#: If the share of empty cells rises by this much, the column was dropped or renamed at the source.
EMPTY_RISE = 0.2
#: A column that lost half of its cells within a month holds something else, or nothing: it is withheld.
EMPTY_LOST = 0.5
#: Files with this many rows cannot be the same by chance.
ROWS_TO_REPEAT = 10
#: How many months in a row the establishment figures may be identical before this is mentioned.
MONTHS_UNCHANGED = 6


@dataclass(frozen=True)
class Watch:
    """A count that is queried if it jumps by more than this share of its median and by more than the floor."""

    count: str
    share: float
    floor: float
    """In the count's own unit; avoids false alarms for small councils."""


#: The yearly change of the published figures has a standard deviation of about half the vacancy and agency
#: level, a tenth of the workforce and an eighth of the caseload (data standards, section 10); a month moves less.
WATCHED: tuple[Watch, ...] = (
    Watch("inpost_fte", 0.15, 8),
    Watch("agency_worker_fte", 0.5, 8),
    Watch("leavers_headcount", 2.0, 8),
    Watch("starters_headcount", 2.0, 10),
    Watch("cases", 0.25, 100),
    Watch("working_days_lost", 0.7, 60),
    Watch("managers_headcount", 0.4, 6),
    Watch("vacancy_fte", 0.5, 8),
    Watch("agency_fte", 0.5, 8),
    Watch("open_cases", 0.2, 100),
    Watch("unallocated_cases", 1.0, 50),
    Watch("referrals", 0.6, 40),
    Watch("closures", 0.8, 60),
    Watch("assessments_completed", 0.7, 50),
    Watch("section_47s", 0.8, 25),
    Watch("cp_plans_open", 0.3, 25),
    Watch("visits_overdue", 1.0, 60),
)

#: The table that Great Expectations checks: one row for each council, month and comparison. `excess` is how far the
#: value is from the expected one, 1 being the limit; null where there is nothing to compare with.
COMPARISONS = pl.Schema(
    {
        "family": pl.String(),
        "check": pl.String(),
        "severity": pl.String(),
        "la_code": pl.String(),
        "month": pl.Date(),
        "extract": pl.String(),
        "column": pl.String(),
        "value": pl.Float64(),
        "expected": pl.Float64(),
        "other_month": pl.Date(),
        "excess": pl.Float64(),
        "rows": pl.UInt32(),
    }
)

JUMP, SIZE, EMPTY, REPEAT, UNCHANGED = "jump", "size", "empty", "repeat", "unchanged"

#: Family -> its description on Great Expectations' page.
FAMILIES: dict[str, str] = {
    JUMP: f"A count lies within its own last {MONTHS_BACK} months' range.",
    SIZE: "A file has between half and twice its usual number of rows.",
    EMPTY: f"A column's share of empty cells has not risen by {EMPTY_RISE:.0%} or more.",
    REPEAT: "A file is not an earlier month's file sent again.",
    UNCHANGED: f"The establishment has changed within {MONTHS_UNCHANGED} months.",
}

RECORDS = (Kind.WORKFORCE, Kind.CASELOAD)


def comparisons(months: Sequence[date], profiles: pl.DataFrame, history: CheckHistory) -> pl.DataFrame:
    """COMPARISONS of every file of these months (in `profiles`) with its own past in `history`.

    A row whose `excess` is null could not be compared; `check.py` lists it as not run.
    """
    past = pl.concat([history.profiles, profiles]).unique(
        subset=["la_code", "month", "extract", "column"], keep="last", maintain_order=True
    )
    files = past.group_by("la_code", "month", "extract").agg(pl.col("rows").first(), pl.col("content").first())
    now = profiles.filter(pl.col("month").is_in(list(months))).select("la_code", "month", "extract").unique()
    parts = [
        jumps(now, history),
        _sizes(now, files),
        _empties(now, past),
        _repeats(now, files),
        _unchanged(now, history),
    ]
    return pl.concat(parts).sort("month", "la_code", "extract", "family", "check")


def message(family: str, row: dict[str, object]) -> str:
    """The message about one failed comparison; `row` is a row of COMPARISONS."""
    column, value, expected = row["column"], figure_text(row["value"]), figure_text(row["expected"])
    if family == JUMP:
        return (
            f"{column} comes to {value}; in this council's last {MONTHS_BACK} months the middle value was {expected}. "
            "If the change is real, do nothing. Otherwise check that the extract covers the whole service."
        )
    if family == SIZE:
        return (
            f"The file has {value} rows, usually {expected}: it looks cut short or doubled. "
            "Send the whole extract again."
        )
    if family == EMPTY:
        return (
            f"{column} is empty in {share_text(row['value'])} of rows, usually {share_text(row['expected'])}. "
            "Check that the column is still filled at its source."
        )
    if family == REPEAT:
        month = row["other_month"]
        of = f"{month:%B %Y}" if isinstance(month, date) else "an earlier month"
        return f"The rows are those of {of}, sent again. Send the extract of this month."
    return (
        f"{column} and the other figures have been the same for {MONTHS_UNCHANGED} months. "
        "Check that the establishment figures are updated each month."
    )


def figure_text(value: object) -> str:
    """A figure in a finding's sentence."""
    return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else "unknown"


def share_text(value: object) -> str:
    """A share in a finding's sentence."""
    return f"{value:.0%}" if isinstance(value, float) else "an unknown share"


def with_past(now: pl.DataFrame, series: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """`la_code, month, *by, value, median, spread, months` of every file of `now`; `series` has a `value`."""
    span = pl.col("month").dt.year().cast(pl.Int32) * 12 + pl.col("month").dt.month()
    series = series.with_columns(span.alias("at"))
    key = ["la_code", *by]
    current = series.join(now.select("la_code", "month").unique(), on=["la_code", "month"], how="semi")
    earlier = (
        current.select(*key, "month", "at")
        .join(series.select(*key, pl.col("at").alias("then"), pl.col("value").alias("before")), on=key, how="inner")
        .filter((pl.col("at") - pl.col("then")).is_between(1, MONTHS_BACK), pl.col("before").is_not_null())
        .with_columns(pl.col("before").median().over(*key, "month").alias("median"))
        .group_by(*key, "month")
        .agg(
            pl.col("median").first(),
            ((pl.col("before") - pl.col("median")).abs().median() * MAD_TO_SD).alias("spread"),
            pl.len().alias("months"),
        )
    )
    return current.drop("at").join(earlier, on=[*key, "month"], how="left", validate="1:1")


def compared(frame: pl.DataFrame, family: str, severity: Severity, check: pl.Expr, excess: pl.Expr) -> pl.DataFrame:
    enough = pl.col("months") >= MONTHS_NEEDED
    defaults = {"column": pl.lit(None, pl.String), "other_month": pl.lit(None, pl.Date), "rows": pl.lit(0, pl.UInt32)}
    missing = [expression.alias(name) for name, expression in defaults.items() if name not in frame.columns]
    return (
        frame.with_columns(*missing)
        .with_columns(
            pl.lit(family).alias("family"),
            pl.lit(str(severity)).alias("severity"),
            check.alias("check"),
            pl.col("median").alias("expected"),
            pl.when(enough).then(excess).alias("excess"),
        )
        .select(list(COMPARISONS))
        .cast(COMPARISONS)
    )


def error_where(rows: pl.DataFrame, certain: pl.Expr) -> pl.DataFrame:
    """COMPARISONS in which the rows that meet the condition become errors: what they name is withheld."""
    weight = pl.when(certain).then(pl.lit(str(Severity.ERROR))).otherwise(pl.col("severity"))
    return rows.with_columns(weight.alias("severity"))


def jumps(now: pl.DataFrame, history: CheckHistory) -> pl.DataFrame:
    parts = []
    watched = {w.count: w for w in WATCHED}
    parts_of = {c.name: c.parts for c in COUNTS}
    for kind in Kind:
        names = [c.name for c in counts_of(kind) if c.name in watched]
        if not names:
            continue
        series = (
            history.counts_of(kind)
            .select("la_code", "month", *(pl.col(n) / parts_of[n] for n in names))
            .unpivot(names, index=["la_code", "month"], variable_name="column", value_name="value")
        )
        here = now.filter(pl.col("extract") == str(kind))
        limits = pl.DataFrame(
            [(n, watched[n].share, watched[n].floor) for n in names],
            schema={"column": pl.String, "share": pl.Float64, "floor": pl.Float64},
            orient="row",
        )
        # A file whose month has no counts yet is listed as not compared, rather than skipped.
        asked = here.select("la_code", "month").join(limits, how="cross")
        frame = asked.join(
            with_past(here, series, ["column"]), on=["la_code", "month", "column"], how="left", validate="1:1"
        )
        allowed = pl.max_horizontal(pl.col("share") * pl.col("median"), SPREADS * pl.col("spread"), pl.col("floor"))
        parts.append(
            compared(
                frame.with_columns(pl.lit(str(kind)).alias("extract")),
                JUMP,
                Severity.QUERY,
                pl.format("{}.{}.jump", pl.lit(str(kind)), pl.col("column")),
                (pl.col("value") - pl.col("median")).abs() / allowed,
            )
        )
    return pl.concat(parts)


def _sizes(now: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    records = [str(k) for k in RECORDS]
    series = files.filter(pl.col("extract").is_in(records)).select(
        "la_code", "month", "extract", "rows", pl.col("rows").cast(pl.Float64).alias("value")
    )
    frame = with_past(now.filter(pl.col("extract").is_in(records)), series, ["extract"])
    frame = frame.filter((pl.col("median") >= ROWS_TO_JUDGE) | pl.col("median").is_null())
    ratio = pl.col("value") / pl.col("median")
    excess = pl.max_horizontal((1 - ratio) / (1 - CUT_SHORT), (ratio - 1) / (DOUBLED - 1))
    return compared(frame, SIZE, Severity.ERROR, pl.format("{}.file.size", pl.col("extract")), excess)


def _empties(now: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    records = [str(k) for k in RECORDS]
    series = past.filter(pl.col("extract").is_in(records)).select(
        "la_code", "month", "extract", "column", "rows", (1 - pl.col("filled") / pl.col("rows")).alias("value")
    )
    frame = with_past(now.filter(pl.col("extract").is_in(records)), series, ["extract", "column"])
    rise = pl.col("value") - pl.col("median")
    check = pl.format("{}.{}.empty_jump", pl.col("extract"), pl.col("column"))
    rows = compared(frame, EMPTY, Severity.QUERY, check, rise.clip(lower_bound=0) / EMPTY_RISE)
    needed = pl.any_horizontal(
        (pl.col("extract") == str(k)) & pl.col("column").is_in(sorted(NEEDED[k])) for k in RECORDS
    )
    return error_where(rows, needed & (pl.col("excess") >= EMPTY_LOST / EMPTY_RISE))


def _repeats(now: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """Compares a file with each earlier one in the window; one equal file is enough, so is one earlier month."""
    key = ["la_code", "extract"]
    records = files.filter(pl.col("extract").is_in([str(k) for k in RECORDS]), pl.col("rows") >= ROWS_TO_REPEAT)
    current = records.join(now, on=[*key, "month"], how="semi")
    pairs = (
        current.join(
            records.select(*key, pl.col("month").alias("other_month"), "content", "rows"), on=key, suffix="_then"
        )
        .filter(
            pl.col("other_month") < pl.col("month"),
            pl.col("other_month") >= pl.col("month").dt.offset_by(f"-{MONTHS_BACK}mo"),
        )
        .with_columns(
            ((pl.col("content") == pl.col("content_then")) & (pl.col("rows") == pl.col("rows_then"))).alias("same")
        )
        .sort("same", "other_month", descending=True)
        .group_by(*key, "month")
        .agg(pl.col("rows").first(), pl.col("same").first(), pl.col("other_month").first())
        .with_columns(
            pl.lit(MONTHS_NEEDED).alias("months"),
            pl.lit(None, pl.Float64).alias("value"),
            pl.lit(None, pl.Float64).alias("median"),
        )
    )
    return compared(
        pairs,
        REPEAT,
        Severity.ERROR,
        pl.format("{}.file.sent_twice", pl.col("extract")),
        pl.col("same").cast(pl.Float64) * 2,
    )


def _unchanged(now: pl.DataFrame, history: CheckHistory) -> pl.DataFrame:
    kind = Kind.ESTABLISHMENT
    counts = history.counts_of(kind)
    names = [c.name for c in counts_of(kind) if c.unit in (Unit.FTE, Unit.HEADCOUNT)]
    same = pl.all_horizontal(
        pl.col(n).eq_missing(pl.col(n).shift(k)) for n in names for k in range(1, MONTHS_UNCHANGED)
    )
    steady = (
        pl.col("month").dt.month_end()
        == pl.col("month").shift(MONTHS_UNCHANGED - 1).dt.offset_by(f"{MONTHS_UNCHANGED - 1}mo").dt.month_end()
    )
    some = pl.any_horizontal(pl.col(n) > 0 for n in names)
    frame = (
        counts.sort("la_code", "month")
        .with_columns((same & steady & some).fill_null(False).over("la_code").alias("unchanged"))
        .join(
            now.filter(pl.col("extract") == str(kind)).select("la_code", "month"), on=["la_code", "month"], how="semi"
        )
        .select(
            "la_code",
            "month",
            "unchanged",
            pl.lit(str(kind)).alias("extract"),
            pl.lit("vacancy_fte").alias("column"),
            pl.lit(None, pl.Float64).alias("value"),
            pl.lit(None, pl.Float64).alias("median"),
            pl.lit(MONTHS_NEEDED).alias("months"),
        )
    )
    return compared(
        frame,
        UNCHANGED,
        Severity.INFORMATION,
        pl.lit(f"{kind}.file.unchanged"),
        pl.col("unchanged").cast(pl.Float64) * 2,
    )

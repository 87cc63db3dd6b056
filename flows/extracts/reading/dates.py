"""Dates as systems and people write them: ISO, day before month, Excel serial, with or without a time."""

from __future__ import annotations

from datetime import date

import polars as pl

#: Dates outside are typing errors or fillers (1 January 1900); work with children before 1950 is not open.
EARLIEST, LATEST = date(1950, 1, 1), date(2099, 12, 31)

#: What personnel systems write for “no end date”.
_FOREVER = date(9999, 12, 31)

_EXCEL_EPOCH = date(1899, 12, 30)

# A time zone is accepted only at midnight: at another time the day may be the one before or after.
_TIME = (
    r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?|[T ]+00:00(?::00(?:\.0+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2}))?"
)
_ISO = rf"^([0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}){_TIME}$"
_COMPACT = r"^((?:19|20)[0-9]{6})(?:\.0+)?$"
_UK = rf"^([0-9]{{1,2}})[/.\-]([0-9]{{1,2}})[/.\-]([0-9]{{4}}){_TIME}$"
_WORDS = rf"^([0-9]{{1,2}})[ \-]([A-Za-z]{{3,9}})[ \-,]+([0-9]{{4}}){_TIME}$"
_SERIAL = r"^([2-7][0-9]{4})(?:\.[0-9]+)?$"
_SHORT_YEAR = r"^[0-9]{1,2}[/.\- ](?:[0-9]{1,2}|[A-Za-z]{3,9})[/.\- ][0-9]{2}(?:[T ]+[0-9:.]+)?$"

#: One column comes from one system. Rows with the month first make every doubtful row of the column
#: doubtful, unless rows with the day first outnumber them by this much and they are slips.
_SLIPS = 10


def read_dates(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Dates and problems; text is trimmed and null where blank. A time of day is left out.

    `31/12/9999` is “no end date” and becomes null without a problem.
    """
    plain = text.str.to_date("%Y-%m-%d", strict=False)
    in_range = plain.is_between(EARLIEST, LATEST).fill_null(False) & (text.str.len_bytes() == 10).fill_null(False)
    rest = ~in_range & text.is_not_null()
    no_problem = pl.Series(text.name, [None], dtype=pl.String()).new_from_index(0, text.len())
    if not rest.any():
        return plain, no_problem
    # Few distinct texts stand in many cells, so each is looked at once; the counts weigh the evidence.
    distinct = pl.DataFrame({"t": text.filter(rest)}).group_by("t").len("cells").sort("t")
    read = _read_distinct(distinct)
    values = text.replace_strict(read["t"], read["value"], default=None, return_dtype=pl.Date())
    problems = text.replace_strict(read["t"], read["problem"], default=None, return_dtype=pl.String())
    return plain.zip_with(in_range, values), problems.zip_with(rest, no_problem)


def _read_distinct(distinct: pl.DataFrame) -> pl.DataFrame:
    t = pl.col("t")
    first = t.str.extract(_UK, 1).cast(pl.Int32)
    second = t.str.extract(_UK, 2).cast(pl.Int32)
    uk = t.str.replace(_UK, "${3}-${2}-${1}")
    words = t.str.replace(_WORDS, "${1} ${2} ${3}")
    serial = t.str.extract(_SERIAL, 1).cast(pl.Int32)
    read = distinct.with_columns(
        pl.coalesce(
            t.str.extract(_ISO, 1).str.replace_all("/", "-").str.to_date("%Y-%m-%d", strict=False),
            t.str.extract(_COMPACT, 1).str.to_date("%Y%m%d", strict=False),
            pl.when(t.str.contains(_UK)).then(uk).str.to_date("%Y-%m-%d", strict=False),
            pl.when(t.str.contains(_WORDS)).then(words).str.to_date("%d %b %Y", strict=False),
            pl.when(t.str.contains(_WORDS)).then(words).str.to_date("%d %B %Y", strict=False),
            pl.lit(_EXCEL_EPOCH) + pl.duration(days=serial),
        ).alias("value"),
        month_first=(first <= 12) & (second > 12) & (second <= 31),
        day_first=(first > 12) & (first <= 31) & (second <= 12),
        either=(first <= 12) & (second <= 12) & (first != second),
    )
    months_first, days_first = (
        read.filter(pl.col(c).fill_null(False)).get_column("cells").sum() for c in ("month_first", "day_first")
    )
    doubtful = pl.col("month_first").fill_null(False)
    if months_first * _SLIPS > days_first:
        doubtful = doubtful | (pl.col("either").fill_null(False) & (pl.lit(months_first) > 0))
    out_of_range = pl.col("value").is_between(EARLIEST, LATEST).not_()
    problem = (
        pl.when(doubtful)
        .then(pl.lit("month_before_day"))
        .when(pl.col("value") == _FOREVER)
        .then(None)
        .when(out_of_range)
        .then(pl.lit("date_out_of_range"))
        .when(pl.col("value").is_null() & t.str.contains(_SHORT_YEAR))
        .then(pl.lit("two_digit_year"))
        .when(pl.col("value").is_null())
        .then(pl.lit("not_a_date"))
    )
    read = read.with_columns(problem.alias("problem"))
    usable = pl.col("problem").is_null() & (pl.col("value") != _FOREVER)
    return read.select("t", pl.when(usable).then(pl.col("value")).alias("value"), "problem")

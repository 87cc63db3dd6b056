"""Reads dates as systems and people write them: ISO, day before month, Excel serial, with or without a time."""

from __future__ import annotations

from datetime import date

import polars as pl

#: Dates outside this range are typing errors or fillers (1 January 1900); no case from before 1950 is still open.
EARLIEST, LATEST = date(1950, 1, 1), date(2099, 12, 31)

#: What personnel systems write for “no end date”.
_FOREVER = date(9999, 12, 31)

_EXCEL_EPOCH = date(1899, 12, 30)

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
_MIDNIGHT = r"(?:00?:00(?::00(?:[.,]0+)?)?(?: ?[Aa]\.?[Mm]\.?)?|12:00(?::00(?:[.,]0+)?)? ?[Aa]\.?[Mm]\.?)"
_ZONE = r" ?(?:Z|UTC|GMT|BST|[+-][0-9]{2}:?[0-9]{2})"
# At midnight the day is the one written, whatever the zone; at any other time it is London's day (`_ZONED`).
_TIME = rf"(?:,?[T ]+{_CLOCK}|,?[T ]+{_MIDNIGHT}{_ZONE})?"
_ISO = rf"^([0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}){_TIME}$"
_COMPACT = r"^((?:19|20)[0-9]{6})(?:\.0+)?$"
_UK = rf"^([0-9]{{1,2}})[/.\-]([0-9]{{1,2}})[/.\-]([0-9]{{4}}){_TIME}$"
_DAY, _NAME, _GAP = r"([0-9]{1,2})(?:st|nd|rd|th)?", r"([A-Za-z]{3,9})\.?", r"[ \-./,]+"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?\.? +)?"
_WORDS = rf"^{_WEEKDAY}{_DAY}[ \-./]*(?:of )?{_NAME}{_GAP}([0-9]{{4}}){_TIME}$"
_NAME_FIRST = rf"^{_WEEKDAY}{_NAME}[ \-./]+{_DAY}{_GAP}([0-9]{{4}}){_TIME}$"
_YEAR_FIRST = rf"^([0-9]{{4}})[ \-/]{_NAME}[ \-/]{_DAY}{_TIME}$"
_ZONED = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]+([0-9]{2}):([0-9]{2})(?::[0-9]{2}(?:[.,][0-9]+)?)? ?"
    r"(?:Z|UTC|([+-])([0-9]{2}):?([0-9]{2}))$"
)
_TIME_OF_DAY = r"[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)$"
_AT_23, _AT_0 = r"^23:00(?::00(?:[.,]0+)?)?$", r"^00:00(?::00(?:[.,]0+)?)?$"
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
#: The first three or more letters of a month's name: Sep, Sept, Septem …
MONTH_NUMBERS = {name[:size]: str(i) for i, name in enumerate(_MONTHS, start=1) for size in range(3, len(name) + 1)}
_SERIAL = r"^([2-7][0-9]{4})(?:\.[0-9]+)?$"
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
#: “October 2026”, “Oct-26”, “2026-10”, “10/2026”.
_NO_DAY = (
    rf"^(?:{_MONTH}[ \-/.,']*(?:[0-9]{{4}}|[0-9]{{2}})|[0-9]{{4}}[ \-/.]?{_MONTH}"
    r"|[12][0-9]{3}[ \-/.]?(?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])[ \-/.][12][0-9]{3})$"
)
_SHORT_YEAR = r"^[0-9]{1,2}[/.\- ](?:[0-9]{1,2}|[A-Za-z]{3,9})[/.\- ][0-9]{2}(?:[T ]+[0-9:.]+(?: ?[AaPp][Mm])?)?$"

#: A column comes from one system. If some rows have the month first, every ambiguous row of the column is in doubt,
#: unless rows with the day first outnumber them by this much; they are then slips.
_SLIPS = 10
#: If at least this share of times is 23:00, a note says that they may be midnights.
_MANY_AT_23 = 0.2


def read_dates(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Dates and problems; text is trimmed and null where blank. A time of day is left out.

    Report what `said_of_times` says about the column too.

    `31/12/9999` is “no end date” and becomes null without a problem.
    """
    plain = text.str.to_date("%Y-%m-%d", strict=False)
    in_range = plain.is_between(EARLIEST, LATEST).fill_null(False) & (text.str.len_bytes() == 10).fill_null(False)
    rest = ~in_range & text.is_not_null()
    no_problem = pl.Series(text.name, [None], dtype=pl.String()).new_from_index(0, text.len())
    if not rest.any():
        return plain, no_problem
    # Many cells share few distinct texts, so each text is read once; the counts weight the evidence.
    distinct = pl.DataFrame({"t": text.filter(rest)}).group_by("t").len("cells").sort("t")
    read = _read_distinct(distinct)
    values = text.replace_strict(read["t"], read["value"], default=None, return_dtype=pl.Date())
    problems = text.replace_strict(read["t"], read["problem"], default=None, return_dtype=pl.String())
    return plain.zip_with(in_range, values), problems.zip_with(rest, no_problem)


def said_of_times(text: pl.Series) -> str | None:
    """The note on a column whose times look like London's midnight written in UTC; None for other columns."""
    at_23 = text.str.contains(r"[T ]23:00(?::00(?:[.,]0+)?)?$").fill_null(False).sum()
    if not at_23:
        return None
    read = _read_distinct(pl.DataFrame({"t": text.drop_nulls()}).group_by("t").len("cells").sort("t"))
    if read["moved"].any():
        return (
            f"{at_23:,} times stand at 23:00 in summer, the others at 00:00: midnight in UTC. They were taken as the "
            "next day. Export dates without a time."
        )
    if at_23 > _MANY_AT_23 * text.count():
        return (
            f"{at_23:,} of {text.count():,} times stand at 23:00. If they are midnight in UTC, each is a day early; "
            "export dates without a time."
        )
    return None


def _in_summer(day: pl.Expr) -> pl.Expr:
    """Whether that day's midnight in London is British Summer Time."""
    midnight = day.cast(pl.Datetime("us")).dt.replace_time_zone("Europe/London", ambiguous="earliest")
    return midnight.dt.dst_offset() > pl.duration()


def _by_zone(t: pl.Expr) -> pl.Expr:
    """The London day of a time with a zone."""
    whole = t.str.extract(_ZONED, 1).str.to_datetime("%Y-%m-%d", strict=False)
    hour, minute, off_hour, off_minute = (t.str.extract(_ZONED, i).cast(pl.Int64) for i in (2, 3, 5, 6))
    offset = off_hour.fill_null(0) * 60 + off_minute.fill_null(0)
    offset = pl.when(t.str.extract(_ZONED, 4) == "-").then(-offset).otherwise(offset)
    utc = whole + pl.duration(minutes=hour * 60 + minute - offset)
    return utc.dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/London").dt.date()


def _by_words(t: pl.Expr, pattern: str, year: int, month: int, day: int) -> pl.Expr:
    number = t.str.extract(pattern, month).str.to_lowercase().replace_strict(MONTH_NUMBERS, default=None)
    joined = pl.concat_str(t.str.extract(pattern, year), number, t.str.extract(pattern, day), separator="-")
    return joined.str.to_date("%Y-%m-%d", strict=False)


def _read_distinct(distinct: pl.DataFrame) -> pl.DataFrame:
    t = pl.col("t")
    first = t.str.extract(_UK, 1).cast(pl.Int32)
    second = t.str.extract(_UK, 2).cast(pl.Int32)
    uk = t.str.replace(_UK, "${3}-${2}-${1}")
    serial = t.str.extract(_SERIAL, 1).cast(pl.Int32)
    time = t.str.extract(_TIME_OF_DAY)
    read = distinct.with_columns(
        pl.coalesce(
            t.str.extract(_ISO, 1).str.replace_all("[/.]", "-").str.to_date("%Y-%m-%d", strict=False),
            t.str.extract(_COMPACT, 1).str.to_date("%Y%m%d", strict=False),
            pl.when(t.str.contains(_UK)).then(uk).str.to_date("%Y-%m-%d", strict=False),
            _by_words(t, _WORDS, 3, 2, 1),
            _by_words(t, _NAME_FIRST, 3, 1, 2),
            _by_words(t, _YEAR_FIRST, 1, 2, 3),
            _by_zone(t),
            pl.lit(_EXCEL_EPOCH) + pl.duration(days=serial),
        ).alias("value"),
        month_first=(first <= 12) & (second > 12) & (second <= 31),
        day_first=(first > 12) & (first <= 31) & (second <= 12),
        either=(first <= 12) & (second <= 12) & (first != second),
        at_23=time.str.contains(_AT_23).fill_null(False),
        at_0=time.str.contains(_AT_0).fill_null(False),
    )
    read = _moved_from_utc(read)
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
        .when(pl.col("value").is_null() & t.str.contains(_NO_DAY))
        .then(pl.lit("month_only"))
        .when(pl.col("value").is_null())
        .then(pl.lit("not_a_date"))
    )
    read = read.with_columns(problem.alias("problem"))
    usable = pl.col("problem").is_null() & (pl.col("value") != _FOREVER)
    return read.select("t", pl.when(usable).then(pl.col("value")).alias("value"), "problem", "moved")


def _moved_from_utc(read: pl.DataFrame) -> pl.DataFrame:
    """London midnights that were written in UTC, moved to their London day, if every time of the column fits this."""
    if not read["at_23"].any():
        return read.with_columns(moved=pl.lit(False))
    next_day = pl.col("value").dt.offset_by("1d")
    fits = (pl.col("at_23") & _in_summer(next_day)) | (pl.col("at_0") & ~_in_summer(pl.col("value")))
    if not read.select(fits.fill_null(pl.col("value").is_null()).all()).item():
        return read.with_columns(moved=pl.lit(False))
    return read.with_columns(moved="at_23").with_columns(
        pl.when("at_23").then(next_day).otherwise(pl.col("value")).alias("value")
    )

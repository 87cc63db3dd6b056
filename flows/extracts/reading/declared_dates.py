"""Dates in the formats that a council's mapping declares, beside what is read without one.

A year of two digits, or a month before the day, is read only where the mapping says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from flows.extracts.reading.dates import MONTH_NUMBERS

#: Format -> its pattern, and the groups of year, month and day in it.
FORMATS: dict[str, tuple[str, tuple[int, int, int]]] = {
    "dd/mm/yyyy": (r"^([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{4})", (3, 2, 1)),
    "mm/dd/yyyy": (r"^([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{4})", (3, 1, 2)),
    "dd/mm/yy": (r"^([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{2})", (3, 2, 1)),
    "mm/dd/yy": (r"^([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{2})", (3, 1, 2)),
    "dd-Mon-yyyy": (r"^([0-9]{1,2})(?:st|nd|rd|th)?[/.\- ]*([A-Za-z]{3,9})[/.\-, ]*([0-9]{4})", (3, 2, 1)),
    "dd-Mon-yy": (r"^([0-9]{1,2})(?:st|nd|rd|th)?[/.\- ]*([A-Za-z]{3,9})[/.\-, ]*([0-9]{2})", (3, 2, 1)),
    "Mon-dd-yyyy": (r"^([A-Za-z]{3,9})[/.\- ]*([0-9]{1,2})(?:st|nd|rd|th)?[/.\-, ]+([0-9]{4})", (3, 1, 2)),
}
_TIME = r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AaPp][Mm])?)?$"
_ALWAYS = r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+)?|[2-7][0-9]{4}(?:\.[0-9]+)?)$"
#: A year of two digits is at most this many years after the month that the file describes, else in the century before.
_YEARS_AHEAD = 10


def at_odds(formats: Sequence[str]) -> tuple[str, ...]:
    """Two of the formats that the same text can have, with another day."""
    for one in formats:
        other = one.replace("dd/mm", "mm/dd")
        if other != one and other in formats:
            return one, other
    return ()


def fits(text: pl.Expr, name: str) -> pl.Expr:
    """Whether a text has a format, and is a day that exists."""
    return _day(text, name, 2000).is_not_null()


def as_declared(text: pl.Series, formats: Collection[str], year: int) -> tuple[pl.Series, pl.Series]:
    """The texts as ISO dates, null where none of the formats fits, and whether that is so.

    ISO dates and a spreadsheet's day numbers stand as they are. `year` is that of the month the file describes.
    """
    column = pl.col(text.name)
    plain = pl.when(column.str.contains(_ALWAYS)).then(column)
    days = [_day(column, name, year).dt.to_string("%Y-%m-%d") for name in formats]
    read = text.to_frame().select(pl.coalesce(plain, *days)).to_series().rename(text.name)
    return read, read.is_null() & text.is_not_null()


def _day(text: pl.Expr, name: str, year: int) -> pl.Expr:
    pattern, (y, m, d) = FORMATS[name]
    parts = [text.str.extract(pattern + _TIME, group) for group in (y, m, d)]
    if not name.endswith("yyyy"):
        of_century = parts[0].cast(pl.Int32, strict=False) + (year + _YEARS_AHEAD) // 100 * 100
        late = of_century > year + _YEARS_AHEAD
        parts[0] = pl.when(late).then(of_century - 100).otherwise(of_century).cast(pl.String)
    if "Mon" in name:
        parts[1] = parts[1].str.to_lowercase().replace_strict(MONTH_NUMBERS, default=None)
    return pl.concat_str(parts, separator="-").str.to_date("%Y-%m-%d", strict=False)

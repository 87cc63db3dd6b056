"""Turns the texts of a chunk into values: what an element says, and whether that is a permitted value."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import polars as pl

from features.months import Month
from flows.extracts.formats.csww.elements import BY_NAME, NAMES, WORKER, Element, ElementForm

#: xs:date allows a time zone, which changes nothing about the day.
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})?$"
#: xs:decimal and xs:integer; no figure of this return has more than nine digits before the point.
_DECIMAL = r"^\+?(?:[0-9]{{1,9}}(?:\.[0-9]{{0,{d}}})?|\.[0-9]{{1,{d}}})$"
_WHOLE = r"^\+?[0-9]{1,9}$"
#: The schema wants two letters and ten digits; the Standard Safeguarding Dataset describes the number as starting with
#: SW and of up to twelve characters. The two disagree on length, so we accept both.
_REGISTRATION = r"^(?:[A-Za-z]{2}[0-9]{10}|[Ss][Ww][0-9]{1,10})$"

#: Prefix of the column that holds an element's text as written, beside the typed column of its own name.
RAW = "text:"


def typed(chunk: pl.DataFrame) -> pl.DataFrame:
    """A chunk of WORKERS with each element's value under its name, and its text under `text:` and its name.

    Values are null where the element is missing or does not have its form. DECIMAL and WHOLE are whole numbers of 1 /
    `Element.parts`, DATE is a date, a registration number is in upper case, the rest stays text.
    """
    return chunk.select(
        pl.exclude(NAMES),
        *(pl.col(n).alias(RAW + n) for n in NAMES),
        *(typed_text(e, pl.col(e.name)).alias(e.name) for e in WORKER),
    )


def legal(element: Element, text: pl.Expr) -> pl.Expr:
    """Whether a text is a permitted value of the element; null where the element is missing."""
    return pl.when(text.is_not_null()).then(_fits(element, text))


def _fits(element: Element, text: pl.Expr) -> pl.Expr:
    match element.form:
        case ElementForm.CODE:
            return text.is_in(list(element.codes))
        case ElementForm.DECIMAL:
            fits = text.str.contains(_DECIMAL.format(d=element.decimals))
            if element.maximum is None:
                return fits
            return fits & (_decimal(element, text) <= element.maximum * element.parts).fill_null(False)
        case ElementForm.WHOLE:
            return text.str.contains(_WHOLE)
        case ElementForm.DATE:
            return text.str.contains(_DATE) & _date(text).is_not_null()
        case ElementForm.REGISTRATION:
            return text.str.contains(_REGISTRATION)
        case ElementForm.TEXT:
            return pl.lit(True)


def as_day(text: str | None) -> date | None:
    """A date of the header, or None."""
    found: date | None = pl.select(typed_text(_A_DATE, pl.lit(text, dtype=pl.String))).item()
    return found


def typed_text(element: Element, text: pl.Expr) -> pl.Expr:
    """An element's text, as kept by `typed`."""
    match element.form:
        case ElementForm.DECIMAL:
            value = _decimal(element, text)
        case ElementForm.WHOLE:
            value = text.str.strip_chars_start("+").cast(pl.Int64, strict=False)
        case ElementForm.DATE:
            value = _date(text)
        case ElementForm.REGISTRATION:
            value = text.str.to_uppercase()
        case _:
            value = text
    return pl.when(legal(element, text)).then(value)


_A_DATE = Element(0, "", ElementForm.DATE)


def _decimal(element: Element, text: pl.Expr) -> pl.Expr:
    whole = text.str.extract(r"^\+?([0-9]{0,9})").fill_null("")
    fraction = text.str.extract(r"\.([0-9]*)$").fill_null("").str.pad_end(element.decimals, "0")
    return (whole + fraction).cast(pl.Int64, strict=False)


def _date(text: pl.Expr) -> pl.Expr:
    return text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


# Expressions about a worker, named so that each rule reads as a sentence.


def is_present(name: str) -> pl.Expr:
    """The element is present, whatever its value."""
    return pl.col(RAW + BY_NAME[name].name).is_not_null()


def value(name: str) -> pl.Expr:
    """The element's value; null if it is missing or does not have its form."""
    return pl.col(BY_NAME[name].name)


def direct() -> pl.Expr:
    """Employed and paid by the council: AgencyWorker is 0."""
    return (pl.col("AgencyWorker") == "0").fill_null(False)


def agency() -> pl.Expr:
    """AgencyWorker is 1."""
    return (pl.col("AgencyWorker") == "1").fill_null(False)


def in_post(day: date) -> pl.Expr:
    """The role has no end, or one after the day. Someone whose last day it is has left, as in the rest of Holdfast."""
    ended = pl.col("RoleEndDate")
    return pl.col(RAW + "RoleEndDate").is_null() | (ended > day).fill_null(False)


def left_between(first: date, last: date) -> pl.Expr:
    """The role ended on one of these days."""
    return pl.col("RoleEndDate").is_between(first, last).fill_null(False)


def fte() -> pl.Expr:
    """FTE at the reference date in millionths: FTE30, or FTE where there is no FTE30.

    FTE30 is the figure for that day, and FTE is 0 for anybody who has left; for agency workers only FTE may be known.
    Null where one is 0, the other is not, and no end of the role explains it: it is then unclear whether the worker is
    in post.
    """
    given, at_date = pl.col("FTE"), pl.col("FTE30")
    contradict = ((given == 0) != (at_date == 0)).fill_null(False) & pl.col(RAW + "RoleEndDate").is_null()
    return pl.when(contradict.not_()).then(pl.coalesce(at_date, given))


@cache
def year_before(day: date) -> tuple[date, date]:
    """First and last day of the collection year that ends with the reference date."""
    month = Month.of(day).plus(-12)
    return date(month.year, month.number, min(day.day, month.last_day.day)) + timedelta(days=1), day

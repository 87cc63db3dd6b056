"""Turns a column of text into the registry's type, with a problem code for every cell that would be a guess.

A value is accepted only if it can mean just one thing. Everything else becomes null and a problem with a short code;
the value itself is never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from features.registry import DFE_SYMBOLS, Field, FieldType, Privacy
from flows.extracts.reading.dates import EARLIEST, LATEST, read_dates, said_of_times
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.nobody import nobody_and_unknown
from flows.extracts.reading.numbers import read_decimals, read_integers
from flows.extracts.reading.table import as_text

#: Problem code -> its meaning, as the end of “the cell …”.
PROBLEM_TEXTS: dict[str, str] = {
    "not_a_date": "is no date; write YYYY-MM-DD or DD/MM/YYYY",
    "two_digit_year": "has a year of two digits; write all four",
    "month_only": "is a month without its day; write YYYY-MM-DD or DD/MM/YYYY",
    "other_format": "is a date in none of the formats that the mapping declares",
    "month_before_day": "may have the month before the day; write YYYY-MM-DD or DD/MM/YYYY",
    "date_out_of_range": "is a date before 1950 or after 2099; leave it empty if there is none",
    "not_a_number": "is no number",
    "not_a_whole_number": "is no whole number",
    "ambiguous_comma": "has a comma that may be a decimal or a thousands mark; write 1234.5",
    "number_out_of_range": "is a number too large to be meant",
    "symbol_in_a_row": "is a symbol of published tables; leave the cell empty if there is no value",
    "not_a_flag": "is neither 1 nor 0, yes nor no",
    "unknown_code": "is none of the column's codes",
    "code_and_label_disagree": "has a code and the wording of another",
    "digits_lost_in_excel": "is a long number of which Excel kept 15 digits; format the column as text",
    "unknown_reference": "is no reference like the others; leave it empty if nobody is meant, or give the reference",
    "same_everywhere": "holds what nearly every row holds, so it refers to nobody",
    "date_of_excel": "is a date that a spreadsheet made of a reference; format the column as text and fill it in again",
    "formula_error": "is an Excel error such as #N/A or #REF!",
    "formula_without_value": "is a formula that was never calculated; open and save the file in Excel",
    "given_twice": "stands more than once and says two things; keep the one that is meant",
    "fte_contradicts": "is 0 in one of FTE and FTE30 and not in the other, and no RoleEndDate explains it",
    "empty": "is empty",
}

_FLAGS = {"1": True, "yes": True, "y": True, "true": True, "t": True} | {
    "0": False,
    "no": False,
    "n": False,
    "false": False,
    "f": False,
}
_EXCEL_ERRORS = (
    "#N/A",
    "#REF!",
    "#DIV/0!",
    "#VALUE!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#SPILL!",
    "#CALC!",
    "#GETTING_DATA",
)
_SYMBOLS = {symbol: str(missing) for symbol, missing in DFE_SYMBOLS.items()}
_WHOLE_FLOAT = r"^(-?[0-9]+)\.0+$"
_SCIENTIFIC = r"^[0-9]{1,3}(?:[.,][0-9]+)?[eE]\+[0-9]+$"
#: Among this many references, a single one with this share is a filler.
_MANY_ROWS, _NEARLY_ALL = 20, 0.9
#: Where so many of the references hold digits, up to so many texts without any are remarks (“see note”).
_HAVE_DIGITS, _REMARKS = 0.5, 3
#: A negative number or a date: no reference, unless most of the column looks like it.
_STRANGE = r"^-[0-9.]+$|^[0-9]+/(?:[01]?[0-9]/)?[12][0-9]{3}$"
#: What a spreadsheet makes of a reference like 1-3 or MAR-24: a date, or a day or year with a month's name.
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)"
_MADE_DATE = (
    r"^(?:[12][0-9]{3}-[01][0-9]-[0-3][0-9](?:[ T]00:00:00)?|[0-3]?[0-9]/[01]?[0-9]/[12][0-9]{3}(?: 00:00(?::00)?)?"
    rf"|[0-3]?[0-9][- ]{_MONTH}(?:[- ](?:[12][0-9])?[0-9]{{2}})?|{_MONTH}[- ](?:[12][0-9])?[0-9]{{2}})$"
)
_GROUPED = r"^[0-9]{1,3}(?:,[0-9]{3})+$"
_NOT_PLAIN = r"[#.+,/]|^-|-.*-|[- ][A-Z][a-z]|^[A-Z][a-z]|^(?:[0 ]+|9{4,})$"
#: A code and its wording. “1.5” and “1-3” are neither: what follows the mark must hold a letter and not go on a number.
_CODED = re.compile(r"\s*([0-9A-Za-z]{1,2})\s*[).:\-–—](?!\d)\s*(|.*[^\W\d_].*)")


#: What a column that has its field's type may hold, as text in plain notation may.
_TYPED_BOUNDS: dict[FieldType, tuple[int, int] | tuple[date, date]] = {
    FieldType.DATE: (EARLIEST, LATEST),
    FieldType.INTEGER: (0, 999_999_999),
    FieldType.FLAG: (0, 1),
}
#: Before the name of a column's values, beside the column's text.
_VALUE = "value of "


@dataclass(frozen=True, slots=True)
class Cells:
    """One column read: `values` in the field's type, `problems` and `reasons` as text or null, row by row."""

    values: pl.Series
    problems: pl.Series | None = None
    """None if every cell could be read."""
    reasons: pl.Series | None = None
    """Why a published figure is missing, if a symbol says so (`Missing`); None if there is no symbol."""
    note: str | None = None
    """How cells were read, where somebody should know."""


def read_columns(columns: pl.DataFrame, fields: Sequence[Field]) -> dict[str, Cells]:
    """Read several columns, each named as its field: trimmed text, blank is null; or the field's own type.

    Most columns of most files hold only the contract's own notation. They are read together, in one pass over the frame
    and one over the values. A column with anything else in it goes through `read_cells`, which gives the same result
    for plain columns (a test checks this).
    """
    types = columns.schema
    typed = {f.name: _typed(columns[f.name], f) for f in fields if not isinstance(types[f.name], pl.String)}
    written = [f for f in fields if f.name not in typed]
    dates = [f.name for f in written if f.type is FieldType.DATE]
    first = columns.select(pl.col(dates).drop_nulls().first()).row(0, named=True) if dates else {}
    plain = [_plain(f.name, f.type, f.decimals, tuple(f.codes), "/" in (first.get(f.name) or "")) for f in written]
    read = columns.select(value for value, _ in plain)
    fits = columns.hstack(read).select(fits for _, fits in plain).row(0, named=True) if written else {}
    found = typed | {
        f.name: Cells(read[_VALUE + f.name].alias(f.name))
        if fits[f.name] and not _has_filler(f, columns)
        else read_cells(columns[f.name], f)
        for f in written
    }
    return {f.name: found[f.name] for f in fields}


def _typed(column: pl.Series, field: Field) -> Cells:
    values = typed_values(column, field.type)
    return Cells(values) if values is not None else read_cells(as_text(column), field)


def _has_filler(field: Field, text: pl.DataFrame) -> bool:
    return field.type is FieldType.REFERENCE and field.nullable and filler(text[field.name]) is not None


@lru_cache(maxsize=1024)
def _plain(name: str, of: FieldType, decimals: int, codes: tuple[str, ...], day_first: bool) -> tuple[pl.Expr, pl.Expr]:
    """The value of cells in plain notation, and whether every cell is plain or blank.

    The second also needs the first as a column, so that it is not worked out twice.
    """
    text = pl.col(name)
    value, fits = _plain_notation(text, pl.col(_VALUE + name), of, decimals, codes, day_first)
    return value.alias(_VALUE + name), fits.fill_null(True).all().alias(name)


def _plain_notation(
    text: pl.Expr, value: pl.Expr, of: FieldType, decimals: int, codes: tuple[str, ...], day_first: bool
) -> tuple[pl.Expr, pl.Expr]:
    """The value, and whether all cells are in plain notation, from the value (null for a blank one)."""
    match of:
        case FieldType.DATE:
            # A text that is not a date is null as a value, and must not be mistaken for a blank cell.
            length = text.str.len_bytes()
            fits = (
                (value.null_count() == text.null_count())
                & (value.min() >= EARLIEST) & (value.max() <= LATEST) & (length.min() == 10) & (length.max() == 10)
            )  # fmt: skip
            return text.str.to_date("%d/%m/%Y" if day_first else "%Y-%m-%d", strict=False), fits
        case FieldType.INTEGER:
            return text.cast(pl.Int64, strict=False), text.str.contains(r"^[0-9]{1,9}$")
        case FieldType.DECIMAL:
            whole = text.str.extract(r"^([0-9]+)")
            fraction = text.str.extract(r"\.([0-9]*)$").fill_null("").str.pad_end(decimals, "0")
            return (whole + fraction).cast(pl.Int64, strict=False), text.str.contains(
                rf"^[0-9]{{1,9}}(?:\.[0-9]{{0,{decimals}}})?$"
            )
        case FieldType.FLAG:
            return text == "1", text.is_in(["0", "1"])
        case FieldType.CODE if codes:
            return text, text.is_in(list(codes))
        case FieldType.REFERENCE:
            return text, text.str.contains(r"[0-9]") & text.str.contains(_NOT_PLAIN).not_()
        case _:
            return text, text.str.starts_with("#").not_()


def typed_values(column: pl.Series, of: FieldType) -> pl.Series | None:
    """The values of a column that has the type of its field; None if one of them must be looked at as text."""
    least, most = _TYPED_BOUNDS[of]
    if column.null_count() < column.len() and not (column.min() >= least and column.max() <= most):  # type: ignore[operator]
        return None
    match of:
        case FieldType.INTEGER:
            return column.cast(pl.Int64)
        case FieldType.FLAG:
            return column == 1
        case _:
            return column


def read_cells(text: pl.Series, field: Field) -> Cells:
    """Read trimmed text (blank is null) as the type of `field`; REFERENCE stays text here, for hashing.

    DfE's symbols (`c u x z low :`) are reasons for a missing figure in council-level columns, and
    problems in a worker's or a child's row; they never become numbers.
    """
    is_error = text.is_in(list(_EXCEL_ERRORS)).fill_null(False)
    clean = _null_where(text, is_error)
    reasons: pl.Series | None = None
    if field.type in (FieldType.INTEGER, FieldType.DECIMAL):
        said = clean.str.to_lowercase().replace_strict(_SYMBOLS, default=None, return_dtype=pl.String())
        if said.null_count() < said.len():
            reasons, clean = said, _null_where(clean, said.is_not_null())
    values, problems = _read(clean, field)
    problems = problems.zip_with(~is_error, _constant(text, "formula_error"))
    if field.privacy is not Privacy.PUBLIC and reasons is not None:
        problems, reasons = problems.zip_with(reasons.is_null(), _constant(text, "symbol_in_a_row")), None
    note = said_of_times(clean) if field.type is FieldType.DATE else None
    return Cells(values, problems if problems.null_count() < problems.len() else None, reasons, note)


def _read(text: pl.Series, field: Field) -> tuple[pl.Series, pl.Series]:
    match field.type:
        case FieldType.DATE:
            return read_dates(text)
        case FieldType.INTEGER:
            return read_integers(text)
        case FieldType.DECIMAL:
            return read_decimals(text, field.decimals)
        case FieldType.FLAG:
            return _read_flags(text)
        case FieldType.CODE:
            return _read_codes(text, field) if field.codes else (text, _no_problems(text))
        case FieldType.REFERENCE:
            return _read_references(text, field)
        case FieldType.TEXT:
            return text, _no_problems(text)


def _read_flags(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    plain = text.str.to_lowercase().str.replace(_WHOLE_FLOAT, "${1}")
    values = plain.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean())
    return values, _problem_where(text.is_not_null() & values.is_null(), "not_a_flag")


def _read_codes(text: pl.Series, field: Field) -> tuple[pl.Series, pl.Series]:
    """Read by code, by label, or by both if they agree; many cells share few distinct texts."""
    found = {t: _code(t, field.name, tuple(field.codes.items())) for t in text.unique().to_list() if t is not None}
    values = text.replace_strict({t: c for t, (c, _) in found.items()}, default=None, return_dtype=pl.String())
    problems = text.replace_strict({t: p for t, (_, p) in found.items()}, default=None, return_dtype=pl.String())
    return values, problems


@lru_cache(maxsize=4096)
def _code(text: str, field: str, codes: tuple[tuple[str, str], ...]) -> tuple[str | None, str | None]:
    known = {code.casefold(): code for code, _ in codes}
    labels = {normalised(label): code for code, label in codes}
    if (code := known.get(_plain_code(text))) is not None:
        return code, None
    if (code := labels.get(normalised(text))) is not None:
        return code, None
    match = _CODED.fullmatch(text)
    if match is None or (code := known.get(_plain_code(match[1]))) is None:
        return None, "unknown_code"
    if labels.get(normalised(match[2]), code) != code:
        return None, "code_and_label_disagree"
    return code, None


def _plain_code(text: str) -> str:
    """A code without the `.0` a spreadsheet adds, leading zeros, and a closing bracket."""
    plain = re.sub(r"\.0+$", "", text.strip()).rstrip(")").casefold()
    return plain.lstrip("0") or plain


def _read_references(text: pl.Series, field: Field) -> tuple[pl.Series, pl.Series]:
    lost, made_date = (text.str.contains(p).fill_null(False) for p in (_SCIENTIFIC, _MADE_DATE))
    plain = text.str.replace(_WHOLE_FLOAT, "${1}")
    grouped = plain.str.contains(_GROUPED).fill_null(False)
    plain = plain.str.replace_all(",", "", literal=True).zip_with(grouped, plain) if grouped.any() else plain
    nobody, unknown = nobody_and_unknown(plain)
    if field.nullable:
        plain = _null_where(plain, plain.is_in(nobody))
    else:
        unknown += nobody
    asks = plain.is_in(unknown).fill_null(False) | remarks(plain)
    values = _null_where(plain, lost | made_date | asks)
    if field.nullable and (text_of_all := filler(values)) is not None:
        return _null_where(values, values == text_of_all), _problem_where(values == text_of_all, "same_everywhere")
    problems = _constant(text, "unknown_reference").zip_with(asks, _problem_where(lost, "digits_lost_in_excel"))
    return values, _constant(text, "date_of_excel").zip_with(made_date, problems) if made_date.any() else problems


def remarks(references: pl.Series) -> pl.Series:
    """Where a text stands among references and is none: it holds no digit, is negative or a date, and few others are.

    Names of people may be references too, so that texts without digits count only if there are few different ones.
    """
    digits = references.str.contains("[0-9]")
    strange = references.str.contains(_STRANGE)
    filled = references.len() - references.null_count()
    few = filled >= _MANY_ROWS and references.filter(~digits).n_unique() <= _REMARKS
    no_digit = ~digits & (few and (digits.sum() or 0) >= _HAVE_DIGITS * filled)
    odd = strange & (filled >= _MANY_ROWS and (strange.sum() or 0) <= (1 - _HAVE_DIGITS) * filled)
    return (no_digit | odd).fill_null(False)


def no_reference(text: pl.Series) -> pl.Series:
    """Whether a cell identifies nothing: an Excel error, a word for nobody, or a number that lost its digits."""
    words = [text_of for texts in nobody_and_unknown(text) for text_of in texts]
    return (text.is_in([*_EXCEL_ERRORS, *words]) | text.str.contains(_SCIENTIFIC)).fill_null(False)


def filler(references: pl.Series) -> str | None:
    """The text that nearly all of many rows have in place of a reference; None if there is none."""
    filled = references.drop_nulls()
    if filled.len() < _MANY_ROWS:
        return None
    counts = filled.value_counts()
    commonest = counts.row(counts["count"].arg_max() or 0)
    return str(commonest[0]) if commonest[1] >= _NEARLY_ALL * filled.len() else None


def _null_where(text: pl.Series, condition: pl.Series) -> pl.Series:
    return text.zip_with(~condition.fill_null(False), pl.Series([None], dtype=text.dtype))


def _problem_where(condition: pl.Series, code: str) -> pl.Series:
    return pl.Series(condition.name, [code], dtype=pl.String()).zip_with(
        condition.fill_null(False), pl.Series([None], dtype=pl.String())
    )


def _no_problems(text: pl.Series) -> pl.Series:
    return pl.Series(text.name, [None], dtype=pl.String()).new_from_index(0, text.len())


def _constant(text: pl.Series, code: str) -> pl.Series:
    return pl.Series(text.name, [code], dtype=pl.String())

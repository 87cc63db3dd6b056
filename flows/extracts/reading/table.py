"""A file's table as text, before the meaning of its columns is known."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from features.errors import UnreadableExtract
from features.registry import FieldType

#: Cells that could not be read from the file: the number of the column, counted from 0.
CELL_PROBLEMS = pl.Schema({"file_row": pl.UInt32(), "position": pl.UInt32(), "problem": pl.String()})

#: What programs write for “nothing here”. What people write (“n/a”, “-”) is left as it is.
NULL_MARKERS = ("NULL", "null", "None", "NaN", "nan", "NaT", "<NA>")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a council's file may be before it counts as something else."""

    max_bytes: int = 64_000_000
    max_unpacked_bytes: int = 250_000_000
    """The unpacked size of a workbook, which is a zip."""
    max_columns: int = 200
    blank_rows: int = 20_000
    """Rows beyond `max_rows` that are read to see whether they are blank."""


class NoRows(UnreadableExtract):
    """A header was found and no row below it."""

    def __init__(self, message: str, headers: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.headers = tuple(headers)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which table of a file is meant."""

    known: frozenset[str]
    """Normalised headers that mean a field of the extract."""
    sheet: str = ""
    """The worksheet, if a council's mapping names one."""
    header_rows: int = 1
    """2 if the header stands on two rows."""
    typed: bool = False
    """Whether columns that have their field's type in the file keep it (`has_type`)."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """Headers and cells as text. Blank rows are gone; `file_row` still counts them, the header is row 1.

    `cells` has a String column per header, named by its position (`"0"`, `"1"` …), and `file_row`;
    a blank cell is null. Columns that kept their type (`Wanted.typed`) are dates or whole numbers.
    """

    headers: tuple[str, ...]
    cells: pl.DataFrame
    problems: pl.DataFrame
    notes: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    """The text above, below and beside the table."""
    sheet: str | None = None
    """The worksheet it was read from."""
    places: tuple[int, ...] = ()
    """The position of each column in the file, from 0, if blank ones were left out; empty for a made table."""

    def place(self, position: int) -> int:
        """The position in the file, from 0, of a column of the table."""
        return self.places[position] if position < len(self.places) else position


_NONE = CELL_PROBLEMS.to_frame()
_WHOLE = (FieldType.INTEGER, FieldType.FLAG)
_ROW = "file_row"
_TOTAL = r"(?i)\b(?:sub|grand)?totals?\b|^\W*(?:overall |report |column )?(?:sum|result|average|mean|count)\W*$"
#: A cell marked as text, so that Excel does not change it: ="0012" or '0012.
_AS_FORMULA, _AS_TEXT = r'^="((?:[^"]|"")*)"$', r"^'([^']+)'?$"


def says_total(first: pl.Expr) -> pl.Expr:
    """Whether a row's first filled cell, or its key, says that a report writer added the row."""
    return first.str.contains(_TOTAL).fill_null(False)


def is_total(text: str) -> bool:
    """`says_total` for a single text."""
    return re.search(_TOTAL, text) is not None


#: Characters that nobody sees, which would make another reference of the same text; and the spaces of other kinds.
UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"


def tidied(text: pl.DataFrame, nothing: Collection[str]) -> pl.DataFrame:
    """Trimmed cells without unseen characters and a spreadsheet's marks; blanks and `nothing` are null.

    Most columns of most files are like this already. One look at all of them costs less than rewriting them.
    """
    words = "|".join(re.escape(word) for word in nothing)
    looks = rf"^[\s'=]|\s$|[{UNSEEN}{_SPACES}]|^(?:{words})?$"
    found = text.select(pl.all().str.contains(looks).any()).row(0) if text.width else ()
    untidy = [name for name, has_some in zip(text.columns, found, strict=True) if has_some]
    if not untidy:
        return text
    plain = pl.col(untidy).str.replace_all(f"[{UNSEEN}]", "").str.replace_all(f"[{_SPACES}]", " ").str.strip_chars()
    return (
        text.with_columns(plain)
        .with_columns(_unmarked(pl.col(untidy)))
        .with_columns(pl.when(pl.col(untidy).is_in(["", *nothing]).not_()).then(pl.col(untidy)))
    )


def raw_table(
    headers: Sequence[str],
    columns: Sequence[pl.Series],
    file_rows: pl.Series,
    *,
    problems: pl.DataFrame | None = None,
    aside: Sequence[str] = (),
    sheet: str | None = None,
    notes: Sequence[str] = (),
    tidy: Collection[int] = (),
) -> RawTable:
    """A table from text columns: cells tidied, blank rows and blank nameless columns dropped.

    `tidy`: columns, counted from 0, that were dates, whole numbers or flags and so need no tidying.
    """
    text = _numbered(columns)
    written = pl.DataFrame([c for i, c in enumerate(text.get_columns()) if i not in tidy])
    if (tidied_text := tidied(written, NULL_MARKERS)) is not written:
        text = text.with_columns(tidied_text)
    frame = text.hstack([file_rows.cast(pl.UInt32).alias(_ROW)])
    if all(c.null_count() for c in text.get_columns()):
        frame = frame.filter(pl.any_horizontal(pl.exclude(_ROW).is_not_null()))
    names = tuple(" ".join(re.sub(_AS_FORMULA, r"\1", h.strip()).split()) for h in headers)
    kept = [i for i, name in enumerate(names) if name or frame[str(i)].null_count() < frame.height]
    cells = frame[[*(str(i) for i in kept), _ROW]] if len(kept) < len(names) else frame
    found = problems if problems is not None else _NONE
    moved = {old: new for new, old in enumerate(kept)}
    return RawTable(
        headers=tuple(names[i] for i in kept),
        cells=renamed(cells, [*(str(i) for i in range(len(kept))), _ROW]),
        problems=found
        if found.is_empty()
        else found.filter(pl.col("position").is_in(list(moved))).with_columns(
            pl.col("position").replace_strict(moved, return_dtype=pl.UInt32())
        ),
        notes=tuple(notes),
        aside=tuple(aside),
        sheet=sheet,
        places=tuple(kept),
    )


def _numbered(columns: Sequence[pl.Series]) -> pl.DataFrame:
    return pl.DataFrame([c if c.name == str(i) else c.alias(str(i)) for i, c in enumerate(columns)])


def renamed(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The same columns with these names, without a query."""
    found = frame.clone()
    found.columns = list(names)
    return found


def as_text(column: pl.Series) -> pl.Series:
    """A typed column as the text a person would have written: dates in ISO form, without a time zone."""
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is not None:
            column = column.dt.convert_time_zone("Europe/London").dt.replace_time_zone(None)
        return column.dt.to_string("%Y-%m-%d %H:%M:%S")
    return column.cast(pl.String)


def has_type(dtype: pl.DataType, of: FieldType) -> bool:
    """Whether a column of this type may hold values of the field as they are."""
    return isinstance(dtype, pl.Date) if of is FieldType.DATE else of in _WHOLE and dtype.is_integer()


def _unmarked(text: pl.Expr) -> pl.Expr:
    """Cells without the marks that stop a spreadsheet from making a number of them."""
    formula = text.str.starts_with('="')
    plain = text.str.replace(_AS_FORMULA, "${1}").str.replace_all('""', '"', literal=True).str.strip_chars()
    return (
        pl.when(formula & text.str.contains(_AS_FORMULA)).then(plain)
        .when(text.str.starts_with("'")).then(text.str.replace(_AS_TEXT, "${1}").str.strip_chars())
        .otherwise(text)
    )  # fmt: skip

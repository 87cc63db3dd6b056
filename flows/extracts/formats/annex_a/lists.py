"""The cells of a list as typed columns, with a problem code for every cell that would be a guess.

Dates, numbers and codes are read as in our own extracts (`flows.extracts.reading.cells`). A row without a child's
identifier belongs to nobody. Totals and footers are left out and reported; many such rows refuse the workbook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from features.errors import UnreadableExtract
from features.registry import Field, FieldType
from flows.extracts.formats.annex_a.layout import STATUSES, AnnexList, Column, ColumnContent
from flows.extracts.formats.annex_a.sheets import FoundList
from flows.extracts.reading.cells import filler, read_columns
from flows.extracts.reading.excel import EXACT, Book, cell_text, long_numbers
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.nobody import nobody_and_unknown, says_nobody
from flows.extracts.reading.table import CELL_PROBLEMS, raw_table
from flows.extracts.reading.where import Where, rows_in_words

#: How many rows without a child's identifier may be left out one by one: a minimum, and a share of the list.
NAMELESS_FEW, NAMELESS_SHARE = 3, 0.02
#: A column with more unreadable cells than this is not used: a minimum, and a share of its filled cells.
UNREADABLE_FEW, UNREADABLE_SHARE = 2, 0.02

_DAYS_TO_1970 = date(1970, 1, 1).toordinal()

#: The suffix of the column that says why a cell could not be read.
PROBLEM = "?"

_SHAPE = r"^[A-Z0-9]+(?:[/_.\-][A-Z0-9]+)*$"
_COUNTED = (
    r"^(?:GRAND|SUB|OVERALL|RUNNING)?TOTALS?(?:S|OF|ROWS|CHILDREN|RECORDS|CASES)*\d*$|^(?:ROW|RECORD)?COUNT\d*$"
    r"|^PAGE\d+(?:OF\d+)?$|^\d+(?:CHILDREN|CASES|ROWS|RECORDS|REFERRALS|ASSESSMENTS|EPISODES)$"
)
_DTYPES = {
    ColumnContent.CHILD: pl.String(),
    ColumnContent.DATE: pl.Date(),
    ColumnContent.STATUS: pl.String(),
    ColumnContent.YES_NO: pl.Boolean(),
    ColumnContent.NUMBER: pl.Int64(),
    ColumnContent.WORKER: pl.String(),
    ColumnContent.TEAM: pl.String(),
}


@dataclass(frozen=True, slots=True)
class ListRead:
    """One list: `row` (as in the sheet), `child`, a column per column of the list, and `column?` for its problems."""

    annex: AnnexList
    frame: pl.DataFrame
    present: frozenset[str]
    """The columns that are there."""
    unusable: dict[str, int]
    """Columns with too many unreadable cells to leave out one by one -> how many."""
    notes: tuple[str, ...]


def empty_frame(annex: AnnexList) -> pl.DataFrame:
    """The columns of a list without rows; it stands in for a missing list."""
    return pl.DataFrame(schema=_schema(annex))


def _schema(annex: AnnexList) -> pl.Schema:
    columns: dict[str, pl.DataType] = {"row": pl.UInt32()}
    for column in annex.columns:
        columns[column.name] = _DTYPES[column.holds]
        if column.holds not in (ColumnContent.CHILD, ColumnContent.TEAM):
            columns[column.name + PROBLEM] = pl.String()
    return pl.Schema(columns)


def read_list(found: FoundList, book: Book, where: Where) -> ListRead:
    """Read a list's cells. Raises UnreadableExtract if it is unclear which child the rows belong to."""
    annex, names = found.annex, list(found.positions)
    first = found.header_row + 1
    read = {name: _texts([row[p] for row in found.rows]) for name, p in found.positions.items()}
    texts = [text for text, _ in read.values()]
    tidy = [i for i, (_, is_tidy) in enumerate(read.values()) if is_tidy]
    cut_short = [] if read["child"][1] else long_numbers_of(found)
    moved = {old: new for new, old in enumerate(found.positions.values())}
    unread = [
        (row, moved[position], problem)
        for row, position, problem in (*book.unread(found.sheet), *cut_short)
        if position in moved and row >= first
    ]
    for row, position, _ in unread:
        if row - first < texts[position].len():
            texts[position] = texts[position].scatter(row - first, None)
    problems = pl.DataFrame(unread, schema=CELL_PROBLEMS, orient="row").unique(["file_row", "position"])
    rows = pl.int_range(first, len(found.rows) + first, eager=True, dtype=pl.UInt32)
    kept = raw_table(names, texts, rows, tidy=tidy)
    cells = kept.cells.rename({str(i): name for i, name in enumerate(names)} | {"file_row": "row"})
    if not cells.select(pl.col("child").str.contains(r"^[1-9][0-9]{0,14}$").fill_null(False).all()).item():
        cells = cells.with_columns(_identifier(pl.col("child")).alias("child"))
    cells, notes = _whose(cells, found, where)
    _refuse_merged(found, book, cells, where)
    if cells.is_empty():
        return ListRead(annex, empty_frame(annex), frozenset(found.positions), {}, tuple(notes))
    frame, unusable, said = _typed(cells, found, problems)
    return ListRead(annex, frame, frozenset(found.positions), unusable, (*notes, *said))


def long_numbers_of(found: FoundList) -> list[tuple[int, int, str]]:
    """Numbers in the child's column that Excel cut short; other columns do not accept such numbers anyway."""
    position = found.positions["child"]
    only = [row[position] for row in found.rows]
    if not any(type(value) is float and abs(value) >= EXACT for value in only):
        return []
    return [(row, position, problem) for row, _, problem in long_numbers([[v] for v in only], found.header_row + 1)]


def _texts(values: Sequence[Any]) -> tuple[pl.Series, bool]:
    """A column as text, a blank cell as null; and whether it held dates or whole numbers only, which are tidy as text.

    There are many cells, so the usual kinds are not handled one by one.
    """
    kinds = set(map(type, values))
    blanks = values.count("") if str in kinds else 0
    if date in kinds and kinds <= {str, date}:
        days = _days([v.toordinal() if type(v) is date else None for v in values])
        if days.null_count() == blanks:
            return days.dt.to_string("iso"), True
    if float in kinds and kinds <= {str, float}:
        numbers = pl.Series([v if type(v) is float else None for v in values], dtype=pl.Float64())
        whole = (numbers.abs() < EXACT).all() and (numbers == numbers.floor()).all()
        if whole and numbers.null_count() == blanks:
            return numbers.cast(pl.Int64()).cast(pl.String()), True
    text = pl.Series(values if kinds <= {str} else list(map(cell_text, values)), dtype=pl.String())
    return text.set(text == "", None), False


def _days(ordinals: list[int | None]) -> pl.Series:
    """Python's day numbers as dates: several times faster than converting its dates."""
    return (pl.Series(ordinals, dtype=pl.Int32()) - _DAYS_TO_1970).cast(pl.Date())


def _identifier(text: pl.Expr) -> pl.Expr:
    """An identifier as the same text in every list: upper case, no spaces, no leading zeros, no `.0`; else null."""
    plain = (
        text.str.to_uppercase()
        .str.replace_all(r"\s", "")
        .str.replace(r"^(\d+)\.0+$", "${1}")
        .str.replace(r"^(\d{1,3}(?:,\d{3})+)$", "${1}")
    )
    plain = pl.when(plain.str.contains(r"^\d{1,3}(?:,\d{3})+$")).then(plain.str.replace_all(",", "")).otherwise(plain)
    stripped = pl.when(plain.str.contains(r"^\d+$")).then(plain.str.replace(r"^0+(\d)", "${1}")).otherwise(plain)
    fits = (
        stripped.str.contains(_SHAPE)
        & stripped.str.contains(r"\d")
        & ~stripped.str.contains(r"^0+$")
        & ~stripped.str.contains(_COUNTED)
        & (stripped.str.len_chars() <= 64)
        & ~text.str.contains(r"\s\S+\s\S+\s")
    )
    return pl.when(fits).then(stripped)


def _whose(cells: pl.DataFrame, found: FoundList, where: Where) -> tuple[pl.DataFrame, list[str]]:
    """The rows of children, without totals and footers; refuses a list with many rows that belong to nobody."""
    nobody, nothing = cells["child"].is_null(), _nothing_else(cells)
    notes = []
    if nobody.any():
        rows = cells["row"].filter(nobody).to_list()
        if len(rows) > max(NAMELESS_FEW, NAMELESS_SHARE * cells.height):
            raise UnreadableExtract(
                f"{where}: {len(rows):,} of {cells.height:,} rows of {found.annex} have no Child Unique ID "
                f"({rows_in_words(rows)} of {found.place}), so nobody can say whose they are. Fill it in on every row; "
                "repeat it where a child has several rows."
            )
        notes.append(f"{found.annex}: left out, as no child's: {rows_in_words(rows)}.")
    empty = nothing & ~nobody
    if empty.any():
        rows = cells["row"].filter(empty).to_list()
        notes.append(f"{found.annex}: left out, as an identifier or counts and nothing else: {rows_in_words(rows)}.")
    kept = cells.filter(~(nobody | nothing))
    once = kept.unique([c for c in kept.columns if c != "row"], keep="first", maintain_order=True)
    if once.height < kept.height:
        notes.append(
            f"{found.annex}: rows that repeat another word for word, taken once: {kept.height - once.height:,}."
        )
    return once, notes


def _nothing_else(cells: pl.DataFrame) -> pl.Series:
    """Rows that hold an identifier and no other cell, or are a line of counts below the table."""
    values = [c for c in cells.columns if c not in ("row", "child")]
    if not values:
        return pl.repeat(False, cells.height, eager=True)
    short = pl.col("child").str.contains(r"^\d{1,5}$").fill_null(False)
    found = cells.select(pl.all_horizontal(pl.col(c).is_null() for c in values).alias("blank"), short.alias("short"))
    if not found["short"].any():
        return found["blank"]
    small = pl.all_horizontal(pl.col(c).is_null() | pl.col(c).str.contains(r"^\d{1,4}$") for c in values)
    return found["blank"] | (found["short"] & cells.select(small).to_series())


def _refuse_merged(found: FoundList, book: Book, cells: pl.DataFrame, where: Where) -> None:
    """Refuse merged cells: only the first holds the value, so the others would read as blank."""
    merged = book.merged(found.sheet)
    used = set(found.positions.values())
    rows = set(cells["row"].to_list()) if merged else set()
    for (top, left), (bottom, right) in merged:
        touched = [p for p in used if left <= p <= right]
        within = top > found.header_row and bool(touched)
        hides = bottom > top or (len(touched) > 1 or left not in used) and top in rows
        if within and hides and any(r in rows for r in range(top, bottom + 1)):
            raise UnreadableExtract(
                f"{where}: {found.annex} has merged cells ({rows_in_words(list(range(top, bottom + 1)))} of "
                f"{found.place}), so one value stands for several cells. Unmerge them, fill in each, and send it again."
            )


def _typed(
    cells: pl.DataFrame, found: FoundList, problems: pl.DataFrame
) -> tuple[pl.DataFrame, dict[str, int], list[str]]:
    columns = [cells["row"], cells["child"]]
    unusable: dict[str, int] = {}
    notes: list[str] = []
    position = {name: i for i, name in enumerate(found.positions)}
    plain = read_columns(cells, [_FIELDS[c.holds](c.name) for c in _columns(found) if c.holds in _FIELDS])
    for column in _columns(found):
        name = column.name
        if column.holds in _FIELDS:
            values, unread = plain[name].values, plain[name].problems
        else:
            values, unread = _read(cells[name], column)
        if problems.height and (own := problems.filter(pl.col("position") == position[name])).height:
            told = cells["row"].replace_strict(own["file_row"], own["problem"], default=None, return_dtype=pl.String())
            unread = told if unread is None else unread.zip_with(told.is_null(), told)
        bad = 0 if unread is None else unread.len() - unread.null_count()
        if unread is not None and bad:
            rows = cells["row"].filter(unread.is_not_null()).to_list()
            notes.append(f"{found.annex}, “{column.header}”: could not be read in {rows_in_words(rows)}.")
            columns.append(unread.rename(name + PROBLEM))
        filled = bad + values.len() - values.null_count()
        if bad > max(UNREADABLE_FEW, UNREADABLE_SHARE * filled):
            unusable[name] = bad
        columns.append(values.rename(name))
    schema = _schema(found.annex)
    frame = pl.DataFrame(columns)
    missing = [pl.lit(None, dtype=t).alias(n) for n, t in schema.items() if n not in frame.columns]
    return frame.with_columns(missing).select(list(schema)).cast(schema), unusable, notes


def _columns(found: FoundList) -> list[Column]:
    return [found.annex.column(name) for name in found.positions if name != "child"]


def _field(name: str, of: FieldType) -> Field:
    return Field(name, of, "", "")


#: Kinds that are read as in our own extracts.
_FIELDS: dict[ColumnContent, Callable[[str], Field]] = {
    ColumnContent.DATE: partial(_field, of=FieldType.DATE),
    ColumnContent.NUMBER: partial(_field, of=FieldType.INTEGER),
}


def _read(text: pl.Series, column: Column) -> tuple[pl.Series, pl.Series | None]:
    """Values and problem codes of one column; `text` is trimmed, blank is null."""
    match column.holds:
        case ColumnContent.STATUS:
            return _by_meaning(text, _status, pl.String(), "unknown_code")
        case ColumnContent.YES_NO:
            return _by_meaning(text, _yes_no, pl.Boolean(), "not_a_flag")
        case ColumnContent.WORKER:
            return _not_a_filler(*_named(text))
        case _:
            return text, None


def _by_meaning(
    text: pl.Series, meaning: Callable[[str], str | bool | None], dtype: pl.DataType, problem: str
) -> tuple[pl.Series, pl.Series]:
    """Many cells share few distinct texts, so each text is read once."""
    found = {t: meaning(t) for t in text.drop_nulls().unique().to_list()}
    values = text.replace_strict(list(found), list(found.values()), default=None, return_dtype=dtype)
    wrong = text.is_not_null() & values.is_null()
    codes = pl.Series(text.name, [problem], dtype=pl.String())
    return values, codes.zip_with(wrong, pl.Series(text.name, [None], dtype=pl.String()))


_LETTERED = re.compile(r"\s*\(?\s*([a-eA-E])\s*[).:\-–—]\s*(.*)", re.DOTALL)


def _status(text: str) -> str | None:
    """The code of a Case Status: its letter, its wording, or both if they agree."""
    plain = normalised(text)
    if len(plain) == 1 and plain in "abcde":
        return plain
    match = _LETTERED.fullmatch(text)
    letter, wording = (match[1].lower(), normalised(match[2])) if match else (None, plain)
    named = [code for code, pattern in STATUSES if re.fullmatch(pattern, wording)]
    if letter is not None and named and named != [letter]:
        return None
    return letter or (named[0] if len(named) == 1 else None)


def _yes_no(text: str) -> bool | None:
    """Yes or no, with or without Ofsted's letter or a number before it."""
    plain = normalised(re.sub(r"^\s*(?:[a-c]|\d{1,2})\s*[).:\-–—](?!\d)\s*", "", text, flags=re.IGNORECASE))
    if plain in ("yes", "y", "true", "1", "nfa", "nofurtheraction"):
        return True
    return False if plain in ("no", "n", "false", "0") else None


def _named(text: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """The names, and the problems of cells that hold an error or do not say who."""
    distinct = text.unique().drop_nulls()
    _, unknown = nobody_and_unknown(distinct, names=True)
    if not unknown and not distinct.str.starts_with("#").any():
        return _workers(text, distinct), None
    error, asks = text.str.starts_with("#").fill_null(False), text.is_in(unknown).fill_null(False)
    none, failed, unsaid = (
        pl.Series(text.name, [v], dtype=pl.String()) for v in (None, "formula_error", "unknown_reference")
    )
    return _workers(none.zip_with(error | asks, text), distinct), failed.zip_with(error, unsaid.zip_with(asks, none))


def _not_a_filler(workers: pl.Series, problems: pl.Series | None) -> tuple[pl.Series, pl.Series | None]:
    """Workers, unless nearly every row names the same one."""
    if problems is not None or (same := filler(workers)) is None:
        return workers, problems
    none, code = (pl.Series(workers.name, [v], dtype=pl.String()) for v in (None, "same_everywhere"))
    stands = (workers == same).fill_null(False)
    return none.zip_with(stands, workers), code.zip_with(stands, none)


def _workers(text: pl.Series, names: pl.Series) -> pl.Series:
    """One text per name, whatever its case and spaces; null where nobody is named.

    `names` are the texts that occur, each once: many cells share few names.
    """
    name = pl.col(names.name).str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", " ")
    plain = names.to_frame().select(name.str.strip_chars(" .,;:-_*?")).to_series()
    told = [None if says_nobody(t, names=True) else t for t in plain.to_list()]
    return text.replace_strict(names, pl.Series(told, dtype=pl.String()), return_dtype=pl.String())

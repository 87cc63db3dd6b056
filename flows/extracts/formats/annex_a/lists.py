"""The cells of a list as typed columns, with a problem code for every cell that would be a guess.

Dates, numbers and codes are read as in our own extracts (`flows.extracts.reading.cells`). A row without a child's
identifier belongs to nobody. Totals and footers are left out and reported; many such rows refuse the workbook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from itertools import chain
from typing import Any

import polars as pl

from features.errors import UnreadableExtract
from features.registry import Field, FieldType
from flows.extracts.formats.annex_a.layout import STATUSES, AnnexList, Column, ColumnContent
from flows.extracts.formats.annex_a.sheets import FoundList
from flows.extracts.reading.cells import filler, read_columns
from flows.extracts.reading.excel import EXACT, Book, cell_text, long_numbers
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.nobody import says_nobody, unknown_names
from flows.extracts.reading.table import NULL_MARKERS, tidied
from flows.extracts.reading.where import Where, rows_in_words

#: How many rows without a child's identifier may be left out one by one: a minimum, and a share of the list.
NAMELESS_FEW, NAMELESS_SHARE = 3, 0.02
#: A column with more unreadable cells than this is not used: a minimum, and a share of its filled cells.
UNREADABLE_FEW, UNREADABLE_SHARE = 2, 0.02

#: An identifier of at most so many digits may be a count below the table.
_FEW_DIGITS = 5
_DAYS_TO_1970 = date(1970, 1, 1).toordinal()
#: The suffix of the column that says why a cell could not be read.
PROBLEM = "?"

_SHAPE = r"^[A-Z0-9]+(?:[/_.\-][A-Z0-9]+)*$"
_COUNTED = (
    r"^(?:GRAND|SUB|OVERALL|RUNNING)?TOTALS?(?:S|OF|ROWS|CHILDREN|RECORDS|CASES)*\d*$|^(?:ROW|RECORD)?COUNT\d*$"
    r"|^PAGE\d+(?:OF\d+)?$|^\d+(?:CHILDREN|CASES|ROWS|RECORDS|REFERRALS|ASSESSMENTS|EPISODES)$"
)
#: Kinds of columns whose cells share few texts.
_BY_TEXT = (ColumnContent.STATUS, ColumnContent.YES_NO, ColumnContent.WORKER, ColumnContent.TEAM)
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


@cache
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
    annex, first = found.annex, found.header_row + 1
    given = {name: _values(cells, annex.column(name).holds) for name, cells in found.cells.items()}
    cut_short = [] if isinstance(given["child"], pl.Series) else long_numbers_of(found)
    columns = {n: c if isinstance(c, pl.Series) else _texts(c, annex.column(n).holds) for n, c in given.items()}
    name_at = {position: name for name, position in found.positions.items()}
    problems: dict[str, dict[int, str]] = {}
    for row, position, problem in (*book.unread(found.sheet), *cut_short):
        if position in name_at and row >= first:
            problems.setdefault(name_at[position], {}).setdefault(row, problem)
    for name, rows in problems.items():
        columns[name] = columns[name].scatter([row - first for row in rows if row - first < found.height], None)
    cells = pl.DataFrame(columns).with_row_index("row", first)
    if all(column.null_count() for column in columns.values()):
        cells = cells.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
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
    cells = [[value] for value in found.cells["child"]]
    return [(row, found.positions["child"], what) for row, _, what in long_numbers(cells, found.header_row + 1)]


def _values(cells: Sequence[Any], holds: ColumnContent) -> pl.Series | Sequence[Any]:
    """A column of dates, whole numbers or numbered children as it is, where it is for them; any other unread.

    There are many cells, so the usual kinds are not handled one by one.
    """
    if holds is ColumnContent.DATE:
        days = _days([v.toordinal() if type(v) is date else None for v in cells])
        if days.null_count() == cells.count(""):
            return days
    if holds in (ColumnContent.CHILD, ColumnContent.NUMBER):
        numbers = pl.Series([v if type(v) is float else None for v in cells], dtype=pl.Float64())
        all_read = numbers.null_count() == cells.count("")
        if all_read and (numbers.abs() < EXACT).all() and (numbers == numbers.floor()).all():
            whole = numbers.cast(pl.Int64())
            return whole if holds is ColumnContent.NUMBER else whole.cast(pl.String())
    return cells


def _texts(cells: Sequence[Any], holds: ColumnContent) -> pl.Series:
    """A column as text, tidied and blanks null; an Enum where many cells share few texts, to read each once."""
    distinct = list(dict.fromkeys(chain([""], cells)))
    if set(map(type, distinct)) != {str}:
        return _texts(list(map(cell_text, cells)), holds)
    plain = tidied(pl.DataFrame({"": distinct[1:]}, {"": pl.String()}), NULL_MARKERS).to_series().to_list()
    if holds in _BY_TEXT:
        texts = {t: i for i, t in enumerate(t for t in dict.fromkeys(plain) if t is not None)}
        at = dict(zip(distinct, [None, *map(texts.get, plain)], strict=True))
        return pl.Series(list(map(at.__getitem__, cells)), dtype=pl.UInt32()).cat.to(pl.Enum(list(texts)))
    found = dict(zip(distinct, [None, *plain], strict=True))
    return pl.Series(list(map(found.__getitem__, cells)), dtype=pl.String())


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
    if cells["child"].null_count():
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
    kept = cells.filter(~(nobody | nothing)) if notes else cells
    if kept["child"].n_unique() == kept.height:
        return kept, notes
    once = kept.unique([c for c in kept.columns if c != "row"], keep="first", maintain_order=True)
    if once.height < kept.height:
        notes.append(
            f"{found.annex}: rows that repeat another word for word, taken once: {kept.height - once.height:,}."
        )
    return once, notes


def _nothing_else(cells: pl.DataFrame) -> pl.Series:
    """Rows that hold an identifier and no other cell, or are a line of counts below the table."""
    values = [pl.col(c) for c in cells.columns if c not in ("row", "child")]
    if not values:
        return pl.repeat(False, cells.height, eager=True)
    blank = cells.select(pl.all_horizontal(v.is_null() for v in values)).to_series()
    if (cells["child"].str.len_bytes().min() or _FEW_DIGITS + 1) > _FEW_DIGITS:  # type: ignore[operator]
        return blank
    short = pl.col("child").str.contains(rf"^\d{{1,{_FEW_DIGITS}}}$").fill_null(False)
    small = pl.all_horizontal(v.is_null() | v.cast(pl.String()).str.contains(r"^\d{1,4}$") for v in values)
    return blank | cells.select(short & small).to_series()


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
    cells: pl.DataFrame, found: FoundList, problems: Mapping[str, Mapping[int, str]]
) -> tuple[pl.DataFrame, dict[str, int], list[str]]:
    columns = [cells["row"], cells["child"]]
    unusable: dict[str, int] = {}
    notes: list[str] = []
    plain = read_columns(cells, [_FIELDS[c.holds](c.name) for c in _columns(found) if c.holds in _FIELDS])
    for column in _columns(found):
        name = column.name
        if column.holds in _FIELDS:
            values, unread = plain[name].values, plain[name].problems
        else:
            values, unread = _read(cells[name], column.holds)
        if name in problems:
            told = pl.Series(list(map(problems[name].get, cells["row"])), dtype=pl.String())
            unread = told if unread is None else unread.zip_with(told.is_null(), told)
        bad = 0 if unread is None else unread.len() - unread.null_count()
        if unread is not None and bad:
            rows = cells["row"].filter(unread.is_not_null()).to_list()
            notes.append(f"{found.annex}, “{column.header}”: could not be read in {rows_in_words(rows)}.")
            columns.append(unread.alias(name + PROBLEM))
        filled = bad + values.len() - values.null_count()
        if bad > max(UNREADABLE_FEW, UNREADABLE_SHARE * filled):
            unusable[name] = bad
        columns.append(values.alias(name))
    return pl.concat([empty_frame(found.annex), pl.DataFrame(columns)], how="diagonal"), unusable, notes


def _columns(found: FoundList) -> list[Column]:
    return [found.annex.column(name) for name in found.positions if name != "child"]


def _field(name: str, of: FieldType) -> Field:
    return Field(name, of, "", "")


#: Kinds that are read as in our own extracts.
_FIELDS: dict[ColumnContent, Callable[[str], Field]] = {
    ColumnContent.DATE: partial(_field, of=FieldType.DATE),
    ColumnContent.NUMBER: partial(_field, of=FieldType.INTEGER),
}


def _read(cells: pl.Series, holds: ColumnContent) -> tuple[pl.Series, pl.Series | None]:
    """Values and problem codes of a column; a blank cell is null."""
    texts: list[str] = cells.dtype.categories.to_list()  # type: ignore[attr-defined]
    values: Sequence[str | bool | None] = texts
    problems: Mapping[str, str] = {}
    match holds:
        case ColumnContent.STATUS:
            values, problems = _by_meaning(texts, _status, "unknown_code")
        case ColumnContent.YES_NO:
            values, problems = _by_meaning(texts, _yes_no, "not_a_flag")
        case ColumnContent.WORKER:
            values, problems = _named(texts)
    at = cells.to_physical()
    unread = pl.Series([problems.get(t) for t in texts], dtype=pl.String()).gather(at) if problems else None
    read = pl.Series(values, dtype=_DTYPES[holds]).gather(at)
    return _not_a_filler(read, unread) if holds is ColumnContent.WORKER else (read, unread)


def _by_meaning(
    texts: Sequence[str], meaning: Callable[[str], str | bool | None], problem: str
) -> tuple[list[str | bool | None], dict[str, str]]:
    found = {t: meaning(t) for t in texts}
    return list(found.values()), {t: problem for t, value in found.items() if value is None}


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


def _named(texts: Sequence[str]) -> tuple[list[str | None], dict[str, str]]:
    """The names, and the problems of texts that are an error or do not say who."""
    given = pl.Series(texts, dtype=pl.String())
    unread = dict.fromkeys(unknown_names(given), "unknown_reference") | {
        t: "formula_error" for t in texts if t.startswith("#")
    }
    return [None if t in unread else worker for t, worker in zip(texts, _workers(given), strict=True)], unread


def _not_a_filler(workers: pl.Series, problems: pl.Series | None) -> tuple[pl.Series, pl.Series | None]:
    """Workers, unless nearly every row names the same one."""
    if problems is not None or (same := filler(workers)) is None:
        return workers, problems
    none, code = (pl.Series(workers.name, [v], dtype=pl.String()) for v in (None, "same_everywhere"))
    stands = (workers == same).fill_null(False)
    return none.zip_with(stands, workers), code.zip_with(stands, none)


def _workers(names: pl.Series) -> list[str | None]:
    """One text per name, whatever its case and spaces; none where nobody is named."""
    name = pl.col(names.name).str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", " ")
    plain = names.to_frame().select(name.str.strip_chars(" .,;:-_*?")).to_series()
    return [None if says_nobody(t, names=True) else t for t in plain.to_list()]

"""Published files as plain tables of text, recognised by their headers and never by their names.

Publishers rename files, add sheets and move the header row with every release; only the headers stay. So every layout
is tried on each file, and takes the tables whose headers include its marks.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl
from python_calamine import CalamineError, CalamineWorkbook

from features.errors import ReferenceDataError

#: The number of rows at the top of a sheet, and below each blank row, in which a header is looked for.
_HEADER_ROWS = 15
_TEXT_SUFFIXES = {".csv"}
_WORKBOOK_SUFFIXES = {".ods", ".xlsx"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file from which the record was read, with enough to name it and to check that it is the same file."""

    name: str
    sha256: str
    layouts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordTable:
    """One table of a file: cells as text (dates in ISO form), empty cells null."""

    file: str
    sheet: str | None
    headers: tuple[str, ...]
    """Headers in lower case with single spaces; if a header is repeated, the first one is used."""
    cells: pl.DataFrame

    @property
    def where(self) -> str:
        """The table's place as a person finds it: the file, then the sheet."""
        return self.file if self.sheet is None else f"{self.file}, sheet “{self.sheet}”"


@dataclass(frozen=True, slots=True)
class Layout:
    """A published layout: the headers that mark it, and the columns read from it.

    Patterns are regular expressions matched against the whole normalised header.
    """

    name: str
    publisher: str
    marks: tuple[str, ...]
    needs: Mapping[str, str]
    """Our name -> header pattern; each of these must be present."""
    may_have: Mapping[str, str] = field(default_factory=dict)
    """Our name -> header pattern; null where the release does not have the column."""


def normalise(header: object) -> str:
    """A header without case, line breaks, byte-order mark and repeated spaces."""
    return re.sub(r"\s+", " ", str(header if header is not None else "").replace("\ufeff", "")).strip().lower()


def read_tables(folder: Path) -> tuple[list[RecordTable], list[SourceFile]]:
    """Every table of every CSV, ODS and XLSX file in a folder, in order of file name.

    Raises ReferenceDataError when the folder is missing or a file cannot be opened at all.
    """
    if not folder.is_dir():
        raise ReferenceDataError(f"There is no folder “{folder}”. Name the folder that holds the published files.")
    tables: list[RecordTable] = []
    files: list[SourceFile] = []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in _TEXT_SUFFIXES | _WORKBOOK_SUFFIXES):
        content = path.read_bytes()
        files.append(SourceFile(path.name, hashlib.sha256(content).hexdigest()))
        tables += tables_of(path.name, content)
    return tables, files


def tables_of(name: str, content: bytes) -> list[RecordTable]:
    """Every table of one file, by its file extension. Raises ReferenceDataError if it cannot be opened."""
    if Path(name).suffix.lower() in _TEXT_SUFFIXES:
        return [_csv_table(name, content)]
    return list(_workbook_tables(name, content))


def claim(layout: Layout, table: RecordTable) -> pl.DataFrame | None:
    """The layout's columns of a table under our names, all text; None if the table has another layout.

    Raises ReferenceDataError, naming file, sheet and column, when the marks are there but a column is missing: the
    publisher has changed the layout, and it must not be guessed.
    """
    if not all(_find(mark, table.headers) for mark in layout.marks):
        return None
    columns: dict[str, str] = {}
    for name, pattern in layout.needs.items():
        found = _find(pattern, table.headers)
        if not found:
            raise ReferenceDataError(
                f"{table.where}: this is {layout.publisher}'s {layout.name}, but its layout has changed: no column "
                f"“{readable(pattern)}”. Use a release with that column, or teach models/record the new header."
            )
        columns[name] = found[0]
    for name, pattern in layout.may_have.items():
        if found := _find(pattern, table.headers):
            columns[name] = found[0]
    absent = [pl.lit(None, dtype=pl.String()).alias(n) for n in layout.may_have if n not in columns]
    return table.cells.select(*(pl.col(header).alias(name) for name, header in columns.items()), *absent)


def nearest(layout: Layout, tables: Iterable[RecordTable]) -> str:
    """For an error message: the table closest to a layout, and what it lacks."""
    wanted = [*layout.marks, *layout.needs.values()]
    best: tuple[int, str] = (len(wanted) // 2, "")
    for table in tables:
        missing = list(dict.fromkeys(readable(p) for p in wanted if not _find(p, table.headers)))
        hits = len(wanted) - len(missing)
        if hits > best[0]:
            best = hits, f" The closest is {table.where}, which lacks the column “{missing[0]}”." if missing else ""
    return best[1]


def readable(pattern: str) -> str:
    """A header pattern written as a person would write the header."""
    return re.sub(r"\\", "", re.sub(r"\(\?:([^|)]*)[^)]*\)\??", r"\1", pattern)).replace(".*", "…").replace(".+", "…")


def _find(pattern: str, headers: Iterable[str]) -> list[str]:
    compiled = re.compile(pattern)
    return [h for h in headers if compiled.fullmatch(h)]


def _csv_table(name: str, content: bytes) -> RecordTable:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ReferenceDataError(f"{name}: the text is neither UTF-8 nor Windows-1252. Download the file again.")
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode("utf-8")), has_header=False, infer_schema=False, truncate_ragged_lines=True
        )
    except pl.exceptions.PolarsError as error:
        raise ReferenceDataError(f"{name}: not a readable CSV file ({type(error).__name__}). Download it again.") from (
            error
        )
    return _table(name, None, [*frame.row(0)] if frame.height else [], frame[1:])


def _workbook_tables(name: str, content: bytes) -> Iterator[RecordTable]:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
    except CalamineError as error:
        raise ReferenceDataError(f"{name}: not a readable workbook. Download it again. ({error})") from error
    for sheet in names:
        rows = [[_text(cell) for cell in row] for row in workbook.get_sheet_by_name(sheet).to_python()]
        yield from _sheet_tables(name, sheet, rows)


def _sheet_tables(name: str, sheet: str, rows: list[list[str | None]]) -> Iterator[RecordTable]:
    """The tables of one sheet: each begins with a row of at least five texts near the top or below a gap."""
    start = 0
    while start < len(rows):
        header = next(
            (i for i in range(start, min(start + _HEADER_ROWS, len(rows))) if _looks_like_header(rows[i])), -1
        )
        if header < 0:
            return
        end = next((i for i in range(header + 1, len(rows)) if not any(rows[i])), len(rows))
        width = len(rows[header])
        body = pl.DataFrame(
            [row[:width] + [None] * (width - len(row)) for row in rows[header + 1 : end]],
            schema={f"c{i}": pl.String() for i in range(width)},
            orient="row",
        )
        yield _table(name, sheet, rows[header], body)
        start = end + 1


def _looks_like_header(row: list[str | None]) -> bool:
    return sum(1 for cell in row if cell and not cell.replace(".", "").isdigit()) >= 5


def _table(name: str, sheet: str | None, header: list[str | None], body: pl.DataFrame) -> RecordTable:
    kept: dict[str, str] = {}
    for column, cell in zip(body.columns, header, strict=True):
        if (key := normalise(cell)) and key not in kept:
            kept[key] = column
    cells = body.select(pl.col(column).str.strip_chars().replace("", None).alias(key) for key, column in kept.items())
    return RecordTable(name, sheet, tuple(kept), cells)


def _text(cell: object) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)

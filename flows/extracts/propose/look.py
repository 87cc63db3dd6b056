"""Finds the tables in home-made files: the worksheets, and the header below titles, on one row or two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from features.errors import ExtractError, UnreadableExtract
from features.registry import EXTRACTS, Kind
from flows.extracts.personal.refuse import refuse_personal_data
from flows.extracts.propose.proposal import Proposal, likeness, propose
from flows.extracts.reading.around import HEADER_WITHIN, join_header
from flows.extracts.reading.delimited import DELIMITERS, decoded, numbered_rows, split_separator_line
from flows.extracts.reading.excel import Book, cell_text
from flows.extracts.reading.headers import meanings, normalised
from flows.extracts.reading.table import Limits, RawTable, says_total
from flows.extracts.reading.tables import read_table, refuse_unopened, too_many_rows
from flows.extracts.reading.where import Where

#: A header names at least this many columns that come near a field of ours.
_FEWEST_NEAR = 2
#: A cell that is a value and no header: a number, a date, an amount.
_VALUE = re.compile(r"[\d\s.,:/£%+-]+|\d{1,2}[- /][A-Za-z]{3,9}[- /]\d{2,4}")


@dataclass(frozen=True, slots=True)
class FoundTable:
    file: str
    sheet: str
    """Empty if its file has one table."""
    header_rows: int
    table: RawTable
    proposal: Proposal

    @property
    def title(self) -> str:
        """The table for a person, `sheet “Agency” of hr.xlsx`."""
        return f"sheet “{self.sheet}” of {self.file}" if self.sheet else self.file


@dataclass(frozen=True, slots=True)
class FoundTables:
    """The tables that could be part of an extract, and what else was seen."""

    tables: tuple[FoundTable, ...]
    notes: tuple[str, ...] = field(default=())


def look_at(paths: Sequence[Path], kind: Kind, where: Where) -> FoundTables:
    """Every table in the files that has a header near to ours. Raises an ExtractError, as reading a file does.

    A sheet that is no such table is named in a note.
    """
    found: list[FoundTable] = []
    notes: list[str] = []
    for path in paths:
        place = Where(where.council, where.month, path.name)
        try:
            content = path.read_bytes()
        except OSError:
            raise UnreadableExtract(f"There is no file {path}, or it may not be read.") from None
        refuse_unopened(content, place, Limits())
        sheets = list(_sheets(content, kind, place))
        in_file: list[FoundTable] = []
        faults: list[ExtractError] = []
        for sheet, rows in sheets:
            headers, header_rows = _header(rows, kind)
            if rows and len(headers) < _FEWEST_NEAR:
                notes.append(f"Not read: sheet “{sheet}” of {path.name}, no row of it names columns like ours.")
                continue
            try:
                in_file.append(
                    _seen(content, path.name, sheet if len(sheets) > 1 else "", headers, header_rows, kind, place)
                )
            except UnreadableExtract as fault:
                faults.append(fault)
                notes.append(f"Not read: {fault}")
        if not in_file and len(paths) == 1:
            raise (
                faults[0]
                if faults
                else UnreadableExtract(
                    f"{place}: no row names columns like those of a {kind} extract. Write a header above the rows."
                )
            )
        found += in_file
    return FoundTables(tuple(found), tuple(notes))


def _seen(
    content: bytes, name: str, sheet: str, headers: Sequence[str], header_rows: int, kind: Kind, where: Where
) -> FoundTable:
    table = read_table(content, kind=kind, where=where, headers=headers, sheet=sheet, header_rows=header_rows)
    proposal = propose(table, kind)
    near = {normalised(h) for p in proposal.fields for h in (p.sure, *(c.header for c in p.candidates)) if h}
    refuse_personal_data(content, table, contract=meanings(kind), read=near, where=where)
    rows = table.cells.filter(~says_total(pl.coalesce(pl.exclude("file_row"))))
    if rows.height < table.cells.height:
        table = replace(table, cells=rows)
        proposal = propose(table, kind)
    return FoundTable(name, sheet, header_rows, table, proposal)


def _sheets(content: bytes, kind: Kind, where: Where) -> Iterator[tuple[str, list[list[str]]]]:
    """The first rows of each visible sheet, or of the text; none for Parquet, whose columns have names."""
    if content.startswith(b"PK\x03\x04"):
        book = Book(content, where, Limits())
        for sheet in book.sheets:
            if sheet.visible:
                book.check_extent(sheet, kind, EXTRACTS[kind].max_rows + Limits().blank_rows)
                yield sheet.name, [[cell_text(v) for v in row] for row in book.rows(sheet)[:HEADER_WITHIN]]
    elif content.startswith(b"PAR1"):
        yield "", []
    else:
        said, text = split_separator_line(decoded(content, where)[0])
        most = EXTRACTS[kind].max_rows + Limits().blank_rows
        start = "".join(text.splitlines(keepends=True)[: HEADER_WITHIN * 2])
        split = [
            [cells for _, cells in numbered_rows(start, d, most, too_many_rows(where, kind), where)][:HEADER_WITHIN]
            for d in ((said,) if said else DELIMITERS)
        ]
        yield "", max(split, key=lambda rows: max((_score(row, kind) for row in rows), default=0.0))


def _header(rows: Sequence[Sequence[str]], kind: Kind) -> tuple[list[str], int]:
    """The header's cells, and on how many rows it stands; nothing if no row is like one."""
    if not rows:
        return [], 1
    at = max(range(len(rows)), key=lambda i: _score(rows[i], kind))
    alone = _score(rows[at], kind)
    best, header, on = alone, list(rows[at]), 1
    for lower in (at, at + 1):
        if 0 < lower < len(rows) and not _has_values(rows[lower]) and not _has_values(rows[lower - 1]):
            joined = join_header(rows[lower - 1 : lower + 1], ())[1]
            if sum(1 for c in rows[lower - 1] if c.strip()) > 1 and _score(joined, kind) > best + 0.5:
                best, header, on = _score(joined, kind), joined, 2
    return ([c for c in header if c.strip()], on) if best >= _FEWEST_NEAR * 0.6 else ([], 1)


def _has_values(cells: Sequence[str]) -> bool:
    return any(_VALUE.fullmatch(c.strip()) for c in cells if c.strip())


def _score(cells: Sequence[str], kind: Kind) -> float:
    """How much a row is like a header: its cells that come near fields, less values and names that repeat."""
    filled = [c.strip() for c in cells if c.strip()]
    named = [c for c in filled if not _VALUE.fullmatch(c)]
    near = [max(likeness(c, f)[0] for f in EXTRACTS[kind].fields) for c in named if len(c) <= 60]
    values = len(filled) - len(named)
    repeated = len(filled) - len({normalised(c) for c in filled})
    return sum(n for n in near if n >= 0.6) - 2 * values - repeated

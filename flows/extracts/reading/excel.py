"""Reads Excel workbooks: checks them before opening, and reads the values that their author saw.

A workbook is a zip of XML. Its real unpacked size and its outermost cells are measured first, because a few kilobytes
can claim gigabytes. Calamine reads the values. It gives error cells and formulas that were never calculated as blank,
and a blank leaving date means “in post”. So both are searched for in the XML and reported as unreadable cells.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
from defusedxml import ElementTree
from python_calamine import CalamineWorkbook, load_workbook

from features.errors import UnreadableExtract
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.personal.headers import column_letters
from flows.extracts.reading.around import FEWEST_NAMED, HEADER_WITHIN, bare, header_at, headers_named, join_header
from flows.extracts.reading.delimited import is_swallowed
from flows.extracts.reading.headers import meanings, normalised, undated
from flows.extracts.reading.sheet_xml import (
    check_extent,
    formatted_cells,
    hidden_columns,
    hidden_rows,
    holds,
    merged_ranges,
    number_formats,
    unread_cells,
)
from flows.extracts.reading.table import CELL_PROBLEMS, Limits, RawTable, Wanted, raw_table
from flows.extracts.reading.where import Where, rows_in_words

_ENTRIES = 2_000
_CHUNK = 1 << 20
#: A workbook that unpacks to at most this size is unpacked once and kept while it is read.
_KEPT_BYTES = 64 << 20
#: Excel keeps 15 significant digits; a longer number is no longer the one that was typed.
EXACT = 10**15
_FROM_1904 = re.compile(rb"""\sdate1904\s*=\s*["'](?:1|true)["']""")


class WhichSheet(UnreadableExtract):
    """Nothing tells which of a workbook's sheets is meant."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet and its part of the archive."""

    name: str
    visible: bool
    path: str


class Book:
    """A workbook of a harmless size. Its sheets are unpacked and parsed one by one, when asked for."""

    def __init__(self, content: bytes, where: Where, limits: Limits) -> None:
        """Raises UnreadableExtract for a zip bomb, a damaged or encrypted file, and a zip that is not a workbook."""
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except zipfile.BadZipFile:
            raise UnreadableExtract(
                f"{where}: the workbook is incomplete or damaged. Save it and send it again."
            ) from None
        self._where, self._limits, self._content = where, limits, content
        self._parts = _unpacked_sheets(self._archive, content, where, limits)
        self.sheets = tuple(_sheets(self._archive, where))
        self._workbook: CalamineWorkbook | None = None
        self._formats: dict[int, tuple[str, int, str]] | None = None

    @property
    def counts_days_from_1904(self) -> bool:
        """Whether its day numbers begin in 1904, as on old Macs, so that a bare number means a different day."""
        return _FROM_1904.search(self._archive.read("xl/workbook.xml")) is not None

    def check_extent(self, sheet: Sheet, kind: Kind, most_rows: int) -> None:
        """Raises UnreadableExtract if a sheet spans more than a table of `kind` could: readers allocate that much."""
        named_so = sheet.visible and sheet.name.casefold() == kind
        which = f"the sheet “{kind}”" if named_so else "a sheet"
        check_extent(self._xml(sheet), which, kind, most_rows, self._where, self._limits)

    def rows(self, sheet: Sheet) -> list[list[Any]]:
        """A sheet's cells from A1 on; check its extent first."""
        return self._parsed().get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)

    def row_by_row(self, sheet: Sheet) -> Iterator[list[Any]]:
        """The same rows one by one: a reader of few columns need not hold the others' cells."""
        cells = self._parsed().get_sheet_by_name(sheet.name)
        left = [""] * cells.start[1] if cells.start is not None else []
        return (left + row for row in cells.iter_rows()) if left else iter(cells.iter_rows())

    def unread(self, sheet: Sheet) -> list[tuple[int, int, str]]:
        """Row, column (from 0) and problem of each error cell and each formula without a calculated value."""
        return list(unread_cells(self._xml(sheet), self._where))

    def merged(self, sheet: Sheet) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """First and last cell, as row (the first is 1) and column (from 0), of each range of merged cells."""
        return merged_ranges(self._xml(sheet))

    def formatted(self, sheet: Sheet) -> Iterator[tuple[int, int, tuple[str, int, str]]]:
        """Row, column (from 0) and format of each number whose format of zeros shows more than its value."""
        if self._formats is None:
            there = "xl/styles.xml" in self._archive.namelist()
            self._formats = number_formats(self._archive.read("xl/styles.xml")) if there else {}
        return formatted_cells(self._xml(sheet), self._formats)

    def hides(self, sheet: Sheet) -> bool:
        """Whether anything of a sheet may be hidden."""
        return holds(self._xml(sheet), b"hidden")

    def hidden(self, sheet: Sheet, header: int, last: int, read: Collection[int], *, place: str = "") -> list[str]:
        """Notes on rows, and on the columns `read`, that are hidden from a person who opens the sheet."""
        xml = self._xml(sheet)
        rows = [r for r in hidden_rows(xml) if header < r <= last]
        columns = [column_letters(c) for c in hidden_columns(xml) if c in read]
        why = "hidden by a filter" if rows and b"autoFilter" in xml else "hidden"
        many = f"{len(rows):,} rows are {why} and were" if len(rows) > 1 else f"1 row is {why} and was"
        said = [f"{many} read all the same ({rows_in_words(rows)})."] if rows else []
        said += [f"Hidden columns were read all the same: {', '.join(columns)}."] if columns else []
        return [f"{place}{one}" for one in said]

    def _xml(self, sheet: Sheet) -> bytes:
        if sheet.path not in self._parts:
            # Keep one large sheet at a time in memory and drop the others.
            self._parts = {sheet.path: self._archive.read(sheet.path)}
        return self._parts[sheet.path]

    def _parsed(self) -> CalamineWorkbook:
        if self._workbook is None:
            self._workbook = load_workbook(io.BytesIO(self._content))
        return self._workbook


def read_workbook(content: bytes, kind: Kind, where: Where, limits: Limits, wanted: Wanted) -> RawTable:
    """The sheet that is wanted by name, or named like the kind, or the only visible one, or the only one with the
    kind's header.

    Raises UnreadableExtract for a zip bomb, a damaged file, or a choice of sheets that would be a guess.
    """
    book = Book(content, where, limits)
    most_rows = EXTRACTS[kind].max_rows + limits.blank_rows
    for sheet in book.sheets:
        book.check_extent(sheet, kind, most_rows)
    known = wanted.known
    chosen, said = _named(book, wanted.sheet, where) if wanted.sheet else _choose(book, kind, known, where)
    values = book.rows(chosen)
    if not any(any(v != "" for v in row) for row in values):
        raise UnreadableExtract(f"{where}: the sheet “{kind}” is empty. Send the file again with its rows.")
    texts = _texts(book, chosen, values, known, kind)
    if wanted.header_rows > 1:
        lower, header = join_header(texts, known)
        texts[lower - 1], texts[lower] = [""] * len(header), header
    found = bare(list(enumerate(texts, start=1)), known, where)
    at, rows = found.header_row, found.rows
    refuse_swallowed_cells(rows, len(found.headers), where)
    last = max((n for n, _ in rows), default=at)
    _refuse_merged(book.merged(chosen), at + (wanted.header_rows > 1), last, kind, where)
    problems = [*book.unread(chosen), *long_numbers(values[at:], at + 1)]
    if book.counts_days_from_1904:
        problems += _bare_day_numbers(found.headers, values[at:], at + 1, kind)
    unread = pl.DataFrame(problems, schema=CELL_PROBLEMS, orient="row").filter(pl.col("file_row") > at)
    columns = [pl.Series([row[i] for _, row in rows], dtype=pl.String()) for i in range(len(found.headers))]
    return raw_table(
        found.headers,
        _without(columns, unread, {n: i for i, (n, _) in enumerate(rows)}),
        pl.Series([n for n, _ in rows], dtype=pl.UInt32()),
        problems=unread,
        aside=found.aside,
        sheet=chosen.name,
        notes=[*said, *found.notes, *book.hidden(chosen, at, last, range(len(found.headers)))],
    )


def _texts(book: Book, sheet: Sheet, values: list[list[Any]], known: Collection[str], kind: Kind) -> list[list[str]]:
    """The cells as a person sees them: a number format of zeros is part of a reference, so `00123` is not 123."""
    texts = [[cell_text(v) for v in row] for row in values]
    formatted = list(book.formatted(sheet))
    if not formatted:
        return texts
    header = texts[header_at(texts[:HEADER_WITHIN], known)]
    names = meanings(kind)
    for row, column, (before, digits, after) in formatted:
        if row > len(texts) or column >= len(header) or not texts[row - 1][column].isdigit():
            continue
        name = names.get(normalised(header[column]))
        is_reference = name is None or EXTRACTS[kind].field(name).type in (FieldType.REFERENCE, FieldType.CODE)
        padded = texts[row - 1][column].zfill(digits)
        texts[row - 1][column] = f"{before}{padded}{after}" if is_reference else texts[row - 1][column]
    return texts


def refuse_swallowed_cells(rows: Sequence[tuple[int, list[str]]], width: int, where: Where) -> None:
    """Refuse a cell that holds whole rows of the text file behind the workbook, swallowed by a quotation mark."""
    for number, row in rows:
        for position, cell in enumerate(row):
            if "\n" in cell and any(is_swallowed(cell, d, width) for d in ",;\t|"):
                raise UnreadableExtract(
                    f"{where}: the cell in row {number}, column {column_letters(position)} holds whole rows of a text "
                    "file, which an open quotation mark had swallowed. Export the file again and send that."
                )


def _refuse_merged(
    ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]], header: int, last: int, kind: Kind, where: Where
) -> None:
    """Refuse merged cells: only the first holds the value, so the others would read as blank."""
    within = [(top, bottom) for (top, _), (bottom, _) in ranges if top <= last and bottom >= header]
    if within:
        rows = sorted({row for top, bottom in within for row in range(top, min(bottom, last) + 1)})
        raise UnreadableExtract(
            f"{where}: the sheet of the {kind} extract has merged cells ({rows_in_words(rows)}), so it cannot be told "
            "which rows and columns a value is for. Unmerge them, write the value into each cell, and send it again."
        )


def _bare_day_numbers(
    headers: Sequence[str], body: list[list[Any]], first_row: int, kind: Kind
) -> Iterator[tuple[int, int, str]]:
    """Cells of date columns that hold a bare number in a workbook that counts days from 1904."""
    known = meanings(kind)
    for position, header in enumerate(headers):
        name = known.get(normalised(header))
        is_date = name is not None and EXTRACTS[kind].field(name).type is FieldType.DATE
        if is_date or any(isinstance(row[position], date) for row in body):
            for number, row in enumerate(body, start=first_row):
                if isinstance(row[position], float):
                    yield number, position, "not_a_date"


def _unpacked_sheets(archive: zipfile.ZipFile, content: bytes, where: Where, limits: Limits) -> dict[str, bytes]:
    """The worksheets of a small workbook, which is unpacked to measure it; nothing for a large one.

    Raises UnreadableExtract for a zip that unpacks to more than the limit, by its directory or in fact.
    """
    entries = archive.infolist()
    bomb = UnreadableExtract(
        f"{where}: the workbook unpacks to more than {limits.max_unpacked_bytes / 1e6:,.0f} MB, which no council's "
        "extract reaches, so it was not opened. Save the sheet as CSV and send that."
    )
    if len(entries) > _ENTRIES or sum(e.file_size for e in entries) > limits.max_unpacked_bytes:
        raise bomb
    total = 0
    sheets: dict[str, bytes] = {}
    keep = sum(e.file_size for e in entries) <= _KEPT_BYTES
    for entry in entries:
        if entry.flag_bits & 0x1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableExtract(
                f"{where}: the workbook is encrypted. Save it without a password and send it again."
            )
        pieces: list[bytes] = []
        kept = keep and "worksheets/" in entry.filename
        if entry.compress_type == zipfile.ZIP_STORED:
            total += entry.compress_size
        else:
            for piece in _inflated(content, entry):
                total += len(piece)
                if total > limits.max_unpacked_bytes:
                    raise bomb
                if kept:
                    pieces.append(piece)
        if total > limits.max_unpacked_bytes:
            raise bomb
        keep = keep and total <= _KEPT_BYTES
        part = b"".join(pieces)
        # A part that differs from its directory entry is read, and refused, in the usual way.
        if pieces and len(part) == entry.file_size and zlib.crc32(part) == entry.CRC:
            sheets[entry.filename] = part
    return sheets if keep else {}


def _inflated(content: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The pieces that an entry really unpacks to; the directory's figure can be false."""
    name_length = int.from_bytes(content[entry.header_offset + 26 : entry.header_offset + 28], "little")
    extra_length = int.from_bytes(content[entry.header_offset + 28 : entry.header_offset + 30], "little")
    start = entry.header_offset + 30 + name_length + extra_length
    inflate = zlib.decompressobj(-15)
    left = content[start : start + entry.compress_size]
    while left:
        yield inflate.decompress(left, _CHUNK)
        left = inflate.unconsumed_tail


def _sheets(archive: zipfile.ZipFile, where: Where) -> list[Sheet]:
    """The worksheets in order, each with its part of the archive."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except KeyError:
        raise UnreadableExtract(f"{where}: this zip file is no Excel workbook. Send CSV, Parquet or .xlsx.") from None
    targets = {link.get("Id"): str(link.get("Target")) for link in links.iter() if link.get("Target")}
    found = []
    for sheet in book.iterfind(".//{*}sheet"):
        link = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), None)
        path = targets.get(link, "")
        path = path.lstrip("/") if path.startswith("/") else f"xl/{path}"
        if "worksheets/" in path:
            found.append(Sheet(str(sheet.get("name")), sheet.get("state", "visible") == "visible", path))
    return found


def _choose(book: Book, kind: Kind, known: Collection[str], where: Where) -> tuple[Sheet, list[str]]:
    """The sheet that is meant, and a note on the choice."""
    named_so = [s for s in book.sheets if s.name.strip().casefold() == kind]
    visible = [s for s in book.sheets if s.visible]
    if len(named_so) == 1 and (named_so[0].visible or not [s for s in visible if _has_header(book, s, known)]):
        hidden = not named_so[0].visible
        return named_so[0], [f"The sheet “{kind}” is hidden and was read all the same."] if hidden else []
    if len(named_so) == 1:
        raise UnreadableExtract(
            f"{where}: the sheet “{kind}” is hidden, and a visible sheet has the columns of a {kind} extract too, so "
            "which one is meant would be a guess. Delete the one that is not meant."
        )
    if not named_so and len(visible) == 1:
        return visible[0], []
    fitting = [s for s in visible if _has_header(book, s, known)] if not named_so else []
    if len(fitting) == 1:
        place = book.sheets.index(fitting[0]) + 1
        return fitting[0], [f"Of the workbook's sheets, number {place} was read: it alone has the {kind} columns."]
    raise WhichSheet(
        f"{where}: the workbook has {len(visible)} visible sheets and none of them is named “{kind}”, so which one is "
        f"meant would be a guess. Name the sheet “{kind}”, or send a workbook with one sheet."
    )


def _named(book: Book, name: str, where: Where) -> tuple[Sheet, list[str]]:
    """The sheet that a council's mapping names."""
    found = [s for s in book.sheets if s.name.strip().casefold() == name.strip().casefold()]
    found = found or [s for s in book.sheets if s.visible and undated(s.name) == undated(name) != ""]
    if len(found) != 1:
        raise UnreadableExtract(
            f"{where}: the mapping reads the sheet “{name}”, and the workbook has {'two such' if found else 'no such'} "
            f"sheet{'s' if found else ''}. Name it as before, or map the file again with `holdfast map`."
        )
    return found[0], [] if found[0].visible else [f"The sheet “{name}” is hidden and was read all the same."]


def _has_header(book: Book, sheet: Sheet, known: Collection[str]) -> bool:
    rows = [[cell_text(v) for v in row] for row in book.rows(sheet)[:HEADER_WITHIN]]
    return any(headers_named(row, known) >= FEWEST_NAMED for row in rows)


def long_numbers(body: list[list[Any]], first_row: int = 2) -> Iterator[tuple[int, int, str]]:
    """Row, column (from 0) and problem of each number that is longer than Excel keeps; `body` begins at `first_row`."""
    for number, row in enumerate(body, start=first_row):
        for position, value in enumerate(row):
            if type(value) is float and abs(value) >= EXACT:
                yield number, position, "digits_lost_in_excel"


def _without(columns: list[pl.Series], problems: pl.DataFrame, at: Mapping[int, int]) -> list[pl.Series]:
    """The columns with problem cells blank; `at` gives the position of a file's row in them."""
    for position, rows in problems.group_by("position").agg("file_row").iter_rows():
        if position < len(columns):
            columns[position] = columns[position].scatter([at[r] for r in rows if r in at], None)
    return columns


def cell_text(value: Any) -> str:
    """A cell as the text a person would have typed: whole numbers without a decimal point, dates in ISO form."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < EXACT:
            return str(int(value))
        return format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)

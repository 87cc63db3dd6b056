"""Excel workbooks: guarded before they are opened, and read as the values their author saw.

A workbook is a zip of XML. Its real unpacked size and its outermost cells are measured first, because
a few kilobytes can claim gigabytes. Calamine reads the values; it gives an error cell and a formula
that was never calculated as blank, and a blank leaving date means “in post”, so both are looked for
in the XML and reported as cells that cannot be read.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any

import numpy as np
import polars as pl
from defusedxml import ElementTree
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum, load_workbook

from features.errors import UnreadableExtract
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.reading.headers import meanings, normalised
from flows.extracts.reading.table import CELL_PROBLEMS, Limits, RawTable, raw_table
from flows.extracts.reading.where import Where, rows_in_words

_ENTRIES = 2_000
_CHUNK = 1 << 20
#: A workbook that unpacks to so much at most is unpacked once and kept while it is read.
_KEPT_BYTES = 64 << 20
#: Columns A to Z.
_ONE_LETTER = 26
#: Bytes that a cell's name and what stands before it take at most.
_LONGEST_NAME = 16
_Places = np.ndarray[tuple[int], np.dtype[Any]]
#: Excel keeps 15 significant digits; a longer number is not the one that was typed.
EXACT = 10**15

_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
# No part of these runs past the next angle bracket, so that their time is linear whatever the file holds.
_CELL = re.compile(rb"<((?:\w+:)?)c(\s[^<>]*)?>")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")
_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^<>]*?ref\s*=\s*["']([A-Za-z]{1,3})(\d{1,7}):([A-Za-z]{1,3})(\d{1,7})["']"""
)
_FROM_1904 = re.compile(rb"""\sdate1904\s*=\s*["'](?:1|true)["']""")
_TYPE = re.compile(rb"""\st\s*=\s*["'](\w+)["']""")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet and the part of the archive it lies in."""

    name: str
    visible: bool
    path: str


class Book:
    """A workbook of a harmless size. Its sheets are unpacked and parsed one by one, when asked for."""

    def __init__(self, content: bytes, where: Where, limits: Limits) -> None:
        """Raises UnreadableExtract for a bomb, a damaged or encrypted file, and a zip that is no workbook."""
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

    @property
    def counts_days_from_1904(self) -> bool:
        """Whether its day numbers begin in 1904, as on old Macs, so that a bare number is another day."""
        return _FROM_1904.search(self._archive.read("xl/workbook.xml")) is not None

    def check_extent(self, sheet: Sheet, kind: Kind, most_rows: int) -> None:
        """Raises UnreadableExtract if a sheet spans more than a table of `kind` could: readers allocate that much."""
        _check_extent(self._xml(sheet), sheet, kind, most_rows, self._where, self._limits)

    def rows(self, sheet: Sheet) -> list[list[Any]]:
        """A sheet's cells from A1 on; check its extent first."""
        return self._parsed().get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)

    def unread(self, sheet: Sheet) -> list[tuple[int, int, str]]:
        """Row, column (from 0) and problem of each error cell and each formula without a calculated value."""
        return list(_unread_cells(self._xml(sheet), self._where))

    def merged(self, sheet: Sheet) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """First and last cell, as row (the first is 1) and column (from 0), of each range of merged cells."""
        xml = self._xml(sheet)
        found = _MERGED.findall(xml) if b"mergeCell" in xml else []
        return [((int(a), _column_number(b) - 1), (int(c), _column_number(d) - 1)) for b, a, d, c in found]

    def first_row(self, sheet: Sheet) -> list[str]:
        """The first row's cells as text; nothing of a sheet that holds no cells."""
        return _first_row(self._parsed(), sheet.name)

    def _xml(self, sheet: Sheet) -> bytes:
        if sheet.path not in self._parts:
            # One large sheet at a time: the others make room for it.
            self._parts = {sheet.path: self._archive.read(sheet.path)}
        return self._parts[sheet.path]

    def _parsed(self) -> CalamineWorkbook:
        if self._workbook is None:
            self._workbook = load_workbook(io.BytesIO(self._content))
        return self._workbook


def read_workbook(content: bytes, kind: Kind, where: Where, limits: Limits) -> RawTable:
    """The sheet named like the kind, or the only visible one.

    Raises UnreadableExtract for a bomb, a damaged file, or a choice of sheets that would be a guess.
    """
    book = Book(content, where, limits)
    most_rows = EXTRACTS[kind].max_rows + limits.blank_rows
    chosen = _choose(book.sheets, kind, where)
    for sheet in book.sheets:
        book.check_extent(sheet, kind, most_rows)
    rows = book.rows(chosen)
    if not rows:
        raise UnreadableExtract(f"{where}: the sheet “{kind}” is empty. Send the file again with its rows.")
    _refuse_merged(book.merged(chosen), len(rows), kind, where)
    others = [h for s in book.sheets if s is not chosen for h in book.first_row(s)]
    headers, body = [_header(v) for v in rows[0]], rows[1:]
    columns = [pl.Series([cell_text(row[i]) for row in body], dtype=pl.String()) for i in range(len(headers))]
    found = [*book.unread(chosen), *long_numbers(body)]
    if book.counts_days_from_1904:
        found += _bare_day_numbers(headers, body, kind)
    problems = pl.DataFrame(found, schema=CELL_PROBLEMS, orient="row")
    return raw_table(
        headers,
        _without(columns, problems),
        pl.int_range(2, len(body) + 2, eager=True),
        problems=problems.filter(pl.col("file_row") > 1),
        other_headers=others,
    )


def _refuse_merged(
    ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]], height: int, kind: Kind, where: Where
) -> None:
    """A value in merged cells stands for all of them and lies in the first only: the others would read as blank."""
    within = [(top, bottom) for (top, _), (bottom, _) in ranges if top <= height]
    if within:
        rows = sorted({row for top, bottom in within for row in range(top, min(bottom, height) + 1)})
        raise UnreadableExtract(
            f"{where}: the sheet of the {kind} extract has merged cells ({rows_in_words(rows)}), so it cannot be told "
            "which rows and columns a value is for. Unmerge them, write the value into each cell, and send it again."
        )


def _bare_day_numbers(headers: Sequence[str], body: list[list[Any]], kind: Kind) -> Iterator[tuple[int, int, str]]:
    """Cells of date columns that hold a bare number in a workbook that counts days from 1904."""
    known = meanings(kind)
    for position, header in enumerate(headers):
        name = known.get(normalised(header))
        named = name is not None and EXTRACTS[kind].field(name).type is FieldType.DATE
        if named or any(isinstance(row[position], date) for row in body):
            for number, row in enumerate(body, start=2):
                if isinstance(row[position], float):
                    yield number, position, "not_a_date"


def _unpacked_sheets(archive: zipfile.ZipFile, content: bytes, where: Where, limits: Limits) -> dict[str, bytes]:
    """The worksheets of a small workbook, which is unpacked to measure it; none of a large one.

    Raises UnreadableExtract for a zip that unpacks to more than the limit, by what it says and by what it does.
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
        # A part that is not what it says is left to be read, and refused, in the usual way.
        if pieces and len(part) == entry.file_size and zlib.crc32(part) == entry.CRC:
            sheets[entry.filename] = part
    return sheets if keep else {}


def _inflated(content: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The pieces an entry really unpacks to; the directory's figure can be a lie."""
    name_length = int.from_bytes(content[entry.header_offset + 26 : entry.header_offset + 28], "little")
    extra_length = int.from_bytes(content[entry.header_offset + 28 : entry.header_offset + 30], "little")
    start = entry.header_offset + 30 + name_length + extra_length
    inflate = zlib.decompressobj(-15)
    left = content[start : start + entry.compress_size]
    while left:
        yield inflate.decompress(left, _CHUNK)
        left = inflate.unconsumed_tail


def _sheets(archive: zipfile.ZipFile, where: Where) -> list[Sheet]:
    """The worksheets in order, with the part of the archive each lies in."""
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


def _choose(sheets: Sequence[Sheet], kind: Kind, where: Where) -> Sheet:
    named = [s for s in sheets if s.name.strip().casefold() == kind]
    visible = [s for s in sheets if s.visible]
    if len(named) == 1:
        return named[0]
    if not named and len(visible) == 1:
        return visible[0]
    raise UnreadableExtract(
        f"{where}: the workbook has {len(visible)} visible sheets and none of them is named “{kind}”, so which one is "
        f"meant would be a guess. Name the sheet “{kind}”, or send a workbook with one sheet."
    )


def _check_extent(xml: bytes, sheet: Sheet, kind: Kind, most_rows: int, where: Where, limits: Limits) -> None:
    """Refuse a sheet whose outermost cells span more than a table could: readers allocate the rectangle."""
    which = "a sheet" if not sheet.visible else f"the sheet “{kind}”" if sheet.name.casefold() == kind else "a sheet"
    if b"\x00" in xml[:64]:
        raise UnreadableExtract(f"{where}: the workbook is written in an unusual way. Save it in Excel as .xlsx again.")
    # A row's tag has the word in it, so few words are few rows; only then are they counted one by one.
    rows = len(_ROW.findall(xml)) if xml.count(b"row") > most_rows else 0
    widest = lowest = 0
    if rows <= most_rows:
        widest, lowest = _outermost(xml, most_rows, limits)
    if rows > most_rows or lowest > most_rows:
        raise UnreadableExtract(
            f"{where}: {which} reaches beyond row {most_rows:,}, too far for a {kind} extract. Delete what "
            "stands below the table, or send the table alone as CSV."
        )
    if widest > limits.max_columns:
        raise UnreadableExtract(
            f"{where}: {which} reaches beyond column {limits.max_columns}. Delete what stands beside the table, "
            "or send the table alone as CSV."
        )


def _outermost(xml: bytes, most_rows: int, limits: Limits) -> tuple[int, int]:
    """The last column and row that cells name, of those that could lie outside; 0 where none could."""
    if limits.max_columns >= _ONE_LETTER and (widest := _widest_within_rows(xml, len(str(most_rows)))) is not None:
        return widest, 0
    # Only references that could lie outside are taken out of the many: far columns and low rows.
    digits, letters = len(str(most_rows)), 2 if limits.max_columns >= _ONE_LETTER else 1
    # The space is looked for behind the r: an expression that begins with a letter is found several times faster.
    outside = rb"""r(?<=\sr)\s*=\s*["']([A-Za-z]{%d,3}\d{1,7}|[A-Za-z]{1,3}\d{%d,7})["']""" % (letters, digits)
    found = set(re.findall(outside, xml))
    columns = {reference.rstrip(b"0123456789") for reference in found}
    lowest = max((int(reference[len(reference.rstrip(b"0123456789")) :]) for reference in found), default=0)
    return max((_column_number(c) for c in columns), default=0), lowest


def _widest_within_rows(xml: bytes, digits: int) -> int | None:
    """The last column of two letters or three, if every cell is named as Excel does it and no row has so many digits.

    Else None. There are many cells, so their names are looked at side by side.
    """
    sheet = np.frombuffer(xml + bytes(_LONGEST_NAME), dtype=np.uint8)
    at = np.flatnonzero(sheet[1:] == ord("r")) + 1
    space, after = ord(" "), sheet[at + 1]
    named = at[(sheet[at - 1] <= space) & ((after == ord("=")) | (after <= space))]
    if not ((sheet[named + 1] == ord("=")) & (sheet[named + 2] == ord('"'))).all():
        return None

    def is_letter(places: _Places) -> _Places:
        return (sheet[places] | 0x20) - ord("a") < _ONE_LETTER

    def number(places: _Places) -> _Places:
        return ((sheet[places] | 0x20) - (ord("a") - 1)).astype(np.int64)

    start = named + 3
    second = is_letter(start + 1)
    third = second & is_letter(start + 2)
    last_digit = sheet[start + 1 + second + third + digits - 1]
    if ((last_digit >= ord("0")) & (last_digit <= ord("9"))).any():
        return None
    two, three = start[second & ~third], start[third]
    last_of_two = number(two) * _ONE_LETTER + number(two + 1)
    last_of_three = (number(three) * _ONE_LETTER + number(three + 1)) * _ONE_LETTER + number(three + 2)
    return int(max(last_of_two.max(initial=0), last_of_three.max(initial=0)))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _unread_cells(xml: bytes, where: Where) -> Iterator[tuple[int, int, str]]:
    """Row, column (from 0) and problem of each error cell and each formula without a calculated value."""
    # One byte is looked for many times faster than two, and most sheets of values hold no such letter in their cells.
    begin, end = max(xml.find(b"sheetData"), 0) + len(b"sheetData"), xml.rfind(b"sheetData")
    end = end if end > begin else len(xml)
    may_calculate = xml.find(b"f", begin, end) >= 0
    may_fail = xml.find(b"e", begin, end) >= 0
    formulas = may_calculate and (b"<f" in xml or b":f" in xml) and _FORMULA.search(xml) is not None
    if not formulas and not (may_fail and (b'"e"' in xml or b"'e'" in xml)):
        return
    for attributes, body in _cells(xml):
        kind = _TYPE.search(attributes)
        is_error = kind is not None and kind[1] == b"e"
        formula = _FORMULA.search(body) is not None
        if not (is_error or formula):
            continue
        value = _VALUE.search(body)
        # An empty text is a result; an empty number is a formula that was never calculated.
        calculated = value is not None and (bool(value[1].strip()) or (kind is not None and kind[1] == b"str"))
        if is_error or not calculated:
            at = _REFERENCE.search(attributes)
            if at is None:
                raise UnreadableExtract(
                    f"{where}: the workbook holds formulas without results. Save it in Excel and send it again."
                )
            yield int(at[2]), _column_number(at[1]) - 1, "formula_error" if is_error else "formula_without_value"


def _cells(xml: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Attributes and content of every cell element; a cell ends where the next one begins at the latest."""
    for tag, following in pairwise(chain(_CELL.finditer(xml), [None])):
        if tag is None or (tag[2] or b"").endswith(b"/"):
            continue
        until = following.start() if following is not None else len(xml)
        end = xml.find(b"</" + tag[1] + b"c", tag.end(), until)
        yield tag[2] or b"", xml[tag.end() : end if end >= 0 else until]


def long_numbers(body: list[list[Any]], first_row: int = 2) -> Iterator[tuple[int, int, str]]:
    """Row, column (from 0) and problem of each number longer than Excel keeps; `body` begins at `first_row`."""
    for number, row in enumerate(body, start=first_row):
        for position, value in enumerate(row):
            if type(value) is float and abs(value) >= EXACT:
                yield number, position, "digits_lost_in_excel"


def _without(columns: list[pl.Series], problems: pl.DataFrame) -> list[pl.Series]:
    """The columns with problem cells blank."""
    for position, rows in problems.filter(pl.col("file_row") > 1).group_by("position").agg("file_row").iter_rows():
        if position < len(columns):
            at = [r - 2 for r in rows if r - 2 < columns[position].len()]
            columns[position] = columns[position].scatter(at, None)
    return columns


def _first_row(workbook: CalamineWorkbook, name: str) -> list[str]:
    kinds = {m.name: (m.typ, m.visible) for m in workbook.sheets_metadata}
    if kinds.get(name, (None, SheetVisibleEnum.Visible))[0] is not SheetTypeEnum.WorkSheet:
        return []
    rows = workbook.get_sheet_by_name(name).to_python(nrows=1)
    return [_header(v) for v in rows[0]] if rows else []


def _header(value: Any) -> str:
    return cell_text(value)


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

"""Reads what only a worksheet's XML shows: its extent, uncalculated formulas, and hidden or formatted cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from itertools import chain, pairwise
from typing import Any

import numpy as np

from features.errors import UnreadableExtract
from features.registry import Kind
from flows.extracts.reading.table import Limits
from flows.extracts.reading.where import Where

#: Columns A to Z.
_ONE_LETTER = 26
_DIGITS = 10
#: The most digits of a row's number, and the most bytes of a cell's name with the text before it.
_LONGEST_ROW, _LONGEST_NAME = 7, 16
_Places = np.ndarray[tuple[int], np.dtype[Any]]

_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
# No part of these matches past the next angle bracket, so their time is linear whatever the file holds.
_CELL = re.compile(rb"<((?:\w+:)?)c(\s[^<>]*)?>")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")
_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^<>]*?ref\s*=\s*["']([A-Za-z]{1,3})(\d{1,7}):([A-Za-z]{1,3})(\d{1,7})["']"""
)
_TYPE = re.compile(rb"""\st\s*=\s*["'](\w+)["']""")
_ROW_TAG = re.compile(rb"<(?:\w+:)?row(\s[^<>]*)?>")
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(row|c)(\s[^<>]*)?>")
_ROW_NUMBER = re.compile(rb"""\sr\s*=\s*["'](\d{1,7})["']""")
_HIDDEN = re.compile(rb"""\shidden\s*=\s*["'](?:1|true)["']""")
_COLUMN_TAG = re.compile(rb"<(?:\w+:)?col(\s[^<>]*)>")
_FIRST, _LAST = re.compile(rb"""\smin\s*=\s*["'](\d+)["']"""), re.compile(rb"""\smax\s*=\s*["'](\d+)["']""")
_MOST_HIDDEN = 300
_FORMAT = re.compile(rb"""<(?:\w+:)?numFmt\s(?=[^<>]*?numFmtId="(\d+)")[^<>]*?formatCode=["]([^"<>]*)["]""")
_STYLE = re.compile(rb"""<(?:\w+:)?xf\s[^<>]*?numFmtId=["](\d+)["]""")
_STYLED = re.compile(rb"""\ss\s*=\s*["'](\d+)["']""")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_ZEROS = re.compile(r'((?:"[^"]*"|\\.|[-/ ])*)(0+)((?:"[^"]*"|\\.|[-/ ])*)')


def check_extent(xml: bytes, which: str, kind: Kind, most_rows: int, where: Where, limits: Limits) -> None:
    """Refuse a sheet whose outermost cells span more than any table, because readers allocate the whole rectangle."""
    if b"\x00" in xml[:64]:
        raise UnreadableExtract(f"{where}: the workbook is written in an unusual way. Save it in Excel as .xlsx again.")
    # Every row's tag has this letter, so if there are few letters there are few rows, and they need not be counted.
    letters = np.count_nonzero(np.frombuffer(xml, dtype=np.uint8) == ord("w"))
    rows = len(_ROW.findall(xml)) if letters > most_rows else 0
    widest = lowest = 0
    if rows <= most_rows:
        widest, lowest = _outermost(xml, most_rows, limits)
    if rows > most_rows or lowest > most_rows or widest > limits.max_columns:
        # A colour or a border creates a cell in the file without content; such cells are not read.
        widest, lowest = _outermost_filled(xml, limits.max_columns, most_rows)
        rows = 0
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


def _outermost_filled(xml: bytes, most_columns: int, most_rows: int) -> tuple[int, int]:
    """The last column and row of cells with content, or the first cell that lies outside.

    A cell without a name counts as the next one.
    """
    widest = lowest = row = column = 0
    for found in _ROW_OR_CELL.finditer(xml):
        attributes, at = found[2] or b"", None
        if found[1] == b"row":
            numbered = _ROW_NUMBER.search(attributes)
            row, column = int(numbered[1]) if numbered else row + 1, 0
            continue
        at = _REFERENCE.search(attributes)
        column = _column_number(at[1]) if at else column + 1
        row = int(at[2]) if at else row
        if not attributes.endswith(b"/") and not xml.startswith(b"</", found.end()):
            widest, lowest = max(widest, column), max(lowest, row)
            if widest > most_columns or lowest > most_rows:
                break
    return widest, lowest


def _outermost(xml: bytes, most_rows: int, limits: Limits) -> tuple[int, int]:
    """The last column and row among the cells that could lie outside; 0 if none could."""
    if limits.max_columns >= _ONE_LETTER and (reached := _reached(xml, len(str(most_rows)))) is not None:
        return reached
    # Only references that could lie outside are picked from the many: far columns and low rows.
    digits, letters = len(str(most_rows)), 2 if limits.max_columns >= _ONE_LETTER else 1
    # The space is matched after the r: an expression that begins with a letter is several times faster.
    outside = rb"""r(?<=\sr)\s*=\s*["']([A-Za-z]{%d,3}\d{1,7}|[A-Za-z]{1,3}\d{%d,7})["']""" % (letters, digits)
    found = set(re.findall(outside, xml))
    columns = {reference.rstrip(b"0123456789") for reference in found}
    lowest = max((int(reference[len(reference.rstrip(b"0123456789")) :]) for reference in found), default=0)
    return max((_column_number(c) for c in columns), default=0), lowest


def _reached(xml: bytes, digits: int) -> tuple[int, int] | None:
    """The last column of two letters or three, and the last row of so many digits; 0 if there is none.

    None if a cell is named in another way than Excel's. There are many cells, so their names are compared side by side.
    """
    sheet = np.frombuffer(xml + bytes(_LONGEST_NAME), dtype=np.uint8)
    at = np.flatnonzero(sheet[1:] == ord("r")) + 1
    space, after = ord(" "), sheet[at + 1]
    named = at[(sheet[at - 1] <= space) & ((after == ord("=")) | (after <= space))]
    if not ((sheet[named + 1] == ord("=")) & (sheet[named + 2] == ord('"'))).all():
        return None

    def is_letter(places: _Places) -> _Places:
        return (sheet[places] | 0x20) - ord("a") < _ONE_LETTER

    def letter(places: _Places) -> _Places:
        return ((sheet[places] | 0x20) - (ord("a") - 1)).astype(np.int64)

    start = named + 3
    second = is_letter(start + 1)
    third = second & is_letter(start + 2)
    two, three = start[second & ~third], start[third]
    last_of_two = letter(two) * _ONE_LETTER + letter(two + 1)
    last_of_three = (letter(three) * _ONE_LETTER + letter(three + 1)) * _ONE_LETTER + letter(three + 2)
    number = start + 1 + second + third
    low = number[sheet[number + digits - 1] - ord("0") < _DIGITS]
    row, goes_on = np.zeros(low.size, dtype=np.int64), np.ones(low.size, dtype=np.bool_)
    for place in range(_LONGEST_ROW):
        digit = sheet[low + place] - ord("0")
        goes_on &= digit < _DIGITS
        row = np.where(goes_on, row * _DIGITS + digit, row)
    return int(max(last_of_two.max(initial=0), last_of_three.max(initial=0))), int(row.max(initial=0))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def unread_cells(xml: bytes, where: Where) -> Iterator[tuple[int, int, str]]:
    """Row, column (from 0) and problem of each error cell and each formula without a calculated value."""
    # Searching for one byte is many times faster than for two, and most sheets have no such letter in their cells.
    begin, end = _cells_within(xml)
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
        # An empty text is a result, but an empty number is a formula that was never calculated.
        calculated = value is not None and (bool(value[1].strip()) or (kind is not None and kind[1] == b"str"))
        if is_error or not calculated:
            at = _REFERENCE.search(attributes)
            if at is None:
                raise UnreadableExtract(
                    f"{where}: the workbook holds formulas without results. Save it in Excel and send it again."
                )
            yield int(at[2]), _column_number(at[1]) - 1, "formula_error" if is_error else "formula_without_value"


def _cells_within(xml: bytes) -> tuple[int, int]:
    """Where a sheet's cells begin and end."""
    begin, end = max(xml.find(b"sheetData"), 0) + len(b"sheetData"), xml.rfind(b"sheetData")
    return begin, end if end > begin else len(xml)


def holds(xml: bytes, word: bytes) -> bool:
    """Whether a sheet has this word anywhere. Most have not even its first letter in their cells."""
    begin, end = _cells_within(xml)
    outside = xml.find(word, 0, begin + len(word)) >= 0 or xml.find(word, end) >= 0
    return outside or ((first := xml.find(word[:1], begin, end)) >= 0 and xml.find(word, first) >= 0)


def _cells(xml: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Attributes and content of every cell element; a cell ends where the next one begins at the latest."""
    for tag, following in pairwise(chain(_CELL.finditer(xml), [None])):
        if tag is None or (tag[2] or b"").endswith(b"/"):
            continue
        until = following.start() if following is not None else len(xml)
        end = xml.find(b"</" + tag[1] + b"c", tag.end(), until)
        yield tag[2] or b"", xml[tag.end() : end if end >= 0 else until]


def merged_ranges(xml: bytes) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """First and last cell, as row (the first is 1) and column (from 0), of each range of merged cells."""
    found = _MERGED.findall(xml) if holds(xml, b"mergeCell") else []
    return [((int(a), _column_number(b) - 1), (int(c), _column_number(d) - 1)) for b, a, d, c in found]


def hidden_rows(xml: bytes) -> list[int]:
    """The rows that a person who opens the sheet does not see, hidden by hand or by a filter."""
    if not holds(xml, b"hidden"):
        return []
    hidden, row = [], 0
    for found in _ROW_TAG.finditer(xml):
        numbered = _ROW_NUMBER.search(found[1] or b"")
        row = int(numbered[1]) if numbered else row + 1
        if _HIDDEN.search(found[1] or b""):
            hidden.append(row)
    return hidden


def hidden_columns(xml: bytes) -> list[int]:
    """The columns (from 0) that a person who opens the sheet does not see."""
    hidden: list[int] = []
    for found in _COLUMN_TAG.finditer(xml, 0, max(xml.find(b"sheetData"), 0)) if holds(xml, b"hidden") else ():
        first, last = _FIRST.search(found[1]), _LAST.search(found[1])
        if _HIDDEN.search(found[1]) and first and last:
            hidden += range(int(first[1]) - 1, min(int(last[1]), int(first[1]) + _MOST_HIDDEN))
    return hidden


def number_formats(styles: bytes) -> dict[int, tuple[str, int, str]]:
    """Style -> the text before, the number of digits, and the text after, as in `00000` and `"W"0000`.

    Only formats of zeros count: a number in such a format is a reference, and the format holds the rest of it.
    """
    own = {int(n): unescape(code.decode()) for n, code in _FORMAT.findall(styles)}
    shapes = {n: shape for n, code in own.items() if (shape := _shape(code)) is not None}
    begin = styles.find(b"<cellXfs")
    cells = styles[begin : styles.find(b"</cellXfs", begin)] if begin >= 0 else b""
    found = {i: shapes.get(int(n)) for i, n in enumerate(_STYLE.findall(cells))}
    return {i: shape for i, shape in found.items() if shape is not None}


def _shape(code: str) -> tuple[str, int, str] | None:
    parts = _ZEROS.fullmatch(code.split(";")[0])
    if parts is None:
        return None
    before, after = (_LITERAL.sub(lambda m: m[1] or m[2] or m[0], p) for p in (parts[1], parts[3]))
    digits = len(parts[2])
    return (before, digits, after) if digits > 1 or before else None


def formatted_cells(
    xml: bytes, formats: Mapping[int, tuple[str, int, str]]
) -> Iterator[tuple[int, int, tuple[str, int, str]]]:
    """Row, column (from 0) and format of each number cell whose format shows more than its value."""
    for attributes, _ in _cells(xml) if formats else ():
        style, at, kind = _STYLED.search(attributes), _REFERENCE.search(attributes), _TYPE.search(attributes)
        shape = formats.get(int(style[1])) if style else None
        if shape is not None and at is not None and (kind is None or kind[1] == b"n"):
            yield int(at[2]), _column_number(at[1]) - 1, shape

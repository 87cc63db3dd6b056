"""Reads text with separators: finds the encoding and the separator, and splits the cells.

Most files are plain (no quotation marks, the header in row 1, every row as wide as the header) and are read
in one pass; all others go through Python's reader, row by row, and give the same table.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Sequence
from itertools import islice

import polars as pl

from features.errors import UnreadableExtract
from flows.extracts.reading.around import (
    HEADER_WITHIN,
    bare,
    ends_with_footer,
    header_at,
    headers_named,
    is_rule,
    join_header,
)
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.table import NULL_MARKERS, Limits, NoRows, RawTable, Wanted, raw_table
from flows.extracts.reading.where import Where, rows_in_words

#: The marks of Unicode text with more than one byte a character; those of 32 bits begin like those of 16.
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BEGINNING = 40
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\v\f\r"))
DELIMITERS = (",", ";", "\t", "|", "^", "~")
#: What MS-DOS and padded records leave after the text.
_DOS_END, _PADDING = b"\x1a", b"\x00"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t,;|^~]*(?:\r\n|\n|\r)', re.IGNORECASE)
#: A text with at most this many control characters is damaged; with more it is not a text.
_DAMAGE = 0.01
_LAST = 60


def decoded(content: bytes, where: Where) -> tuple[str, list[str]]:
    """A file's text and a note on its encoding, if needed; raises UnreadableExtract if it is not text."""
    notes = []
    if (wide := wide_encoding(content)) is not None:
        try:
            content = content.decode(wide).encode()
        except UnicodeError:
            raise UnreadableExtract(
                f"{where}: the file is Unicode text of {wide[4:6]} bits and is damaged or cut off. Export it again, "
                "best as “CSV UTF-8”."
            ) from None
        notes.append(f"The file was read as Unicode text of {wide[4:6]} bits; “CSV UTF-8” is safer.")
    if not content.strip():
        raise UnreadableExtract(f"{where}: the file is empty. Send it again.")
    not_text = UnreadableExtract(
        f"{where}: the file is not text, and no Parquet or Excel file. Send CSV (UTF-8), Parquet or .xlsx."
    )
    text_alone = content.rstrip(b"\r\n").rstrip(_PADDING).rstrip(_DOS_END)
    if len(text_alone) < len(content.rstrip(b"\r\n")):
        content = text_alone.rstrip(b"\r\n") + b"\n"
    controls = len(content) - len(content.translate(None, _CONTROL))
    if controls:
        if controls > _DAMAGE * len(content):
            raise not_text
        line = content.count(b"\n", 0, next(i for i, b in enumerate(content) if b in _CONTROL)) + 1
        raise UnreadableExtract(
            f"{where}: line {line:,} holds a control character, which text has not, so the file is damaged there. "
            "Export it again."
        )
    try:
        return content.decode("utf-8-sig"), notes
    except UnicodeDecodeError:
        notes.append("The file was read as Windows text (cp1252); “CSV UTF-8” is safer.")
    try:
        return content.decode("cp1252"), notes
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableExtract(
            f"{where}: line {line:,} holds a character that neither UTF-8 nor Windows text has. Save the file as "
            "“CSV UTF-8” and send it again."
        ) from None


def wide_encoding(content: bytes) -> str | None:
    """The encoding of text with two or four bytes a character, by its mark or by the zeros of its first letters."""
    for mark, encoding in _WIDE:
        if content.startswith(mark):
            return encoding
    first, second = content[:_BEGINNING:2], content[1:_BEGINNING:2]
    if len(second) > 1 and not any(second) and all(first):
        return "utf-16-le"
    return "utf-16-be" if len(second) > 1 and not any(first) and all(second) else None


def split_separator_line(text: str) -> tuple[str | None, str]:
    """The separator in Excel's line `sep=;`, if that is the first line, and the text below it."""
    found = _SEPARATOR_LINE.match(text)
    return (found[1], text[found.end() :]) if found else (None, text)


def delimiter_of(text: str, known: Collection[str] = ()) -> str:
    """The separator that the header has most of, outside quotes.

    If the first line names no wanted column, it is a title, and the lines below it also count.
    """
    start = text.lstrip()
    first = re.sub(r'"[^"]*"', "", start.split("\n", 1)[0])
    best = max(DELIMITERS, key=first.count)
    if headers_named(first.split(best), known) or not known:
        return best
    lines = [re.sub(r'"[^"\n]*"', lambda m: m[0].replace(",", " "), line) for line in start.split("\n", 40)[:40]]
    scores = {d: max((headers_named(line.split(d), known) for line in lines), default=0) for d in DELIMITERS}
    if max(scores.values()) > 1:
        return max(DELIMITERS, key=lambda d: scores[d])
    if best in first:
        return best
    return max(DELIMITERS, key=lambda d: sum(line.count(d) for line in lines))


def read_delimited(
    content: bytes, wanted: Wanted, most_rows: int, too_many: UnreadableExtract, where: Where, limits: Limits
) -> RawTable:
    """The table of a text file. Raises UnreadableExtract; `too_many` is raised for more rows than `most_rows`."""
    known = wanted.known
    text, notes = decoded(content, where)
    said, body = split_separator_line(text)
    delimiter = said or delimiter_of(body, known)
    most = most_rows + limits.blank_rows
    if '"' not in text and text.count("\n") > most + HEADER_WITHIN and text.count("\r") == text.count("\r\n"):
        raise too_many
    one_row = wanted.header_rows == 1
    if said is None and one_row and (table := _plain_table(text, delimiter, known, limits, notes)) is not None:
        return table
    rows = numbered_rows(body, delimiter, most, too_many, where, first=1 if said is None else 2)
    if len(rows) < 2:
        if rows and sum(1 for c in rows[0][1] if c.strip()) < 2:
            raise UnreadableExtract(f"{where}: the file holds one line and no table. Export it again.")
        none = f"{where}: the file has a header and no rows. Send it again with its rows."
        raise NoRows(none, rows[0][1] if rows else ())
    if not one_row:
        at, header = join_header([cells for _, cells in rows], known)
        rows = [*rows[: at - 1], (rows[at][0], header), *rows[at + 1 :]]
    return _from_rows(rows, known, where, limits, notes, ends_open=not text.endswith(("\n", "\r")))


def numbered_rows(
    text: str, delimiter: str, most: int, too_many: UnreadableExtract, where: Where, first: int = 1
) -> list[tuple[int, list[str]]]:
    """Number and cells of each filled row in a text with quotation marks. Raises UnreadableExtract.

    A quotation mark opened in one row and closed in a later one swallows the rows between them. Such a cell holds line
    ends and a row's worth of separators, and is refused.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for number, row in enumerate(islice(reader, most + HEADER_WITHIN), start=first):
            if any("\n" in cell or "\r" in cell for cell in row):
                _refuse_swallowed(row, delimiter, number, where)
            if any(cell and not cell.isspace() for cell in row):
                rows.append((number, row))
        if next(reader, None) is not None:
            raise too_many
    except csv.Error:
        raise UnreadableExtract(
            f"{where}, after row {reader.line_num}: a quotation mark is opened and not closed, or stands inside a "
            "value. The file is incomplete or was edited by hand; export it again."
        ) from None
    return rows


def _refuse_swallowed(row: Sequence[str], delimiter: str, number: int, where: Where) -> None:
    for position, cell in enumerate(row):
        if is_swallowed(cell, delimiter, len(row)):
            raise UnreadableExtract(
                f"{where}: the cell in row {number}, column {position + 1} runs over several lines and holds whole "
                "rows: a quotation mark is opened there and closed much later. Take it out, or export the file again."
            )


def is_swallowed(cell: str, delimiter: str, width: int) -> bool:
    """Whether a cell holds line ends and at least half a row's worth of separators."""
    return ("\n" in cell or "\r" in cell) and cell.count(delimiter) >= max(2, (width - 1) // 2)


def _plain_table(
    text: str, delimiter: str, known: Collection[str], limits: Limits, notes: list[str]
) -> RawTable | None:
    """The table of a plain file with nothing around it; None for any other."""
    headers = text.split("\n", 1)[0].rstrip("\r").split(delimiter)
    if len(headers) > limits.max_columns or len(headers) == 1:
        return None
    body = plain_csv(text, delimiter, len(headers), null_values=NULL_MARKERS)
    if body is None or not stands_alone(headers, body, known):
        return None
    rows = pl.int_range(2, body.height + 2, eager=True)
    said = [] if text.endswith("\n") else [no_line_end(body.height + 1)]
    return raw_table(headers, body.get_columns(), rows, notes=[*notes, *said])


def no_line_end(row: int) -> str:
    """The note for a file that may be cut off within its last cell."""
    return f"The file ends without a line end; if it was cut off, the last cell of row {row:,} is not whole."


def stands_alone(headers: Sequence[str], body: pl.DataFrame, known: Collection[str]) -> bool:
    """Whether row 1 is the header and nothing around the table has to be removed."""
    first = [["" if c is None else c for c in row] for row in body.head(HEADER_WITHIN).iter_rows()]
    last = [["" if c is None else c for c in row] for row in body.tail(_LAST).iter_rows()]
    if header_at([list(headers), *first], known) or any(not h.strip() for h in headers):
        return False
    if any(is_rule(row) for row in (*first, *last)) or ends_with_footer(last, len(headers)):
        return False
    beginnings = body.to_series(0).drop_nulls().unique().to_list() if body.width else []
    return not any(normalised(b) in known or is_rule([b]) for b in beginnings)


def plain_csv(
    text: str, delimiter: str, width: int, columns: Sequence[int] | None = None, null_values: Sequence[str] = ()
) -> pl.DataFrame | None:
    """Reads quickly a CSV without quotation marks in which every row has as many cells as the header.

    Returns the rows below the header as text, with columns named by position, all or those in `columns`; empty cells
    and `null_values` are null. Returns None for any other file. Polars fills short rows silently, so the delimiters are
    counted.
    """
    if '"' in text or ("\r" in text and text.count("\r") != text.count("\r\n")):
        return None
    lines = text.count("\n") + (not text.endswith("\n"))
    if width == 1 or text.count(delimiter) != lines * (width - 1):
        return None
    try:
        frame = pl.read_csv(
            text.encode(),
            has_header=False,
            separator=delimiter,
            quote_char=None,
            columns=list(columns) if columns is not None else None,
            null_values=list(null_values),
            schema={str(i): pl.String() for i in range(width)},
        )
    except pl.exceptions.PolarsError:
        return None
    return frame.slice(1) if frame.height == lines else None


def _from_rows(
    rows: list[tuple[int, list[str]]],
    known: Collection[str],
    where: Where,
    limits: Limits,
    notes: list[str],
    *,
    ends_open: bool,
) -> RawTable:
    found = bare(rows, known, where, ends_open=ends_open)
    width = _width(found.headers, found.rows)
    columns_named = sum(1 for h in found.headers if h.strip())
    if columns_named > limits.max_columns or width > max(limits.max_columns, len(found.headers)):
        raise UnreadableExtract(
            f"{where}: the header has more than {limits.max_columns} columns. Check that the right file was sent."
        )
    filled = [(i, row) for i, row in found.rows if any(cell.strip() for cell in row)]
    refuse_ragged(filled, len(found.headers), where)
    headers = found.headers[:width]
    columns = [pl.Series([row[i] for _, row in filled], dtype=pl.String()) for i in range(width)]
    said = [no_line_end(filled[-1][0])] if ends_open and filled and filled[-1][0] == rows[-1][0] else []
    return raw_table(
        headers,
        columns,
        pl.Series([i for i, _ in filled], dtype=pl.UInt32()),
        aside=found.aside,
        notes=[*notes, *found.notes, *said],
    )


def _width(headers: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> int:
    """The columns up to the last that has a header or a value."""
    width = max((i + 1 for i, h in enumerate(headers) if h.strip()), default=0)
    while width < len(headers) and any(len(row) > width and any(c.strip() for c in row[width:]) for _, row in rows):
        width += 1
    return width


def refuse_ragged(filled: Sequence[tuple[int, list[str]]], width: int, where: Where) -> None:
    """Raises UnreadableExtract if rows have fewer cells than the header, or more filled cells."""
    needed = width
    short = [i for i, row in filled if len(row) < needed]
    if short and short[-1] == filled[-1][0] and len(short) == 1:
        raise UnreadableExtract(
            f"{where}: the last row ({short[0]}) breaks off, so the file is incomplete. Send it again."
        )
    ragged = [i for i, row in filled if len(row) < needed or any(c.strip() for c in row[width:])]
    if ragged:
        raise UnreadableExtract(
            f"{where}: {rows_in_words(ragged)} have another number of cells than the header, so their values cannot be "
            "told apart. A value that contains the separator must stand in quotation marks; export the file again."
        )

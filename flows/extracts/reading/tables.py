"""From the bytes a council sent to a table of text, or a sentence that says why not.

The content decides what a file is, not its name: a workbook saved as `.csv` is read as a workbook.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from itertools import islice

import polars as pl

from features.errors import ExtractError, UnreadableExtract
from features.registry import EXTRACTS, Kind
from flows.extracts.reading.excel import read_workbook
from flows.extracts.reading.table import NULL_MARKERS, Limits, RawTable, raw_table
from flows.extracts.reading.where import Where, rows_in_words

_ZIP, _PARQUET, _OLE = b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\v\f\r"))
_ASCII = bytes(range(128))
_DELIMITERS = (",", ";", "\t")


def read_table(content: bytes, *, kind: Kind, where: Where, limits: Limits | None = None) -> RawTable:
    """The table in a CSV, Parquet or Excel file.

    Raises UnreadableExtract (a sentence naming council, month and file, and what to do) for anything
    that is no such table or is larger than any council's could be; a file causes no other error here.
    """
    limits = limits or Limits()
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise UnreadableExtract(f"{where}: the file is empty. Send it again.")
    if len(content) > limits.max_bytes:
        raise too_large(where, len(content), limits)
    if content.startswith(_OLE):
        raise UnreadableExtract(
            f"{where}: this is an Excel file of the old kind (.xls) or one with a password. "
            "Save it as .xlsx without a password and send it again."
        )
    read: Callable[[bytes, Kind, Where, Limits], RawTable] = _read_csv
    if content.startswith(_ZIP):
        read = read_workbook
    elif content.startswith(_PARQUET):
        read = _read_parquet
    try:
        table = read(content, kind, where, limits)
    except (ExtractError, MemoryError, TimeoutError):
        raise
    except BaseException as error:
        # The libraries' Rust parts raise panics, which are no Exception; whatever else is none is not the file's.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise UnreadableExtract(
            f"{where}: the file is damaged or incomplete ({type(error).__name__}). Export it again and send it again."
        ) from None
    if table.cells.height > EXTRACTS[kind].max_rows:
        raise too_many_rows(where, kind)
    if table.cells.is_empty():
        raise UnreadableExtract(f"{where}: the file has a header and no rows. Send it again with its rows.")
    return table


def too_large(where: Where, size: int, limits: Limits) -> UnreadableExtract:
    """The refusal of a file by its size alone, so that it need not be loaded."""
    return UnreadableExtract(
        f"{where}: the file has {size / 1e6:,.0f} MB, more than {limits.max_bytes / 1e6:,.0f} MB, which no council's "
        "extract reaches. Check that the right file was sent."
    )


def too_many_rows(where: Where, kind: Kind) -> UnreadableExtract:
    """The refusal of a table with more rows than any council has."""
    return UnreadableExtract(
        f"{where}: the file has more than {EXTRACTS[kind].max_rows:,} rows, too many for a {kind} extract. "
        "Check that the right file was sent, for one council and one month."
    )


def decoded(content: bytes, where: Where) -> tuple[str, list[str]]:
    """A CSV file's text and what there is to note of its encoding; raises UnreadableExtract if it is no text."""
    if content.startswith(_UTF16):
        raise UnreadableExtract(
            f"{where}: the file is Unicode text of 16 bits. Save it as “CSV UTF-8” and send it again."
        )
    not_text = UnreadableExtract(
        f"{where}: the file is not text, though it is no Parquet or Excel file either. "
        "Send CSV (UTF-8), Parquet or .xlsx."
    )
    if len(content.translate(None, _CONTROL)) < len(content):
        raise not_text
    notes = []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            raise not_text from None
        notes.append("The file was read as Windows text (cp1252); “CSV UTF-8” is safer.")
    return text, notes


def delimiter_of(text: str) -> str:
    """The one of comma, semicolon and tab that the header has most of, outside quotes."""
    header = re.sub(r'"[^"]*"', "", text.lstrip().split("\n", 1)[0])
    return max(_DELIMITERS, key=header.count)


def _read_csv(content: bytes, kind: Kind, where: Where, limits: Limits) -> RawTable:
    text, notes = decoded(content, where)
    delimiter = delimiter_of(text)
    most = EXTRACTS[kind].max_rows + limits.blank_rows
    if '"' not in text and text.count("\n") > most + 1 and text.count("\r") == text.count("\r\n"):
        raise too_many_rows(where, kind)
    if (table := _read_plain_csv(text, delimiter, limits, notes)) is not None:
        return table
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        headers = next(reader)
        rows = list(islice(reader, most + 1))
    except csv.Error:
        raise UnreadableExtract(
            f"{where}, after row {reader.line_num}: a quotation mark is opened and not closed, or stands inside a "
            "value. The file is incomplete or was edited by hand; export it again."
        ) from None
    if len(rows) > most:
        raise too_many_rows(where, kind)
    return _from_rows(headers, rows, where, limits, notes)


def _read_plain_csv(text: str, delimiter: str, limits: Limits, notes: list[str]) -> RawTable | None:
    headers = text.split("\n", 1)[0].rstrip("\r").split(delimiter)
    if len(headers) > limits.max_columns or len(headers) == 1:
        return None
    body = plain_csv(text, delimiter, len(headers), null_values=NULL_MARKERS)
    if body is None:
        return None
    rows = pl.int_range(2, body.height + 2, eager=True)
    return raw_table(headers, body.get_columns(), rows, notes=notes, clean=_is_trimmed(text, delimiter))


def _is_trimmed(text: str, delimiter: str) -> bool:
    """Whether no cell begins or ends with white space; False where that is not plain to see."""
    beside = rf" (?:[{delimiter}\r\n]|(?<=[{delimiter}\n] ))"
    if text.startswith(" ") or text.endswith(" ") or re.search(beside, text):
        return False
    return not any(c in text for c in "\t\v\f" if c != delimiter) and not any(c.isspace() for c in _beyond_ascii(text))


def _beyond_ascii(text: str) -> set[str]:
    return set() if text.isascii() else set(text.encode().translate(None, _ASCII).decode())


def plain_csv(
    text: str, delimiter: str, width: int, columns: Sequence[int] | None = None, null_values: Sequence[str] = ()
) -> pl.DataFrame | None:
    """The quick way for a CSV without quotation marks in which every row has as many cells as the header.

    The rows below the header as text, columns named by position, all or those of `columns`; cells that are
    empty or just one of `null_values` are null. None if the file is not so. Polars fills short rows without a
    word, so the delimiters are counted.
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


def _from_rows(headers: list[str], rows: list[list[str]], where: Where, limits: Limits, notes: list[str]) -> RawTable:
    width = len(headers)
    if not any(h.strip() for h in headers):
        raise UnreadableExtract(f"{where}: the first row is blank. The header must be row 1.")
    if width > limits.max_columns:
        raise UnreadableExtract(
            f"{where}: the header has more than {limits.max_columns} columns. Check that the right file was sent."
        )
    filled = [(i, row) for i, row in enumerate(rows, start=2) if any(cell.strip() for cell in row)]
    short = [i for i, row in filled if len(row) < width]
    if short and short[-1] == filled[-1][0] and len(short) == 1:
        raise UnreadableExtract(
            f"{where}: the last row ({short[0]}) breaks off, so the file is incomplete. Send it again."
        )
    ragged = [i for i, row in filled if len(row) < width or any(c.strip() for c in row[width:])]
    if ragged:
        raise UnreadableExtract(
            f"{where}: {rows_in_words(ragged)} have another number of cells than the header, so their values cannot be "
            "told apart. A value that contains the separator must stand in quotation marks; export the file again."
        )
    columns = [pl.Series([row[i] for _, row in filled], dtype=pl.String()) for i in range(width)]
    return raw_table(headers, columns, pl.Series([i for i, _ in filled], dtype=pl.UInt32()), notes=notes)


def _read_parquet(content: bytes, kind: Kind, where: Where, limits: Limits) -> RawTable:
    schema = pl.read_parquet_schema(io.BytesIO(content))
    if len(schema) > limits.max_columns:
        raise UnreadableExtract(
            f"{where}: the file has more than {limits.max_columns} columns. Check that the right file was sent."
        )
    rows = pl.scan_parquet(io.BytesIO(content)).select(pl.len()).collect().item()
    if rows > EXTRACTS[kind].max_rows + limits.blank_rows:
        raise too_many_rows(where, kind)
    frame = pl.read_parquet(io.BytesIO(content))
    nested = [name for name, dtype in schema.items() if dtype.is_nested() or dtype in (pl.Binary(), pl.Object())]
    if nested:
        raise UnreadableExtract(
            f"{where}: column {list(schema).index(nested[0]) + 1} holds lists or bytes, not single values. "
            "Write each field as text, number or date."
        )
    columns = [as_text(column) for column in frame.get_columns()]
    return raw_table(frame.columns, columns, pl.int_range(2, frame.height + 2, eager=True))


def as_text(column: pl.Series) -> pl.Series:
    """A typed column as the text a person would have written: dates in ISO form, without a time zone."""
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is not None:
            column = column.dt.convert_time_zone("Europe/London").dt.replace_time_zone(None)
        return column.dt.to_string("%Y-%m-%d %H:%M:%S")
    return column.cast(pl.String)

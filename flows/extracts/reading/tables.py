"""Turns the bytes that a council sent into a table of text, or a sentence that says why not.

The content decides what a file is, not its name: a workbook saved as `.csv` is read as a workbook.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Collection

import polars as pl

from features.errors import UnreadableExtract
from features.registry import EXTRACTS, Kind
from flows.extracts.reading.delimited import read_delimited
from flows.extracts.reading.excel import read_workbook
from flows.extracts.reading.headers import meanings, normalised
from flows.extracts.reading.table import Limits, NoRows, RawTable, Wanted, as_text, has_type, raw_table
from flows.extracts.reading.where import Where, damage_as_sentence

#: How files of other programs begin.
_OTHERS = {
    b"%PDF": "a PDF",
    b"{\\rtf": "a document (RTF)",
    b"SQLite format 3": "a database",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"7z\xbc\xaf": "a compressed file (7z)",
    b"Rar!": "a compressed file (rar)",
    b"ARROW1": "an Arrow file",
    b"<": "a web page or XML",
    b"[{": "JSON",
    b'{"': "JSON",
}
_ZIP, _PARQUET, _OLE = b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"


def read_table(
    content: bytes,
    *,
    kind: Kind,
    where: Where,
    limits: Limits | None = None,
    headers: Collection[str] = (),
    sheet: str = "",
    header_rows: int = 1,
    typed: bool = False,
) -> RawTable:
    """The table in a CSV, Parquet or Excel file.

    `headers`: a council's own names for our fields; `sheet`: the worksheet that its mapping names; `header_rows`: 2 if
    a header stands on two rows; `typed`: columns of a Parquet file that have the type of their field keep it.

    Raises UnreadableExtract (a sentence naming council, month and file, and what to do) for anything that is not such a
    table or is larger than any council's; a file causes no other error here.
    """
    limits = limits or Limits()
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise UnreadableExtract(f"{where}: the file is empty. Send it again.")
    refuse_unopened(content, where, limits)
    wanted = Wanted(columns_meant(kind, headers), sheet, header_rows, typed)
    read = _read_csv
    if content.startswith(_ZIP):
        read = read_workbook
    elif content.startswith(_PARQUET):
        read = _read_parquet
    with damage_as_sentence(where):
        table = read(content, kind, where, limits, wanted)
    if table.cells.height > EXTRACTS[kind].max_rows:
        raise too_many_rows(where, kind)
    if table.cells.is_empty():
        raise NoRows(f"{where}: the file has a header and no rows. Send it again with its rows.", table.headers)
    return table


def refuse_unopened(content: bytes, where: Where, limits: Limits) -> None:
    """Raises UnreadableExtract for a file that is too large or a workbook of the old kind, before it is opened."""
    if len(content) > limits.max_bytes:
        raise too_large(where, len(content), limits)
    if content.startswith(_OLE):
        raise UnreadableExtract(
            f"{where}: this is an Excel file of the old kind (.xls) or one with a password. "
            "Save it as .xlsx without a password and send it again."
        )
    text = content.removeprefix(codecs.BOM_UTF8).lstrip()
    if (what := next((_OTHERS[begins] for begins in _OTHERS if text.startswith(begins)), None)) is not None:
        raise UnreadableExtract(
            f"{where}: this is {what}, whatever its name says. Save it as CSV (UTF-8) or .xlsx and send it again."
        )


def too_large(where: Where, size: int, limits: Limits) -> UnreadableExtract:
    """The refusal of a file because of its size, so that it need not be loaded."""
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


def columns_meant(kind: Kind, also: Collection[str] = ()) -> frozenset[str]:
    """The normalised headers that mean a field of the kind, and those of a council's mapping."""
    return frozenset((*meanings(kind), *map(normalised, also)))


def _read_csv(content: bytes, kind: Kind, where: Where, limits: Limits, wanted: Wanted) -> RawTable:
    return read_delimited(content, wanted, EXTRACTS[kind].max_rows, too_many_rows(where, kind), where, limits)


def _read_parquet(content: bytes, kind: Kind, where: Where, limits: Limits, wanted: Wanted) -> RawTable:
    schema = pl.read_parquet_schema(io.BytesIO(content))
    if len(schema) > limits.max_columns:
        raise UnreadableExtract(
            f"{where}: the file has more than {limits.max_columns} columns. Check that the right file was sent."
        )
    most = EXTRACTS[kind].max_rows + limits.blank_rows
    frame = pl.read_parquet(io.BytesIO(content), n_rows=most + 1)
    if frame.height > most:
        raise too_many_rows(where, kind)
    nested = [name for name, dtype in schema.items() if dtype.is_nested() or isinstance(dtype, pl.Binary | pl.Object)]
    if nested:
        raise UnreadableExtract(
            f"{where}: column {list(schema).index(nested[0]) + 1} holds lists or bytes, not single values. "
            "Write each field as text, number or date."
        )
    meant = meanings(kind) if wanted.typed else {}
    columns = [
        column
        if (field := meant.get(normalised(column.name))) and has_type(column.dtype, EXTRACTS[kind].field(field).type)
        else as_text(column)
        for column in frame.get_columns()
    ]
    tidy = [i for i, dtype in enumerate(frame.dtypes) if dtype.is_integer() or isinstance(dtype, pl.Date | pl.Boolean)]
    return raw_table(frame.columns, columns, pl.int_range(2, frame.height + 2, eager=True), tidy=tidy)

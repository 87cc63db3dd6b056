"""Checks the form of a downloaded file by its bytes: a complete table or workbook, and not a web page."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib

from features.errors import ReferenceDataError
from models.record.tables import tables_of

#: A workbook that unpacks to more bytes than this cannot be a published table.
_LARGEST_UNPACKED = 1_000_000_000


def kind_of_file(content: bytes, name: str) -> str:
    """`.csv`, `.ods` or `.xlsx`, found from the bytes, because addresses often have no ending or a wrong one.

    Raises ReferenceDataError for a web page, for any other kind of file, and for a workbook that
    is cut off, damaged or unpacks to an unreasonable size.
    """
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        raise ReferenceDataError(f"{name} is a web page, not a table. Correct the address in the settings.")
    if start.startswith((b"{", b"[")):
        raise ReferenceDataError(f"{name} is a message in JSON, not a table. Correct the address in the settings.")
    if start.startswith(b"pk"):
        return _kind_of_workbook(content, name)
    if b"\x00" in content[:4096] or start.startswith((b"%pdf", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")):
        raise ReferenceDataError(f"{name} is no CSV, ODS or XLSX file. Link to the file in one of these forms.")
    return ".csv"


def _kind_of_workbook(content: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = set(archive.namelist())
            too_large = sum(i.file_size for i in archive.infolist()) > _LARGEST_UNPACKED
            damaged = None if too_large else archive.testzip()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError, OSError):
        raise ReferenceDataError(f"{name} is a damaged or incomplete workbook. It is not used.") from None
    if too_large:
        raise ReferenceDataError(f"{name} unpacks to more than {_LARGEST_UNPACKED // 1_000_000} MB and is not opened.")
    if damaged is not None:
        raise ReferenceDataError(f"{name} is a damaged or incomplete workbook. It is not used.")
    if "xl/workbook.xml" in inside:
        return ".xlsx"
    if "content.xml" in inside:
        return ".ods"
    raise ReferenceDataError(f"{name} is an archive, not a workbook. Link to the CSV, ODS or XLSX file itself.")


def headers_in(content: bytes, name: str) -> frozenset[str]:
    """All headers of all tables in a file, recognised or not, to say what has changed in a file that is refused."""
    try:
        file = f"{name}{kind_of_file(content, name)}"
        return frozenset(h for table in tables_of(file, content) for h in table.headers)
    except ReferenceDataError:
        return frozenset()


def check_rows(content: bytes, file: str, *, whole: bool) -> None:
    """Check that every row is as long as the header. The record's reader would silently fill or cut other rows."""
    if not whole and not content.endswith((b"\n", b"\r")):
        raise ReferenceDataError(f"{file}: the last line has no end, so the file may be cut off. It is not used.")
    text = content.decode("utf-8-sig", errors="replace")
    width = 0
    short = 0
    for row in csv.reader(io.StringIO(text, newline="")):
        width = width or len(row)
        if row and len(row) != width:
            short += 1
            last = len(row)
    if short:
        raise ReferenceDataError(
            f"{file}: {short} row{'s have' if short > 1 else ' has'} another number of cells than the header "
            f"({last} in the last of them, {width} in the header): the file is damaged or cut off. It is not used."
        )

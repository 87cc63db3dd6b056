"""Searches the other places where a workbook can hold personal data, besides the cells of the sheet that is read.

Other sheets (hidden ones too), comments, text boxes, page headers and footers, defined names, properties, prompts,
links, pivot caches. The author of the workbook (creator, last author) is ignored: that is the officer, and the name
goes no further than the file.
"""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from xml.etree.ElementTree import Element

import polars as pl
from defusedxml import ElementTree
from python_calamine import SheetTypeEnum, load_workbook

from features.errors import UnreadableExtract
from flows.extracts.personal.headers import column_letters, named_column, personal_header
from flows.extracts.personal.values import (
    FREE_TEXT,
    SHORT,
    first_personal,
    is_name,
    personal_in_column,
    personal_in_text,
)
from flows.extracts.reading.excel import cell_text
from flows.extracts.reading.where import Where

_TEXT = re.compile(r"<(?:\w+:)?(?:t|v)(?:\s[^<>]*)?>([^<]*)<")
_PAGE = re.compile(r"<(?:\w+:)?(?:odd|even|first)(?:Header|Footer)(?:\s[^<>]*)?>([^<]*)<")
_SAID = re.compile(
    r"""\s(?:prompt|promptTitle|error|errorTitle|tooltip|display|title|comment|altText|descr)="([^"]*)\""""
)
#: The choices of a list that cells may be filled from.
_CHOICES = re.compile(r"<(?:\w+:)?formula[12](?:\s[^<>]*)?>([^<]*)<")
_SHEET = re.compile(r"""<(?:\w+:)?sheet\s[^<>]*?\bname="([^"]*)\"""")
_CACHED = re.compile(r"""<(?:\w+:)?s\s[^<>]*?\bv="([^"]*)\"""")
_CACHE_FIELD = re.compile(r"""<(?:\w+:)?cacheField\s[^<>]*?\bname="([^"]*)\"""")
_LINK = re.compile(r"""Target="((?:mailto|tel|sip):[^"]*)\"""", re.IGNORECASE)
_CODES = re.compile(r'&(?:"[^"]*"|[A-Z]|\d+)')
#: Places where the maker of the workbook is named.
_PAGE_PLACE, _PROPERTY = "a page header, footer or prompt", "a property of the workbook"
_MAKERS = (_PAGE_PLACE, _PROPERTY)
_UNREAD = ("creator", "lastModifiedBy", "Application", "AppVersion", "Company", "Manager", "Template", "TitlesOfParts",
           "HeadingPairs", "created", "modified", "revision", "identifier")  # fmt: skip


def personal_in_workbook(content: bytes, read: str | None, where: Where) -> str | None:
    """The place and kind, as the end of a sentence, of personal data outside the sheet named `read`.

    Raises UnreadableExtract if a part of the workbook cannot be read, because nobody then knows what it holds.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        return _in_names(archive) or _in_sheets(archive, content, read) or _in_parts(archive)
    except (MemoryError, TimeoutError):
        raise
    except BaseException as error:
        # Calamine's Rust part raises panics, which are not an Exception; no other BaseException comes from the file.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise UnreadableExtract(
            f"{where}: a part of the workbook beside its table is damaged ({type(error).__name__}), so it could not be "
            "looked through for personal data. Save it in Excel and send it again."
        ) from None


def _in_names(archive: zipfile.ZipFile) -> str | None:
    names = [unescape(n) for n in _SHEET.findall(_text(archive, "xl/workbook.xml"))]
    return next((f"the name of sheet {n}" for n, name in enumerate(names, start=1) if personal_in_text(name)), None)


def _in_sheets(archive: zipfile.ZipFile, content: bytes, read: str | None) -> str | None:
    if len(_SHEET.findall(_text(archive, "xl/workbook.xml"))) == 1 and read is not None:
        # There is no sheet besides the one that is read, and unpacking it again takes as long as reading it.
        return None
    book = load_workbook(io.BytesIO(content))
    for number, sheet in enumerate(book.sheets_metadata, start=1):
        place = f"sheet {number}"
        if sheet.name == read or sheet.typ is not SheetTypeEnum.WorkSheet:
            continue
        rows = [[cell_text(v).strip() for v in row] for row in book.get_sheet_by_name(sheet.name).to_python()]
        if (found := personal_in_rows(rows)) is not None:
            return f"{found} of {place}, which is not the one that is read"
    return None


def personal_in_rows(rows: list[list[str]]) -> str | None:
    """The place and kind, in a table whose header row is unknown.

    The header is searched for in the first filled row and in the first row with two cells. Further down a word is a
    value, as in a list of definitions.
    """
    filled = [(number, sum(map(bool, row))) for number, row in enumerate(rows, start=1) if any(row)]
    may_name = {*[n for n, _ in filled[:1]], *[n for n, cells in filled if cells > 1][:1]}
    for position in range(max((len(row) for row in rows), default=0)):
        cells = [(n, row[position]) for n, row in enumerate(rows, start=1) if position < len(row) and row[position]]
        for at, (number, text) in enumerate(cells):
            what = personal_header(text) if number in may_name and len(text) <= SHORT and cells[at + 1 :] else None
            if what is not None:
                return f"{named_column(text, position)}, row {number} ({what})"
        what = personal_in_column("", pl.Series([text for _, text in cells], dtype=pl.String))
        # Sentences on a sheet of guidance or definitions are not case notes.
        if what not in (None, FREE_TEXT):
            return f"column {position + 1} ({column_letters(position)}) ({what})"
        for number, text in cells:
            if is_name(text):
                return f"column {position + 1} ({column_letters(position)}), row {number} (a name)"
    return None


def _in_parts(archive: zipfile.ZipFile) -> str | None:
    for name in archive.namelist():
        if not name.endswith((".xml", ".rels", ".vml")):
            continue
        place, texts = _texts_of(name, archive)
        cleaned = [_CODES.sub(" ", t) for t in texts if t]
        if place and (what := first_personal(cleaned, makers=place not in _MAKERS)) is not None:
            return f"{place} ({what})"
        if "pivotCacheDefinition" in name:
            headers = _CACHE_FIELD.findall(_text(archive, name))
            if what := next((w for h in headers if (w := personal_header(unescape(h))) is not None), None):
                return f"the cache of a pivot table ({what})"
    return None


def _texts_of(name: str, archive: zipfile.ZipFile) -> tuple[str, list[str]]:
    """The name of a part for a sentence, and the texts in it that are searched."""
    low = name.lower()
    if low.endswith(".rels"):
        return "a link", [unescape(t) for t in _LINK.findall(_text(archive, name))]
    if "comments" in low:
        return "a comment", _comments(archive, name)
    if "/drawings/" in low or low.endswith(".vml"):
        return "a text box", [unescape(t) for t in re.findall(r"<a:t>([^<]*)<", _text(archive, name))]
    if low.startswith("docprops/"):
        return _PROPERTY, _properties(archive, name)
    if low == "xl/workbook.xml":
        return "a defined name", _defined(archive, name)
    if "worksheets/" in low or "chartsheets/" in low:
        text = _around_cells(_text(archive, name))
        choices = [c.strip(' "') for found in _CHOICES.findall(text) for c in unescape(found).split(",")]
        return _PAGE_PLACE, [*(unescape(t) for t in (*_PAGE.findall(text), *_SAID.findall(text))), *choices]
    if "pivotcache" in low:
        return "the cache of a pivot table", [unescape(t) for t in _CACHED.findall(_text(archive, name))]
    if "externallinks/" in low:
        return "what is kept of another workbook", [unescape(t) for t in _TEXT.findall(_text(archive, name))]
    if low.startswith("customxml/"):
        return "attached data", [t for t in re.split(r"<[^<>]*>", _text(archive, name)) if t.strip()]
    return "", []


def _around_cells(sheet: str) -> str:
    """A worksheet without its cells, which are most of it."""
    begin, end = sheet.find("sheetData"), sheet.rfind("sheetData")
    return sheet[:begin] + sheet[end:] if 0 <= begin < end else sheet


def _text(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode("utf-8", errors="replace")


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _comments(archive: zipfile.ZipFile, name: str) -> list[str]:
    """Each comment's text without its authors, who are named at its beginning."""
    root = ElementTree.fromstring(archive.read(name))
    authors = ["".join(e.itertext()).strip() for e in root.iter() if _local(e) == "author"]
    found = []
    for one in root.iter():
        if _local(one) in ("comment", "threadedComment"):
            text = "".join(one.itertext())
            for author in authors:
                text = text.removeprefix(f"{author}:") if author else text
            found.append(text)
    return found


def _properties(archive: zipfile.ZipFile, name: str) -> list[str]:
    root = ElementTree.fromstring(archive.read(name))
    return [str(e.text) for e in root.iter() if e.text and e.text.strip() and not _in_unread(e, root)]


def _in_unread(element: Element, root: Element) -> bool:
    unread = [e for e in root.iter() if _local(e) in _UNREAD]
    return any(element is inner for e in unread for inner in e.iter())


def _defined(archive: zipfile.ZipFile, name: str) -> list[str]:
    root = ElementTree.fromstring(archive.read(name))
    names = [e for e in root.iter() if _local(e) == "definedName"]
    return [
        text.replace("_", " ").replace('"', "")
        for e in names
        for text in (e.get("name") or "", e.get("comment") or "", e.text or "")
    ]

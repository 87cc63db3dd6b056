"""Files with a marker in every place that a file has, and the search for markers in whatever is there afterwards.

A marker is `zqmark` and two digits; which place it stands for is in `PLACES`. It looks like no person's data, so that
most of these files are taken in: what they carry beyond the contract must go no further all the same.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter import Workbook

from tests.unit.flows.extracts.formats.annex_a.examples import book as annex_a_book
from tests.unit.flows.extracts.formats.annex_a.examples import small
from tests.unit.flows.extracts.formats.csww.made_up import csww, worker

MARK = "zqmark"

Lines = list[list[str]]
#: A council's good workforce file -> what is sent instead.
Plant = Callable[[Lines, str], bytes]


def _csv(rows: Lines, separator: str = ",") -> bytes:
    return "\n".join([*(separator.join(row) for row in rows), ""]).encode()


def _column(header: str, cell: str) -> Plant:
    def planted(rows: Lines, mark: str) -> bytes:
        head, *body = rows
        return _csv([[*head, header.format(mark)], *([*row, cell.format(mark)] for row in body)])

    return planted


def _cell(name: str, value: str = "{}", share: int = 50) -> Plant:
    def planted(rows: Lines, mark: str) -> bytes:
        at = rows[0].index(name)
        spoilt = [[*r] for r in rows]
        for row in spoilt[1::share]:
            row[at] = value.format(mark)
        return _csv(spoilt)

    return planted


def _around(before: str, after: str) -> Plant:
    return lambda rows, mark: before.format(mark).encode() + _csv(rows) + after.format(mark).encode()


def _bytes(change: Callable[[bytes, bytes], bytes]) -> Plant:
    return lambda rows, mark: change(_csv(rows), mark.encode())


def _book(plant: Callable[[Workbook, str], object], name: str = "workforce") -> Plant:
    def planted(rows: Lines, mark: str) -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            plant(book, mark)
        return out.getvalue()

    return planted


def _other_sheet(book: Workbook, mark: str, name: str = "Other", hide: str = "") -> None:
    sheet = book.add_worksheet(name)
    sheet.write_row(2, 1, [mark, f"{mark} again"])
    if hide:
        getattr(sheet, hide)()


def _first(book: Workbook) -> xlsxwriter.worksheet.Worksheet:
    return book.worksheets()[0]


def _parts(rows: Lines, mark: str) -> bytes:
    """A workbook with parts, comments and attributes that no program reads."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_book(lambda *_: None)(rows, mark))) as archive, zipfile.ZipFile(out, "w") as new:
        for name in archive.namelist():
            part = archive.read(name)
            if name.endswith("sheet1.xml"):
                part = part.replace(b"<sheetData>", f"<!-- {mark} --><sheetData>".encode())
            if name.endswith("core.xml"):
                part = part.replace(b"<dc:creator>", f"<dc:subject>{mark}</dc:subject><dc:creator>{mark}".encode())
            new.writestr(name, part)
        new.writestr(f"xl/{mark}.xml", f"<a b='{mark}'>{mark}</a>")
        new.comment = mark.encode()
    return out.getvalue()


def _parquet(rows: Lines, mark: str) -> bytes:
    table = pl.DataFrame({h: [r[i] or None for r in rows[1:]] for i, h in enumerate(rows[0])}).to_arrow()
    table = table.append_column(f"Case {mark}", [[mark] * table.num_rows]).replace_schema_metadata({mark: mark})
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _annex_a(rows: Lines, mark: str) -> bytes:
    """Sheets, headers, names and cells of Annex A that are not read, and a sheet that is known by its number alone."""
    sheets = small()
    six = sheets.pop("List 6")
    sheets[f"6 {mark}"] = [[*six[0], mark, "Ethnicity"], *([*row, mark, mark] for row in six[1:])]
    for name in ("List 4", "List 8"):
        sheets[name] = [sheets[name][0], *([*row[:-1], mark] for row in sheets[name][1:])]
    return annex_a_book({**sheets, f"{mark} notes": [[mark, mark], [mark, mark]]}, hidden=[f"{mark} notes"])


def _csww(rows: Lines, mark: str) -> bytes:
    """Comments, instructions, attributes, elements and entities of a return that nobody reads."""
    council = rows[1][rows[0].index("la_code")]
    month = {"Year": "2026", "ReferenceDate": "2026-10-31"}
    odd = worker(QualInst=mark, Ethnicity=mark, GenderCurrent=mark, Cases30=mark, OrgRole=mark)
    content = csww(*[worker(SWENo=f"SW{n:08}") for n in range(30)], odd, LEA=council, **month).decode()
    head, _, rest = content.partition("<Header>")
    content = f"{head}<?{mark} {mark}?><!-- {mark} --><Header {mark}='{mark}'>{rest}"
    return content.replace("</CSWWWorker>", f"<{mark.upper()}>{mark}</{mark.upper()}></CSWWWorker>", 1).encode()


def _ssd(rows: Lines, mark: str) -> bytes:
    head = "cine_referral_id,cine_person_id,cine_referral_date,cine_close_date,cine_referral_source_desc,zq"
    return "\n".join([head, *(f"{mark}{n},{mark}{n},2026-10-{n:02},,{mark},{mark}" for n in range(1, 29))]).encode()


#: Where the marker stands -> how the file is named, and how it is made.
PLACES: dict[str, tuple[str, Plant]] = {
    "a cell of a column nobody knows": ("workforce.csv", _column("Colour", "{}")),
    "a header nobody knows": ("workforce.csv", _column("Case {}", "x")),
    "a header of personal data": ("workforce.csv", _column("Surname {}", "{}")),
    "cells below a header of personal data": ("workforce.csv", _column("Surname", "{}")),
    "cells beside an e-mail address": ("workforce.csv", _column("{}", "{}@council.example")),
    "a header that stands twice": ("workforce.csv", lambda rows, mark: _csv([[*r, mark, mark] for r in rows])),
    "a cell without a header": ("workforce.csv", _column("", "{}")),
    "an FTE": ("workforce.csv", _cell("fte")),
    "a date": ("workforce.csv", _cell("role_start_date", "31/12/{}")),
    "a code": ("workforce.csv", _cell("org_role")),
    "a flag": ("workforce.csv", _cell("agency_worker")),
    "every code": ("workforce.csv", _cell("org_role", share=1)),
    "a team": ("workforce.csv", _cell("team", "{}", share=1)),
    "a reference": ("workforce.csv", _cell("worker_ref", "{}")),
    "a council's code": ("workforce.csv", _cell("la_code")),
    "a reference date": ("workforce.csv", _cell("reference_date")),
    "a title above": ("workforce.csv", _around("Workforce of {}\n\n", "")),
    "a footer below": ("workforce.csv", _around("", "Applied filters: {}\n")),
    "no header at all": ("workforce.csv", lambda rows, mark: _csv([[mark, *r[1:]] for r in rows[1:]])),
    "a torn last row": ("workforce.csv", _bytes(lambda c, m: c[:-40] + m)),
    "a ragged row": ("workforce.csv", _bytes(lambda c, m: c + m + b",1,2\n")),
    "an open quote": ("workforce.csv", _bytes(lambda c, m: c.replace(b",", b',"' + m, 30))),
    "text of 16 bits": ("workforce.csv", _bytes(lambda c, m: (c + m).decode().encode("utf-16"))),
    "bytes that are no text": ("workforce.csv", _bytes(lambda c, m: c + b"\0\1" + m)),
    "an old workbook": ("workforce.xlsx", lambda rows, mark: b"\xd0\xcf\x11\xe0" + mark.encode() * 9),
    "too many columns": ("workforce.csv", lambda rows, mark: _csv([[*r, *[mark] * 300] for r in rows])),
    "another sheet": ("workforce.xlsx", _book(_other_sheet)),
    "a hidden sheet": ("workforce.xlsx", _book(lambda b, m: _other_sheet(b, m, hide="hide"))),
    "a very hidden sheet": ("workforce.xlsx", _book(lambda b, m: _other_sheet(b, m, hide="very_hidden"))),
    "a sheet's name": ("workforce.xlsx", _book(lambda b, m: _other_sheet(b, "x", name=m))),
    "the name of the sheet that is read": ("workforce.xlsx", _book(lambda b, m: None, name=f"{MARK}77")),
    "two sheets of any name": ("workforce.xlsx", _book(lambda b, m: _other_sheet(b, m, name=m), name=f"{MARK}78")),
    "a comment": ("workforce.xlsx", _book(lambda b, m: _first(b).write_comment("B2", m, {"author": m}))),
    "a property": ("workforce.xlsx", _book(lambda b, m: b.set_properties({"title": m, "author": m, "keywords": m}))),
    "an own property": ("workforce.xlsx", _book(lambda b, m: b.set_custom_property(m, m))),
    "a defined name": ("workforce.xlsx", _book(lambda b, m: b.define_name(m, f'="{m}"'))),
    "a page header": ("workforce.xlsx", _book(lambda b, m: _first(b).set_header(f"&C{m}"))),
    "a text box": ("workforce.xlsx", _book(lambda b, m: _first(b).insert_textbox("T3", m))),
    "a prompt": (
        "workforce.xlsx",
        _book(lambda b, m: _first(b).data_validation("D2:D9", {"validate": "any", "input_message": m})),
    ),
    "parts nobody reads": ("workforce.xlsx", _parts),
    "Parquet's metadata and a column of it": ("workforce.parquet", _parquet),
    "Annex A": ("annex_a.xlsx", _annex_a),
    "a workforce return": ("csww.xml", _csww),
    "tables of the SSD": ("ssd/ssd_cin_episodes.csv", _ssd),
}  # fmt: skip


def mark_of(place: str) -> str:
    return f"{MARK}{list(PLACES).index(place):02d}"


def plant(landing: Path, month: str, councils: list[str]) -> dict[str, str]:
    """Put a file with a marker into one council's folder for each place; la_code -> place."""
    planted = dict(zip(councils, PLACES, strict=False))
    for council, place in planted.items():
        folder = landing / month / council
        good = next(folder.glob("workforce.*"))
        rows = [line.split(",") for line in _as_csv(good).splitlines()]
        good.unlink()
        name, make = PLACES[place]
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(make(rows, mark_of(place)))
    return planted


def _as_csv(path: Path) -> str:
    if path.suffix == ".csv":
        return path.read_text(encoding="utf-8-sig").replace("\r", "")
    reader = pl.read_parquet if path.suffix == ".parquet" else pl.read_excel
    frame: pl.DataFrame = reader(path)  # type: ignore[operator]
    return frame.with_columns(pl.all().cast(pl.String)).write_csv()


def found_in(files: Mapping[str, bytes]) -> list[str]:
    """Every marker that stands anywhere, as what of which place and where: in bytes, in tables, in zips."""
    by_mark = {mark_of(place): place for place in PLACES}
    found = []
    for name, content in files.items():
        text = _text(content)
        found += [f"{by_mark.get(text[i : i + len(MARK) + 2], 'a sheet name')} in {name}" for i in _places(text)]
        found += [f"{MARK} in the name of {name}"] if MARK in name.lower() else []
    return sorted(set(found))


def _places(text: str) -> list[int]:
    at, places = text.find(MARK), []
    while at >= 0:
        places.append(at)
        at = text.find(MARK, at + 1)
    return places


def tables_in(content: bytes) -> list[bytes]:
    """The Parquet tables of an object; an edition's small ones lie in one, one after another."""
    return [b"PAR1" + part + b"PAR1" for part in content[4:-4].split(b"PAR1PAR1")]


def _text(content: bytes) -> str:
    texts = [content.decode("latin-1"), content.decode("utf-16-le", errors="ignore")]
    if content.startswith(b"PAR1") and content.endswith(b"PAR1"):
        for table in tables_in(content):
            frame = pl.read_parquet(io.BytesIO(table))
            texts.append(json.dumps([frame.columns, frame.to_dicts()], default=str, ensure_ascii=False))
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts += [archive.read(n).decode("latin-1") for n in archive.namelist()]
    return "\n".join(texts).lower()


def files_below(*folders: Path) -> dict[str, bytes]:
    """Everything that lies in these folders."""
    return {str(p): p.read_bytes() for f in folders for p in sorted(f.rglob("*")) if p.is_file() and not p.is_symlink()}

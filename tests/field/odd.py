"""Odd files as people, systems and spreadsheets make them, one line each, by kind; none is one of the cases given.

`same`: the file means what the sound one means, and nothing in it is ambiguous, so it must be read as that.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from features.registry import Kind
from flows.extracts.formats.asked import Content, Form
from tests.field.mutations import Mutation
from tests.field.sent import MARKER, ROWS, Rows, as_csv

Cell = Callable[[str], str]


def odd_texts() -> Iterator[Mutation]:
    """Every odd file of text of our own extracts."""
    yield from _bytes_of_csv()
    yield from _rows_of_csv()
    yield from _cells()


def own(name: str, content: Content, kind: Kind = Kind.WORKFORCE, *, same: bool = False) -> Mutation:
    return Mutation(name, Form.NATIVE, kind, content, same)


def _zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name in names:
            book.writestr(name, as_csv(ROWS[Kind.WORKFORCE]()))
    return out.getvalue()


def _bytes_of_csv() -> Iterator[Mutation]:
    rows = ROWS[Kind.WORKFORCE]()
    text = as_csv(rows).decode()
    other: dict[str, bytes | str] = {
        "gzip": gzip.compress(text.encode()),
        "zip with a csv": _zipped("workforce.csv"),
        "ods": _zipped("mimetype", "content.xml"),
        "xlsb": _zipped("[Content_Types].xml", "xl/workbook.bin"),
        "docx": _zipped("[Content_Types].xml", "word/document.xml"),
        "rtf": "{\\rtf1\\ansi " + text.replace("\n", "\\par ") + "}",
        "pdf": b"%PDF-1.7\n" + text.encode()[:900] + b"\n%%EOF",
        "a mail": "From: a\nSubject: extract\nContent-Type: text/csv\n\n" + text,
        "json lines": "\n".join(json.dumps(dict(zip(rows[0], r, strict=True))) for r in rows[1:]),
        "yaml": "\n".join(f"- worker_ref: {r[2]}\n  fte: {r[5]}" for r in rows[1:]),
        "sqlite": b"SQLite format 3\x00" + bytes(4000),
        "fixed width": "\n".join("".join(c.ljust(26) for c in r) for r in rows),
        "utf-7": text.replace("_", "£").encode("utf-7"),
        "ebcdic": text.encode("cp037"),
        "utf-16 cut within a character": text.encode("utf-16")[:-1],
        "nul in front": b"\x00\x00" + text.encode(),
        "a bell in a cell": text.replace("Team 2", "Team \x07", 1),
        "html saved as csv": "<table><tr><td>" + text.replace(",", "</td><td>").replace("\n", "</td></tr><tr><td>"),
        "separated by ¦": text.replace(",", "¦"),
        "separated by colons": text.replace(",", " : "),
        "an open mark in the last row": text[: text.rindex(",") + 1] + '"' + text[text.rindex(",") + 1 :],
        "cut in a date": text[: text.rindex("2026-10-") + 7],
        "cut after a separator": text[: text.rindex(",") + 1],
        "escaped with backslashes": text.replace("Team 2", '"Team \\"2\\", North"'),
        "two exports in one": text + text,
        "two exports, the second of another kind": text + as_csv(ROWS[Kind.ESTABLISHMENT]()).decode(),
        "a merge conflict": text.replace("\n370", "\n<<<<<<< HEAD\n370", 1).replace("W1009", "=======\nW1009"),
        "an error at the end": text + "ORA-01555: snapshot too old\n",
        "a timeout at the end": text + "Execution Timeout Expired.\n",
        "a limit at the end": text + "Only the first 60 rows are shown\n",
        "a part of the rows": text + "Showing 1 to 60 of 235 entries\n",
        "an error page instead": "ORA-00942: table or view does not exist\n",
        "only a header": ",".join(rows[0]) + "\n",
        "only blank rows": ",".join(rows[0]) + "\n" + ("," * 13 + "\n") * 30,
        "white space": " \n \t\n" * 20,
    }  # fmt: skip
    for name, content in other.items():
        yield own(name, content if isinstance(content, bytes) else content.encode())
    plain: dict[str, bytes | str] = {
        "CR alone": text.replace("\n", "\r"),
        "mixed line ends": text.replace("\n", "\r\n", 20),
        "two marks": b"\xef\xbb\xbf\xef\xbb\xbf" + text.encode(),
        "utf-16 without a mark": text.encode("utf-16-le"),
        "utf-16 big-endian": b"\xfe\xff" + text.encode("utf-16-be"),
        "cp1252 with a pound": text.replace("Team 2", "Team £2").replace("£2", "2").encode("cp1252"),
        "separated by ^": text.replace(",", "^"),
        "separated by ~": text.replace(",", "~"),
        "separated by ||": text.replace(",", "||"),
        "separated by comma and space": text.replace(",", ", "),
        "padded": re.sub(r",", "   ,   ", text),
        "sep= in the mark": b"\xef\xbb\xbfsep=,\r\n" + text.encode(),
        "no last line end": text.rstrip("\n"),
        "a form feed at the end": text + "\f\n",
        "blank lines between": text.replace("\n", "\n\n"),
        "a mark in each header": text.replace(text.split("\n")[0], ",".join(f'"{h}"' for h in rows[0]), 1),
        "commas at the end of each line": text.replace("\n", ",,,\n"),
    }
    for name, content in plain.items():
        yield own(name, content if isinstance(content, bytes) else content.encode(), same=True)


def _rows_of_csv() -> Iterator[Mutation]:
    for kind in (Kind.WORKFORCE, Kind.CASELOAD):
        rows = ROWS[kind]()
        header, *body = rows
        width = len(header)
        same: dict[str, Rows] = {
            "a count of the rows": [*rows, [f"Rows: {len(body)}"]],
            "a signature": [*rows, [], [f"Produced by {MARKER} on 2 November 2026"]],
            "a line of stars": [*rows, ["*" * 40]],
            "a header on each page": [r for i, b in enumerate(body) for r in ([header, b] if i % 20 == 0 else [b])],
            "a title, a date, a blank": [["Monthly extract"], ["31 October 2026"], [], *rows],
            "sorted the other way": [header, *reversed(body)],
            "blank rows in front": [[""] * width] * 25 + rows,
            "totals by team": [*rows[:31], ["Sub total", *[""] * (width - 2), "30"], *rows[31:]],
            "another column": [[*header, "pay grade"], *([*b, "PO3"] for b in body)],
            "numbered by pandas": [["", *header], *([str(i), *b] for i, b in enumerate(body))],
            "headers with notes": [[h.replace("_", " ").title() for h in header], *body],
        }
        for name, changed in same.items():
            yield own(name, as_csv(changed), kind, same=True)
        other: dict[str, Rows] = {
            "a count of more rows": [*rows, [f"({len(body) + 40} rows affected)"]],
            "a row moved to the right": [*rows[:9], ["", *rows[9][:-1]], *rows[10:]],
            "a row moved to the left": [*rows[:9], [*rows[9][1:], ""], *rows[10:]],
            "all rows moved": [header, *(["", *b[:-1]] for b in body)],
            "headers moved": [[*header[1:], header[0]], *body],
            "each row twice": [header, *(r for b in body for r in (b, b))],
            "a row in capitals again": [*rows, [c.upper() for c in rows[5]]],
            "numbered headers": [[str(i) for i in range(width)], *body],
            "no header": body,
            "a header twice by pandas": [[*header, f"{header[2]}.1"], *([*b, b[3]] for b in body)],
            "a header in capitals again": [[*header, header[2].upper()], *([*b, b[3]] for b in body)],
            "a table beside it": [[*header, "", "team", "fte"], *([*b, "", "North", "12"] for b in body)],
            "a second table of other columns": [*rows, [], ["team", "manager", "posts"], ["North", MARKER, "4"]],
            "201 columns": [[*header, *(f"x{i}" for i in range(201))], *([*b, *["1"] * 201] for b in body)],
            "a line break within a date": [*rows[:7], [c.replace("-", "-\n", 1) for c in rows[7]], *rows[8:]],
            "columns transposed": [list(column) for column in zip(*rows, strict=True)],
        }
        for name, changed in other.items():
            yield own(name, as_csv(changed), kind)


def _of(column: str, change: Cell, kind: Kind, part: float = 1.0) -> Rows:
    header, *body = ROWS[kind]()
    at, until = header.index(column), part * len(body)
    return [header, *([*b[:at], change(b[at]), *b[at + 1 :]] if i < until else b for i, b in enumerate(body))]


def days(form: str) -> Cell:
    return lambda c: date.fromisoformat(c).strftime(form) if c else c


def _since(c: str) -> int:
    return (date.fromisoformat(c) - date(1970, 1, 1)).days


def _cells() -> Iterator[Mutation]:
    work, case = Kind.WORKFORCE, Kind.CASELOAD
    same: list[tuple[str, Kind, Cell]] = [
        ("role_start_date", work, days("%d.%m.%Y")),
        ("role_start_date", work, days("%-d %b %Y")),
        ("role_start_date", work, days("%Y%m%d")),
        ("role_start_date", work, lambda c: str(_since(c) + 25569)),
        ("role_start_date", work, lambda c: f"{c}T00:00:00.000+01:00"),
        ("role_start_date", work, lambda c: f" {c}\u00a0"),
        ("reference_date", work, days("%d-%b-%Y")),
        ("reference_date", case, lambda _: "2026-10-30"),
        ("agency_worker", work, lambda c: {"0": "No", "1": "Yes"}[c]),
        ("agency_worker", work, lambda c: {"0": "FALSE", "1": "TRUE"}[c]),
        ("agency_worker", work, lambda c: f"{c}.0"),
        ("fte", work, lambda c: c.replace(".", ",")),
        ("fte", work, lambda c: f"+{c}"),
        ("cases", work, lambda c: f"{c}.00"),
        ("la_code", work, lambda c: f"{c}.0"),
        ("la_code", case, lambda _: "Barnsley"),
        ("worker_ref", work, lambda c: f" {c} "),
        ("worker_ref", work, lambda c: f'="{c}"'),
        ("case_status", case, str.upper),
        ("allocated_worker_ref", case, lambda c: c or "Unallocated"),
        ("closed_date", case, lambda c: c or "31/12/9999"),
        ("re_referral", case, lambda c: {"0": "n", "1": "y"}[c]),
    ]
    for column, kind, change in same:
        yield own(f"{column}: {change('2026-10-31' if 'date' in column else '0')}", as_csv(_of(column, change, kind)),
                   kind, same=True)  # fmt: skip
    parts: list[tuple[str, Kind, Cell, float]] = [
        ("role_start_date", work, days("%m/%d/%Y"), 1),
        ("role_start_date", work, days("%d/%m/%y"), 1),
        ("role_start_date", work, days("%b-%y"), 1),
        ("role_start_date", work, days("%G-W%V"), 1),
        ("role_start_date", work, lambda c: str(_since(c) * 86400), 1),
        ("role_start_date", work, lambda c: c.replace("20", "00", 1), 0.1),
        ("role_start_date", work, lambda c: c[:8] + "32", 0.1),
        ("role_start_date", work, lambda c: "le " + c, 0.5),
        ("reference_date", work, lambda _: "2026-11-01", 1),
        ("reference_date", work, lambda _: "Q3 2026", 1),
        ("reference_date", work, lambda _: "31/10/26", 1),
        ("reference_date", case, lambda _: "October", 1),
        ("reference_date", case, lambda _: "", 1),
        ("agency_worker", work, lambda c: {"0": "Perm", "1": "Agency"}[c], 1),
        ("agency_worker", work, lambda _: "2", 0.2),
        ("fte", work, lambda c: f"{float(c) * 100:.0f}%", 1),
        ("fte", work, lambda c: f"{float(c) * 37:.1f}", 1),
        ("fte", work, lambda c: f"{c} FTE", 1),
        ("fte", work, lambda _: "4/5", 0.3),
        ("fte", work, lambda c: c.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")), 1),
        ("fte", work, lambda c: c.translate(str.maketrans("0123456789.", "０１２３４５６７８９．")), 1),
        ("fte", work, lambda c: f"-{c}", 0.1),
        ("fte", work, lambda c: f"\u2212{c}", 0.1),
        ("fte", work, lambda c: f"({c})", 0.1),
        ("fte", work, lambda c: f"{c}*", 0.1),
        ("fte", work, lambda _: "8e-1", 1),
        ("fte", work, lambda _: "inf", 0.1),
        ("cases", work, lambda c: f"{c} + 2", 0.2),
        ("cases", work, lambda _: "1000000", 0.05),
        ("org_role", work, lambda _: "Social Worker (L2)", 1),
        ("org_role", work, lambda _: "7", 0.3),
        ("reason_leave", work, lambda c: c and "99", 1),
        ("la_code", work, lambda _: "E08000016", 1),
        ("la_code", work, lambda _: "371", 0.05),
        ("la_code", case, lambda _: "", 1),
        ("worker_ref", work, lambda _: "1.00E+09", 0.3),
        ("worker_ref", work, lambda _: "01-Mar", 0.1),
        ("worker_ref", work, lambda _: "=HYPERLINK(A1)", 0.1),
        ("worker_ref", work, lambda _: "W1001", 1),
        ("case_status", case, lambda _: "open", 1),
        ("case_status", case, lambda _: "z", 0.2),
        ("allocated_worker_ref", case, lambda _: "99999", 0.5),
        ("referral_date", case, lambda c: str(date.fromisoformat(c) + timedelta(days=400)), 0.3),
        ("closed_date", case, lambda _: "2026-10-32", 0.2),
        ("last_visit_date", case, lambda _: "1900-01-01", 0.5),
        ("re_referral", case, lambda c: {"0": "first", "1": "repeat"}[c], 1),
    ]
    for column, kind, change, part in parts:
        rows = _of(column, change, kind, part)
        if rows != ROWS[kind]():
            yield own(f"{column}: {rows[1][rows[0].index(column)]} ({part:.0%})", as_csv(rows), kind)

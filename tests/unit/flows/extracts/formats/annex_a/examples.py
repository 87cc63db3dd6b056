"""A small Annex A workbook of October 2026 as cells, and the one call that reads it."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol

from features.councils import Council
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.pseudonyms import pseudonyms
from flows.extracts.reading.table import Limits

KEY = b"a key of thirty-two bytes or more"
OCTOBER = Month(2026, 10)
BARNSLEY = Council("370", "Barnsley", Month(2015, 1))

Rows = list[list[Any]]
Sheets = dict[str, Rows]


def d(month: int, day: int, year: int = 2026) -> date:
    return date(year, month, day)


def small() -> Sheets:
    """Children 1 to 6: in care, on a plan, in need, in assessment, closed in the month, referred without action."""
    return {
        "List 3": [
            ["Child Unique ID", "Date of referral", "Referral NFA?", "Number of Referrals in Last 12 Months",
             "Allocated Team", "Allocated Worker"],
            [4, d(10, 2), "b) No", 0, "Duty", "Ann Oak"],
            [5, d(9, 1), "b) No", 2, "North", "Ben Ash"],
            [6, d(10, 20), "a) Yes", 1, "Duty", "Ann Oak"],
        ],
        "List 4": [
            ["Child Unique ID", "Continuous Assessment Start Date", "Continuous Assessment Date of Authorisation",
             "Allocated Team", "Allocated Worker"],
            [4, d(10, 5), None, "Duty", "Ann Oak"],
            [5, d(9, 2), d(10, 8), "North", "Ben Ash"],
        ],
        "List 5": [
            ["Child Unique ID", "Strategy discussion initiating Section 47 Enquiry Start Date",
             "Date of Initial Child Protection Conference", "Allocated Team", "Allocated Worker"],
            [2, d(9, 28), d(10, 14), "North", "Ben Ash"],
        ],
        "List 6": [
            ["Child Unique ID", "CIN Start Date", "Date Child Was Last Seen", "CIN Closure Date", "Case Status",
             "Allocated Team", "Allocated Worker"],
            [1, d(1, 5, 2025), d(10, 1), None, "a) Looked after child", "Care", "Cy Elm"],
            [2, d(8, 3), d(10, 20), None, "b) Child Protection plan", "North", "Ben Ash"],
            [3, d(2, 2), d(10, 12), None, "c) Child in need plan", "South", None],
            [4, d(10, 2), d(10, 6), None, "d) Open assessment", "Duty", "Ann Oak"],
            [5, d(9, 1), d(10, 1), d(10, 9), "e) Closed episode", "North", "Ben Ash"],
        ],
        "List 7": [
            ["Child Unique ID", "Child Protection Plan Start Date", "Date of the Last Statutory Visit",
             "Date of latest review conference", "Child Protection Plan End Date",
             "Number of Previous Child Protection Plans", "Allocated Team", "Allocated Worker"],
            [2, d(10, 14), d(10, 27), None, None, 1, "North", "Ben Ash"],
        ],
        "List 8": [
            ["Child Unique ID", "Date Started to be Looked After", "Date of Last Social Work Visit",
             "Date Ceased to be Looked After", "Allocated Team", "Allocated Worker"],
            [1, d(3, 4, 2025), d(10, 22), None, "Care", "Cy Elm"],
        ],
    }  # fmt: skip


def book(
    sheets: Sheets,
    *,
    hidden: Sequence[str] = (),
    merged: dict[str, Sequence[str]] | None = None,
    unseen: dict[str, tuple[Collection[int], Collection[int]]] | None = None,
    options: dict[str, Any] | None = None,
) -> bytes:
    """A workbook; a cell `("=A1", 5)` is a formula with its calculated value.

    `merged`: sheet -> ranges. `unseen`: sheet -> hidden rows, the first is 1, and hidden columns, the first is 0.
    """
    out = io.BytesIO()
    file = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy", **(options or {})})
    shown = False
    for name, rows in sheets.items():
        sheet = file.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        elif not shown:
            # The sheet that is open when the workbook is cannot be hidden.
            sheet.activate()
            sheet.set_first_sheet()
            shown = True
        for number in (unseen or {}).get(name, ((), ()))[0]:
            sheet.set_row(number - 1, None, None, {"hidden": True})
        for position in (unseen or {}).get(name, ((), ()))[1]:
            sheet.set_column(position, position, None, None, {"hidden": True})
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, tuple):
                    sheet.write_formula(r, c, value[0], None, value[1])
                elif value is not None:
                    sheet.write(r, c, value)
        for cells in (merged or {}).get(name, ()):
            # As Excel does: the first cell's value stays, the others' are gone.
            (top, left), (bottom, right) = (xl_cell_to_rowcol(cell) for cell in cells.split(":"))
            first = rows[top][left] if top < len(rows) and left < len(rows[top]) else None
            sheet.merge_range(top, left, bottom, right, "" if first is None else first)
    file.close()
    return out.getvalue()


def asked(month: Month = OCTOBER, council: Council = BARNSLEY) -> Asked:
    return Asked("annex_a.xlsx", Kind.CASELOAD, council, month, KEY, datetime(2026, 11, 5, 9, 30, tzinfo=UTC), Limits())


def read(content: bytes | Sheets, month: Month = OCTOBER) -> IngestedExtract:
    """`read_form` with the council, month and key of these tests."""
    bytes_ = content if isinstance(content, bytes) else book(content)
    return read_form(Form.ANNEX_A, bytes_, asked(month))


def by_child(extract: IngestedExtract, children: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Each child's row, found by the pseudonym of its identifier."""
    hashed = pseudonyms(pl.Series(list(children)), la_code="370", key=KEY).to_list()
    rows = {row["case_ref"]: row for row in extract.frame.iter_rows(named=True)}
    return {child: rows[ref] for child, ref in zip(children, hashed, strict=True) if ref in rows}


def worker(name: str) -> int:
    """The pseudonym of a name as the reader writes it."""
    return int(pseudonyms(pl.Series([name]), la_code="370", key=KEY)[0])


def changed(sheets: Sheets, sheet: str, row: int, column: str, value: Any) -> Sheets:
    """The workbook with one cell changed; rows are counted as in Excel."""
    sheets[sheet][row - 1][sheets[sheet][0].index(column)] = value
    return sheets

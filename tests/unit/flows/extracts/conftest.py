"""Small files as councils send them, and the one call that reads them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
import xlsxwriter

from features.councils import Council
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.reading.table import Limits
from flows.extracts.reading.where import Where
from flows.extracts.submissions import Submission, record_submissions
from flows.papers.contract import EXAMPLES
from flows.store import Store

KEY = b"a key of thirty-two bytes or more"
OCTOBER = Month(2026, 10)
BARNSLEY = Council("370", "Barnsley", Month(2015, 1))
JOINT = Council("314 / 318", "Kingston and Richmond", Month(2015, 1))
RECEIVED = datetime(2026, 11, 5, 9, 30, tzinfo=UTC)
WHERE = Where("Barnsley (370)", OCTOBER, "workforce.csv")

WORKFORCE_HEADER = (
    "la_code,reference_date,worker_ref,agency_worker,org_role,fte,role_start_date,role_end_date,"
    "reason_leave,leaver_destination,cases,working_days_lost,absent_at_reference_date,team"
)
WORKFORCE = "\n".join(
    [
        WORKFORCE_HEADER,
        "370,2026-10-31,W1,0,5,0.8,2020-01-06,,,,14,1.5,0,North",
        "370,2026-10-31,W2,1,3,1,2025-03-03,,,,0,0,1,South",
        "370,2026-10-31,W3,0,4,0,2019-09-02,2026-10-16,1,3,0,2,0,North",
        "",
    ]
)
ESTABLISHMENT = "la_code,reference_date,vacancy_fte,agency_fte,agency_headcount\n370,2026-10-31,12.5,8,9\n"


def ingest(
    content: str | bytes,
    *,
    kind: Kind = Kind.WORKFORCE,
    council: Council = BARNSLEY,
    month: Month = OCTOBER,
    filename: str | None = None,
    key: bytes = KEY,
    limits: Limits | None = None,
) -> IngestedExtract:
    """`read_form` with the council, month and key of these tests."""
    asked = Asked(filename or f"{kind}.csv", kind, council, month, key, RECEIVED, limits or Limits())
    return read_form(Form.NATIVE, content if isinstance(content, bytes) else content.encode(), asked)


def rows_of(text: str = WORKFORCE) -> list[list[str]]:
    """The cells of a CSV text, header first."""
    return [line.split(",") for line in text.strip().split("\n")]


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Rows as CSV text; cells must need no quotation marks."""
    return "\n".join(",".join(row) for row in rows) + "\n"


def workbook(sheets: dict[str, Sequence[Sequence[Any]]], *, hidden: Sequence[str] = ()) -> bytes:
    """A workbook; a cell `("=A1", 5)` is a formula with its calculated value, `("=A1", None)` without one."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy", "remove_timezone": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, tuple):
                    sheet.write_formula(r, c, value[0], None, value[1] if value[1] is not None else "")
                elif value is not None:
                    sheet.write(r, c, value)
    book.close()
    return out.getvalue()


def typed_rows(text: str = WORKFORCE) -> list[list[Any]]:
    """A CSV's cells as a spreadsheet holds them: numbers as numbers, blanks as nothing."""
    return [[_typed(cell) for cell in row] for row in rows_of(text)]


def _typed(cell: str) -> Any:
    if not cell:
        return None
    if len(cell) == 10 and cell[4] == cell[7] == "-":
        return datetime.fromisoformat(cell).replace(tzinfo=UTC)
    try:
        return float(cell)
    except ValueError:
        return cell


def record_submission(store: Store, submission: Submission, table: pl.DataFrame | None = None) -> Submission:
    """Record one submission."""
    return record_submissions(store, submission.month, [(submission, table)])[0]


def example_csv(kind: Kind) -> str:
    """The example row of an extract in the data contract, as a file that could be sent."""
    row = EXAMPLES[kind]
    return f"{','.join(row)}\n{','.join(row.values())}\n"

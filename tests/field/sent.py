"""A council's files as literal rows, the ways to write them down, and what Holdfast makes of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import polars as pl
import xlsxwriter

from expectations.batch import Batch, Outcome, Severity
from features.councils import Council
from features.errors import ExtractError
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Asked, Content, Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.reading.cells import PROBLEM_TEXTS
from flows.extracts.reading.table import Limits
from tests.unit.expectations.examples import check_batch

KEY = b"a key of thirty-two bytes or more"
COUNCIL = Council("370", "Barnsley", Month(2015, 1))
OCTOBER = Month(2026, 10)
#: Stands where nothing may come out again: in titles, footers and columns of no contract.
MARKER = "Planted-Marker"

Rows = list[list[str]]

WORKFORCE_HEADER = [
    "la_code", "reference_date", "worker_ref", "agency_worker", "org_role", "fte", "role_start_date", "role_end_date",
    "reason_leave", "leaver_destination", "cases", "working_days_lost", "absent_at_reference_date", "team",
]  # fmt: skip
CASELOAD_HEADER = [
    "la_code", "reference_date", "case_ref", "allocated_worker_ref", "team", "case_status", "referral_date",
    "re_referral", "assessment_start_date", "assessment_authorised_date", "last_visit_date", "closed_date",
]  # fmt: skip


def workforce() -> Rows:
    """Sixty workers: three left in the month, every sixth is agency; the dates lie in all months of the year."""
    rows = [WORKFORCE_HEADER]
    for i in range(1, 61):
        left = i % 20 == 0
        started = date(2015, 1, 9) + timedelta(days=67 * i)
        rows.append(
            ["370", "2026-10-31", f"W{1000 + i}", str(int(i % 6 == 0)), str(1 + i % 6), "0" if left else "0.8",
             str(started), "2026-10-16" if left else "", "1" if left else "", "3" if left else "",
             str(i % 20), "1.5", "0", f"Team {1 + i % 4}"]
        )  # fmt: skip
    return rows


def caseload() -> Rows:
    """Sixty cases: six closed in the month, five without a worker."""
    rows = [CASELOAD_HEADER]
    for i in range(1, 61):
        referred = date(2026, 1, 5) + timedelta(days=4 * i)
        closed = "2026-10-20" if i % 10 == 0 else ""
        worker = "" if i % 12 == 0 else f"W{1000 + i}"
        rows.append(
            ["370", "2026-10-31", f"C{5000 + i}", worker, f"Team {1 + i % 4}", "e" if closed else "c", str(referred),
             str(i % 2), str(referred + timedelta(days=1)), str(referred + timedelta(days=30)), "2026-10-12", closed]
        )  # fmt: skip
    return rows


def establishment() -> Rows:
    """One row, as every council's."""
    return [
        ["la_code", "reference_date", "vacancy_fte", "agency_fte", "agency_headcount", "agency_cover_fte"],
        ["370", "2026-10-31", "12.5", "8", "9", "7.5"],
    ]


ROWS: Mapping[Kind, Callable[[], Rows]] = {
    Kind.WORKFORCE: workforce,
    Kind.CASELOAD: caseload,
    Kind.ESTABLISHMENT: establishment,
}


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",", *, end: str = "\n", quote_all: bool = False) -> bytes:
    """Rows as CSV in UTF-8."""
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return out.getvalue().encode()


def typed(cell: str) -> Any:
    """A cell as a spreadsheet holds it."""
    if len(cell) == 10 and cell[:4].isdigit() and cell[4:5] == cell[7:8] == "-":
        return date.fromisoformat(cell)
    try:
        return float(cell) if set(cell) <= set("-.0123456789") else cell or None
    except ValueError:
        return cell or None


def as_xlsx(
    rows: Sequence[Sequence[str]],
    name: str = "workforce",
    touch: Callable[[Any, Any], None] | None = None,
    more: Mapping[str, Sequence[Sequence[str]]] | None = None,
    hidden: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """A workbook with the rows on the sheet `name`; `touch(sheet, book)` does what else its author did."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy", **(options or {})})
    shown = False
    for title, table in {name: rows, **(more or {})}.items():
        sheet = book.add_worksheet(title)
        if title in hidden:
            sheet.hide()
        elif not shown:
            sheet.activate()
            sheet.set_first_sheet()
            shown = True
        for r, row in enumerate(table):
            for c, cell in enumerate(row):
                if (value := typed(cell)) is not None:
                    sheet.write(r, c, value)
        if title == name and touch is not None:
            touch(sheet, book)
    book.close()
    return out.getvalue()


def as_parquet(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as text columns of Parquet."""
    out = io.BytesIO()
    header, *body = rows
    columns = {h: [row[i] or None for row in body] for i, h in enumerate(header)}
    pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String())).write_parquet(out)
    return out.getvalue()


@dataclass
class Made:
    """What became of a file that could be read. The checks are made only where they are asked for."""

    extract: IngestedExtract

    @property
    def values(self) -> pl.DataFrame:
        """The rows without where they stood."""
        return self.extract.frame.drop("file_row")

    @property
    def notes(self) -> str:
        """What is said of how the file was read."""
        return "\n".join(self.extract.notes)

    @cached_property
    def outcome(self) -> Outcome:
        """The checks a run makes of one file by itself."""
        extract = self.extract
        code, kind = extract.la_code, extract.kind
        batch = Batch(
            extract.month,
            {kind: extract.frame},
            problems=extract.problems,
            absent_columns=frozenset((code, kind, c) for c in extract.absent_columns),
            files={(code, kind): extract.filename},
            problem_texts=PROBLEM_TEXTS,
            notes={(code, kind): extract.notes},
            absent_because={(code, kind, c): why for c, why in extract.absent_because.items()},
            lost_columns=frozenset((code, kind, c) for c in extract.lost_columns),
            origins=extract.origins,
            workers_by_name=frozenset([code]) if extract.workers_by_name else frozenset(),
        )
        return check_batch(batch)

    @property
    def checks(self) -> Mapping[str, Severity]:
        """The checks that failed."""
        return {r["check"]: Severity(r["severity"]) for r in self.outcome.failures.iter_rows(named=True)}

    @property
    def messages(self) -> str:
        """What the checks say."""
        return "\n".join(self.outcome.failures["message"])

    @property
    def withheld(self) -> set[str]:
        """Columns that nothing is counted from."""
        return {column for _, _, column in self.outcome.withheld}

    @property
    def not_used(self) -> bool:
        """Whether the whole file is left out."""
        return bool(self.outcome.quarantined)


def asked(kind: Kind, form: Form = Form.NATIVE, month: Month = OCTOBER, council: Council = COUNCIL) -> Asked:
    """The council, month and key of these tests."""
    name = {Form.CSWW: "csww.xml", Form.ANNEX_A: "annex_a.xlsx", Form.SSD: "ssd", Form.DFE: "return.csv"}
    return Asked(
        name.get(form, f"{kind}.csv"), kind, council, month, KEY, datetime(2026, 11, 5, 9, tzinfo=UTC), Limits()
    )


def read(content: Content, how: Asked, form: Form = Form.NATIVE) -> IngestedExtract:
    """One extract; raises an ExtractError."""
    return read_form(Form.NATIVE if form is Form.DFE else form, content, how)


def made(content: Content, kind: Kind = Kind.WORKFORCE, form: Form = Form.NATIVE, month: Month = OCTOBER) -> Made:
    """Read and check one of our own extracts."""
    return Made(read(content, asked(kind, form, month), form))


def refusal(content: Content, kind: Kind = Kind.WORKFORCE) -> str:
    """The sentence with which one of our own extracts is refused; fails if it is read."""
    try:
        read(content, asked(kind))
    except ExtractError as error:
        return str(error)
    raise AssertionError("the file was read")


def truth(kind: Kind) -> pl.DataFrame:
    """What the literal rows mean, by this module's own reading of them: dates, tenths and whole numbers."""
    return made(as_csv(ROWS[kind]()), kind).values

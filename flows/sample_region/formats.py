"""How made-up councils write their files: formats, encodings, headers and dates as real councils use them."""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import xlsxwriter

from features.registry import Kind
from flows.sample_region.councils import SampleForm

#: Headers as in DfE's census (CSWW) and Ofsted's Annex A; columns not listed keep the contract's name.
CENSUS_HEADERS: Mapping[Kind, Mapping[str, str]] = {
    Kind.WORKFORCE: {
        "la_code": "LEA",
        "reference_date": "ReferenceDate",
        "agency_worker": "AgencyWorker",
        "org_role": "OrgRole",
        "fte": "FTE30",
        "role_start_date": "RoleStartDate",
        "role_end_date": "RoleEndDate",
        "reason_leave": "ReasonLeave",
        "leaver_destination": "LeaverDestination",
        "cases": "Cases30",
        "working_days_lost": "WorkingDaysLost",
        "absent_at_reference_date": "Absat30Sept",
    },
    Kind.ESTABLISHMENT: {
        "la_code": "LEA",
        "reference_date": "ReferenceDate",
        "vacancy_fte": "NumberOfVacancies",
        "agency_fte": "NoAgencyFTE",
        "agency_headcount": "NoAgencyHeadcount",
    },
    Kind.CASELOAD: {
        "la_code": "LEA",
        "reference_date": "ReferenceDate",
        "case_ref": "Child Unique ID",
        "allocated_worker_ref": "Allocated Worker",
        "team": "Allocated Team",
        "case_status": "Case Status",
        "referral_date": "Date of referral",
        "assessment_start_date": "Continuous Assessment Start Date",
        "assessment_authorised_date": "Continuous Assessment Date of Authorisation",
        "section_47_start_date": "Strategy discussion initiating Section 47 Enquiry Start Date",
        "icpc_date": "Date of Initial Child Protection Conference",
        "cp_plan_start_date": "Child Protection Plan Start Date",
        "last_cp_review_date": "Date of latest review conference",
        "last_visit_date": "Date of the Last Statutory Visit",
        "closed_date": "CIN Closure Date",
        "previous_cp_plans": "Number of Previous Child Protection Plans",
    },
}

#: Headers as a council's own reporting tool might write them.
LOCAL_HEADERS: Mapping[Kind, Mapping[str, str]] = {
    Kind.WORKFORCE: {
        "la_code": "LA Number",
        "reference_date": "Month End",
        "worker_ref": "Staff ID",
        "agency_worker": "Agency Flag",
        "org_role": "Organisational Role",
        "fte": "WTE",
        "role_start_date": "Start Date",
        "role_end_date": "Leaving Date",
        "reason_leave": "Reason for Leaving",
        "leaver_destination": "Leaving Destination",
        "cases": "Caseload",
        "working_days_lost": "Sickness Days",
        "absent_at_reference_date": "Absent at Month End",
        "team": "Service Area",
    },
    Kind.ESTABLISHMENT: {
        "la_code": "LA Number",
        "reference_date": "Month End",
        "vacancy_fte": "Vacancies (FTE)",
        "agency_fte": "Agency Workers FTE",
        "agency_headcount": "Agency Workers Headcount",
        "agency_cover_fte": "Agency Cover",
    },
    Kind.CASELOAD: {
        "la_code": "LA Number",
        "reference_date": "Month End",
        "case_ref": "Episode Ref",
        "allocated_worker_ref": "Allocated Worker ID",
        "team": "Team Name",
        "case_status": "Status",
        "referral_date": "CINE Referral Date",
        "re_referral": "Re-referral (12m)",
        "section_47_start_date": "S47 Start Date",
        "cp_review_due_date": "Review Due Date",
        "last_visit_date": "Date Child Was Last Seen",
        "closed_date": "Date Closed",
        "worker_changes_12m": "Changes of Worker 12m",
    },
}
_UK_DATE = "%d/%m/%Y"
#: Workbooks hold the time of writing; a fixed time keeps their bytes the same.
_WRITTEN = datetime(2020, 1, 1, tzinfo=UTC)


def suffix_of(form: SampleForm, kind: Kind) -> str:
    """The file's ending: HR may send its list of workers as Excel, but the other systems still export CSV."""
    if form is SampleForm.PARQUET:
        return "parquet"
    return "xlsx" if form is SampleForm.EXCEL and kind is Kind.WORKFORCE else "csv"


def encode(frame: pl.DataFrame, kind: Kind, form: SampleForm) -> bytes:
    """One file's bytes; the same frame gives the same bytes."""
    match suffix_of(form, kind):
        case "parquet":
            out = io.BytesIO()
            frame.write_parquet(out, compression="zstd", statistics=False)
            return out.getvalue()
        case "xlsx":
            return _workbook(frame, kind.value.capitalize())
        case _:
            return encode_each(frame, [(0, frame.height)], kind, form)[0]


def encode_each(frame: pl.DataFrame, parts: Sequence[tuple[int, int]], kind: Kind, form: SampleForm) -> list[bytes]:
    """A CSV file for each part (rows `start` up to `end`); all are written at once and split at line ends.

    No cell may hold a line break. One call for all councils of a month costs far less than one call for each.
    """
    mark, content = b"", b""
    match form:
        case SampleForm.CSV_BOM:
            mark, content = codecs.BOM_UTF8, _csv(frame.rename(dict(CENSUS_HEADERS[kind])))
        case SampleForm.CSV_CP1252:
            local = frame.rename(dict(LOCAL_HEADERS[kind]))
            content = _csv(local, date_format=_UK_DATE, line_terminator="\r\n").decode().encode("cp1252")
        case _:
            content = _csv(frame)
    line_ends = np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == ord("\n")) + 1
    header = mark + content[: line_ends[0]]
    return [header + content[line_ends[start] : line_ends[end]] for start, end in parts]


def _csv(frame: pl.DataFrame, date_format: str | None = None, line_terminator: str = "\n") -> bytes:
    out = io.BytesIO()
    frame.write_csv(out, date_format=date_format, line_terminator=line_terminator)
    return out.getvalue()


def _workbook(frame: pl.DataFrame, sheet: str) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": _WRITTEN.replace(tzinfo=None)})
    page = book.add_worksheet(sheet)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    page.write_row(0, 0, frame.columns)
    for column, series in enumerate(frame.get_columns()):
        for row, value in enumerate(series.to_list(), start=1):
            if isinstance(value, date):
                page.write_datetime(row, column, value, day)
            elif isinstance(value, str):
                page.write_string(row, column, value)
            elif value is not None:
                page.write_number(row, column, value)
    book.close()
    return out.getvalue()

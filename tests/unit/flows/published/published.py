"""Made-up files in the publishers' layouts, large enough to be taken for England."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

COUNCILS = tuple(str(code) for code in range(301, 451))
PLACE = (
    "time_period",
    "time_identifier",
    "geographic_level",
    "country_code",
    "country_name",
    "region_code",
    "region_name",
    "old_la_code",
    "new_la_code",
    "la_name",
)
#: The columns of DfE's workforce file since 2023, in its order.
WORKFORCE = (
    *("inpost_fte", "inpost_headcount", "starters_fte", "starters_headcount", "leavers_fte", "leavers_headcount"),
    *("turnover_rate_fte", "turnover_rate_headcount", "agency_fte", "agency_headcount", "agency_rate_fte"),
    *("agency_rate_headcount", "agency_cover_fte", "agency_cover_rate_fte", "vacancy_fte", "vacancy_rate_fte"),
    *("vacancy_agency_cover_rate_fte", "case_holders_fte", "cases", "caseload_fte", "working_days_lost_fte"),
    "absence_rate_fte",
)
C1 = ("category", "referral_count", "rereferral_count", "rereferral_percent")


def yearly(
    years: Iterable[int],
    columns: Sequence[str] = WORKFORCE,
    *,
    councils: Sequence[str] = COUNCILS,
    value: str = "20",
    cells: dict[tuple[int, str], str] | None = None,
) -> bytes:
    """One row per council and year; `cells` sets a column's value in all councils of a year."""
    rows = [",".join((*PLACE, *columns))]
    for year in years:
        for code in councils:
            place = (
                f"{year},Reporting year,Local authority,E92000001,England,E12000001,North East,{code},E0{code},C {code}"
            )
            rows.append(",".join([place, *((cells or {}).get((year, c), value) for c in columns)]))
    return ("\n".join(rows) + "\n").encode()


REPORTS = (
    "urn,local_authority,publication_date,inspection_framework,inspection_start_date,overall_effectiveness_grade,"
    "impact_of_leaders_grade,help_and_protection_grade,in_care_grade,care_leavers_grade"
)


def reports(judged: Iterable[tuple[str, str]], grade: str = "good") -> bytes:
    """The history parsed from reports: (council, day of publication as dd/mm/yy)."""
    rows = [f"80001,{name},{day},standard,01/02/2020,{grade},{grade},{grade},{grade},{grade}" for name, day in judged]
    return "\n".join([REPORTS, *rows, ""]).encode()


def inspections(judged: Iterable[tuple[str, str]]) -> bytes:
    """Ofsted's layout of 2025 as a workbook: (council, day of publication as yyyy-mm-dd)."""
    headers = (
        "Local authority area code",
        "Local authority name",
        "Inspection type",
        "Inspection date",
        "Publication date",
        "Overall effectiveness",
        "The impact of leaders on social work practice with children and families",
        "The experiences and progress of children who need help and protection",
        "The experiences and progress of children in care",
        "The experiences and progress of care leavers",
    )
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("ILACS_inspection_history")
        sheet.write_row(0, 0, ["Local authority inspection outcomes"])
        sheet.write_row(2, 0, headers)
        for i, (name, day) in enumerate(judged, start=3):
            sheet.write_row(i, 0, ["E06000001", name, "ILACS Standard Inspection", day, day, *["Good"] * 5])
    return out.getvalue()

"""Writes the made-up region's cases as councils would send them to Ofsted: an Annex A workbook for a month.

Made-up children have made-up birth dates, ethnicities and placements here, because the real workbook has them and its
reader must not keep them. The same frames give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import xlsxwriter

from features.months import Month
from features.registry import CASELOAD

_WRITTEN = datetime(2020, 1, 1, tzinfo=UTC)
#: Lists 3 to 8 go back half a year.
WINDOW_MONTHS = 6

_FORENAMES = (
    "Ada", "Ben", "Cora", "Dan", "Eve", "Finn", "Gwen", "Hari", "Iris", "Jack", "Kofi", "Lena", "Maya", "Noah",
    "Orla", "Paul", "Quinn", "Rosa", "Sami", "Tess", "Umar", "Vera", "Will", "Xena", "Yusuf", "Zara",
)  # fmt: skip
_SURNAMES = (
    "Ash", "Birch", "Cedar", "Dale", "Elm", "Frost", "Glen", "Heath", "Ivy", "Juniper", "Kestrel", "Lark", "Marsh",
    "Nettle", "Oak", "Pine", "Quill", "Reed", "Stone", "Thorne", "Underhill", "Vale", "Wren", "Yarrow",
)  # fmt: skip
_GENDERS = ("a) Male", "b) Female", "c) Not stated/recorded")
_ETHNICITIES = ("a) WBRI", "k) APKN", "i) MOTH", "r) OOTH", "s) NOBT")
_STATUSES = {code: f"{code}) {words}" for code, words in CASELOAD.field("case_status").codes.items()}

_ABOUT = ("Child Unique ID", "Gender", "Ethnicity", "Date of Birth", "Age of Child (Years)")
_HELD = ("Allocated Team", "Allocated Worker")
_DISABILITY = "Does the Child have a Disability"

HEADERS: dict[str, tuple[str, ...]] = {
    "List 1": (*_ABOUT, "Date of Contact", "Contact Source"),
    "List 2": (
        *_ABOUT,
        "Assessment start date",
        "Assessment completion date",
        "Organisation completing assessment",
    ),
    "List 3": (
        *_ABOUT,
        "Date of referral",
        "Referral Source",
        "Referral NFA?",
        "Number of Referrals in Last 12 Months",
        *_HELD,
    ),
    "List 4": (
        *_ABOUT,
        _DISABILITY,
        "Continuous Assessment Start Date",
        "Child Seen During Continuous Assessment",
        "Continuous Assessment Date of Authorisation",
        "Was the child assessed as requiring LA children's social care support?",
        *_HELD,
    ),
    "List 5": (
        *_ABOUT,
        _DISABILITY,
        "Strategy discussion initiating Section 47 Enquiry Start Date",
        "Was an Initial Child Protection Conference deemed unnecessary?",
        "Date of Initial Child Protection Conference",
        "Did the Initial Child Protection Conference Result in a Child Protection Plan",
        "Number of Section 47 Enquiries in the last 12 months",
        "Number of ICPCs in the last 12 months",
        *_HELD,
    ),
    "List 6": (
        *_ABOUT,
        _DISABILITY,
        "CIN Start Date",
        "Primary Need Code",
        "Date Child Was Last Seen",
        "CIN Closure Date",
        "Reason for Closure",
        "Case Status",
        *_HELD,
    ),
    "List 7": (
        *_ABOUT,
        _DISABILITY,
        "Child Protection Plan Start Date",
        "Initial Category of Abuse",
        "Latest Category of Abuse",
        "Date of the Last Statutory Visit",
        "Was the Child Seen Alone?",
        "Date of latest review conference",
        "Child Protection Plan End Date",
        "Subject to Emergency Protection Order or Protected Under Police Powers in Last Six Months (Y/N)",
        "Number of Previous Child Protection Plans",
        *_HELD,
    ),
    "List 8": (
        *_ABOUT,
        "Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months (Y/N)",
        _DISABILITY,
        "Date Started to be Looked After",
        "Child's Category of Need",
        "Is this a second or subsequent period of being a Looked After Child within the last 12 months (Y/N)",
        "Start date of current legal status",
        "Child's Legal Status",
        "Date of Latest Statutory Review",
        "Date of Last Social Work Visit",
        "What is the permanence plan for this child?",
        "Number of Placements in the Last 12 months",
        "Date Ceased to be Looked After",
        "Reason Ceased to be Looked After",
        "Placement postcode",
        *_HELD,
    ),
    "List 9": (
        *_ABOUT,
        _DISABILITY,
        *_HELD,
        "Allocated Personal Advisor",
        "Eligibility Category",
        "LA in Touch",
        "Type of Accommodation",
    ),
    "List 10": (
        "Child Unique ID",
        "Family identifier",
        *_ABOUT[1:],
        "Date the Child Entered Care",
        "Date Placed for Adoption",
    ),
    "List 11": (
        "Individual adopter identifier",
        "Family identifier",
        "Gender",
        "Ethnicity",
        "Date enquiry received",
        "Date of Adoption Order",
    ),
}


def worker_name(ref: str) -> str:
    """A made-up name from the worker's number (`W123`); no two workers share a name."""
    rest, first = divmod(_number(ref), len(_FORENAMES))
    rest, last = divmod(rest, len(_SURNAMES))
    middle = ""
    while rest:
        rest, letter = divmod(rest, 26)
        middle += f"{chr(65 + letter)}. "
    return f"{_FORENAMES[first]} {middle}{_SURNAMES[last]}"


def annex_a_lists(cases: Sequence[pl.DataFrame], month: Month) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each list, from one council's caseload extracts for this month and the five before, oldest first.

    Frames are those of `generate` (`as_sent`). From an earlier month only cases closed by its end are used, because the
    lists hold the present work and the last half year.
    """
    since = month.plus(1 - WINDOW_MONTHS).first_day
    closed = [frame.filter(pl.col("closed_date").is_not_null()) for frame in cases[:-1]]
    lists: dict[str, list[tuple[Any, ...]]] = {name: [] for name in HEADERS}
    for row in pl.concat([*closed, cases[-1]]).iter_rows(named=True):
        for name, cells in _rows_of(row, since):
            lists[name].append(cells)
    for row in cases[-1].head(max(5, cases[-1].height // 20)).iter_rows(named=True):
        about = _about(row)
        lists["List 1"].append((*about, row["referral_date"], "q) 6: Police"))
        lists["List 2"].append((*about, row["referral_date"], None, "Early Help Service"))
        lists["List 9"].append((*about, "b) No", "Leaving Care", "Ada Ash", "Ben Birch", "b", "a) Yes", "U"))
    return lists


def annex_a_workbook(cases: Sequence[pl.DataFrame], month: Month) -> bytes:
    """The lists as a workbook, one sheet each."""
    return write_lists({name: [HEADERS[name], *rows] for name, rows in annex_a_lists(cases, month).items()})


def write_lists(sheets: dict[str, list[tuple[Any, ...]]]) -> bytes:
    """Sheets of cells as an Excel workbook: dates as dates, text as text, blank cells as nothing."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": _WRITTEN.replace(tzinfo=None)})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        page = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(r, c, value, day)
                elif isinstance(value, str):
                    page.write_string(r, c, value)
                elif value is not None:
                    page.write_number(r, c, value)
    book.close()
    return out.getvalue()


def _number(ref: str) -> int:
    return int(ref.lstrip("CW"))


def _about(row: dict[str, Any]) -> tuple[Any, ...]:
    """Personal details of the child, which a caseload extract neither has nor may keep."""
    ref = _number(row["case_ref"])
    born = date(2008, 1, 1) + timedelta(days=ref * 7919 % 6000)
    return (1_000_000 + ref, _GENDERS[ref % 3], _ETHNICITIES[ref % 5], born, 2026 - born.year)


def _rows_of(row: dict[str, Any], since: date) -> Iterator[tuple[str, tuple[Any, ...]]]:
    about, name = _about(row), row["allocated_worker_ref"]
    held = (row["team"], None if name is None else worker_name(name))
    referred, seen, closed = row["referral_date"], row["last_visit_date"], row["closed_date"]
    yield (
        "List 6",
        (
            *about,
            "b) No",
            referred,
            "N1",
            seen,
            closed,
            "RC7" if closed else None,
            _STATUSES[row["case_status"]],
            *held,
        ),
    )
    if referred >= since:
        yield "List 3", (*about, referred, "q) 6: Police", "b) No", int(row["re_referral"]), *held)
    started, authorised = row["assessment_start_date"], row["assessment_authorised_date"]
    if started is not None and (authorised is None or authorised >= since):
        yield "List 4", (*about, "b) No", started, "a) Yes", authorised, "a) Yes" if authorised else None, *held)
    strategy, conference = row["section_47_start_date"], row["icpc_date"]
    if strategy is not None and (strategy >= since or (conference is not None and conference >= since)):
        yield "List 5", (*about, "b) No", strategy, "b) No", conference, "a) Yes" if conference else None, 0, 0, *held)
    if row["cp_plan_start_date"] is not None:
        yield (
            "List 7",
            (
                *about, "b) No", row["cp_plan_start_date"], "a) Neglect", "a) Neglect", seen, "a) Yes",
                row["last_cp_review_date"], closed, "b) No", row["previous_cp_plans"], *held,
            ),
        )  # fmt: skip
    if row["case_status"] == "a":
        yield (
            "List 8",
            (
                *about, "b) No", "b) No", referred, "N1", "b) No", referred, "C2", None, seen, None, 1, None, None,
                "ZZ1 1ZZ", *held,
            ),
        )  # fmt: skip

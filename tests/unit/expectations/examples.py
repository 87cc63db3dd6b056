"""A small, sound council from which the tests of this room make every case by spoiling it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from expectations.accepted import Accepted
from expectations.batch import Batch, CheckHistory, Outcome
from expectations.passing.check import check_batches
from features.frames import counts_schema
from features.months import Month
from features.registry import EXTRACTS, Kind

OCTOBER = Month(2026, 10)
LAST = date(2026, 10, 31)

Row = dict[str, Any]


def worker(ref: int, role: str, fte: int, cases: int, **changes: Any) -> Row:
    return {
        "reference_date": LAST,
        "worker_ref": ref,
        "agency_worker": False,
        "org_role": role,
        "fte": fte,
        "role_start_date": date(2019, 4, 1),
        "role_end_date": None,
        "reason_leave": None,
        "leaver_destination": None,
        "cases": cases,
        "working_days_lost": 5,
        "absent_at_reference_date": False,
        "team": "North",
        **changes,
    }


def case(ref: int, worker: int | None, status: str, **changes: Any) -> Row:
    return {
        "reference_date": LAST,
        "case_ref": ref,
        "allocated_worker_ref": worker,
        "team": "North",
        "case_status": status,
        "referral_date": date(2026, 8, 3),
        "re_referral": False,
        "assessment_start_date": date(2026, 8, 4),
        "assessment_authorised_date": date(2026, 9, 21),
        "section_47_start_date": None,
        "icpc_date": None,
        "cp_plan_start_date": None,
        "cp_review_due_date": None,
        "last_cp_review_date": None,
        "last_visit_date": date(2026, 10, 20),
        "closed_date": None,
        "worker_changes_12m": 1,
        "previous_cp_plans": 0,
        **changes,
    }


def sound_rows() -> dict[Kind, list[Row]]:
    """One council without a fault: four workers in post, an agency worker, a leaver; seven cases; its totals."""
    plan = {
        "section_47_start_date": date(2026, 9, 1),
        "icpc_date": date(2026, 9, 15),
        "cp_plan_start_date": date(2026, 9, 15),
        "cp_review_due_date": date(2026, 12, 10),
        "last_cp_review_date": date(2026, 10, 1),
    }
    workers = [
        worker(1, "3", 100, 0),
        worker(2, "5", 100, 2),
        worker(3, "5", 80, 2),
        worker(4, "4", 100, 1, agency_worker=True, working_days_lost=None),
        worker(5, "5", 0, 0, role_end_date=date(2026, 10, 15), reason_leave="1", leaver_destination="1"),
        worker(6, "6", 50, 0),
    ]
    cases = [
        case(1, 2, "b", **plan),
        case(2, 2, "c"),
        case(3, 3, "a"),
        case(4, 3, "d", assessment_authorised_date=None),
        case(5, 4, "c"),
        case(
            6, None, "d", referral_date=date(2026, 10, 28), assessment_start_date=None, assessment_authorised_date=None
        ),
        case(7, 2, "e", closed_date=date(2026, 10, 9)),
    ]
    totals = {
        "reference_date": LAST,
        "vacancy_fte": 300,
        "agency_fte": 100,
        "agency_headcount": 1,
        "agency_cover_fte": 50,
    }
    aggregate = {
        "reference_date": LAST,
        "inpost_fte": 15050,
        "inpost_headcount": 160,
        "starters_fte": 2000,
        "starters_headcount": 22,
        "leavers_fte": 2500,
        "leavers_headcount": 27,
        "agency_fte": 2000,
        "agency_headcount": 21,
        "agency_cover_fte": 1500,
        "vacancy_fte": 1800,
        "case_holders_fte": 12000,
        "cases": 1900,
        "working_days_lost_fte": 13000,
        "open_cases": 2000,
        "unallocated_cases": 30,
        "referrals_12m": 2400,
        "re_referrals_12m": 500,
        "assessments_completed_12m": 2200,
        "assessments_in_time_12m": 1800,
        "icpcs_12m": 200,
        "icpcs_in_time_12m": 160,
        "section_47s_12m": 500,
        "cp_reviews_due": 180,
        "cp_reviews_in_time": 170,
        "cp_plans_started_12m": 170,
        "repeat_cp_plans_12m": 30,
    }
    return {Kind.WORKFORCE: workers, Kind.CASELOAD: cases, Kind.ESTABLISHMENT: [totals], Kind.RETURN: [aggregate]}


def dated(rows: Mapping[Kind, Sequence[Row]], month: Month) -> dict[Kind, list[Row]]:
    """The rows as those of another month."""
    return {kind: [{**row, "reference_date": month.last_day} for row in of] for kind, of in rows.items()}


def frame_of(kind: Kind, rows: Sequence[Row], la_code: str) -> pl.DataFrame:
    """A canonical frame of these rows; the first is row 2 of the file."""
    full = [{"la_code": la_code, "file_row": number, **row} for number, row in enumerate(rows, start=2)]
    return pl.DataFrame(full, schema=EXTRACTS[kind].schema)


def batch_of(councils: Mapping[str, Mapping[Kind, Sequence[Row]]], month: Month = OCTOBER, **changes: Any) -> Batch:
    """A month's batch of councils given by their rows."""
    frames = {}
    for kind in Kind:
        parts = [frame_of(kind, rows[kind], la) for la, rows in councils.items() if kind in rows]
        if parts:
            frames[kind] = pl.concat(parts)
    files = {(la, kind): f"{kind}.csv" for la, rows in councils.items() for kind in rows}
    return replace(Batch(month, frames, files=files), **changes)


def counts(kind: Kind, values: Mapping[Month, Mapping[str, int]], la_code: str = "901") -> pl.DataFrame:
    """The counts of a council's months; what is not given is null."""
    rows = [
        {"la_code": la_code, "month": m.last_day, "known_from": m.plus(1).first_day, "extract_sha256": str(m), **v}
        for m, v in values.items()
    ]
    schema = counts_schema(kind)
    return pl.DataFrame([{n: row.get(n) for n in schema} for row in rows], schema=schema)


def record_rows() -> dict[Kind, list[Row]]:
    """The sound council without the aggregate return."""
    return {kind: rows for kind, rows in sound_rows().items() if kind is not Kind.RETURN}


def large_rows() -> dict[Kind, list[Row]]:
    """The same council with 100 workers and 100 cases, so that one row is one in a hundred."""
    rows = record_rows()
    rows[Kind.WORKFORCE] += [worker(ref, "6", 100, 0) for ref in range(7, 101)]
    rows[Kind.CASELOAD] += [case(ref, None, "d") for ref in range(8, 101)]
    return rows


def checks_of(failures: pl.DataFrame, la_code: str) -> set[str]:
    """Codes of the checks that one council failed."""
    return set(failures.filter(pl.col("la_code") == la_code)["check"])


def check_batch(batch: Batch, history: CheckHistory | None = None, accepted: Sequence[Accepted] = ()) -> Outcome:
    """Check one month."""
    return check_batches((batch,), history, accepted)[0]

"""Declares what is counted per council and month, and from which fields."""

from __future__ import annotations

from features.registry.kinds import Accrual, Count, Kind, Unit

_W, _E, _C = Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD
_STOCK, _FLOW = Accrual.STOCK, Accrual.FLOW

COUNTS: tuple[Count, ...] = (
    Count(
        "inpost_fte",
        _W,
        _STOCK,
        Unit.FTE,
        "FTE of directly paid social workers in post at month end.",
        ("agency_worker", "fte", "role_end_date"),
        parts=100,
    ),
    Count(
        "inpost_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "The same, people (each worker_ref once).",
        ("agency_worker", "role_end_date"),
    ),
    Count(
        "starters_fte",
        _W,
        _FLOW,
        Unit.FTE,
        "FTE of directly paid workers whose role started in the month.",
        ("agency_worker", "fte", "role_start_date"),
        parts=100,
    ),
    Count("starters_headcount", _W, _FLOW, Unit.HEADCOUNT, "The same, people.", ("agency_worker", "role_start_date")),
    Count(
        "leavers_fte",
        _W,
        _FLOW,
        Unit.FTE,
        "FTE of directly paid workers who left in the month: as given on the leaving row, or as held the month before.",
        ("agency_worker", "fte", "role_end_date"),
        parts=100,
    ),
    Count("leavers_headcount", _W, _FLOW, Unit.HEADCOUNT, "The same, people.", ("agency_worker", "role_end_date")),
    Count(
        "moved_within_headcount",
        _W,
        _FLOW,
        Unit.HEADCOUNT,
        "Leavers with reason 7 (moved within the council): part of the official figure, shown apart.",
        ("agency_worker", "role_end_date", "reason_leave"),
    ),
    Count(
        "agency_worker_fte",
        _W,
        _STOCK,
        Unit.FTE,
        "FTE of agency workers by the worker rows; reconciled with the establishment row, not used for official rates.",
        ("agency_worker", "fte", "role_end_date"),
        parts=100,
    ),
    Count(
        "agency_worker_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "Agency workers by the worker rows, people.",
        ("agency_worker", "role_end_date"),
    ),
    Count(
        "case_holders_fte",
        _W,
        _STOCK,
        Unit.FTE,
        "FTE of workers, agency included, with FTE above 0 and at least one case.",
        ("fte", "cases", "role_end_date"),
        parts=100,
    ),
    Count("cases", _W, _STOCK, Unit.CASES, "Cases held by those workers.", ("fte", "cases", "role_end_date")),
    Count(
        "working_days_lost",
        _W,
        _FLOW,
        Unit.DAYS,
        "Working days lost to sickness by directly paid workers in the month.",
        ("agency_worker", "working_days_lost"),
        parts=10,
    ),
    Count(
        "absent_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "Directly paid workers absent on the last day.",
        ("agency_worker", "absent_at_reference_date", "role_end_date"),
    ),
    Count(
        "new_in_post_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "Directly paid workers who started in the last 12 months.",
        ("agency_worker", "role_start_date", "role_end_date"),
    ),
    Count(
        "managers_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "Managers (org_role 1 to 3), agency included.",
        ("org_role", "role_end_date"),
    ),
    Count(
        "managers_agency_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "… of them agency (interim).",
        ("agency_worker", "org_role", "role_end_date"),
    ),
    Count(
        "managers_leavers_headcount",
        _W,
        _FLOW,
        Unit.HEADCOUNT,
        "Managers, agency included, who left in the month.",
        ("org_role", "role_end_date"),
    ),
    Count(
        "senior_managers_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "Senior and middle managers (org_role 1 and 2).",
        ("org_role", "role_end_date"),
    ),
    Count(
        "senior_managers_leavers_headcount",
        _W,
        _FLOW,
        Unit.HEADCOUNT,
        "Senior and middle managers who left in the month.",
        ("org_role", "role_end_date"),
    ),
    Count(
        "first_line_managers_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "First line managers (org_role 3).",
        ("org_role", "role_end_date"),
    ),
    Count(
        "practitioners_headcount",
        _W,
        _STOCK,
        Unit.HEADCOUNT,
        "Workers with org_role 4 to 6, agency included.",
        ("org_role", "role_end_date"),
    ),
    Count("vacancy_fte", _E, _STOCK, Unit.FTE, "Vacant posts.", ("vacancy_fte",), parts=100),
    Count("agency_fte", _E, _STOCK, Unit.FTE, "Agency social workers.", ("agency_fte",), parts=100),
    Count("agency_headcount", _E, _STOCK, Unit.HEADCOUNT, "Agency social workers, people.", ("agency_headcount",)),
    Count("agency_cover_fte", _E, _STOCK, Unit.FTE, "Agency FTE covering vacancies.", ("agency_cover_fte",), parts=100),
    Count("open_cases", _C, _STOCK, Unit.CASES, "Episodes open at month end.", ("closed_date",)),
    Count(
        "unallocated_cases",
        _C,
        _STOCK,
        Unit.CASES,
        "… without an allocated worker.",
        ("closed_date", "allocated_worker_ref"),
    ),
    Count(
        "assessments_open",
        _C,
        _STOCK,
        Unit.CASES,
        "Assessments started and not authorised, case open.",
        ("closed_date", "assessment_start_date", "assessment_authorised_date"),
    ),
    Count(
        "assessments_overdue",
        _C,
        _STOCK,
        Unit.CASES,
        "… open for more than 45 working days.",
        ("closed_date", "assessment_start_date", "assessment_authorised_date"),
    ),
    Count(
        "assessments_completed",
        _C,
        _FLOW,
        Unit.CASES,
        "Assessments authorised in the month.",
        ("assessment_start_date", "assessment_authorised_date"),
    ),
    Count(
        "assessments_in_time",
        _C,
        _FLOW,
        Unit.CASES,
        "… within 45 working days of their start.",
        ("assessment_start_date", "assessment_authorised_date"),
    ),
    Count(
        "section_47s", _C, _FLOW, Unit.CASES, "Section 47 enquiries started in the month.", ("section_47_start_date",)
    ),
    Count(
        "icpcs",
        _C,
        _FLOW,
        Unit.CASES,
        "Initial child protection conferences held in the month after a section 47 start.",
        ("section_47_start_date", "icpc_date"),
    ),
    Count(
        "icpcs_in_time",
        _C,
        _FLOW,
        Unit.CASES,
        "… within 15 working days of that start.",
        ("section_47_start_date", "icpc_date"),
    ),
    Count(
        "cp_plans_open",
        _C,
        _STOCK,
        Unit.CASES,
        "Open episodes with a child protection plan.",
        ("closed_date", "cp_plan_start_date"),
    ),
    Count(
        "cp_reviews_due",
        _C,
        _STOCK,
        Unit.CASES,
        "Open plans that give a review due date.",
        ("closed_date", "cp_plan_start_date", "cp_review_due_date"),
    ),
    Count(
        "cp_reviews_in_time",
        _C,
        _STOCK,
        Unit.CASES,
        "… whose review due date has not passed at month end.",
        ("closed_date", "cp_plan_start_date", "cp_review_due_date"),
    ),
    Count(
        "cp_plans_started",
        _C,
        _FLOW,
        Unit.CASES,
        "Child protection plans started in the month.",
        ("cp_plan_start_date",),
    ),
    Count(
        "repeat_cp_plans",
        _C,
        _FLOW,
        Unit.CASES,
        "… for a child who had one before.",
        ("cp_plan_start_date", "previous_cp_plans"),
    ),
    Count(
        "visits_due",
        _C,
        _STOCK,
        Unit.CASES,
        "Open cases with a plan (case_status a, b or c).",
        ("closed_date", "case_status"),
    ),
    Count(
        "visits_overdue",
        _C,
        _STOCK,
        Unit.CASES,
        "… not visited in the last 30 working days (six weeks).",
        ("closed_date", "case_status", "last_visit_date"),
    ),
    Count("referrals", _C, _FLOW, Unit.CASES, "Referrals that came in the month.", ("referral_date",)),
    Count(
        "re_referrals", _C, _FLOW, Unit.CASES, "… within 12 months of an earlier one.", ("referral_date", "re_referral")
    ),
    Count("closures", _C, _FLOW, Unit.CASES, "Episodes closed in the month.", ("closed_date",)),
    Count(
        "cases_with_history",
        _C,
        _STOCK,
        Unit.CASES,
        "Open cases that say how often the worker changed.",
        ("closed_date", "worker_changes_12m"),
    ),
    Count(
        "cases_three_workers",
        _C,
        _STOCK,
        Unit.CASES,
        "… with three or more workers in 12 months (two changes or more).",
        ("closed_date", "worker_changes_12m"),
    ),
    Count(
        "cases_seen_twice",
        _C,
        _STOCK,
        Unit.CASES,
        "Cases open and allocated both at this month end and the one before.",
        ("closed_date", "allocated_worker_ref"),
    ),
    Count(
        "cases_worker_changed",
        _C,
        _STOCK,
        Unit.CASES,
        "… with another worker than a month ago.",
        ("closed_date", "allocated_worker_ref"),
    ),
)

#: The figure from the council register that measures divide by.
POPULATION_INPUT = "population_0_17"

#: Trailing windows, in months, over which flows are summed into inputs (`leavers_fte_12m`). The single month is used
#: only by process-behaviour charts, whose rules need points that do not overlap.
WINDOWS: tuple[int, ...] = (1, 3, 12)


def counts_of(extract: Kind) -> tuple[Count, ...]:
    """The counts made from one extract, in the order declared."""
    return tuple(c for c in COUNTS if c.extract is extract)


def input_names(count: Count) -> tuple[str, ...]:
    """The inputs a count yields: itself if it is a stock, one per window if it is a flow."""
    if count.accrual is Accrual.STOCK:
        return (count.name,)
    return tuple(f"{count.name}_{window}m" for window in WINDOWS)


#: Every input of the measures' formulas, and the number of parts that make one unit of it.
INPUT_PARTS: dict[str, int] = {name: c.parts for c in COUNTS for name in input_names(c)} | {POPULATION_INPUT: 1}

#: Column of a `return` extract -> the input it becomes. Published flows are of the year that ends with the month.
RETURN_INPUTS: dict[str, str] = {
    "inpost_fte": "inpost_fte",
    "inpost_headcount": "inpost_headcount",
    "starters_fte": "starters_fte_12m",
    "starters_headcount": "starters_headcount_12m",
    "leavers_fte": "leavers_fte_12m",
    "leavers_headcount": "leavers_headcount_12m",
    "agency_fte": "agency_fte",
    "agency_headcount": "agency_headcount",
    "agency_cover_fte": "agency_cover_fte",
    "vacancy_fte": "vacancy_fte",
    "case_holders_fte": "case_holders_fte",
    "cases": "cases",
    "working_days_lost_fte": "working_days_lost_12m",
    "open_cases": "open_cases",
    "unallocated_cases": "unallocated_cases",
    "referrals_12m": "referrals_12m",
    "re_referrals_12m": "re_referrals_12m",
    "assessments_completed_12m": "assessments_completed_12m",
    "assessments_in_time_12m": "assessments_in_time_12m",
    "icpcs_12m": "icpcs_12m",
    "icpcs_in_time_12m": "icpcs_in_time_12m",
    "section_47s_12m": "section_47s_12m",
    "cp_reviews_due": "cp_reviews_due",
    "cp_reviews_in_time": "cp_reviews_in_time",
    "cp_plans_started_12m": "cp_plans_started_12m",
    "repeat_cp_plans_12m": "repeat_cp_plans_12m",
}

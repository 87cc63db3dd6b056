"""Static rules of the caseload extract. Sources: Ofsted's Annex A; Working Together (assessment, section 47)."""

from __future__ import annotations

import polars as pl

from expectations.batch import Severity
from expectations.suites.generated import generated
from expectations.suites.rules import Rule, only_where, row_rule
from features.registry import Kind

_KIND = Kind.CASELOAD
_ERROR, _QUERY, _INFORMATION = Severity.ERROR, Severity.QUERY, Severity.INFORMATION

_first, _last = pl.col("month_first"), pl.col("month")
_closed, _referred = pl.col("closed_date"), pl.col("referral_date")
_open = _closed.is_null() | (_closed > _last)
_status = pl.col("case_status")

#: Six weeks, as in `VISIT_LIMIT_WORKING_DAYS`: a case opened since then need not have been visited yet.
_VISIT_DAYS = 42


def _after(later: str, earlier: str, what: str, severity: Severity, remedy: str) -> Rule:
    return row_rule(
        _KIND,
        (later, earlier),
        what,
        severity,
        pl.col(later) >= pl.col(earlier),
        f"{later} lies before {earlier}",
        remedy,
    )


_TWO_DATES = "Correct whichever date is wrong."

RULES: tuple[Rule, ...] = (
    *generated(_KIND),
    row_rule(
        _KIND,
        "referral_date",
        "missing",
        _ERROR,
        _referred.is_not_null(),
        "referral_date is empty",
        "Give the day the referral came that opened this episode.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        "case_status",
        "missing",
        _ERROR,
        _status.is_not_null(),
        "case_status is empty",
        "Give the status, a to e.",
        reads_empty=True,
    ),
    _after("closed_date", "referral_date", "before_referral", _ERROR, _TWO_DATES),
    row_rule(
        _KIND,
        "closed_date",
        "before_month",
        _QUERY,
        _closed >= _first,
        "closed_date lies before the month; the case is not counted at all",
        "Leave out episodes closed in an earlier month; send those open at month end or closed in the month.",
    ),
    row_rule(
        _KIND,
        "closed_date",
        "after_month",
        _QUERY,
        _closed <= _last,
        "closed_date lies after the month; the case is counted as open",
        "Run the extract as at the last day of the month, or correct the date.",
    ),
    row_rule(
        _KIND,
        ("case_status", "closed_date"),
        "closed_without_date",
        _ERROR,
        only_where(_status == "e", _closed.is_not_null()),
        "case_status is e, closed episode, but closed_date is empty",
        "Give the day it closed, or the status it has.",
    ),
    row_rule(
        _KIND,
        ("case_status", "closed_date"),
        "closed_with_date",
        _QUERY,
        only_where(_closed <= _last, _status == "e"),
        "closed_date is given but case_status is not e, closed episode",
        "Check that the case is closed; it is counted as closed.",
    ),
    _after("assessment_authorised_date", "assessment_start_date", "before_start", _ERROR, _TWO_DATES),
    row_rule(
        _KIND,
        ("assessment_authorised_date", "assessment_start_date"),
        "without_start",
        _ERROR,
        only_where(pl.col("assessment_authorised_date").is_not_null(), pl.col("assessment_start_date").is_not_null()),
        "an assessment is authorised but has no assessment_start_date",
        "Give the day the assessment started.",
    ),
    _after(
        "assessment_start_date",
        "referral_date",
        "before_referral",
        _QUERY,
        "Check that the assessment belongs to this referral.",
    ),
    _after("icpc_date", "section_47_start_date", "before_section_47", _ERROR, _TWO_DATES),
    row_rule(
        _KIND,
        ("icpc_date", "section_47_start_date"),
        "without_section_47",
        _QUERY,
        only_where(pl.col("icpc_date").is_not_null(), pl.col("section_47_start_date").is_not_null()),
        "a conference has no section_47_start_date; it is not counted for timeliness",
        "Give the day of the strategy discussion. Nothing to do for a child who moved in with a plan.",
    ),
    _after(
        "cp_plan_start_date",
        "icpc_date",
        "before_icpc",
        _QUERY,
        "A plan starts at the conference; check both dates.",
    ),
    row_rule(
        _KIND,
        ("case_status", "cp_plan_start_date"),
        "plan_without_date",
        _QUERY,
        only_where(_open & (_status == "b"), pl.col("cp_plan_start_date").is_not_null()),
        "case_status is b, child protection plan, but cp_plan_start_date is empty",
        "Give the day the plan started, or the status the case has.",
    ),
    row_rule(
        _KIND,
        ("cp_review_due_date", "cp_plan_start_date"),
        "missing",
        _QUERY,
        only_where(_open & pl.col("cp_plan_start_date").is_not_null(), pl.col("cp_review_due_date").is_not_null()),
        "an open child protection plan has no cp_review_due_date; it is left out of reviews in time",
        "Give the day the next review is due.",
        reads_empty=True,
    ),
    _after(
        "cp_review_due_date",
        "last_cp_review_date",
        "before_last_review",
        _ERROR,
        "Give the day the next review is due, which is after the last one; check that the columns are not swapped.",
    ),
    row_rule(
        _KIND,
        ("last_cp_review_date", "cp_plan_start_date"),
        "without_plan",
        _QUERY,
        only_where(pl.col("last_cp_review_date").is_not_null(), pl.col("cp_plan_start_date").is_not_null()),
        "last_cp_review_date is given for a case without a child protection plan",
        "Check that it is not another date, such as a visit's.",
    ),
    _after(
        "last_cp_review_date",
        "cp_plan_start_date",
        "before_plan",
        _QUERY,
        "Give reviews of the current plan only.",
    ),
    row_rule(
        _KIND,
        ("last_visit_date", "case_status"),
        "missing",
        _INFORMATION,
        only_where(
            _open & _status.is_in(["a", "b", "c"]) & (_referred < _last.dt.offset_by(f"-{_VISIT_DAYS}d")),
            pl.col("last_visit_date").is_not_null(),
        ),
        "an open case with a plan, referred over six weeks ago, has no visit; it counts as overdue",
        "Give the last visit; leave empty if there was none.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        ("re_referral", "referral_date"),
        "missing",
        _ERROR,
        only_where(_referred.is_between(_first, _last), pl.col("re_referral").is_not_null()),
        "re_referral is empty for a referral of the month",
        "Write 1 if another referral came within the 12 months before, else 0.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        ("previous_cp_plans", "cp_plan_start_date"),
        "missing",
        _ERROR,
        only_where(pl.col("cp_plan_start_date").is_between(_first, _last), pl.col("previous_cp_plans").is_not_null()),
        "previous_cp_plans is empty for a plan started in the month",
        "Write 0 if the child had none.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        "allocated_worker_ref",
        "unknown",
        _QUERY,
        pl.col("worker_known"),
        "allocated_worker_ref is not in the workforce extract of the month",
        "Use the same reference in both extracts, and send agency workers in the workforce extract too.",
        needs=(Kind.WORKFORCE,),
    ),
    row_rule(
        _KIND,
        ("allocated_worker_ref", "closed_date"),
        "has_left",
        _QUERY,
        only_where(_open & pl.col("worker_known"), pl.col("worker_in_post")),
        "an open case is allocated to a worker who has left",
        "Give the case to another worker, or leave allocated_worker_ref empty: the case is unallocated.",
        needs=(Kind.WORKFORCE,),
    ),
)

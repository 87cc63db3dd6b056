"""Static rules of the workforce extract. Source of the cross-field rules: DfE's workforce census (CSWW)."""

from __future__ import annotations

import polars as pl

from expectations.batch import Severity
from expectations.suites.generated import generated
from expectations.suites.rules import Rule, Spare, only_where, row_rule
from features.registry import Kind

_KIND = Kind.WORKFORCE
_ERROR, _QUERY = Severity.ERROR, Severity.QUERY

_end, _start = pl.col("role_end_date"), pl.col("role_start_date")
_in_post = _end.is_null() | (_end > pl.col("month"))
_left = _end.is_between(pl.col("month_first"), pl.col("month"))
_direct = pl.col("agency_worker").not_()
_fte, _cases = pl.col("fte"), pl.col("cases")

#: With fewer rows than this, no rule judges the file as a whole.
_SOME = 5


def _is_sum(name: str) -> pl.Expr:
    """Whether a row is the sum of the file's other rows, if there are any."""
    column = pl.col(name).fill_null(0).cast(pl.Int64)
    return (column > 0) & (2 * column == column.sum().over("file_no")) & (pl.len().over("file_no") > _SOME)


RULES: tuple[Rule, ...] = (
    *generated(_KIND),
    row_rule(
        _KIND,
        "fte",
        "missing",
        _ERROR,
        only_where(_in_post, _fte.is_not_null()),
        "fte is empty for someone in post",
        "Give contracted hours over standard hours, for agency workers too.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        "fte",
        "all_zero",
        _ERROR,
        # In a small file everybody may be on unpaid leave.
        only_where(_in_post & (_in_post.sum().over("file_no") >= _SOME), (_in_post & (_fte > 0)).any().over("file_no")),
        "fte is 0 for everybody in post",
        "Give contracted hours over standard hours; open and save the file in Excel if a formula was never calculated.",
    ),
    row_rule(
        _KIND,
        ("fte", "cases"),
        "total",
        _ERROR,
        (_is_sum("fte") & _is_sum("cases")).not_(),
        "a row's fte and cases are the sums of all the other rows, so it is a total",
        "Leave totals out of the extract.",
        whole_file=True,
        spare=Spare.ROWS,
    ),
    row_rule(
        _KIND,
        "org_role",
        "missing",
        _ERROR,
        only_where(_in_post & _direct, pl.col("org_role").is_not_null()),
        "org_role is empty for a directly paid worker in post",
        "Give the role, 1 to 6.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        "role_start_date",
        "missing",
        _ERROR,
        only_where(_in_post & _direct, _start.is_not_null()),
        "role_start_date is empty for a directly paid worker in post",
        "Give the day the worker started in the council.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        "working_days_lost",
        "missing",
        _ERROR,
        only_where(_in_post & _direct, pl.col("working_days_lost").is_not_null()),
        "working_days_lost is empty for a directly paid worker in post",
        "Write 0 where no day was lost.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        "cases",
        "missing",
        _ERROR,
        only_where(_in_post & (pl.col("org_role") == "5"), _cases.is_not_null()),
        "cases is empty for a case holder in post",
        "Write 0 where the worker holds none.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        ("role_end_date", "role_start_date"),
        "before_start",
        _ERROR,
        _end >= _start,
        "role_end_date lies before role_start_date",
        "Correct whichever date is wrong.",
    ),
    row_rule(
        _KIND,
        "role_end_date",
        "before_month",
        _QUERY,
        _end >= pl.col("month_first"),
        "role_end_date lies before the month; the worker is not counted at all",
        "Leave out workers who left in an earlier month, and check that those who left this month are in the file.",
    ),
    row_rule(
        _KIND,
        "role_end_date",
        "after_month",
        _QUERY,
        _end <= pl.col("month"),
        "role_end_date lies after the month; the worker is counted as in post",
        "Nothing to do if a leaving date is agreed; otherwise correct the date.",
    ),
    row_rule(
        _KIND,
        "reason_leave",
        "missing",
        _ERROR,
        only_where(_left, pl.col("reason_leave").is_not_null()),
        "reason_leave is empty for someone who left",
        "Give the reason, 10 if not yet collected.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        "leaver_destination",
        "missing",
        _QUERY,
        only_where(_left & _direct, pl.col("leaver_destination").is_not_null()),
        "leaver_destination is empty for someone who left",
        "Give the destination, 9 if not yet collected.",
        reads_empty=True,
    ),
    row_rule(
        _KIND,
        ("reason_leave", "role_end_date"),
        "without_end",
        _QUERY,
        only_where(pl.col("reason_leave").is_not_null(), _end.is_not_null()),
        "reason_leave is given, role_end_date is not; the worker is counted as in post",
        "Give the day the worker left, or take the reason out.",
    ),
    row_rule(
        _KIND,
        ("cases", "fte"),
        "without_hours",
        _QUERY,
        only_where(_in_post & (_cases > 0), _fte > 0),
        "a worker holds cases but fte is 0 or empty; neither counts in the caseload",
        "Give the fte, or record the cases against the worker who holds them.",
    ),
    row_rule(
        _KIND,
        ("cases", "org_role"),
        "role_without_cases",
        _QUERY,
        only_where(_in_post & (pl.col("org_role") == "6"), _cases.fill_null(0) == 0),
        "a worker whose org_role is 6, qualified without cases, holds cases",
        "Correct the role or the cases.",
    ),
    row_rule(
        _KIND,
        ("cases", "role_end_date"),
        "of_leaver",
        _QUERY,
        only_where(_left, _cases.fill_null(0) == 0),
        "someone who left still holds cases; they are not counted in the caseload",
        "Check that the cases have been given to another worker.",
    ),
    row_rule(
        _KIND,
        "working_days_lost",
        "more_than_month",
        _QUERY,
        # Days lost are in tenths; working days are weekdays that are not bank holidays.
        pl.col("working_days_lost") <= 10 * pl.col("working_days"),
        "working_days_lost is more than the month has working days",
        "Count the working days lost in this month only, not calendar days or the year so far.",
    ),
)

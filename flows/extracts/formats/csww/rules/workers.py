"""Rules across the elements of one worker's record.

Those of liia-tools' validator come first; the others are reasoned, and say from what.
"""

from __future__ import annotations

import polars as pl

from expectations.batch import Severity
from features.registry import WORKFORCE, WORKING_DAYS_PER_LEAP_YEAR
from flows.extracts.formats.csww.rules.kinds import Collection, worker_rule
from flows.extracts.formats.csww.typed import RAW, direct, fte, in_post, is_present, value

_ERROR, _QUERY = Severity.ERROR, Severity.QUERY
#: A social worker is a graduate; the upper limit only finds typing errors.
_YOUNGEST, _OLDEST = 20, 85
_DAYS_PER_YEAR = 365.25
_MOST_CASES = int(WORKFORCE.field("cases").maximum or 0)


def _is(name: str, code: str) -> pl.Expr:
    return (value(name) == code).fill_null(False)


def _above_zero(name: str) -> pl.Expr:
    return (value(name) > 0).fill_null(False)


@worker_rule(
    "CSWW-W201",
    _ERROR,
    "RoleStartDate is given but StartOrigin is missing",
    "Say where the worker came from, 10 if not yet collected.",
)
def start_without_origin(_: Collection) -> pl.Expr:
    """liia-tools, validator.py: a start date and an origin come together."""
    return is_present("RoleStartDate") & is_present("StartOrigin").not_()


@worker_rule(
    "CSWW-W202",
    _ERROR,
    "StartOrigin is given but RoleStartDate is missing",
    "Give the day the role began.",
)
def origin_without_start(_: Collection) -> pl.Expr:
    """liia-tools, validator.py: a start date and an origin come together."""
    return is_present("StartOrigin") & is_present("RoleStartDate").not_()


@worker_rule(
    "CSWW-W203",
    _ERROR,
    "RoleEndDate is given but FTE is not 0",
    "Write FTE 0 for whoever has left, or take the end date out.",
)
def leaver_with_fte(_: Collection) -> pl.Expr:
    """liia-tools, validator.py: a leaver's FTE is 0."""
    return is_present("RoleEndDate") & (value("FTE") == 0).fill_null(False).not_()


@worker_rule(
    "CSWW-W204",
    _ERROR,
    "RoleEndDate is given but ReasonLeave is missing",
    "Give the reason, 10 if not yet collected.",
)
def end_without_reason(_: Collection) -> pl.Expr:
    """liia-tools, validator.py: a leaver has a reason."""
    return is_present("RoleEndDate") & is_present("ReasonLeave").not_()


@worker_rule(
    "CSWW-W205",
    _ERROR,
    "RoleEndDate is given but LeaverDestination is missing",
    "Give the destination, 9 if not yet collected.",
)
def end_without_destination(_: Collection) -> pl.Expr:
    """liia-tools, validator.py: a leaver has a destination."""
    return is_present("RoleEndDate") & is_present("LeaverDestination").not_()


@worker_rule(
    "CSWW-W206",
    _ERROR,
    "ReasonLeave is given but RoleEndDate is missing",
    "Give the day the role ended, or take the reason out.",
)
def reason_without_end(_: Collection) -> pl.Expr:
    """liia-tools, validator.py: only a leaver has a reason."""
    return is_present("ReasonLeave") & is_present("RoleEndDate").not_()


@worker_rule(
    "CSWW-W207",
    _ERROR,
    "LeaverDestination is given but RoleEndDate is missing",
    "Give the day the role ended, or take the destination out.",
)
def destination_without_end(_: Collection) -> pl.Expr:
    """liia-tools, validator.py: only a leaver has a destination."""
    return is_present("LeaverDestination") & is_present("RoleEndDate").not_()


@worker_rule(
    "CSWW-W208",
    _ERROR,
    "RoleEndDate lies before RoleStartDate",
    "Correct whichever date is wrong.",
)
def ends_before_start(_: Collection) -> pl.Expr:
    """A role cannot end before it begins."""
    return value("RoleEndDate") < value("RoleStartDate")


@worker_rule(
    "CSWW-W209",
    _ERROR,
    "RoleStartDate lies after the reference date",
    "Leave out workers who started later; they belong to the next return.",
)
def starts_after_reference_date(c: Collection) -> pl.Expr:
    """The return covers the 12 months to the reference date (DfE's methodology)."""
    return value("RoleStartDate") > c.reference_date


@worker_rule(
    "CSWW-W210",
    _QUERY,
    "RoleEndDate lies after the reference date; the worker is counted as in post",
    "Leave the end, its reason and its destination out of this return; they belong to the next.",
)
def ends_after_reference_date(c: Collection) -> pl.Expr:
    """The return covers the 12 months to the reference date; on that day the worker was in post."""
    return value("RoleEndDate") > c.reference_date


@worker_rule(
    "CSWW-W211",
    _ERROR,
    "RoleEndDate lies before the year of the return",
    "Leave out workers who left in an earlier year; they were in an earlier return.",
)
def ended_before_the_year(c: Collection) -> pl.Expr:
    """Leavers are counted over the year to 30 September (DfE's methodology), so an earlier one is not counted."""
    return value("RoleEndDate") < c.first_day


@worker_rule(
    "CSWW-W212",
    _QUERY,
    f"the age at the reference date is below {_YOUNGEST} or above {_OLDEST}",
    "Check the date of birth.",
)
def implausible_age(c: Collection) -> pl.Expr:
    """A registered social worker is a graduate; the limits find typing errors."""
    years = (pl.lit(c.reference_date) - value("PersonBirthDate")).dt.total_days() / _DAYS_PER_YEAR
    return years.is_between(_YOUNGEST, _OLDEST).not_()


@worker_rule(
    "CSWW-W213",
    _QUERY,
    "the role began before the worker was 18",
    "Check the date of birth and the start date.",
)
def started_as_a_child(_: Collection) -> pl.Expr:
    """A registered social worker is an adult."""
    return (value("RoleStartDate") - value("PersonBirthDate")).dt.total_days() / _DAYS_PER_YEAR < 18


@worker_rule(
    "CSWW-W214",
    _QUERY,
    "FTE30 is 0 for a directly paid worker in post",
    "Check that the worker was in post and had contracted hours on the day.",
)
def in_post_without_hours(c: Collection) -> pl.Expr:
    """FTE is contracted hours over standard hours (DfE's methodology); a worker with none adds nothing to any rate."""
    return direct() & in_post(c.reference_date) & (value("FTE30") == 0).fill_null(False)


@worker_rule(
    "CSWW-W215",
    _QUERY,
    "the worker holds cases but has no FTE; neither counts in the caseload",
    "Give the FTE, or record the cases against the worker who holds them.",
)
def cases_without_hours(c: Collection) -> pl.Expr:
    """DfE's caseload divides by the FTE of those with FTE above 0 and at least one case."""
    return in_post(c.reference_date) & _above_zero("Cases30") & (fte() > 0).fill_null(False).not_()


@worker_rule(
    "CSWW-W216",
    _QUERY,
    "Cases30 is missing for a case holder in post",
    "Give the cases held on the day, 0 if there were none.",
)
def holder_without_cases(c: Collection) -> pl.Expr:
    """OrgRole 5 is Case Holder; without Cases30 the worker is left out of DfE's caseload."""
    return in_post(c.reference_date) & _is("OrgRole", "5") & (fte() > 0).fill_null(False) & is_present("Cases30").not_()


@worker_rule(
    "CSWW-W217",
    _QUERY,
    "a worker whose OrgRole is 6, qualified without cases, holds cases",
    "Correct the role or the cases.",
)
def cases_in_role_without(c: Collection) -> pl.Expr:
    """OrgRole 6 is Qualified Without Cases."""
    return in_post(c.reference_date) & _is("OrgRole", "6") & _above_zero("Cases30")


@worker_rule(
    "CSWW-W218",
    _QUERY,
    "someone who left holds cases at the reference date; the cases are not counted",
    "Record the cases against the worker who held them on the day.",
)
def cases_of_leaver(c: Collection) -> pl.Expr:
    """Cases30 is for 30 September, when a leaver is no longer there."""
    return (value("RoleEndDate") <= c.reference_date).fill_null(False) & _above_zero("Cases30")


@worker_rule(
    "CSWW-W219",
    _QUERY,
    "FTE and FTE30 differ for a worker in post; FTE30 is counted",
    "Both are of the reference date; check which is right.",
)
def two_ftes(c: Collection) -> pl.Expr:
    """FTE30 is for 30 September; for someone in post, FTE is for the same day."""
    both = (value("FTE") > 0) & (value("FTE30") > 0) & (value("FTE") != value("FTE30"))
    return in_post(c.reference_date) & both.fill_null(False)


@worker_rule(
    "CSWW-W220",
    _ERROR,
    "one of FTE and FTE30 is 0 and the other is not, but there is no RoleEndDate; the worker's FTE is not counted",
    "Give the end date if the worker left; otherwise correct whichever is wrong.",
)
def perhaps_left(_: Collection) -> pl.Expr:
    """The return marks a leaver with FTE 0, so it is unclear whether this worker is in post."""
    return pl.col(RAW + "RoleEndDate").is_null() & ((value("FTE") == 0) != (value("FTE30") == 0)).fill_null(False)


@worker_rule(
    "CSWW-W221",
    _QUERY,
    "someone who left has an FTE at the reference date; it is not counted",
    "Write FTE30 0 for whoever had left by the day.",
)
def fte_of_leaver(c: Collection) -> pl.Expr:
    """FTE30 is for 30 September, when a leaver is no longer there."""
    return (value("RoleEndDate") <= c.reference_date).fill_null(False) & _above_zero("FTE30")


@worker_rule(
    "CSWW-W222",
    _QUERY,
    f"WorkingDaysLost is more than the {WORKING_DAYS_PER_LEAP_YEAR} working days of a year",
    "Count working days, not calendar days or hours.",
)
def more_days_than_a_year(_: Collection) -> pl.Expr:
    """DfE divides by 253 working days a year, 254 with a 29 February (methodology)."""
    return value("WorkingDaysLost") > 100 * WORKING_DAYS_PER_LEAP_YEAR


@worker_rule(
    "CSWW-W223",
    _QUERY,
    "Absat30Sept is 1 but ReasonAbsence is missing",
    "Give the reason for the absence.",
)
def absent_without_reason(_: Collection) -> pl.Expr:
    """The reason is asked for those who were absent."""
    return _is("Absat30Sept", "1") & is_present("ReasonAbsence").not_()


@worker_rule(
    "CSWW-W224",
    _QUERY,
    "ReasonAbsence is given but Absat30Sept is not 1",
    "Correct the absence or its reason.",
)
def reason_without_absence(_: Collection) -> pl.Expr:
    """The reason is asked for those who were absent."""
    return is_present("ReasonAbsence") & _is("Absat30Sept", "1").not_()


@worker_rule(
    "CSWW-W225",
    _QUERY,
    "someone who left is absent at the reference date",
    "Take the absence out; a leaver is not absent.",
)
def absent_leaver(c: Collection) -> pl.Expr:
    """Absat30Sept is for 30 September, when a leaver is no longer there."""
    return (value("RoleEndDate") <= c.reference_date).fill_null(False) & _is("Absat30Sept", "1")


@worker_rule(
    "CSWW-W226",
    _QUERY,
    "FTE and FTE30 are both missing for a worker in post; no rate counts the worker",
    "Give the FTE, for agency workers too.",
)
def no_fte(c: Collection) -> pl.Expr:
    """DfE's methodology: workers without a known FTE are left out of FTE figures."""
    return in_post(c.reference_date) & is_present("FTE").not_() & is_present("FTE30").not_()


@worker_rule(
    "CSWW-W227",
    _QUERY,
    f"Cases30 is more than {_MOST_CASES}",
    "Check the cases; a team's cases belong to the workers who hold them.",
)
def too_many_cases(_: Collection) -> pl.Expr:
    """The limit of the monthly workforce extract; councils' mean caseload was at most 24 (DfE, 2017 to 2025)."""
    return value("Cases30") > _MOST_CASES


@worker_rule(
    "CSWW-W228",
    _QUERY,
    "StepUpGrad and FrontlineGrad are both 1",
    "Check which of the two programmes the worker completed.",
)
def two_programmes(_: Collection) -> pl.Expr:
    """Step Up and Frontline are alternative ways to qualify."""
    return _is("StepUpGrad", "1") & _is("FrontlineGrad", "1")


@worker_rule(
    "CSWW-W401",
    _ERROR,
    "the elements of the record are not in the order of the specification",
    "Export them in order; they were read here, but DfE's system may not load them.",
)
def elements_out_of_order(_: Collection) -> pl.Expr:
    """The 2022 XML schema of liia-tools (a sequence)."""
    return pl.col("unordered")


@worker_rule(
    "CSWW-W402",
    _ERROR,
    "the record has elements that the return does not have; they were not read",
    "Export the record without them, and check how the names of elements are written.",
)
def unknown_elements(_: Collection) -> pl.Expr:
    """The 2022 XML schema of liia-tools."""
    return pl.col("unknown") > 0


RULES = (
    start_without_origin,
    origin_without_start,
    leaver_with_fte,
    end_without_reason,
    end_without_destination,
    reason_without_end,
    destination_without_end,
    ends_before_start,
    starts_after_reference_date,
    ends_after_reference_date,
    ended_before_the_year,
    implausible_age,
    started_as_a_child,
    in_post_without_hours,
    cases_without_hours,
    holder_without_cases,
    cases_in_role_without,
    cases_of_leaver,
    two_ftes,
    perhaps_left,
    fte_of_leaver,
    more_days_than_a_year,
    absent_without_reason,
    reason_without_absence,
    absent_leaver,
    no_fte,
    too_many_cases,
    two_programmes,
    elements_out_of_order,
    unknown_elements,
)

"""Every static rule is broken once, each in a council of its own, and all are checked in one pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
import pytest

from expectations.batch import Batch, Outcome, Severity
from expectations.passing.static_pass import RULES
from features.registry import EXTRACTS, FieldType, Kind
from tests.unit.expectations.examples import batch_of, check_batch, checks_of, sound_rows


@dataclass(frozen=True)
class Planted:
    """A fault put into one row (counted from 0) of a sound council."""

    code: str
    row: int
    changes: dict[str, Any] = field(default_factory=dict)
    repeat: bool = False
    """Send the row twice."""
    everybody: tuple[int, ...] = ()
    """Put the fault into every row; these, as a person sees them in the file, are concerned."""

    @property
    def kind(self) -> Kind:
        return Kind(self.code.partition(".")[0])


def _p(code: str, row: int, **changes: Any) -> Planted:
    return Planted(code, row, changes)


_CLOSED, _PLAN = 6, 0

PLANTED: tuple[Planted, ...] = (
    _p("workforce.reference_date.missing", 1, reference_date=None),
    _p("workforce.worker_ref.missing", 5, worker_ref=None),
    _p("workforce.agency_worker.missing", 1, agency_worker=None),
    _p("workforce.org_role.code", 1, org_role="7"),
    _p("workforce.fte.range", 1, fte=3700),
    _p("workforce.fte.range", 2, fte=-1),
    _p("workforce.role_start_date.range", 1, role_start_date=date(2026, 11, 1)),
    _p("workforce.role_start_date.range", 1, role_start_date=date(1899, 12, 31)),
    _p("workforce.reason_leave.code", 4, reason_leave="11"),
    _p("workforce.leaver_destination.code", 4, leaver_destination="x"),
    _p("workforce.cases.range", 1, cases=201),
    _p("workforce.working_days_lost.range", 1, working_days_lost=-5),
    _p("workforce.reference_date.month", 1, reference_date=date(2026, 9, 30)),
    Planted("workforce.worker_ref.unique", 5, repeat=True),
    _p("workforce.fte.missing", 1, fte=None),
    _p("workforce.org_role.missing", 1, org_role=None),
    _p("workforce.role_start_date.missing", 1, role_start_date=None),
    _p("workforce.working_days_lost.missing", 1, working_days_lost=None),
    _p("workforce.cases.missing", 1, cases=None),
    Planted("workforce.fte.all_zero", 0, {"fte": 0}, everybody=(2, 3, 4, 5, 7)),
    _p("workforce.fte.total", 5, fte=380, cases=5),
    _p("workforce.role_end_date.before_start", 4, role_start_date=date(2026, 10, 16)),
    _p("workforce.role_end_date.before_month", 4, role_end_date=date(2026, 9, 30)),
    _p("workforce.role_end_date.after_month", 5, role_end_date=date(2026, 11, 1)),
    _p("workforce.reason_leave.missing", 4, reason_leave=None),
    _p("workforce.leaver_destination.missing", 4, leaver_destination=None),
    _p("workforce.reason_leave.without_end", 5, reason_leave="1"),
    _p("workforce.cases.without_hours", 1, fte=0),
    _p("workforce.cases.role_without_cases", 5, cases=1),
    _p("workforce.cases.of_leaver", 4, cases=1),
    _p("workforce.working_days_lost.more_than_month", 1, working_days_lost=225),
    _p("caseload.reference_date.missing", 1, reference_date=None),
    _p("caseload.case_ref.missing", 1, case_ref=None),
    _p("caseload.case_status.code", 1, case_status="f"),
    _p("caseload.referral_date.range", 5, referral_date=date(2026, 11, 1)),
    _p("caseload.assessment_start_date.range", 3, assessment_start_date=date(2026, 11, 1)),
    _p("caseload.assessment_authorised_date.range", 1, assessment_authorised_date=date(2026, 11, 1)),
    _p("caseload.section_47_start_date.range", 1, section_47_start_date=date(2026, 11, 1)),
    _p("caseload.icpc_date.range", _PLAN, icpc_date=date(2026, 11, 1)),
    _p("caseload.cp_plan_start_date.range", _PLAN, cp_plan_start_date=date(2026, 11, 1)),
    _p("caseload.cp_review_due_date.range", _PLAN, cp_review_due_date=date(2036, 11, 1)),
    _p("caseload.last_cp_review_date.range", _PLAN, last_cp_review_date=date(2026, 11, 1)),
    _p("caseload.last_visit_date.range", 1, last_visit_date=date(1990, 1, 1)),
    _p("caseload.worker_changes_12m.range", 1, worker_changes_12m=61),
    _p("caseload.previous_cp_plans.range", 1, previous_cp_plans=-1),
    _p("caseload.reference_date.month", 1, reference_date=date(2025, 10, 31)),
    Planted("caseload.case_ref.unique", 5, repeat=True),
    _p("caseload.referral_date.missing", 5, referral_date=None),
    _p("caseload.case_status.missing", 3, case_status=None),
    _p("caseload.closed_date.before_referral", _CLOSED, referral_date=date(2026, 10, 10)),
    _p("caseload.closed_date.before_month", _CLOSED, closed_date=date(2026, 9, 30)),
    _p("caseload.closed_date.after_month", 3, closed_date=date(2026, 11, 1)),
    _p("caseload.case_status.closed_without_date", _CLOSED, closed_date=None, last_visit_date=None),
    _p("caseload.case_status.closed_with_date", _CLOSED, case_status="d"),
    _p("caseload.assessment_authorised_date.before_start", 1, assessment_authorised_date=date(2026, 8, 3)),
    _p("caseload.assessment_authorised_date.without_start", 1, assessment_start_date=None),
    _p("caseload.assessment_start_date.before_referral", 3, assessment_start_date=date(2026, 8, 2)),
    _p("caseload.icpc_date.before_section_47", _PLAN, section_47_start_date=date(2026, 9, 16)),
    _p("caseload.icpc_date.without_section_47", _PLAN, section_47_start_date=None),
    _p("caseload.cp_plan_start_date.before_icpc", _PLAN, cp_plan_start_date=date(2026, 9, 14)),
    _p("caseload.case_status.plan_without_date", 1, case_status="b"),
    _p("caseload.cp_review_due_date.missing", _PLAN, cp_review_due_date=None),
    _p("caseload.cp_review_due_date.before_last_review", _PLAN, cp_review_due_date=date(2026, 9, 30)),
    _p("caseload.last_cp_review_date.without_plan", 1, last_cp_review_date=date(2026, 10, 1)),
    _p("caseload.last_cp_review_date.before_plan", _PLAN, last_cp_review_date=date(2026, 9, 14)),
    _p("caseload.last_visit_date.missing", 1, last_visit_date=None),
    _p("caseload.re_referral.missing", 5, re_referral=None),
    _p("caseload.previous_cp_plans.missing", _PLAN, cp_plan_start_date=date(2026, 10, 1), previous_cp_plans=None),
    _p("caseload.allocated_worker_ref.unknown", _CLOSED, allocated_worker_ref=99),
    _p("caseload.allocated_worker_ref.has_left", 1, allocated_worker_ref=5),
    _p("establishment.reference_date.missing", 0, reference_date=None),
    _p("establishment.vacancy_fte.range", 0, vacancy_fte=-1),
    _p("establishment.agency_fte.range", 0, agency_fte=200_001),
    _p("establishment.agency_headcount.range", 0, agency_headcount=2_001),
    _p("establishment.agency_cover_fte.range", 0, agency_cover_fte=-1),
    _p("establishment.reference_date.month", 0, reference_date=date(2026, 11, 30)),
    Planted("establishment.la_code.unique", 0, repeat=True),
    _p("establishment.vacancy_fte.missing", 0, vacancy_fte=None),
    _p("establishment.agency_fte.missing", 0, agency_fte=None),
    _p("establishment.agency_headcount.missing", 0, agency_headcount=None),
    _p("establishment.agency_cover_fte.above_agency", 0, agency_cover_fte=101),
    _p("establishment.agency_cover_fte.above_vacancies", 0, agency_cover_fte=531),
    _p("establishment.agency_fte.above_headcount", 0, agency_fte=106),
    _p("return.reference_date.missing", 0, reference_date=None),
    _p("return.reference_date.month", 0, reference_date=date(2025, 9, 30)),
    Planted("return.la_code.unique", 0, repeat=True),
    _p("return.agency_cover_fte.above_agency_fte", 0, agency_cover_fte=2021),
    _p("return.unallocated_cases.above_open_cases", 0, unallocated_cases=2001),
    _p("return.re_referrals_12m.above_referrals_12m", 0, re_referrals_12m=2401),
    _p("return.assessments_in_time_12m.above_assessments_completed_12m", 0, assessments_in_time_12m=2201),
    _p("return.icpcs_in_time_12m.above_icpcs_12m", 0, icpcs_in_time_12m=201),
    _p("return.cp_reviews_in_time.above_cp_reviews_due", 0, cp_reviews_in_time=181),
    _p("return.repeat_cp_plans_12m.above_cp_plans_started_12m", 0, repeat_cp_plans_12m=171),
    _p("return.inpost_fte.above_headcount", 0, inpost_fte=16021),
    _p("return.starters_fte.above_headcount", 0, starters_fte=2221),
    _p("return.leavers_fte.above_headcount", 0, leavers_fte=2721),
    _p("return.agency_fte.above_headcount", 0, agency_fte=2121),
    _p("return.leavers_fte.above_inpost_fte", 0, leavers_fte=15071, leavers_headcount=160),
    _p("return.case_holders_fte.above_workforce", 0, case_holders_fte=17071),
    _p("return.cases.without_holders", 0, case_holders_fte=0),
    *(
        _p(f"return.{f.name}.range", 0, **{f.name: -1})
        for f in EXTRACTS[Kind.RETURN].fields
        if f.type in (FieldType.INTEGER, FieldType.DECIMAL)
    ),
    *(
        _p(f"return.{f.name}.missing", 0, **{f.name: None})
        for f in EXTRACTS[Kind.RETURN].fields
        if f.required and f.type in (FieldType.INTEGER, FieldType.DECIMAL)
    ),
)


@pytest.fixture(scope="module")
def spoiled() -> tuple[Batch, Outcome]:
    """A month in which council `100` plus n has the n-th fault, checked once."""
    whole = sound_rows()
    councils = {"098": {Kind.RETURN: whole.pop(Kind.RETURN)}, "099": whole, "999": dict(whole)}
    for number, planted in enumerate(PLANTED):
        rows = sound_rows()
        target = rows[planted.kind]
        target[planted.row] = target[planted.row] | planted.changes
        if planted.repeat:
            target.append(target[planted.row])
        if planted.everybody:
            rows[planted.kind] = [row | planted.changes for row in target]
        councils[f"{100 + number}"] = rows
    batch = batch_of(councils)
    return batch, check_batch(batch)


def test_every_rule_is_planted() -> None:
    assert {p.code for p in PLANTED} == {rule.code for rules in RULES.values() for rule in rules}


def test_sound_councils_fail_nothing(spoiled: tuple[Batch, Outcome]) -> None:
    _, outcome = spoiled
    assert checks_of(outcome.failures, "098") == set(), "a return of its own, of another size than the records"
    assert checks_of(outcome.failures, "099") == set()
    assert checks_of(outcome.failures, "999") == set()


@pytest.mark.parametrize("number", range(len(PLANTED)), ids=[p.code for p in PLANTED])
def test_the_check_finds_the_row(spoiled: tuple[Batch, Outcome], number: int) -> None:
    planted = PLANTED[number]
    _, outcome = spoiled
    failures = outcome.of_council(f"{100 + number}")
    found = failures.filter(pl.col("check") == planted.code)
    rows = list(planted.everybody or [planted.row + 2])
    if planted.repeat:
        rows.append(len(sound_rows()[planted.kind]) + 2)
    assert found["row_numbers"].to_list() == [rows]
    assert found["rows"].to_list() == [len(rows)]
    assert found["extract"].to_list() == [str(planted.kind)]


@pytest.mark.parametrize("number", range(len(PLANTED)), ids=[p.code for p in PLANTED])
def test_no_unrelated_check_fails(spoiled: tuple[Batch, Outcome], number: int) -> None:
    """What else a fault sets off concerns a column that was changed, in the same row or between files."""
    planted = PLANTED[number]
    _, outcome = spoiled
    fields = {rule.code: set(rule.fields) for rules in RULES.values() for rule in rules}
    for check, numbers in outcome.of_council(f"{100 + number}").select("check", "row_numbers").iter_rows():
        if planted.repeat or planted.everybody or check == planted.code or check not in fields:
            continue
        assert fields[check] & set(planted.changes), check
        assert numbers == [planted.row + 2], check


def test_messages_say_what_to_do_and_no_value(spoiled: tuple[Batch, Outcome]) -> None:
    _, outcome = spoiled
    for message in outcome.failures["message"]:
        assert len(message.split()) > 8
        assert message.endswith((".", "”"))
    assert "3700" not in str(outcome.failures["message"].to_list())


def test_severities_are_those_of_the_rules_or_milder(spoiled: tuple[Batch, Outcome]) -> None:
    _, outcome = spoiled
    declared = {rule.code: rule.severity for rules in RULES.values() for rule in rules}
    weight = list(Severity)
    for check, severity in outcome.failures.select("check", "severity").iter_rows():
        if check in declared:
            assert weight.index(Severity(severity)) >= weight.index(declared[check])

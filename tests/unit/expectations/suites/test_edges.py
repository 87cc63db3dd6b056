"""Each static rule on the last value that passes and on the first that fails, all in one pass."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from expectations.batch import Outcome
from features.registry import EXTRACTS, FieldType, Kind
from tests.unit.expectations.examples import LAST, batch_of, check_batch, sound_rows

OCT1, NOV1, SEP30 = date(2026, 10, 1), date(2026, 11, 1), date(2026, 9, 30)
LEAVER, CLOSED, PLAN, ASSESSED, UNSEEN = 4, 6, 0, 1, 5
Changes = dict[str, Any]

#: The check, a row of the sound council, what passes there, and what fails.
EDGES: list[tuple[str, int, Changes, Changes]] = [
    ("workforce.role_start_date.range", 1, {"role_start_date": LAST}, {"role_start_date": NOV1}),
    (
        "workforce.role_start_date.range",
        1,
        {"role_start_date": LAST - timedelta(days=60 * 366)},
        {"role_start_date": LAST - timedelta(days=60 * 366 + 1)},
    ),
    (
        "caseload.referral_date.range",
        UNSEEN,
        {"referral_date": LAST - timedelta(days=26 * 366)},
        {"referral_date": LAST - timedelta(days=26 * 366 + 1)},
    ),
    (
        "caseload.cp_review_due_date.range",
        PLAN,
        {"cp_review_due_date": LAST + timedelta(days=732)},
        {"cp_review_due_date": LAST + timedelta(days=733)},
    ),
    (
        "caseload.cp_review_due_date.range",
        PLAN,
        {"cp_review_due_date": LAST - timedelta(days=26 * 366)},
        {"cp_review_due_date": LAST - timedelta(days=26 * 366 + 1)},
    ),
    (
        "workforce.fte.missing",
        LEAVER,
        {"fte": None, "role_end_date": LAST},
        {"fte": None, "role_end_date": NOV1},
    ),
    (
        "workforce.role_end_date.before_start",
        LEAVER,
        {"role_start_date": date(2026, 10, 15)},
        {"role_start_date": date(2026, 10, 16)},
    ),
    ("workforce.role_end_date.before_month", LEAVER, {"role_end_date": OCT1}, {"role_end_date": SEP30}),
    ("workforce.role_end_date.after_month", LEAVER, {"role_end_date": LAST}, {"role_end_date": NOV1}),
    ("workforce.working_days_lost.more_than_month", 1, {"working_days_lost": 220}, {"working_days_lost": 225}),
    ("workforce.cases.without_hours", 1, {"fte": 1}, {"fte": 0}),
    ("workforce.cases.without_hours", 1, {"fte": 0, "cases": 0}, {"fte": 0, "cases": 1}),
    ("workforce.cases.role_without_cases", 5, {"cases": 0}, {"cases": 1}),
    ("workforce.cases.role_without_cases", 5, {"cases": None}, {"cases": 1}),
    ("workforce.cases.of_leaver", LEAVER, {"cases": 0}, {"cases": 1}),
    ("workforce.cases.of_leaver", LEAVER, {"cases": None}, {"cases": 1}),
    ("workforce.reason_leave.missing", 1, {"role_end_date": NOV1}, {"role_end_date": LAST}),
    ("workforce.cases.missing", 3, {"cases": None}, {"cases": None, "org_role": "5"}),
    (
        "caseload.closed_date.before_referral",
        CLOSED,
        {"referral_date": date(2026, 10, 9)},
        {"referral_date": date(2026, 10, 10)},
    ),
    ("caseload.closed_date.before_month", CLOSED, {"closed_date": OCT1}, {"closed_date": SEP30}),
    ("caseload.closed_date.after_month", CLOSED, {"closed_date": LAST}, {"closed_date": NOV1}),
    (
        "caseload.case_status.closed_with_date",
        CLOSED,
        {"case_status": "c", "closed_date": NOV1},
        {"case_status": "c", "closed_date": LAST},
    ),
    (
        "caseload.case_status.plan_without_date",
        ASSESSED,
        {"case_status": "b", "closed_date": LAST},
        {"case_status": "b", "closed_date": NOV1},
    ),
    (
        "caseload.assessment_authorised_date.before_start",
        ASSESSED,
        {"assessment_authorised_date": date(2026, 8, 4)},
        {"assessment_authorised_date": date(2026, 8, 3)},
    ),
    (
        "caseload.assessment_start_date.before_referral",
        ASSESSED,
        {"assessment_start_date": date(2026, 8, 3)},
        {"assessment_start_date": date(2026, 8, 2)},
    ),
    (
        "caseload.icpc_date.before_section_47",
        PLAN,
        {"section_47_start_date": date(2026, 9, 15)},
        {"section_47_start_date": date(2026, 9, 16)},
    ),
    (
        "caseload.cp_plan_start_date.before_icpc",
        PLAN,
        {"cp_plan_start_date": date(2026, 9, 15)},
        {"cp_plan_start_date": date(2026, 9, 14)},
    ),
    (
        "caseload.cp_review_due_date.before_last_review",
        PLAN,
        {"cp_review_due_date": OCT1},
        {"cp_review_due_date": SEP30},
    ),
    (
        "caseload.last_cp_review_date.before_plan",
        PLAN,
        {"last_cp_review_date": date(2026, 9, 15)},
        {"last_cp_review_date": date(2026, 9, 14)},
    ),
    # Six weeks before 31 October is 19 September.
    (
        "caseload.last_visit_date.missing",
        ASSESSED,
        {"last_visit_date": None, "referral_date": date(2026, 9, 19)},
        {"last_visit_date": None, "referral_date": date(2026, 9, 18)},
    ),
    (
        "caseload.re_referral.missing",
        UNSEEN,
        {"re_referral": None, "referral_date": SEP30},
        {"re_referral": None, "referral_date": OCT1},
    ),
    (
        "caseload.previous_cp_plans.missing",
        PLAN,
        {"previous_cp_plans": None, "cp_plan_start_date": SEP30},
        {"previous_cp_plans": None, "cp_plan_start_date": OCT1},
    ),
    ("establishment.agency_cover_fte.above_agency", 0, {"agency_cover_fte": 100}, {"agency_cover_fte": 101}),
    (
        "establishment.agency_cover_fte.above_vacancies",
        0,
        {"agency_cover_fte": 310, "vacancy_fte": 100},
        {"agency_cover_fte": 311, "vacancy_fte": 100},
    ),
    ("establishment.agency_fte.above_headcount", 0, {"agency_fte": 105}, {"agency_fte": 106}),
    ("return.unallocated_cases.above_open_cases", 0, {"unallocated_cases": 2000}, {"unallocated_cases": 2001}),
    ("return.inpost_fte.above_headcount", 0, {"inpost_fte": 16020}, {"inpost_fte": 16021}),
    ("return.agency_cover_fte.above_agency_fte", 0, {"agency_cover_fte": 2020}, {"agency_cover_fte": 2021}),
    ("return.leavers_fte.above_inpost_fte", 0, {"inpost_fte": 2480}, {"inpost_fte": 2479}),
    ("return.case_holders_fte.above_workforce", 0, {"case_holders_fte": 17070}, {"case_holders_fte": 17071}),
    ("return.cases.without_holders", 0, {"case_holders_fte": 1}, {"case_holders_fte": 0}),
    (
        "return.cases.without_holders",
        0,
        {"cases": 0, "case_holders_fte": 0},
        {"cases": 1, "case_holders_fte": 0},
    ),
]


@pytest.fixture(scope="module")
def checked() -> Outcome:
    """Council 1xx holds the value that passes, 2xx the one that fails."""
    councils = {}
    for number, (code, row, passes, fails) in enumerate(EDGES):
        kind = Kind(code.partition(".")[0])
        for which, changes in ((100, passes), (200, fails)):
            rows = sound_rows()
            rows[kind][row] |= changes
            councils[str(which + number)] = rows
    return check_batch(batch_of(councils))


@pytest.mark.parametrize("number", range(len(EDGES)), ids=[f"{n} {e[0]}" for n, e in enumerate(EDGES)])
def test_the_last_value_passes_and_the_next_fails(checked: Outcome, number: int) -> None:
    code, row, _, _ = EDGES[number]
    failed = checked.failures.filter(check=code).select("la_code", "row_numbers").rows()
    mine = {la: rows for la, rows in failed if la in (str(100 + number), str(200 + number))}
    assert mine == {str(200 + number): [row + 2]}


NUMBERS = [
    (kind, field.name, limit, step)
    for kind, extract in EXTRACTS.items()
    for field in extract.fields
    if field.type in (FieldType.INTEGER, FieldType.DECIMAL)
    for limit, step in ((field.minimum, -1), (field.maximum, 1))
    if limit is not None
]


@pytest.fixture(scope="module")
def at_limits() -> Outcome:
    """Every number that has a limit, at it and beyond it by the smallest step, in a council of its own."""
    councils = {}
    for number, (kind, name, limit, step) in enumerate(NUMBERS):
        parts = 10 ** EXTRACTS[kind].field(name).decimals
        for which, value in ((1000, round(limit * parts)), (5000, round(limit * parts) + step)):
            rows = sound_rows()
            rows[kind][0] |= {name: value}
            councils[str(which + number)] = rows
    return check_batch(batch_of(councils))


def test_a_number_passes_at_its_limit_and_fails_beyond_it(at_limits: Outcome) -> None:
    assert len(NUMBERS) > 20
    for number, (kind, name, _, _) in enumerate(NUMBERS):
        found = at_limits.failures.filter(pl.col("check") == f"{kind}.{name}.range")["la_code"].to_list()
        assert str(5000 + number) in found and str(1000 + number) not in found, (kind, name)


def test_each_kind_says_what_more_than_one_row_is() -> None:
    from expectations.passing.static_pass import RULES
    from expectations.suites.rules import Spare

    unique = {kind: next(r for r in rules if r.code.endswith(".unique")) for kind, rules in RULES.items()}
    assert {kind: (str(r.severity), r.whole_file, r.spare, r.remedy[:20]) for kind, r in unique.items()} == {
        Kind.WORKFORCE: ("error", True, Spare.NOTHING, "Send one row per wor"),
        Kind.CASELOAD: ("error", True, Spare.REPEATS, "Send one row per cas"),
        Kind.ESTABLISHMENT: ("query", False, Spare.NOTHING, "Send one row for the"),
        Kind.RETURN: ("error", True, Spare.NOTHING, "Send one row for the"),
    }
    assert "none is counted" in unique[Kind.ESTABLISHMENT].remedy
    assert "none is counted" not in unique[Kind.RETURN].remedy


def test_the_rules_that_decide_about_a_whole_file() -> None:
    from expectations.passing.static_pass import RULES

    whole = {kind: [r.code.partition(".")[2] for r in rules if r.whole_file] for kind, rules in RULES.items()}
    dates = ["reference_date.missing", "reference_date.month"]
    assert whole == {
        Kind.WORKFORCE: [dates[0], "worker_ref.missing", dates[1], "worker_ref.unique", "fte.total"],
        Kind.CASELOAD: [dates[0], "case_ref.missing", dates[1], "case_ref.unique"],
        Kind.ESTABLISHMENT: dates,
        Kind.RETURN: [*dates, "la_code.unique"],
    }


def test_the_fields_on_which_half_of_the_counts_rest() -> None:
    from expectations.suites.rules import CORE

    assert CORE == {
        Kind.WORKFORCE: ("agency_worker", "role_end_date"),
        Kind.CASELOAD: ("closed_date",),
        Kind.ESTABLISHMENT: (),
        Kind.RETURN: (),
    }


def test_a_date_out_of_range_is_told_with_both_ends() -> None:
    from expectations.passing.static_pass import RULES

    said = {r.code: r.problem for rules in RULES.values() for r in rules}
    assert said["workforce.role_start_date.range"] == (
        "role_start_date lies after the end of the month or more than 60 years before it"
    )
    assert said["caseload.cp_review_due_date.range"] == (
        "cp_review_due_date lies more than 732 days after the end of the month or more than 26 years before it"
    )


def test_a_rule_about_what_is_missing_reads_empty_cells_and_no_other_does() -> None:
    from expectations.passing.static_pass import RULES

    for rule in (rule for rules in RULES.values() for rule in rules):
        assert rule.reads_empty is rule.code.endswith(".missing"), rule.code

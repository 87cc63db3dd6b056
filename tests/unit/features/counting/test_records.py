"""Every count on frames small enough to count by hand. The month is October 2026 unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from features.counting.records import (
    CASE_STATE,
    READ_COLUMNS,
    WORKER_STATE,
    count,
    count_caseload,
    count_establishment,
    count_workforce,
    withhold,
)
from features.errors import HoldfastError
from features.frames import COUNTS_KEY, REASONS, counts_schema
from features.months import Month
from features.registry import COUNTS, EXTRACTS, Kind, Missing

Rows = Callable[..., pl.DataFrame]
SEPTEMBER = date(2026, 9, 30)


def only(counts: pl.DataFrame) -> dict[str, int]:
    """The counts of the single council of a frame that are not zero."""
    assert counts.height == 1
    row = counts.drop(*COUNTS_KEY).row(0, named=True)
    return {name: n for name, n in row.items() if n != 0}


def worker_state(*rows: tuple[str, int, int | None]) -> pl.DataFrame:
    return pl.DataFrame([(SEPTEMBER, *row) for row in rows], schema=WORKER_STATE, orient="row")


def case_state(*rows: tuple[str, int, int]) -> pl.DataFrame:
    return pl.DataFrame([(SEPTEMBER, *row) for row in rows], schema=CASE_STATE, orient="row")


class TestWorkforce:
    def test_stocks(self, workers: Rows, received: Rows, october: Month) -> None:
        frame = workers(
            {"fte": 80, "cases": 12, "org_role": "5"},
            {"fte": 50, "cases": 0, "org_role": "4", "absent_at_reference_date": True},
            {"fte": None, "cases": 7, "org_role": "3", "role_start_date": date(2025, 11, 1)},
            {"agency_worker": True, "fte": 100, "cases": 20, "org_role": "2"},
            {"agency_worker": True, "fte": 100, "cases": 15, "org_role": "6", "absent_at_reference_date": True},
        )
        assert only(count_workforce(frame, october, worker_state(), received()).counts) == {
            "inpost_fte": 130,
            "inpost_headcount": 3,
            "agency_worker_fte": 200,
            "agency_worker_headcount": 2,
            "case_holders_fte": 280,
            "cases": 47,
            "absent_headcount": 1,
            "new_in_post_headcount": 1,
            "managers_headcount": 2,
            "managers_agency_headcount": 1,
            "senior_managers_headcount": 1,
            "first_line_managers_headcount": 1,
            "practitioners_headcount": 3,
        }

    def test_starters_leavers_and_days_lost(self, workers: Rows, received: Rows, october: Month) -> None:
        frame = workers(
            {"fte": 60, "role_start_date": date(2026, 10, 1), "working_days_lost": 25},
            {"fte": 100, "role_start_date": date(2026, 9, 30), "working_days_lost": None},
            {"fte": 70, "role_end_date": date(2026, 10, 1), "reason_leave": "1", "working_days_lost": 10},
            {"fte": 40, "role_end_date": date(2026, 10, 31), "reason_leave": "7", "org_role": "1"},
            {"fte": 90, "role_end_date": date(2026, 11, 1)},
            {"fte": 90, "role_end_date": date(2026, 9, 30)},
            {"agency_worker": True, "role_end_date": date(2026, 10, 9), "org_role": "3", "working_days_lost": 50},
        )
        counts = only(count_workforce(frame, october, worker_state(), received()).counts)
        assert counts == {
            "inpost_fte": 250,
            "inpost_headcount": 3,
            "starters_fte": 60,
            "starters_headcount": 1,
            "leavers_fte": 110,
            "leavers_headcount": 2,
            "moved_within_headcount": 1,
            "working_days_lost": 35,
            "new_in_post_headcount": 2,
            "managers_leavers_headcount": 2,
            "senior_managers_leavers_headcount": 1,
            "practitioners_headcount": 3,
        }

    def test_a_leaver_given_as_the_census_does_has_the_fte_of_the_month_before(
        self, workers: Rows, received: Rows, october: Month
    ) -> None:
        gone = date(2026, 10, 16)
        frame = workers(
            {"worker_ref": 1, "fte": 0, "role_end_date": gone},
            {"worker_ref": 2, "fte": None, "role_end_date": gone},
            {"worker_ref": 3, "fte": 30, "role_end_date": gone},
            {"worker_ref": 4, "fte": 0, "role_end_date": gone},
        )
        before = worker_state(("201", 1, 80), ("201", 2, 50), ("201", 3, 100), ("202", 4, 60))
        counted = count_workforce(frame, october, before, received())
        assert counted.counts["leavers_fte"].item() == 80 + 50 + 30
        assert counted.counts["leavers_headcount"].item() == 4
        assert counted.reasons.is_empty()

    def test_without_the_month_before_such_leavers_withhold_the_count_of_their_council_only(
        self, workers: Rows, received: Rows, october: Month
    ) -> None:
        gone = date(2026, 10, 16)
        frame = workers({"fte": 0, "role_end_date": gone}, {"la_code": "202", "fte": 40, "role_end_date": gone})
        counted = count_workforce(frame, october, None, received("201", "202"))
        assert counted.counts["leavers_fte"].to_list() == [None, 40]
        assert counted.reasons.rows() == [("201", date(2026, 10, 31), "leavers_fte", str(Missing.WINDOW_INCOMPLETE))]

    def test_references_of_another_kind_than_a_month_ago_withhold_the_fte_of_leavers_rather_than_count_none(
        self, workers: Rows, received: Rows, october: Month
    ) -> None:
        """After our own extract a workforce return, whose references are hashed registration numbers."""
        frame = workers(
            {"worker_ref": 91, "fte": 100}, {"worker_ref": 92, "fte": 0, "role_end_date": date(2026, 10, 16)}
        )
        counted = count_workforce(frame, october, worker_state(("201", 1, 100), ("201", 2, 80)), received())
        assert counted.counts["leavers_fte"].to_list() == [None]
        assert counted.reasons.rows() == [("201", date(2026, 10, 31), "leavers_fte", str(Missing.WINDOW_INCOMPLETE))]

    def test_in_a_file_of_one_council_a_worker_listed_twice_is_still_one_person(
        self, workers: Rows, received: Rows, october: Month
    ) -> None:
        frame = workers({"worker_ref": 7}, {"worker_ref": 7}, {"worker_ref": 9})
        counts = only(count_workforce(frame, october, worker_state(), received()).counts)
        assert (counts["inpost_headcount"], counts["inpost_fte"]) == (2, 300)

    def test_a_worker_listed_twice_is_one_person_with_both_parts_of_the_fte(
        self, workers: Rows, received: Rows, october: Month
    ) -> None:
        frame = workers(
            {"worker_ref": 7, "fte": 60},
            {"worker_ref": 7, "fte": 40},
            {"worker_ref": 8, "agency_worker": True, "fte": 50},
            {"worker_ref": 8, "agency_worker": True, "fte": 50},
            {"la_code": "202", "worker_ref": 7, "fte": 100},
        )
        counts = count_workforce(frame, october, None, received("201", "202")).counts
        assert counts["inpost_headcount"].to_list() == [1, 1]
        assert counts["inpost_fte"].to_list() == [100, 100]
        assert counts["practitioners_headcount"].to_list() == [2, 1]
        assert counts["agency_worker_headcount"].to_list() == [2, 0], "DfE does not de-duplicate agency workers"

    def test_the_state_holds_who_is_in_post(self, workers: Rows, received: Rows, october: Month) -> None:
        frame = workers(
            {"worker_ref": 1, "fte": 80}, {"worker_ref": 2, "role_end_date": date(2026, 10, 2)}, {"worker_ref": 3}
        )
        state = count_workforce(frame, october, None, received()).state
        assert state is not None
        assert state.rows() == [(date(2026, 10, 31), "201", 1, 80), (date(2026, 10, 31), "201", 3, 100)]

    def test_the_state_of_another_month_is_refused(self, workers: Rows, received: Rows, october: Month) -> None:
        state = worker_state(("201", 1, 80))
        with pytest.raises(HoldfastError, match="2026-11: the stored state is of 2026-09, not of 2026-10"):
            count_workforce(workers({}), october.plus(1), state, received())


class TestCaseload:
    def test_open_and_allocated(self, cases: Rows, received: Rows, october: Month) -> None:
        frame = cases(
            {"allocated_worker_ref": 9},
            {"allocated_worker_ref": None},
            {"closed_date": date(2026, 11, 1)},
            {"closed_date": date(2026, 10, 31)},
            {"closed_date": date(2026, 10, 1)},
            {"closed_date": date(2026, 9, 30)},
        )
        counts = only(count_caseload(frame.with_columns(case_status=pl.lit("d")), october, None, received()).counts)
        assert counts == {
            "open_cases": 3,
            "unallocated_cases": 2,
            "closures": 2,
            "cases_seen_twice": None,
            "cases_worker_changed": None,
        }

    def test_assessments(self, cases: Rows, received: Rows, october: Month) -> None:
        # 45 working days before 30 October 2026 is 27 August: 31 August is a bank holiday.
        frame = cases(
            {"assessment_start_date": date(2026, 8, 27), "assessment_authorised_date": date(2026, 10, 30)},
            {"assessment_start_date": date(2026, 8, 26), "assessment_authorised_date": date(2026, 10, 30)},
            {"assessment_start_date": None, "assessment_authorised_date": date(2026, 10, 30)},
            {"assessment_start_date": date(2026, 8, 1), "assessment_authorised_date": date(2026, 9, 30)},
            {"assessment_start_date": date(2026, 8, 1), "assessment_authorised_date": date(2026, 11, 2)},
            {"assessment_start_date": date(2026, 10, 1)},
            {"assessment_start_date": date(2026, 8, 1), "closed_date": date(2026, 10, 3)},
        )
        counts = only(count_caseload(frame, october, None, received()).counts)
        assert counts["assessments_completed"] == 2
        assert counts["assessments_in_time"] == 1
        assert counts["assessments_open"] == 2
        assert counts["assessments_overdue"] == 1

    def test_section_47_and_conferences(self, cases: Rows, received: Rows, october: Month) -> None:
        frame = cases(
            {"section_47_start_date": date(2026, 10, 1), "icpc_date": date(2026, 10, 22)},
            {"section_47_start_date": date(2026, 9, 30), "icpc_date": date(2026, 10, 22)},
            {"section_47_start_date": date(2026, 10, 15)},
            {"section_47_start_date": None, "icpc_date": date(2026, 10, 22)},
            {"section_47_start_date": date(2026, 10, 31), "icpc_date": date(2026, 11, 2)},
        )
        counts = only(count_caseload(frame, october, None, received()).counts)
        assert (counts["section_47s"], counts["icpcs"], counts["icpcs_in_time"]) == (3, 2, 1)

    def test_plans_reviews_and_visits(self, cases: Rows, received: Rows, october: Month) -> None:
        # 30 working days before 31 October 2026 is 21 September.
        frame = cases(
            {
                "case_status": "b",
                "cp_plan_start_date": date(2026, 10, 5),
                "previous_cp_plans": 1,
                "cp_review_due_date": date(2026, 10, 31),
                "last_visit_date": date(2026, 9, 21),
            },
            {
                "case_status": "b",
                "cp_plan_start_date": date(2026, 10, 31),
                "previous_cp_plans": 0,
                "cp_review_due_date": date(2026, 10, 30),
                "last_visit_date": date(2026, 9, 18),
            },
            {"case_status": "a", "cp_plan_start_date": date(2026, 3, 1), "last_visit_date": None},
            {"case_status": "d", "last_visit_date": None},
            {"case_status": "c", "closed_date": date(2026, 10, 9), "cp_plan_start_date": date(2026, 10, 2)},
        )
        counts = only(count_caseload(frame, october, None, received()).counts)
        assert counts["cp_plans_open"] == 3
        assert (counts["cp_reviews_due"], counts["cp_reviews_in_time"]) == (2, 1)
        assert (counts["cp_plans_started"], counts["repeat_cp_plans"]) == (3, 1)
        assert (counts["visits_due"], counts["visits_overdue"]) == (3, 2)

    def test_referrals_and_worker_history(self, cases: Rows, received: Rows, october: Month) -> None:
        frame = cases(
            {"referral_date": date(2026, 10, 1), "re_referral": True, "worker_changes_12m": 2},
            {"referral_date": date(2026, 10, 31), "re_referral": None, "worker_changes_12m": 1},
            {"referral_date": date(2026, 9, 30), "re_referral": True, "worker_changes_12m": None},
            {"referral_date": None, "closed_date": date(2026, 10, 5), "worker_changes_12m": 5},
        )
        counts = only(count_caseload(frame, october, None, received()).counts)
        assert (counts["referrals"], counts["re_referrals"]) == (2, 1)
        assert (counts["cases_with_history"], counts["cases_three_workers"]) == (2, 1)

    def test_a_changed_worker_is_seen_against_the_month_before(
        self, cases: Rows, received: Rows, october: Month
    ) -> None:
        frame = cases(
            {"case_ref": 1, "allocated_worker_ref": 11},
            {"case_ref": 2, "allocated_worker_ref": 12},
            {"case_ref": 3, "allocated_worker_ref": None},
            {"case_ref": 4, "allocated_worker_ref": 14},
            {"case_ref": 5, "allocated_worker_ref": 15, "closed_date": date(2026, 10, 6)},
            {"la_code": "202", "case_ref": 6, "allocated_worker_ref": 16},
        )
        before = case_state(("201", 1, 11), ("201", 2, 99), ("201", 3, 13), ("201", 5, 99))
        counted = count_caseload(frame, october, before, received("201", "202"))
        assert counted.counts["cases_seen_twice"].to_list() == [2, None]
        assert counted.counts["cases_worker_changed"].to_list() == [1, None]
        assert counted.reasons["la_code"].to_list() == ["202", "202"]
        assert set(counted.reasons["reason"]) == {str(Missing.WINDOW_INCOMPLETE)}
        assert counted.state is not None
        assert counted.state["case_ref"].to_list() == [1, 2, 4, 6]


class TestEstablishment:
    def test_figures_are_taken_over_and_an_empty_cell_has_a_reason(
        self, establishment: Rows, received: Rows, october: Month
    ) -> None:
        frame = establishment(
            {"vacancy_fte": 1250, "agency_fte": 900, "agency_headcount": 10, "agency_cover_fte": 800},
            {"la_code": "202", "vacancy_fte": None, "agency_fte": 0, "agency_headcount": 0, "agency_cover_fte": 0},
        )
        counted = count_establishment(frame, october, received("201", "202"))
        assert counted.counts["vacancy_fte"].to_list() == [1250, None]
        assert counted.counts["agency_fte"].to_list() == [900, 0]
        assert counted.reasons.rows() == [("202", date(2026, 10, 31), "vacancy_fte", str(Missing.NOT_REPORTED))]

    def test_two_rows_of_one_council_count_for_nothing(
        self, establishment: Rows, received: Rows, october: Month
    ) -> None:
        frame = establishment({"vacancy_fte": 100}, {"vacancy_fte": 100})
        counted = count_establishment(frame, october, received())
        assert counted.counts["vacancy_fte"].item() is None
        assert set(counted.reasons["reason"]) == {str(Missing.WITHHELD)}


def test_a_row_for_every_council_received_in_the_declared_schema(workers: Rows, received: Rows, october: Month) -> None:
    counts = count(Kind.WORKFORCE, workers({}, {"la_code": "203"}), october, None, received("203", "201")).counts
    assert counts.schema == counts_schema(Kind.WORKFORCE)
    assert counts.select("la_code", "month", "known_from", "extract_sha256").rows() == [
        ("201", date(2026, 10, 31), date(2026, 11, 5), "sha-201"),
        ("203", date(2026, 10, 31), date(2026, 11, 5), "sha-203"),
    ]


def test_rows_of_a_council_that_was_not_received_are_refused(workers: Rows, received: Rows, october: Month) -> None:
    with pytest.raises(HoldfastError, match="2026-10: the workforce rows of 202"):
        count(Kind.WORKFORCE, workers({"la_code": "202"}), october, None, received("201"))


def test_two_files_of_one_council_in_the_log_are_refused(workers: Rows, received: Rows, october: Month) -> None:
    with pytest.raises(HoldfastError, match="2026-10: the submission log has two workforce files of 201"):
        count(Kind.WORKFORCE, workers({"la_code": "201"}), october, None, received("201", "202", "201"))


def test_a_return_is_not_counted(workers: Rows, received: Rows, october: Month) -> None:
    with pytest.raises(HoldfastError, match="features.measuring.returns"):
        count(Kind.RETURN, workers({}), october, None, received())


@pytest.mark.parametrize("kind", [Kind.WORKFORCE, Kind.CASELOAD])
def test_the_columns_said_to_be_read_are_enough(
    kind: Kind, workers: Rows, cases: Rows, received: Rows, october: Month
) -> None:
    frame = {Kind.WORKFORCE: workers, Kind.CASELOAD: cases}[kind]({}, {})
    whole = count(kind, frame, october, None, received())
    part = count(kind, frame.select(READ_COLUMNS[kind]), october, None, received())
    assert whole.counts.equals(part.counts)
    assert len(READ_COLUMNS[kind]) < len(EXTRACTS[kind].fields)


class TestWithhold:
    def test_only_what_needs_the_field_is_withheld_and_only_there(
        self, workers: Rows, received: Rows, october: Month
    ) -> None:
        counts = count_workforce(workers({}, {"la_code": "202"}), october, None, received("201", "202")).counts
        held, reasons = withhold(
            counts,
            Kind.WORKFORCE,
            {("201", Kind.WORKFORCE, "cases"), ("201", Kind.CASELOAD, "closed_date")},
            {("202", Kind.WORKFORCE, "absent_at_reference_date"), ("203", Kind.WORKFORCE, "fte")},
        )
        gone = {(la, n) for n in held.columns for la, v in zip(held["la_code"], held[n], strict=True) if v is None}
        assert gone == {("201", "cases"), ("201", "case_holders_fte"), ("202", "absent_headcount")}
        assert reasons.schema == REASONS
        assert [(la, n, r) for la, _, n, r in reasons.rows()] == [
            ("201", "case_holders_fte", str(Missing.WITHHELD)),
            ("201", "cases", str(Missing.WITHHELD)),
            ("202", "absent_headcount", str(Missing.COLUMN_ABSENT)),
        ]

    def test_every_count_names_fields_that_its_extract_has(self) -> None:
        known = {(kind, f.name) for kind, extract in EXTRACTS.items() for f in extract.fields}
        assert {(c.extract, field) for c in COUNTS for field in c.needs} <= known

"""Errors withhold in proportion: a few cells are left out, many withhold the column, a rotten core the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from expectations.batch import PROBLEMS, CheckHistory, Effect, Severity
from expectations.passing import effects
from expectations.passing.effects import usable
from features.errors import PersonalDataRefused
from features.months import Month
from features.registry import Kind
from tests.unit.expectations import examples
from tests.unit.expectations.examples import batch_of, check_batch, checks_of, large_rows, record_rows

TOLERATED = 2
"""Rows in a hundred (`effects.CELLS_SHARE`)."""


@pytest.mark.parametrize(("wrong", "withheld"), [(TOLERATED, False), (TOLERATED + 1, True)])
def test_few_wrong_cells_are_left_out_and_many_withhold_the_column(
    wrong: int, withheld: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "CELLS_FEW", 1)  # so that the share alone decides
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10 : 10 + wrong]:
        worker["fte"] = 3700
    batch = batch_of({"901": rows, "902": large_rows()})
    outcome = check_batch(batch)
    failure = outcome.of_council("901").filter(pl.col("check") == "workforce.fte.range").row(0, named=True)
    kept = usable(batch, outcome)[Kind.WORKFORCE].filter(pl.col("la_code") == "901")

    assert ("901", Kind.WORKFORCE, "fte") in outcome.withheld if withheld else not outcome.withheld
    assert failure["severity"] == (Severity.ERROR if withheld else Severity.QUERY)
    assert failure["effect"] == (Effect.WITHHELD if withheld else Effect.SET_ASIDE)
    assert kept["fte"].null_count() == (0 if withheld else wrong)
    assert not outcome.quarantined
    assert checks_of(outcome.failures, "902") == set()


def test_two_checks_on_one_cell_count_as_one_wrong_cell() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:12]:
        worker |= {"role_start_date": date(2026, 12, 1), "role_end_date": date(2026, 10, 20), "reason_leave": "1"}
    outcome = check_batch(batch_of({"901": rows}))
    assert {"workforce.role_start_date.range", "workforce.role_end_date.before_start"} <= checks_of(
        outcome.failures, "901"
    )
    assert ("901", Kind.WORKFORCE, "role_start_date") not in outcome.withheld
    assert outcome.set_aside.filter(pl.col("column") == "role_start_date")["file_row"].to_list() == [12, 13]


def test_a_single_slip_in_a_sparse_column_does_not_withhold_it() -> None:
    """The one leaving date of the month is wrong: all of the column, and one row of a hundred."""
    rows = large_rows()
    rows[Kind.WORKFORCE][4]["role_end_date"] = date(2018, 10, 15)
    rows[Kind.WORKFORCE][4]["reason_leave"] = None
    outcome = check_batch(batch_of({"901": rows}))
    assert not outcome.withheld
    assert "workforce.role_end_date.before_start" in checks_of(outcome.failures, "901")


def test_repeated_children_count_once_and_workers_with_two_posts_twice() -> None:
    rows = large_rows()
    rows[Kind.CASELOAD].append(dict(rows[Kind.CASELOAD][50]))
    rows[Kind.WORKFORCE].append(dict(rows[Kind.WORKFORCE][50]))
    batch = batch_of({"901": rows})
    outcome = check_batch(batch)
    kept = usable(batch, outcome)
    assert kept[Kind.CASELOAD].height == 100
    assert kept[Kind.CASELOAD]["case_ref"].is_unique().all()
    assert kept[Kind.WORKFORCE].height == 101
    assert not outcome.quarantined


def test_a_doubled_export_is_not_used_and_the_neighbour_is() -> None:
    rows = large_rows()
    rows[Kind.CASELOAD] += [dict(r) for r in rows[Kind.CASELOAD]]
    batch = batch_of({"901": rows, "902": large_rows()})
    outcome = check_batch(batch)
    assert outcome.quarantined == {("901", Kind.CASELOAD)}
    assert set(usable(batch, outcome)[Kind.CASELOAD]["la_code"]) == {"902"}
    assert outcome.set_aside.height == 0


def test_rows_of_another_month_are_left_out_whole_or_spoil_the_file() -> None:
    few, many = large_rows(), large_rows()
    few[Kind.CASELOAD][9]["reference_date"] = date(2026, 9, 30)
    for case in many[Kind.CASELOAD][:3]:
        case["reference_date"] = date(2026, 9, 30)
    batch = batch_of({"901": few, "902": many})
    outcome = check_batch(batch)
    assert outcome.quarantined == {("902", Kind.CASELOAD)}
    assert outcome.set_aside.rows() == [("901", "caseload", 11, None)]
    assert usable(batch, outcome)[Kind.CASELOAD].height == 99


def test_a_rotten_core_column_spoils_the_file() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][:21]:
        worker["agency_worker"] = None
    outcome = check_batch(batch_of({"901": rows}))
    assert outcome.quarantined == {("901", Kind.WORKFORCE)}
    core = outcome.failures.filter(pl.col("check") == "workforce.agency_worker.core").row(0, named=True)
    assert (core["rows"], core["effect"]) == (21, Effect.QUARANTINED)


def test_unreadable_cells_weigh_like_wrong_ones_and_are_not_empty_too() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:13]:
        worker["fte"] = None
    problems = pl.DataFrame(
        [("901", "workforce", number, "fte", "not_a_number") for number in (12, 13, 14)], schema=PROBLEMS, orient="row"
    )
    texts = {"not_a_number": "is no number"}
    outcome = check_batch(batch_of({"901": rows}, problems=problems, problem_texts=texts))
    failures = outcome.of_council("901")
    assert failures["check"].to_list() == ["workforce.fte.not_a_number"]
    assert failures["row_numbers"].to_list() == [[12, 13, 14]]
    assert "The cell is no number" in failures["message"][0]
    assert outcome.withheld == {("901", Kind.WORKFORCE, "fte")}


def test_an_unreadable_cell_that_no_figure_needs_is_a_query() -> None:
    problems = pl.DataFrame(
        [("901", "workforce", 2, "leaver_destination", "unknown_code")], schema=PROBLEMS, orient="row"
    )
    outcome = check_batch(batch_of({"901": record_rows()}, problems=problems))
    assert outcome.of_council("901").select("check", "severity").rows() == [
        ("workforce.leaver_destination.unknown_code", "query")
    ]
    assert not outcome.withheld


def test_refused_and_empty_files_are_failures_of_their_council() -> None:
    rows = record_rows()
    del rows[Kind.CASELOAD]
    batch = batch_of({"901": rows, "902": record_rows()})
    files = {**batch.files, ("901", Kind.CASELOAD): "caseload.csv", ("902", Kind.RETURN): "return.csv"}
    refused = {("902", Kind.RETURN): PersonalDataRefused("return.csv: the column surname holds names. Leave it out.")}
    outcome = check_batch(batch_of({"901": rows, "902": record_rows()}, files=files, refused=refused))
    assert checks_of(outcome.failures, "901") == {"caseload.file.no_rows"}
    assert outcome.of_council("902").select("check", "message", "effect").rows() == [
        (
            "return.file.personal_data",
            "The column surname holds names. Leave it out.",
            str(Effect.QUARANTINED),
        )
    ]
    assert outcome.quarantined == {("901", Kind.CASELOAD), ("902", Kind.RETURN)}


def test_absent_columns_are_told_and_not_blamed() -> None:
    rows = record_rows()
    for worker in rows[Kind.WORKFORCE]:
        worker["leaver_destination"] = None
    for case in rows[Kind.CASELOAD]:
        case["re_referral"] = None
    absent = frozenset({("901", Kind.WORKFORCE, "leaver_destination"), ("901", Kind.CASELOAD, "re_referral")})
    outcome = check_batch(batch_of({"901": rows, "902": rows}, absent_columns=absent))
    told = outcome.of_council("901")
    assert set(told["check"]) == {"workforce.leaver_destination.absent", "caseload.re_referral.absent"}
    assert set(told["severity"]) == {"information"}
    assert "within 12 months of an earlier one" in told.filter(pl.col("column") == "re_referral")["message"][0]
    assert checks_of(outcome.failures, "902") == {
        "workforce.leaver_destination.missing",
        "caseload.re_referral.missing",
    }
    reasons = outcome.not_run.filter(pl.col("check") == "caseload.re_referral.missing")["reason"].to_list()
    assert reasons == ["the file has no column re_referral"]


def test_without_a_workforce_extract_no_worker_is_unknown() -> None:
    rows = record_rows()
    del rows[Kind.WORKFORCE]
    outcome = check_batch(batch_of({"901": rows, "902": record_rows()}))
    assert checks_of(outcome.failures, "901") == set()
    not_run = outcome.not_run.filter(pl.col("la_code") == "901")["check"].to_list()
    assert {"caseload.allocated_worker_ref.unknown", "caseload.allocated_worker_ref.has_left"} <= set(not_run)
    assert "establishment.agency_fte.workforce" in not_run


def test_a_column_gone_since_earlier_months_is_said_once_as_missing() -> None:
    past = CheckHistory()
    for number in (7, 8, 9):
        day = Month(2026, number)
        rows = large_rows()
        for row in [*rows[Kind.WORKFORCE], *rows[Kind.CASELOAD]]:
            row["reference_date"] = day.last_day
        earlier = check_batch(batch_of({"901": rows}, day))
        past = replace(past, profiles=pl.concat([past.profiles, earlier.profile]))
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE]:
        worker["leaver_destination"] = worker["team"] = None
    absent = frozenset({("901", Kind.WORKFORCE, "leaver_destination"), ("901", Kind.WORKFORCE, "team")})
    outcome = check_batch(batch_of({"901": rows}, absent_columns=absent), past)
    told = outcome.of_council("901").filter(pl.col("column") == "team")
    assert told["check"].to_list() == ["workforce.team.empty_jump"]
    assert told["message"][0].startswith("The file has no column team any more, which was filled in 100% of rows.")
    never = outcome.of_council("901").filter(pl.col("column") == "leaver_destination")
    assert never["check"].to_list() == ["workforce.leaver_destination.absent"]


@pytest.mark.parametrize(
    ("workers", "wrong", "withheld"), [(160, 2, False), (160, 3, True), (100, 2, False), (99, 2, True)]
)
def test_two_slips_in_a_sparse_column_do_not_withhold_it_and_three_do(workers: int, wrong: int, withheld: bool) -> None:
    """Hardly any worker has a leaving date, so that each wrong one is a large share of them."""
    rows = large_rows()
    rows[Kind.WORKFORCE] += [examples.worker(ref, "6", 100, 0) for ref in range(101, 161)]
    rows[Kind.WORKFORCE] = rows[Kind.WORKFORCE][:workers]
    for one in rows[Kind.WORKFORCE][10 : 10 + wrong]:
        one["role_end_date"] = date(2018, 10, 15)
    outcome = check_batch(batch_of({"901": rows}))
    assert (("901", Kind.WORKFORCE, "role_end_date") in outcome.withheld) is withheld


@pytest.mark.parametrize(("wrong", "spoiled"), [(20, False), (21, True)])
def test_a_core_column_may_be_wrong_in_a_fifth_of_the_rows(wrong: int, spoiled: bool) -> None:
    rows = large_rows()
    for one in rows[Kind.WORKFORCE][:wrong]:
        one["agency_worker"] = None
    outcome = check_batch(batch_of({"901": rows}))
    assert bool(outcome.quarantined) is spoiled
    assert ("901", Kind.WORKFORCE, "agency_worker") in outcome.withheld


@pytest.mark.parametrize(("other", "spoiled"), [(2, False), (3, True)])
def test_two_rows_of_another_month_in_a_hundred_are_left_out(other: int, spoiled: bool) -> None:
    rows = large_rows()
    for one in rows[Kind.CASELOAD][10 : 10 + other]:
        one["reference_date"] = date(2026, 9, 30)
    assert bool(check_batch(batch_of({"901": rows})).quarantined) is spoiled


@pytest.mark.parametrize(("repeated", "spoiled"), [(2, False), (3, True)])
def test_one_row_in_twenty_may_share_its_key(repeated: int, spoiled: bool) -> None:
    """Two of 100 children in two episodes each are four rows of 102; three are six of 103."""
    rows = large_rows()
    rows[Kind.CASELOAD] += [dict(one) for one in rows[Kind.CASELOAD][50 : 50 + repeated]]
    assert bool(check_batch(batch_of({"901": rows})).quarantined) is spoiled

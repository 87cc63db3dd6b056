"""A pass beyond its rules: lost columns, cells worked out from others, what it counts and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

from expectations.batch import ORIGINS, PROBLEMS, Batch, CheckHistory, Effect, Outcome
from expectations.passing import check
from expectations.passing.static_pass import RULES
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import (
    OCTOBER,
    Row,
    batch_of,
    check_batch,
    checks_of,
    counts,
    dated,
    large_rows,
    record_rows,
)

SEPTEMBER = Month(2026, 9)
Told = list[tuple[str, str, str, str]]


def _lost(name: str, kind: Kind, absent: bool = False) -> tuple[Batch, CheckHistory]:
    """A month whose file lost a column that it had three months long."""
    past = CheckHistory()
    for back in (3, 2, 1):
        earlier = check_batch(batch_of({"901": large_rows()}, OCTOBER.plus(-back)))
        past = replace(past, profiles=pl.concat([past.profiles, earlier.profile]))
    rows = large_rows()
    for row in rows[kind]:
        row[name] = None
    rows[Kind.WORKFORCE][50]["team"] = "South"
    rows[Kind.CASELOAD][50]["team"] = "South"
    column = frozenset({("901", kind, name)})
    return batch_of({"901": rows}, absent_columns=column, lost_columns=frozenset() if absent else column), past


def _told(outcome: Outcome, name: str) -> Told:
    return outcome.failures.filter(column=name).select("check", "severity", "effect", "column").rows()  # type: ignore[return-value]


def test_a_lost_column_that_a_figure_needs_is_an_error_and_withheld_and_said_once() -> None:
    outcome = check_batch(*_lost("re_referral", Kind.CASELOAD))
    assert _told(outcome, "re_referral") == [
        ("caseload.re_referral.lost", "error", str(Effect.WITHHELD), "re_referral")
    ]
    assert outcome.withheld == {("901", Kind.CASELOAD, "re_referral")}


def test_a_lost_column_that_no_figure_needs_is_a_query() -> None:
    outcome = check_batch(*_lost("team", Kind.WORKFORCE))
    assert _told(outcome, "team") == [("workforce.team.lost", "query", "", "team")]
    assert outcome.withheld == set()


def test_an_absent_column_is_for_information_and_not_told_where_a_comparison_told_it() -> None:
    absent, past = _lost("team", Kind.WORKFORCE, absent=True)
    assert _told(check_batch(absent), "team") == [("workforce.team.absent", "information", "", "team")]
    assert _told(check_batch(absent, past), "team") == [("workforce.team.empty_jump", "query", "", "team")]


def test_another_column_that_is_suddenly_empty_is_told_beside_a_lost_one() -> None:
    batch, past = _lost("re_referral", Kind.CASELOAD)
    emptied = batch.frames[Kind.CASELOAD].with_columns(worker_changes_12m=pl.lit(None, pl.Int64))
    emptied = emptied.cast(batch.frames[Kind.CASELOAD].schema)
    outcome = check_batch(replace(batch, frames={**batch.frames, Kind.CASELOAD: emptied}), past)
    assert {"caseload.re_referral.lost", "caseload.worker_changes_12m.empty_jump"} <= checks_of(outcome.failures, "901")


def test_a_cell_worked_out_from_others_is_told_with_the_row_and_the_column_of_its_source() -> None:
    """Rows 2 and 3 come from row 40 of another list; row 4 is its own."""
    problems = pl.DataFrame(
        [("901", "workforce", row, "fte", "not_a_number") for row in (2, 3, 4)]
        + [("901", "workforce", 5, "fte", "empty"), ("901", "caseload", 3, "icpc_date", "not_a_date")],
        schema=PROBLEMS,
        orient="row",
    )
    origins = pl.DataFrame(
        [("901", "workforce", row, "fte", 40, "the hours of “Posts”") for row in (2, 3)]
        + [("901", "caseload", 4, "icpc_date", 70, "“Plans”")],
        schema=ORIGINS,
        orient="row",
    )
    outcome = check_batch(batch_of({"901": large_rows()}, problems=problems, origins=origins))
    found = outcome.failures.filter(column="fte").select("check", "rows", "row_numbers", "message").rows()
    assert [(check, rows, numbers) for check, rows, numbers, _ in found] == [
        ("workforce.fte.not_a_number", 1, [4]),
        ("workforce.fte.not_a_number", 2, [40]),
    ]
    assert "2 of 100 rows as the hours of “Posts” gives it." in found[1][3]
    assert " as " not in found[0][3].partition("row")[2][:20]
    (other,) = outcome.failures.filter(column="icpc_date").rows(named=True)
    assert other["row_numbers"] == [3]


def test_what_is_left_out_of_a_file_that_is_not_used_is_not_listed() -> None:
    rows = large_rows()
    for one in rows[Kind.WORKFORCE][:21]:
        one["agency_worker"] = None
    rows[Kind.WORKFORCE][50]["fte"] = 3700
    rows[Kind.CASELOAD][50]["case_status"] = "z"
    outcome = check_batch(batch_of({"901": rows}))
    assert outcome.set_aside.rows() == [("901", "caseload", 52, "case_status")]


def test_one_wrong_row_of_a_core_column_is_a_fifth_of_four() -> None:
    rows = {Kind.WORKFORCE: record_rows()[Kind.WORKFORCE][:4]}
    rows[Kind.WORKFORCE][1]["agency_worker"] = None
    assert check_batch(batch_of({"901": rows})).quarantined == {("901", Kind.WORKFORCE)}


def test_statistics_say_the_rows_the_checks_and_the_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([5.0, 7.5])
    monkeypatch.setattr(check, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    first, second = check.check_batches([batch_of({"901": dated(large_rows(), m)}, m) for m in (SEPTEMBER, OCTOBER)])
    static = sum(len(RULES[kind]) for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD))
    # In both months three pairs of figures; in October identity, people gone and rows of both files and who holds the
    # cases is looked up in both, and each file is compared with September's.
    assert (first.statistics.rows, first.statistics.seconds) == (201, 2.5)
    assert first.statistics.checks_run == static + 3
    assert second.statistics.checks_run == static + 3 + 3 + 3 + 2


def test_a_months_counts_are_made_between_the_halves_and_compared_with() -> None:
    """The counts of each month are asked for once, and stand beside those that were known."""
    seen: list[Month] = []

    def count(batch: Batch, outcome: Outcome) -> Mapping[Kind, pl.DataFrame]:
        seen.append(batch.month)
        assert outcome.profile.is_empty() and ("901", Kind.WORKFORCE) in outcome.checked
        return {Kind.WORKFORCE: counts(Kind.WORKFORCE, {batch.month: {"inpost_fte": 10_000}})}

    known = {OCTOBER.plus(-back): {"inpost_fte": 20_000} for back in range(1, 7)}
    history = CheckHistory({Kind.WORKFORCE: counts(Kind.WORKFORCE, known)})
    (outcome,) = check.check_batches([batch_of({"901": record_rows()})], history, count=count)
    assert seen == [OCTOBER]
    assert "workforce.inpost_fte.jump" in checks_of(outcome.failures, "901")
    (alone,) = check.check_batches([batch_of({"901": record_rows()})], history)
    assert "workforce.inpost_fte.jump" not in checks_of(alone.failures, "901")


def test_counts_of_several_months_and_kinds_stand_below_each_other() -> None:
    def of(month: Month) -> dict[Kind, pl.DataFrame]:
        return {Kind.WORKFORCE: counts(Kind.WORKFORCE, {month: {"inpost_fte": 1}})}

    cases = {Kind.CASELOAD: counts(Kind.CASELOAD, {OCTOBER: {"open_cases": 2}})}
    history = CheckHistory(of(SEPTEMBER)).with_counts([of(OCTOBER), cases])
    assert history.counts_of(Kind.WORKFORCE)["month"].to_list() == [SEPTEMBER.last_day, OCTOBER.last_day]
    assert history.counts_of(Kind.CASELOAD)["open_cases"].to_list() == [2]
    assert history.counts_of(Kind.ESTABLISHMENT).is_empty()


def test_workers_are_looked_up_in_every_file_that_gives_references() -> None:
    rows: dict[Kind, list[Row]] = record_rows()
    outcome = check_batch(batch_of({"901": rows, "902": rows}, workers_by_name=frozenset({"902"})))
    named = outcome.not_run.filter(reason="the file names workers and gives no references")
    assert named.select("la_code", "check").rows() == [
        ("902", "caseload.allocated_worker_ref.has_left"),
        ("902", "caseload.allocated_worker_ref.unknown"),
    ]

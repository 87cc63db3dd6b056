"""People and episodes persist from month to month, and the files of a council agree with each other."""

from __future__ import annotations

import itertools
from datetime import timedelta

import polars as pl
import pytest

from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.sample_region import MonthFrames, Region, as_canonical, as_sent, generate, region

MONTHS = 15


@pytest.fixture(scope="module")
def made() -> Region:
    return region(5, MONTHS, 7, Month(2026, 3))


@pytest.fixture(scope="module")
def months(made: Region) -> list[MonthFrames]:
    return list(generate(made))


def _workers(month: MonthFrames) -> pl.DataFrame:
    return month.frames[Kind.WORKFORCE]


def _cases(month: MonthFrames) -> pl.DataFrame:
    return month.frames[Kind.CASELOAD]


def test_every_month_comes_once_and_in_order(made: Region, months: list[MonthFrames]) -> None:
    assert [m.month for m in months] == [made.first.plus(i) for i in range(MONTHS)]


def test_a_worker_holds_as_many_cases_as_the_caseload_says(months: list[MonthFrames]) -> None:
    for month in months:
        held = (
            _cases(month)
            .filter(pl.col("closed_date").is_null() & pl.col("allocated_worker_ref").is_not_null())
            .group_by(pl.col("allocated_worker_ref").alias("worker_ref"))
            .agg(pl.len().cast(pl.Int64).alias("cases"))
            .sort("worker_ref")
        )
        said = _workers(month).filter(pl.col("cases") > 0).select("worker_ref", "cases").sort("worker_ref")
        assert said.equals(held)
        assert held.height > 0


def test_open_cases_lie_only_with_workers_of_the_same_council_in_post(months: list[MonthFrames]) -> None:
    for month in months:
        in_post = _workers(month).filter(pl.col("role_end_date").is_null()).select("la_code", "worker_ref")
        allocated = _cases(month).filter(pl.col("closed_date").is_null(), pl.col("allocated_worker_ref").is_not_null())
        stray = allocated.join(
            in_post, left_on=["la_code", "allocated_worker_ref"], right_on=["la_code", "worker_ref"], how="anti"
        )
        assert stray.is_empty()


def test_the_establishment_agrees_with_the_agency_rows(months: list[MonthFrames]) -> None:
    for month in months:
        agency = (
            _workers(month)
            .filter(pl.col("agency_worker") == 1, pl.col("role_end_date").is_null())
            .group_by("la_code")
            .agg(agency_fte=pl.col("fte").sum(), agency_headcount=pl.len().cast(pl.Int64))
            .sort("la_code")
        )
        said = month.frames[Kind.ESTABLISHMENT].select("la_code", "agency_fte", "agency_headcount").sort("la_code")
        assert said.cast({"agency_fte": pl.Int64}).equals(agency.cast({"agency_fte": pl.Int64}))
        cover = month.frames[Kind.ESTABLISHMENT]
        assert (cover["agency_cover_fte"] <= cover["agency_fte"]).all()


def test_workers_persist_until_they_leave_once_and_are_gone(months: list[MonthFrames]) -> None:
    left_before: set[int] = set()
    for now, after in itertools.pairwise(months):
        leavers = _workers(now).filter(pl.col("role_end_date").is_not_null())
        assert leavers["role_end_date"].is_between(now.month.first_day, now.month.last_day).all()
        left_before |= set(leavers["worker_ref"])
        stayed = _workers(now).filter(pl.col("role_end_date").is_null())
        both = stayed.join(_workers(after), on=["la_code", "worker_ref"], validate="1:1", suffix="_after")
        assert both.height == stayed.height
        for column in ("agency_worker", "org_role", "role_start_date", "team"):
            assert both[column].equals(both[f"{column}_after"], null_equal=True), column
        still = both.filter(pl.col("role_end_date_after").is_null())
        assert still["fte"].equals(still["fte_after"])
        assert left_before.isdisjoint(_workers(after)["worker_ref"])
        new = _workers(after).join(stayed, on="worker_ref", how="anti")
        assert (new["role_start_date"] >= after.month.first_day).all()
    assert len(left_before) > 50


def test_episodes_persist_until_they_close_once_and_are_gone(months: list[MonthFrames]) -> None:
    for now, after in itertools.pairwise(months):
        closed = _cases(now).filter(pl.col("closed_date").is_not_null())
        assert closed["closed_date"].is_between(now.month.first_day, now.month.last_day).all()
        assert (closed["case_status"] == "e").all()
        still = _cases(now).filter(pl.col("closed_date").is_null())
        both = still.join(_cases(after), on=["la_code", "case_ref"], validate="1:1", suffix="_after")
        assert both.height == still.height
        for column in ("referral_date", "re_referral"):
            assert both[column].equals(both[f"{column}_after"]), column
        new = _cases(after).join(still, on="case_ref", how="anti")
        assert new["referral_date"].is_between(after.month.first_day, after.month.last_day).all()
        assert closed.join(_cases(after), on="case_ref", how="semi").is_empty()


def test_what_happens_shows_in_the_month_in_which_it_happens(months: list[MonthFrames]) -> None:
    """Flows are counted by their date in the month's file, so nothing may appear later than that."""
    for column in ("assessment_authorised_date", "section_47_start_date", "icpc_date", "cp_plan_start_date"):
        for before, now in itertools.pairwise(months):
            appeared = (
                _cases(now)
                .filter(pl.col(column).is_not_null())
                .join(_cases(before).filter(pl.col(column).is_not_null()), on="case_ref", how="anti")
            )
            assert appeared[column].is_between(now.month.first_day, now.month.last_day).all(), column
            assert appeared.height > 0


def test_dates_are_in_the_order_of_the_work(months: list[MonthFrames]) -> None:
    earlier_later = [
        ("referral_date", "assessment_start_date"),
        ("assessment_start_date", "assessment_authorised_date"),
        ("referral_date", "section_47_start_date"),
        ("section_47_start_date", "icpc_date"),
        ("icpc_date", "cp_plan_start_date"),
        ("cp_plan_start_date", "last_cp_review_date"),
        ("cp_plan_start_date", "cp_review_due_date"),
        ("last_cp_review_date", "cp_review_due_date"),
        ("referral_date", "last_visit_date"),
        ("assessment_authorised_date", "closed_date"),
        ("last_visit_date", "closed_date"),
        ("last_cp_review_date", "closed_date"),
        ("icpc_date", "closed_date"),
    ]
    for month in months:
        for earlier, later in earlier_later:
            wrong = _cases(month).filter(pl.col(earlier) > pl.col(later))
            assert wrong.is_empty(), f"{later} before {earlier} in {month.month}"
        past = [c for c, t in _cases(month).schema.items() if t == pl.Date() and c != "cp_review_due_date"]
        assert _cases(month).select(pl.max_horizontal(pl.col(past).max()) <= month.month.last_day).item()
        workers = _workers(month)
        assert workers.filter(pl.col("role_start_date") > pl.col("role_end_date")).is_empty()
        assert (workers["role_start_date"] <= month.month.last_day).all()


def test_worker_changes_are_what_the_last_twelve_files_show(months: list[MonthFrames]) -> None:
    seen = pl.concat(
        [
            _cases(m)
            .filter(pl.col("closed_date").is_null(), pl.col("allocated_worker_ref").is_not_null())
            .select("case_ref", pl.lit(i).alias("month"), "allocated_worker_ref")
            for i, m in enumerate(months)
        ]
    ).sort("case_ref", "month")
    changed = seen.with_columns(
        changed=(pl.col("allocated_worker_ref") != pl.col("allocated_worker_ref").shift(1)).over("case_ref")
    )
    counted = (
        changed.filter(pl.col("month") > MONTHS - 1 - 12)
        .group_by("case_ref")
        .agg(pl.col("changed").fill_null(False).sum().alias("counted"))
    )
    last = months[-1]
    # Referred after the first file, so that every worker the case ever had is in the files.
    whole = _cases(last).filter(pl.col("closed_date").is_null(), pl.col("referral_date") > months[0].month.last_day)
    both = whole.join(counted, on="case_ref", how="left", validate="1:1").with_columns(pl.col("counted").fill_null(0))
    assert both["worker_changes_12m"].cast(pl.Int64).equals(both["counted"].cast(pl.Int64))
    assert both.filter(pl.col("counted") >= 2).height > 0


def test_every_column_of_the_registry_is_there_and_says_something(months: list[MonthFrames]) -> None:
    for kind, frame in months[-1].frames.items():
        assert frame.columns == [f.name for f in EXTRACTS[kind].fields]
        whole = pl.concat([m.frames[kind] for m in months])
        assert all(whole[c].null_count() < whole.height for c in whole.columns)
        for field in EXTRACTS[kind].fields:
            if field.codes:
                assert set(whole[field.name].drop_nulls().unique()) <= set(field.codes)
            if not field.nullable:
                assert whole[field.name].null_count() == 0


def test_as_canonical_has_the_schema_of_the_registry_and_as_sent_its_units(months: list[MonthFrames]) -> None:
    for kind, frame in months[0].frames.items():
        assert as_canonical(frame, kind).schema == EXTRACTS[kind].schema
    fte = as_sent(_workers(months[0]), Kind.WORKFORCE)["fte"]
    assert fte.is_between(0.0, 1.0).all()
    assert set(fte.unique()) <= {0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}


def test_review_dates_follow_the_rhythm_of_reviews(months: list[MonthFrames]) -> None:
    for month in months:
        plans = _cases(month).filter(pl.col("cp_plan_start_date").is_not_null())
        assert plans["cp_review_due_date"].null_count() == 0
        assert plans["previous_cp_plans"].null_count() == 0
        first = plans.filter(pl.col("last_cp_review_date").is_null())
        assert (first["cp_review_due_date"] - first["cp_plan_start_date"] == timedelta(days=91)).all()
        later = plans.filter(pl.col("last_cp_review_date").is_not_null())
        assert (later["cp_review_due_date"] - later["last_cp_review_date"] == timedelta(days=182)).all()

"""A measure means the same when the model is taught and when it speaks.

A made-up region's year is counted twice: row by row from its records, as the monthly job does, and here in plain
Python as the publishers define their figures, put into a return of the published form. Both ways must give the
same number for every measure that the model reads, and the region must stand in England as England does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.frames import REASONS
from features.measuring.rates import compute_measures
from features.measuring.returns import CELL_REASONS, inputs_from_returns
from features.months import Month
from features.registry import RETURN, Kind
from features.workdays import earliest_start_within
from flows.cli.simulate_alerts import region_features
from flows.sample_region import Region, as_canonical, generate, region
from models.learning.candidates import RECIPE
from models.registry.shipped import shipped_model

SEPTEMBER = Month(2026, 9)
READ = tuple(dict.fromkeys(c.partition("__")[0] for c in RECIPE.columns if "__" in c))


@pytest.fixture(scope="module")
def made() -> Region:
    """Twelve councils, the year to September and the month before it."""
    return region(12, 13, 3, SEPTEMBER)


@pytest.fixture(scope="module")
def from_records(made: Region) -> pl.DataFrame:
    found = region_features(made, shipped_model(), lambda _: None)
    return found.filter(pl.col("month") == SEPTEMBER.last_day, pl.col("measure").is_in(list(READ)))


@pytest.fixture(scope="module")
def published(made: Region) -> pl.DataFrame:
    """The measures of a return whose cells were added up row by row, outside the code that is tried."""
    cells: dict[str, Counter[str]] = defaultdict(Counter)
    held: dict[tuple[str, int], int] = {}
    for shown in generate(made):
        within_the_year = shown.month != made.first
        frames = {kind: as_canonical(frame, kind) for kind, frame in shown.frames.items()}
        held = _workforce(frames[Kind.WORKFORCE], shown.month, cells, held, within_the_year)
        if within_the_year:
            _cases(frames[Kind.CASELOAD], shown.month, cells)
        if shown.month == SEPTEMBER:
            for row in frames[Kind.ESTABLISHMENT].iter_rows(named=True):
                cells[row["la_code"]].update({n: row[n] for n in ("vacancy_fte", "agency_fte")})
    rows = [{"la_code": c, "reference_date": SEPTEMBER.last_day, "file_row": 2, **n} for c, n in cells.items()]
    codes = [c.la_code for c in made.councils]
    known = pl.DataFrame({"la_code": codes, "known_from": [date(2027, 3, 1)] * len(codes)})
    nobody = pl.DataFrame(schema={"la_code": pl.String, "population_0_17": pl.Int64})
    inputs, _ = inputs_from_returns(pl.DataFrame(rows, schema=RETURN.schema), known, nobody, CELL_REASONS.to_frame())
    return compute_measures(inputs, REASONS.to_frame()).filter(pl.col("measure").is_in(list(READ)))


def _workforce(
    frame: pl.DataFrame, month: Month, cells: dict[str, Counter[str]], held: dict[tuple[str, int], int], flows: bool
) -> dict[tuple[str, int], int]:
    """CSWW: leavers and days lost of the year, staff and cases on the last day; returns who held how much FTE."""
    now: dict[tuple[str, int], int] = {}
    last_day = month == SEPTEMBER
    for row in frame.iter_rows(named=True):
        mine, person = cells[row["la_code"]], (row["la_code"], row["worker_ref"])
        ended, direct = row["role_end_date"], not row["agency_worker"]
        in_post = ended is None or ended > month.last_day
        if in_post:
            now[person] = row["fte"] or 0
        if flows and direct and ended is not None and month.first_day <= ended <= month.last_day:
            mine["leavers_fte"] += row["fte"] or held.get(person, 0)
        if flows and direct:
            mine["working_days_lost_fte"] += row["working_days_lost"] or 0
        if last_day and in_post:
            mine["inpost_fte"] += (row["fte"] or 0) if direct else 0
            if (row["fte"] or 0) > 0 and (row["cases"] or 0) > 0:
                mine["case_holders_fte"] += row["fte"]
                mine["cases"] += row["cases"]
    return now


def _cases(frame: pl.DataFrame, month: Month, cells: dict[str, Counter[str]]) -> None:
    """Children in need: what happened in the year, and what of it in time."""

    def within(day: date | None) -> bool:
        return day is not None and month.first_day <= day <= month.last_day

    def timed(row: dict[str, Any], start: str, end: str, limit: int, done: str, in_time: str) -> None:
        if within(row[end]) and row[start] is not None:
            cells[row["la_code"]][done] += 1
            cells[row["la_code"]][in_time] += row[start] >= earliest_start_within(limit, row[end])

    for row in frame.iter_rows(named=True):
        mine = cells[row["la_code"]]
        timed(
            row,
            "assessment_start_date",
            "assessment_authorised_date",
            45,
            "assessments_completed_12m",
            "assessments_in_time_12m",
        )
        timed(row, "section_47_start_date", "icpc_date", 15, "icpcs_12m", "icpcs_in_time_12m")
        if within(row["referral_date"]):
            mine["referrals_12m"] += 1
            mine["re_referrals_12m"] += bool(row["re_referral"])
        if within(row["cp_plan_start_date"]):
            mine["cp_plans_started_12m"] += 1
            mine["repeat_cp_plans_12m"] += (row["previous_cp_plans"] or 0) > 0


@pytest.mark.parametrize("measure", READ)
def test_each_measure_of_the_model_is_the_published_one(
    measure: str, from_records: pl.DataFrame, published: pl.DataFrame
) -> None:
    ours, theirs = (
        dict(f.filter(pl.col("measure") == measure).select("la_code", "value").iter_rows())
        for f in (from_records, published)
    )
    there = {code: value for code, value in theirs.items() if value is not None}
    assert len(there) >= 10
    for code, value in there.items():
        assert ours[code] == value, f"{measure} of {code}"


def out_of_place(ranks: np.ndarray[Any, Any]) -> bool:
    """Whether a region's ranks lie further to one side of England than a dozen of its councils do by chance.

    The mean of n ranks of England's councils is 0.5, give or take 0.29 / √n.
    """
    return bool(abs(float(np.mean(ranks)) - 0.5) > 3 * 0.289 / np.sqrt(len(ranks)))


@pytest.mark.parametrize("measure", READ)
def test_the_region_s_septembers_stand_in_england_as_england_does(measure: str, from_records: pl.DataFrame) -> None:
    ranks = from_records.filter(pl.col("measure") == measure)["national_percentile"].drop_nulls().to_numpy()
    assert len(ranks) >= 10
    assert not out_of_place(ranks), f"{measure}: mean rank {ranks.mean():.2f}"


def test_a_measure_that_is_another_one_would_be_found_out() -> None:
    """What reviews in time did: nearly every council at 0.93 to 0.95 of another distribution."""
    assert out_of_place(np.linspace(0.93, 0.95, 12))
    assert not out_of_place(np.linspace(0.2, 0.9, 12))
